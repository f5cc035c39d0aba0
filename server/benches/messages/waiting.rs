//! What claiming costs while many messages wait for their time.

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
use atelier_messages::Message;
use futures::{StreamExt as _, stream};
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use crate::IN_FLIGHT;

/// Claimed one after the other.
const CLAIMS: usize = 1_000;
const LEASE: Duration = Duration::from_secs(60);

/// In the embedded store, and in Redis.
pub(crate) async fn measure(redis: Option<&str>, waiting: usize) {
    let folder = tempfile::tempdir().unwrap();
    let database = schema::open(&folder.path().join("atelier.db")).unwrap();
    let queue = SqliteQueue::take_over(database, Timestamp::now()).await;
    claims("sqlite", Arc::new(queue.unwrap()), waiting).await;
    if let Some(url) = redis {
        let redis = Redis::open(url.parse().unwrap());
        redis.ping().await.unwrap();
        claims("redis", Arc::new(RedisQueue::new(redis)), waiting).await;
    }
}

async fn claims(store: &str, queue: Arc<DynQueue>, waiting: usize) {
    eprintln!("claiming beside {waiting} that wait, {store}");
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
    took.sort_unstable();
    let us = |duration: Duration| u64::try_from(duration.as_micros()).unwrap();
    println!(
        "{}",
        json!({
            "name": "messages claim", "store": store, "waiting": waiting, "claims": CLAIMS,
            "p50_us": us(took[CLAIMS / 2]), "p99_us": us(took[CLAIMS * 99 / 100]),
        })
    );
}

async fn add(queue: &Arc<DynQueue>, numbers: Range<usize>, at: Option<Timestamp>) {
    let adds = stream::iter(numbers).for_each_concurrent(IN_FLIGHT, |number| async move {
        queue
            .enqueue(job(number, at), Timestamp::now())
            .await
            .unwrap();
    });
    adds.await;
}

fn job(number: usize, at: Option<Timestamp>) -> NewJob {
    let message = Message {
        url: "http://127.0.0.1:9/".into(),
        method: "POST".into(),
        retries: 3,
        caller_ip: "127.0.0.1".into(),
        ..Message::default()
    };
    let task = MessageTask {
        message,
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
    NewJob {
        not_before: at,
        ..NewJob::new(
            format!("{number:032x}"),
            format!("owner {}", number % 20),
            request,
        )
    }
}
