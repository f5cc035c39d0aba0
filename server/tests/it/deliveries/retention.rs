//! What is forgotten, while more comes in all the time.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::time::sleep;

use super::{Answer, Kept, Receiver, Site, sent};
use crate::support::{PATIENCE, Setup, blobs, redis_database, text};

/// Everything is forgotten after a second, dead letters after three.
const FILE: &str = "limits = []\n[messages]\nallow_private = true\nkeep = '1s'\ndedup_window = '1s'\n\
                    events_keep = '1s'\n[photos]\nkeep = '1s'\n[queue]\nlease = '2s'\nkeep = '3s'";

/// Messages that are published at a time; one in ten fails.
const WAVE: usize = 40;

/// Larger than what is kept in a job's record.
const LARGE: usize = 100_000;

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_is_forgotten_under_load_and_nothing_else() {
    for kept in [Kept::Embedded, Kept::Redis] {
        let setup = Setup::with_file(FILE);
        let site = Site::of(match kept {
            Kept::Embedded => setup,
            Kept::Redis => setup.set("ATELIER_REDIS_URL", &redis_database().await),
        });

        let (good, bad) = (
            Receiver::start(vec![]).await,
            Receiver::start(vec![Answer::status(500); 100 * WAVE]).await,
        );
        let waiting = site.publish(&good.url).header("upstash-delay", "1d");
        let waiting = sent(waiting.body(vec![b'w'; LARGE])).await;
        let first = wave(&site, &good.url, &bad.url, 0).await;
        let (mut number, started) = (1, Instant::now());
        while !all_gone(&site, &first).await {
            assert!(started.elapsed() < PATIENCE, "they are kept");
            wave(&site, &good.url, &bad.url, number).await;
            number += 1;
        }
        // Each was called once, whatever was deleted beside it.
        let mut calls = HashMap::new();
        for _ in 0..number * WAVE * 9 / 10 {
            *calls.entry(good.next().await.body).or_insert(0) += 1;
        }
        assert_eq!(calls.len(), number * WAVE * 9 / 10);
        good.nothing_more(Duration::from_millis(300)).await;
        // What waits has its body, and nothing is left of all the others.
        until_empty(&site, "/v2/dlq", "messages", 0).await;
        let events = until_empty(&site, "/v2/events", "events", 0).await;
        assert!(events.is_empty(), "{events:?}");
        let started = Instant::now();
        while blobs(&site.setup.data()).len() > 1 {
            assert!(started.elapsed() < PATIENCE, "files are left");
            sleep(Duration::from_millis(100)).await;
        }
        let found = site.json(&format!("/v2/messages/{waiting}")).await;
        assert_eq!(text(&found["body"]).len(), LARGE, "{}", found["body"]);
    }
}

/// Publishes a wave; the ids.
async fn wave(site: &Site, good: &str, bad: &str, number: usize) -> Vec<String> {
    let publish = |index: usize| {
        let fails = index % 10 == 9;
        let mut body = format!("{number} {index} ").into_bytes();
        if index.is_multiple_of(10) {
            body.resize(LARGE, b'-');
        }
        let request = site.publish(if fails { bad } else { good });
        sent(request.header("upstash-retries", "0").body(body))
    };
    futures::future::join_all((0..WAVE).map(publish)).await
}

async fn all_gone(site: &Site, ids: &[String]) -> bool {
    for id in ids {
        let path = format!("/v2/messages/{id}");
        let found = site.server.get(&path).bearer_auth(&site.key).send().await;
        if found.unwrap().status() != 404 {
            return false;
        }
        let events = site.json(&format!("/v2/events?messageId={id}")).await;
        let letters = site.json(&format!("/v2/dlq?messageId={id}")).await;
        if events["events"] != Value::Array(vec![]) || letters["messages"] != Value::Array(vec![]) {
            return false;
        }
    }
    true
}

/// The list, once it has no more than so many.
async fn until_empty(site: &Site, path: &str, name: &str, most: usize) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let list = site.json(path).await[name].as_array().cloned().unwrap();
        if list.len() <= most {
            return list;
        }
        assert!(started.elapsed() < PATIENCE, "{path} has {}", list.len());
        sleep(Duration::from_millis(100)).await;
    }
}
