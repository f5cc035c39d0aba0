//! What falls into the gap between two steps: a store that is lost while a message is handed over.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::time::sleep;

use super::{FILE, Receiver, Site, sent};
use crate::{
    redis::{PASSWORD, Server},
    support::{PATIENCE, Setup, text},
};

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
