//! What falls into the gap between two steps: a process that dies after it has told of an
//! attempt and before the store knows of the attempt, and a store that is lost while a message is
//! handed over.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use reqwest::{RequestBuilder, StatusCode};
use rusqlite::Connection;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{Answer, FILE, Receiver, Site, sent};
use crate::{
    redis::{PASSWORD, Server},
    support::{PATIENCE, Setup, text},
};

/// Lets no job that is called return to the queue. Only whoever has its folder can do that.
const GAP: &str = "CREATE TRIGGER gap BEFORE UPDATE ON jobs
    WHEN old.status = 'running' AND new.status = 'queued'
    BEGIN SELECT RAISE(ABORT, 'not yet'); END";

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_told_of_once_though_its_process_died_before_it_was_recorded() {
    let site = Site::of(Setup::with_file(FILE));
    let receiver = Receiver::start(vec![Answer::status(500); 2]).await;
    let told = Receiver::start(vec![]).await;
    let database = || Connection::open(site.setup.data().join("atelier.db")).unwrap();
    database().execute_batch(GAP).unwrap();
    let request = site
        .publish(&receiver.url)
        .header("upstash-retry-delay", "50")
        .header("upstash-callback", &told.url);
    let id = sent(request).await;
    let first = told.next().await;
    receiver.next().await;
    site.server.logged("the outcome is not recorded yet");
    let Site { setup, server, key } = site;
    server.kill();
    let file = Connection::open(setup.data().join("atelier.db")).unwrap();
    file.execute_batch("DROP TRIGGER gap").unwrap();
    drop(file);
    let server = setup.start();
    let site = Site { setup, server, key };

    // Nobody can know what the first call did: it is made again, under its number.
    for retried in ["0", "1"] {
        assert_eq!(receiver.next().await.header("upstash-retried"), retried);
    }
    let mut calls = vec![first];
    for _ in 0..2 {
        calls.push(told.next().await);
    }
    while let Ok(more) = timeout(Duration::from_millis(500), told.next()).await {
        calls.push(more);
    }
    // A callback that was under way when the process died is repeated itself, under its id.
    let mut ids = HashSet::new();
    calls.retain(|call| ids.insert(call.header("upstash-message-id").to_owned()));
    let said: Vec<Value> = calls.iter().map(super::Call::json).collect();
    let attempts: Vec<_> = said
        .iter()
        .map(|said| [&said["retried"], &said["status"]])
        .collect();
    assert_eq!(attempts, [[0, 500], [0, 500], [1, 200]]);
    assert!(said.iter().all(|said| said["sourceMessageId"] == id));
    site.states(&id, "DELIVERED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_lost_while_a_message_is_queued_leaves_it_uncertain() {
    let mut redis = Server::new(false);
    redis.start_and_wait().await;
    let setup = Setup::with_file(FILE).set("ATELIER_REDIS_URL", &redis.url(PASSWORD));
    let (site, receiver) = (Site::of(setup), Receiver::start(vec![]).await);
    // The key is known from now on.
    sent(site.publish(&receiver.url).body("known")).await;
    assert_eq!(receiver.next().await.body, "known");

    redis.signal(Signal::SIGSTOP);
    let lost = site
        .publish(&receiver.url)
        .body("lost")
        .send()
        .await
        .unwrap();
    assert_eq!(lost.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(lost.headers().contains_key("retry-after"));
    let lost: Value = lost.json().await.unwrap();
    let error = text(&lost["error"]);
    assert!(error.contains("may be delivered nevertheless"), "{error}");
    let id = error
        .split_whitespace()
        .find(|word| word.starts_with("msg_"));
    let id = id.unwrap().trim_end_matches(',');
    redis.signal(Signal::SIGCONT);

    // It is as the answer says: the id can be looked up, and a message that is there arrives.
    let path = format!("/v2/messages/{id}");
    let found = answered(|| site.server.get(&path).bearer_auth(&site.key)).await;
    match found.as_u16() {
        200 => assert_eq!(receiver.next().await.body, "lost"),
        404 => {}
        status => panic!("{status}"),
    }

    // With an id for deduplication it is safe to publish it again until it is taken.
    let publish = || {
        let request = site.publish(&receiver.url).body("once");
        request.header("upstash-deduplication-id", "once")
    };
    redis.signal(Signal::SIGSTOP);
    let lost = publish().send().await.unwrap();
    assert_eq!(lost.status(), StatusCode::SERVICE_UNAVAILABLE);
    redis.signal(Signal::SIGCONT);
    assert!(answered(publish).await.is_success());
    assert_eq!(answered(publish).await, StatusCode::ACCEPTED);
    assert_eq!(receiver.next().await.body, "once");
    receiver.nothing_more(Duration::from_secs(1)).await;
}

/// What is answered once the store is there again.
async fn answered(request: impl Fn() -> RequestBuilder) -> StatusCode {
    let started = Instant::now();
    loop {
        let status = request().send().await.unwrap().status();
        if status != StatusCode::SERVICE_UNAVAILABLE {
            return status;
        }
        assert!(started.elapsed() < PATIENCE, "the store is still away");
        sleep(Duration::from_millis(100)).await;
    }
}
