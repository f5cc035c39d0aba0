//! Who is told what became of a message, and what waits for that.

use std::time::Duration;

use atelier_messages::signature;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::Timestamp;

use super::{Answer, Kept, Receiver, Site, sent};
use crate::support::text;

fn decoded(value: &serde_json::Value) -> Vec<u8> {
    BASE64.decode(text(value)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_tells_of_every_attempt_once() {
    for kept in [Kept::Embedded, Kept::Redis] {
        let answers = vec![Answer::With(500, vec![("x-kind", "bad".into())], b"no")];
        let (site, receiver) = (Site::on(kept).await, Receiver::start(answers).await);
        let told = Receiver::start(vec![]).await;
        let request = site
            .publish(&receiver.url)
            .header("upstash-retry-delay", "50")
            .header("upstash-callback", &told.url)
            .header("upstash-callback-forward-x-own", "value")
            .header("upstash-forward-x-sent", "too");
        let id = sent(request.body("hello")).await;
        for (retried, status, body) in [(0, 500, &b"no"[..]), (1, 200, b"")] {
            let call = told.next().await;
            assert_eq!(call.method, "POST");
            assert_eq!(call.header("x-own"), "value");
            assert_eq!(call.header("content-type"), "application/json");
            let said = call.json();
            assert_eq!(said["sourceMessageId"], id);
            assert_eq!(said["status"], status);
            assert_eq!(said["retried"], retried);
            assert_eq!(said["maxRetries"], 3);
            assert_eq!(said["url"], receiver.url);
            assert_eq!(said["method"], "POST");
            assert_eq!(decoded(&said["body"]), body);
            assert_eq!(decoded(&said["sourceBody"]), b"hello");
            assert_eq!(said["sourceHeader"]["X-Sent"][0], "too");
            assert_eq!(said["callerIP"], "127.0.0.1");
            assert!(said.get("dlqId").is_none());
            let keys = site.json("/v2/keys").await;
            let verifier = signature::Receiver::new(text(&keys["current"]), text(&keys["next"]));
            let signature = call.header("upstash-signature");
            let verified = verifier.verify(signature, &call.body, None, Timestamp::now());
            assert!(verified.is_ok(), "{verified:?}");
            assert_ne!(call.header("upstash-message-id"), id);
        }
        told.nothing_more(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_callback_comes_once_at_the_end() {
    for kept in [Kept::Embedded, Kept::Redis] {
        let receiver = Receiver::start(vec![Answer::status(500); 2]).await;
        let (site, told) = (Site::on(kept).await, Receiver::start(vec![]).await);
        let request = site
            .publish(&receiver.url)
            .header("upstash-retries", "1")
            .header("upstash-retry-delay", "50")
            .header("upstash-failure-callback", &told.url);
        let id = sent(request).await;
        let said = told.next().await.json();
        assert_eq!(said["sourceMessageId"], id);
        assert_eq!(said["status"], 500);
        assert_eq!(said["retried"], 1);
        let letter = site.dead(1).await.remove(0);
        assert_eq!(said["dlqId"], letter["dlqId"]);
        told.nothing_more(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_repeated_itself_and_nobody_is_told_of_it() {
    let (site, receiver) = (Site::start(), Receiver::start(vec![]).await);
    let told = Receiver::start(vec![Answer::status(500); 2]).await;
    let request = site
        .publish(&receiver.url)
        .header("upstash-callback", &told.url)
        .header("upstash-callback-retries", "1")
        .header("upstash-callback-retry-delay", "50");
    let id = sent(request).await;
    let (first, second) = (told.next().await, told.next().await);
    assert_eq!(first.body, second.body);
    assert_eq!(second.header("upstash-retried"), "1");
    let letter = site.dead(1).await.remove(0);
    assert_eq!(letter["url"], told.url);
    assert_eq!(site.states(&id, "DELIVERED").await.len(), 3);
    told.nothing_more(Duration::from_millis(300)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_waits_for_retries_and_callbacks() {
    for kept in [Kept::Embedded, Kept::Redis] {
        let receiver = Receiver::start(vec![Answer::status(500)]).await;
        let (site, told) = (
            Site::on(kept).await,
            Receiver::start(vec![
                Answer::status(500),
                Answer::After(Duration::from_millis(300)),
            ])
            .await,
        );
        for number in 0..5 {
            let request = site
                .enqueue("orders", &receiver.url)
                .header("upstash-retry-delay", "50")
                .header("upstash-callback", &told.url)
                .header("upstash-callback-retry-delay", "50");
            sent(request.body(number.to_string())).await;
        }
        // The first is repeated before the second is called.
        for expected in ["0", "0", "1", "2", "3", "4"] {
            assert_eq!(receiver.next().await.body, expected);
        }
        // Before the second was called, both callbacks of the first had arrived.
        let mut told_of_first = Vec::new();
        for _ in 0..3 {
            told_of_first.push(told.next().await);
        }
        let numbers = told_of_first
            .iter()
            .map(|call| decoded(&call.json()["sourceBody"]));
        assert!(numbers.into_iter().all(|body| body == b"0"));
    }
}
