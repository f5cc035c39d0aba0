//! Twenty owners who publish, do not give up, and ask what became of it.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    PAUSE, RETRIES,
    diary::{Diary, Place},
    receivers::{Receivers, TIMEOUT},
};
use crate::{
    fleet::Fleet,
    ledger::Ledger,
    settings::{OWNERS, Settings, is_doomed, prompt},
};

/// Before a request is repeated.
const AGAIN: Duration = Duration::from_millis(100);

/// How long a new key may be unknown to a server.
const KNOWN: Duration = Duration::from_secs(30);

/// One message in so many goes through the door that is often shut.
const FLAPPING: usize = 10;

const SCHEDULE: &str = "every-minute";

/// A message that was accepted.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    pub(crate) place: Place,
    pub(crate) number: usize,
    pub(crate) id: String,
    pub(crate) doomed: bool,
}

/// What became of the schedule.
#[derive(Debug)]
pub(crate) struct Ticks {
    /// How many of its times there were.
    pub(crate) due: usize,
}

pub(crate) struct Publishers {
    http: Client,
    servers: Vec<String>,
    turn: AtomicUsize,
    keys: Vec<String>,
    receivers: Receivers,
    ledger: Arc<Ledger>,
    published: Mutex<Vec<Published>>,
}

impl Publishers {
    pub(crate) async fn start(
        fleet: &Fleet,
        receivers: &Receivers,
        ledger: &Arc<Ledger>,
    ) -> Arc<Self> {
        atelier::app::context::start_cryptography();
        let http = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(10));
        let publishers = Arc::new(Self {
            http: http.build().unwrap(),
            servers: fleet.servers(),
            turn: AtomicUsize::new(0),
            keys: (0..OWNERS).map(|owner| key(fleet, owner)).collect(),
            receivers: receivers.clone(),
            ledger: Arc::clone(ledger),
            published: Mutex::default(),
        });
        publishers.are_known().await;
        publishers
    }

    /// Waits until every server knows the keys.
    async fn are_known(&self) {
        for (owner, key) in self.keys.iter().enumerate() {
            for server in &self.servers {
                let ask = || {
                    let request = self.http.get(format!("{server}/v2/keys")).bearer_auth(key);
                    request.header("x-forwarded-for", address(owner)).send()
                };
                let asked = Instant::now();
                while !ask().await.is_ok_and(|answer| answer.status().is_success()) {
                    assert!(asked.elapsed() < KNOWN, "{server} does not know a key");
                    sleep(KNOWN / 30).await;
                }
            }
        }
    }

    /// Publishes everything, spread over most of the time in which processes die, and waits
    /// until each message has ended and been told of.
    pub(crate) async fn run(self: &Arc<Self>, settings: &Settings, diary: &Diary) {
        let (started, mut tasks) = (Instant::now(), JoinSet::new());
        let pace = settings.length.mul_f64(0.85) / u32::try_from(settings.jobs).unwrap();
        let (line, waiting) = (Arc::clone(self), settings.jobs / 10);
        tasks.spawn(async move { line.enqueue_all(waiting).await });
        for number in 0..settings.jobs {
            let publishers = Arc::clone(self);
            let turn = started + pace * u32::try_from(number).unwrap();
            tasks.spawn(async move {
                sleep_until(turn).await;
                publishers.publish(number).await;
            });
        }
        tasks.join_all().await;
        while !self.unfinished(diary).is_empty() {
            sleep(AGAIN).await;
        }
    }

    /// Everything that was accepted.
    pub(crate) fn published(&self) -> Vec<Published> {
        self.published.lock().unwrap().clone()
    }

    /// What was neither delivered nor is dead, or was not told of.
    pub(crate) fn unfinished(&self, diary: &Diary) -> Vec<Published> {
        let mut published = self.published();
        published.retain(|one| !is_over(one, diary));
        published
    }

    async fn publish(&self, number: usize) {
        let owner = number % OWNERS;
        let door = match number % FLAPPING {
            0 => &self.receivers.flapping,
            _ => &self.receivers.url,
        };
        let path = format!("/v2/publish/{door}/shop/{number}");
        let body = prompt(number, owner);
        let doomed = is_doomed(&body);
        let id = self.accepted(owner, &path, number, body).await;
        self.published.lock().unwrap().push(Published {
            place: Place::Shop,
            number,
            id,
            doomed,
        });
    }

    /// One after the other into one queue.
    async fn enqueue_all(&self, count: usize) {
        for number in 0..count {
            let path = format!("/v2/enqueue/line/{}/line/{number}", self.receivers.url);
            let id = self.accepted(0, &path, number, "in line".into()).await;
            self.published.lock().unwrap().push(Published {
                place: Place::Line,
                number,
                id,
                doomed: false,
            });
        }
    }

    /// The id of a message that is published until that is acknowledged, and is one all the same.
    async fn accepted(&self, owner: usize, path: &str, number: usize, body: String) -> String {
        let place = if path.contains("/line/") {
            "line"
        } else {
            "shop"
        };
        let (told, grief) = (
            self.office("told", place, number),
            self.office("grief", place, number),
        );
        loop {
            let order = self.request(owner, Method::POST, path).body(body.clone());
            let order = settings_of(order, "upstash-")
                .header("upstash-deduplication-id", format!("{place}-{number}"))
                .header("upstash-callback", &told)
                .header("upstash-failure-callback", &grief);
            let order = settings_of(order, "upstash-callback-");
            let order = settings_of(order, "upstash-failure-callback-");
            if let Some(answer) = self.ask(order).await {
                return answer["messageId"].as_str().unwrap().to_owned();
            }
            sleep(AGAIN).await;
        }
    }

    /// Messages of the queue have numbers beyond those of the others.
    fn office(&self, name: &str, place: &str, number: usize) -> String {
        let number = if place == "line" {
            LINE + number
        } else {
            number
        };
        format!("{}/{name}/{number}", self.receivers.url)
    }

    /// From now on each minute; returns since when.
    pub(crate) async fn schedule(&self) -> Timestamp {
        let path = format!("/v2/schedules/{}/tick/0", self.receivers.url);
        loop {
            let order = self.request(1, Method::POST, &path).body("tick");
            let order = settings_of(order, "upstash-")
                .header("upstash-cron", "* * * * *")
                .header("upstash-schedule-id", SCHEDULE);
            if self.ask(order).await.is_some() {
                return Timestamp::now();
            }
            sleep(AGAIN).await;
        }
    }

    /// Ends the schedule, and counts the minutes that began meanwhile.
    pub(crate) async fn ticks(&self, since: Timestamp) -> Ticks {
        let path = format!("/v2/schedules/{SCHEDULE}");
        while self
            .ask(self.request(1, Method::DELETE, &path))
            .await
            .is_none()
        {
            sleep(AGAIN).await;
        }
        let minute = |at: Timestamp| at.as_second() / 60;
        let due = minute(Timestamp::now()) - minute(since);
        Ticks {
            due: usize::try_from(due).unwrap(),
        }
    }

    /// The ids of all messages among the dead letters.
    pub(crate) async fn dead_letters(&self) -> HashSet<String> {
        let mut dead = HashSet::new();
        for owner in 0..OWNERS {
            let mut cursor = String::new();
            loop {
                let path = format!("/v2/dlq?count=100{cursor}");
                let Some(page) = self.ask(self.request(owner, Method::GET, &path)).await else {
                    sleep(AGAIN).await;
                    continue;
                };
                let letters = page["messages"].as_array().unwrap().iter();
                dead.extend(letters.map(|letter| letter["messageId"].as_str().unwrap().to_owned()));
                match page["cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
        }
        dead
    }

    fn request(&self, owner: usize, method: Method, path: &str) -> RequestBuilder {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let server = &self.servers[turn % self.servers.len()];
        let request = self.http.request(method, format!("{server}{path}"));
        let request = request.bearer_auth(&self.keys[owner]);
        request.header("x-forwarded-for", address(owner))
    }

    /// The answer, or nothing if it is not known whether the request was carried out.
    async fn ask(&self, request: RequestBuilder) -> Option<Value> {
        let answer = request.send().await.ok()?;
        let status = answer.status();
        let text = answer.text().await.ok()?;
        if status.is_success() {
            return Some(serde_json::from_str(&text).unwrap_or(Value::Null));
        }
        if status.as_u16() != 503 {
            self.ledger.fault(format!("answered {status}: {text}"));
        }
        None
    }
}

/// Where the numbers of the queue's messages begin, for callbacks.
pub(crate) const LINE: usize = 1_000_000;

fn settings_of(order: RequestBuilder, prefix: &str) -> RequestBuilder {
    order
        .header(format!("{prefix}retries"), RETRIES)
        .header(format!("{prefix}retry-delay"), PAUSE)
        .header(
            format!("{prefix}timeout"),
            format!("{}s", TIMEOUT.as_secs()),
        )
}

/// Whether it was delivered and told of, or failed and was told of.
fn is_over(one: &Published, diary: &Diary) -> bool {
    let number = match one.place {
        Place::Line => LINE + one.number,
        _ => one.number,
    };
    if one.doomed {
        return diary.was_taken(Place::Grief, number);
    }
    diary.was_taken(one.place, one.number) && diary.was_taken(Place::Told, number)
}

/// Each owner has an address, as each has only so many wrong keys.
fn address(owner: usize) -> String {
    format!("10.78.0.{}", owner + 1)
}

fn key(fleet: &Fleet, owner: usize) -> String {
    let name = format!("owner {owner}");
    let output = fleet
        .command_line(&["keys", "create", &name, "--scope", "messages"])
        .output();
    let output = output.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "atelier keys create: {complaint}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
