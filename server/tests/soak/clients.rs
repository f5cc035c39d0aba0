//! Twenty visitors who ask for pictures, do not give up, and look closely.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::{
    sync::{OnceCell, Semaphore},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    ledger::Ledger,
    provider,
    settings::{OWNERS, Settings, prompt},
};

/// Longer than the servers let a poll wait.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Before a request is repeated.
const PAUSE: Duration = Duration::from_millis(100);

/// How long jobs whose acceptance nobody learnt of may take after the others.
const STRANGERS: Duration = Duration::from_secs(60);

/// Polls under way at once; each waits for one second at most.
const POLLS: usize = 512;

/// A job that was accepted, as it was when it had just ended.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) prompt: String,
    /// `None`: it was lost on the way.
    pub(crate) end: Option<Value>,
}

pub(crate) struct Clients {
    http: Client,
    servers: Vec<String>,
    turn: AtomicUsize,
    polls: Semaphore,
    /// A cookie for each owner.
    sessions: Vec<OnceCell<String>>,
    pub(crate) ledger: Arc<Ledger>,
}

/// What became of a request.
enum Reply {
    Ok(Value),
    /// It was not carried out for sure.
    Refused,
    /// It may have been carried out.
    Unknown,
    NotFound,
}

impl Clients {
    pub(crate) fn new(servers: Vec<String>, ledger: &Arc<Ledger>) -> Arc<Self> {
        atelier::app::context::start_cryptography();
        let http = Client::builder().no_proxy().timeout(TIMEOUT);
        Arc::new(Self {
            http: http.build().unwrap(),
            servers,
            turn: AtomicUsize::new(0),
            polls: Semaphore::new(POLLS),
            sessions: (0..OWNERS).map(|_| OnceCell::new()).collect(),
            ledger: Arc::clone(ledger),
        })
    }

    /// Hands all jobs in, spread over most of the time in which processes
    /// die, and follows each to its end.
    pub(crate) async fn run(self: &Arc<Self>, settings: &Settings) -> Vec<Job> {
        let (started, mut tasks) = (Instant::now(), JoinSet::new());
        let pace = settings.length.mul_f64(0.85) / u32::try_from(settings.jobs).unwrap();
        for number in 0..settings.jobs {
            let clients = Arc::clone(self);
            let turn = started + pace * u32::try_from(number).unwrap();
            tasks.spawn(async move {
                sleep_until(turn).await;
                clients.see_through(number).await
            });
        }
        tasks.join_all().await
    }

    async fn see_through(&self, number: usize) -> Job {
        let owner = number % OWNERS;
        let (id, prompt) = self.submit(owner, &prompt(number, owner)).await;
        let end = self.watch(&id, &prompt).await;
        Job { id, prompt, end }
    }

