//! What claiming a message costs while many wait for their time, and what finding a schedule
//! that is due costs beside many that are not.

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use atelier::{
    app::schema,
    job::{Content, MESSAGES, MessageTask, Request, Task},
    queue::{Claim, DynQueue, Lane, NewJob, RedisQueue, SqliteQueue},
    store::redis::Redis,
};
use atelier_messages::{
    Fired, Message, MessageStore, NewSchedule, RedisMessageStore, SqliteMessageStore,
};
use futures::{StreamExt as _, stream};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::IN_FLIGHT;

/// Claimed one after the other.
const CLAIMS: usize = 1_000;
const LEASE: Duration = Duration::from_secs(60);

/// Schedules of one owner, as many as the settings allow.
const OF_ONE_OWNER: usize = 1_000;

/// In the embedded store, and in Redis.
pub(crate) async fn measure(redis: Option<&str>, waiting: usize) {
    let folder = tempfile::tempdir().unwrap();
    let database = schema::open(&folder.path().join("atelier.db")).unwrap();
    let queue = SqliteQueue::take_over(database.clone(), Timestamp::now()).await;
    claims("sqlite", Arc::new(queue.unwrap()), waiting).await;
    schedules("sqlite", &SqliteMessageStore::new(database), waiting).await;
    if let Some(url) = redis {
        let redis = Redis::open(url.parse().unwrap());
        redis.ping().await.unwrap();
        claims("redis", Arc::new(RedisQueue::new(redis.clone())), waiting).await;
        schedules("redis", &RedisMessageStore::new(redis), waiting).await;
    }
}

async fn claims(store: &str, queue: Arc<DynQueue>, waiting: usize) {
    eprintln!("claiming beside {waiting} messages that wait, {store}");
    let later = Timestamp::now() + 24.hours();
    add(&queue, 0..waiting, Some(later)).await;
    add(&queue, waiting..waiting + CLAIMS, None).await;
    let lanes = [Lane::open(MESSAGES)];
    let mut took = Vec::with_capacity(CLAIMS);
    for _ in 0..CLAIMS {
        let started = Instant::now();
        let claim = queue.claim(&lanes, Timestamp::now(), LEASE).await.unwrap();
        took.push(started.elapsed());
        assert!(matches!(claim, Claim::Call(_)));
    }
    print("messages claim", store, waiting, took);
}

fn print(name: &str, store: &str, waiting: usize, mut took: Vec<Duration>) {
    took.sort_unstable();
    let us = |place: usize| u64::try_from(took[place].as_micros()).unwrap();
    println!(
        "{}",
        json!({
            "name": name, "store": store, "waiting": waiting, "claims": CLAIMS,
            "p50_us": us(CLAIMS / 2), "p99_us": us(CLAIMS * 99 / 100),
        })
    );
}

async fn add(queue: &Arc<DynQueue>, numbers: Range<usize>, at: Option<Timestamp>) {
    let adds = stream::iter(numbers).for_each_concurrent(IN_FLIGHT, |number| async move {
        let job = job(number, at);
        queue.enqueue(job, Timestamp::now()).await.unwrap();
    });
    adds.await;
}

fn job(number: usize, at: Option<Timestamp>) -> NewJob {
    let task = MessageTask {
        message: message(),
        body: Content::Text("an order".into()),
        key: "key_bench".into(),
    };
    let request = Request {
        provider: MESSAGES.into(),
        model: String::new(),
        variation: 0,
        found: None,
        task: Task::Message(Box::new(task)),
    };
    let (id, owner) = (format!("{number:032x}"), format!("owner {}", number % 20));
    NewJob {
        not_before: at,
        ..NewJob::new(id, owner, request)
    }
}

fn message() -> Message {
    Message {
        url: "http://127.0.0.1:9/".into(),
        method: "POST".into(),
        retries: 3,
        caller_ip: "127.0.0.1".into(),
        ..Message::default()
    }
}

async fn schedules(store: &str, messages: &dyn MessageStore, waiting: usize) {
    eprintln!("firing beside {waiting} schedules that wait, {store}");
    let now = Timestamp::now();
    let (past, later) = (now - 1.second(), now + 24.hours());
    keep(messages, 0..waiting, later).await;
    keep(messages, waiting..waiting + CLAIMS, past).await;
    let mut took = Vec::with_capacity(CLAIMS);
    for _ in 0..CLAIMS {
        let started = Instant::now();
        let due = messages.due(now, 1).await.unwrap().remove(0);
        let fired = Fired {
            message: None,
            at: due.at,
            error: None,
        };
        let first = messages.advance(&due, &fired, Some(later)).await.unwrap();
        took.push(started.elapsed());
        assert!(first, "nobody else fires");
    }
    print("messages schedule", store, waiting, took);
}

async fn keep(messages: &dyn MessageStore, numbers: Range<usize>, next: Timestamp) {
    let puts = stream::iter(numbers).for_each_concurrent(IN_FLIGHT, |number| async move {
        let schedule = schedule(number, next);
        let owner = format!("owner {}", number / OF_ONE_OWNER);
        let put = messages.put_schedule(&owner, &schedule, OF_ONE_OWNER, Timestamp::now());
        assert!(put.await.unwrap().is_some());
    });
    puts.await;
}

fn schedule(number: usize, next: Timestamp) -> NewSchedule {
    NewSchedule {
        id: format!("schedule-{number}"),
        cron: "0 3 * * *".into(),
        destination: "http://127.0.0.1:9/".into(),
        message: message(),
        delay: 0,
        body: Value::Null,
        next: Some(next),
    }
}