    /// The id of the accepted job, and the prompt that was accepted: where an
    /// answer was lost, the prompt is changed, so that the two can be told apart.
    async fn submit(&self, owner: usize, wish: &str) -> (String, String) {
        let mut tries = 1;
        loop {
            let prompt = match tries {
                1 => wish.to_owned(),
                more => format!("{wish}, try {more}"),
            };
            let url = format!("{}/api/images", self.server());
            let order = self.http.post(url).json(&json!({ "prompt": prompt }));
            match self.ask(owner, order).await {
                Reply::Ok(job) => return (job["id"].as_str().unwrap().to_owned(), prompt),
                Reply::Refused => {}
                Reply::Unknown | Reply::NotFound => {
                    tries += 1;
                    self.ledger.doubt(prompt);
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// Polls until the job has ended; `None` if it is not there any more.
    async fn watch(&self, id: &str, prompt: &str) -> Option<Value> {
        let mut last = Value::Null;
        loop {
            let version = last["version"].as_u64().unwrap_or(0);
            match self.poll(id, version).await {
                Reply::Ok(job) => {
                    self.compare(prompt, &last, &job);
                    if is_terminal(&job) {
                        return Some(job);
                    }
                    last = job;
                }
                Reply::NotFound => {
                    self.ledger
                        .fault(format!("lost: {prompt}, {id}, last seen as {last}"));
                    return None;
                }
                Reply::Refused | Reply::Unknown => sleep(PAUSE).await,
            }
        }
    }

    async fn poll(&self, id: &str, version: u64) -> Reply {
        let _permit = self.polls.acquire().await.unwrap();
        let url = format!("{}/api/jobs/{id}?after={version}&wait=1", self.server());
        self.ask(0, self.http.get(url)).await
    }

    /// Versions grow, and what is recorded stays recorded.
    fn compare(&self, prompt: &str, before: &Value, now: &Value) {
        let version = |job: &Value| job["version"].as_u64();
        let changed = before["version"] != now["version"];
        if version(now) < version(before) || is_recorded(before) && changed && !is_recorded(now) {
            self.ledger.fault(format!(
                "time ran backwards for {prompt}: {before}, then {now}"
            ));
        }
        if is_recorded(now) {
            self.ledger.record(prompt);
        }
    }

    /// Every job there is, by its id, when all have ended.
    pub(crate) async fn all_jobs(&self) -> HashMap<String, Value> {
        let deadline = Instant::now() + STRANGERS;
        loop {
            let mut all = HashMap::new();
            for owner in 0..OWNERS {
                for job in self.list(owner).await {
                    all.insert(job["id"].as_str().unwrap().to_owned(), job);
                }
            }
            if all.values().all(is_terminal) || Instant::now() > deadline {
                return all;
            }
            sleep(PAUSE).await;
        }
    }

    async fn list(&self, owner: usize) -> Vec<Value> {
        let (mut jobs, mut cursor) = (Vec::new(), String::new());
        loop {
            let url = format!("{}/api/jobs?cursor={cursor}", self.server());
            let Reply::Ok(page) = self.ask(owner, self.http.get(url)).await else {
                sleep(PAUSE).await;
                continue;
            };
            jobs.extend(page["jobs"].as_array().unwrap().clone());
            match page["cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return jobs,
            }
        }
    }

    /// The number of the call that each job's picture answers, by its prompt.
    pub(crate) async fn pictures(&self, jobs: &[Job]) -> HashMap<String, usize> {
        let mut pictures = HashMap::new();
        for job in jobs {
            let end = job.end.as_ref();
            if let Some(path) = end.and_then(|end| end["images"][0]["url"].as_str()) {
                let picture = self.http.get(format!("{}{path}", self.server()));
                let bytes = picture.send().await.unwrap().bytes().await.unwrap();
                match provider::number(&bytes) {
                    Some(number) => drop(pictures.insert(job.prompt.clone(), number)),
                    None => self
                        .ledger
                        .fault(format!("{} has no picture at {path}", job.prompt)),
                }
            }
        }
        pictures
    }

    /// The owner's session, which the first page begins.
    async fn session(&self, owner: usize) -> &str {
        let begin = || async {
            loop {
                let page = self.http.get(format!("{}/", self.server()));
                if let Ok(answer) = page.send().await
                    && let Some(cookie) = answer.headers().get("set-cookie")
                {
                    let cookie = cookie.to_str().unwrap().split(';').next();
                    return cookie.unwrap().to_owned();
                }
                sleep(PAUSE).await;
            }
        };
        self.sessions[owner].get_or_init(begin).await
    }

    async fn ask(&self, owner: usize, request: RequestBuilder) -> Reply {
        let address = format!("10.77.0.{}", owner + 1);
        let request = request.header("cookie", self.session(owner).await);
        match request.header("x-forwarded-for", address).send().await {
            Ok(response) => match response.status() {
                StatusCode::OK | StatusCode::ACCEPTED => {
                    response.json().await.map_or(Reply::Unknown, Reply::Ok)
                }
                StatusCode::NOT_FOUND => Reply::NotFound,
                StatusCode::SERVICE_UNAVAILABLE => Reply::Unknown,
                status => {
                    let text = response.text().await.unwrap_or_default();
                    self.ledger.fault(format!("answered {status}: {text}"));
                    Reply::Unknown
                }
            },
            Err(error) if error.is_connect() => Reply::Refused,
            Err(_) => Reply::Unknown,
        }
    }

    /// Each in turn.
    fn server(&self) -> &str {
        &self.servers[self.turn.fetch_add(1, Ordering::Relaxed) % self.servers.len()]
    }
}

pub(crate) fn is_terminal(job: &Value) -> bool {
    ["succeeded", "failed", "cancelled"]
        .iter()
        .any(|status| job["status"] == *status)
}

fn is_recorded(job: &Value) -> bool {
    job["status"] == "delivering" || is_terminal(job)
}
