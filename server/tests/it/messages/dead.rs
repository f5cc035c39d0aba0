//! Dead letters: looked at, filtered, retried and deleted.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use axum::{Router, http::StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::Instant};

use super::{Site, site, status, told};
use crate::support::PATIENCE;

/// A receiver that answers with whatever status is set.
async fn receiver(code: u16) -> (String, Arc<AtomicU16>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let code = Arc::new(AtomicU16::new(code));
    let answer = Arc::clone(&code);
    let router = Router::new().fallback(async move || {
        let code = StatusCode::from_u16(answer.load(Ordering::SeqCst)).unwrap();
        (code, code.to_string())
    });
    tokio::spawn(axum::serve(listener, router).into_future());
    (url, code)
}

impl Site {
    /// What the path lists under that name, as soon as there are so many.
    async fn listed(&self, path: &str, name: &str, count: usize) -> Vec<Value> {
        let started = Instant::now();
        loop {
            let list = self.json(path).await;
            let list = list[name].as_array().unwrap().clone();
            if list.len() == count {
                return list;
            }
            assert!(started.elapsed() < PATIENCE, "{count} of {list:?}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// Publishes a message that is not tried again.
    async fn once(&self, url: &str, label: &str) -> String {
        let request = self.post(&format!("/v2/publish/{url}"));
        let request = request.header("upstash-retries", "0");
        self.published(
            request
                .header("upstash-label", label)
                .body(label.to_owned()),
        )
        .await
    }
}

#[tokio::test]
async fn what_failed_is_kept_until_it_is_deleted_or_retried() {
    let site = site("[messages]\nallow_private = true");
    let (url, code) = receiver(404).await;
    let ids = [site.once(&url, "one").await, site.once(&url, "two").await];
    let letters = site.listed("/v2/dlq", "messages", 2).await;
    for (letter, (id, label)) in letters.iter().rev().zip(ids.iter().zip(["one", "two"])) {
        for (field, expected) in [
            ("messageId", json!(id)),
            ("responseStatus", json!(404)),
            ("responseBody", json!("404 Not Found")),
            ("body", json!(label)),
            ("label", json!(label)),
            ("maxRetries", json!(0)),
        ] {
            assert_eq!(letter[field], expected, "{field} of {letter}");
        }
    }
    let letter = &letters[0];
    let dead = letter["dlqId"].as_str().unwrap();
    assert_eq!(site.json(&format!("/v2/dlq/{dead}")).await, *letter);
    for (query, count) in [
        ("label=two", 1),
        ("label=one&label=two", 2),
        ("responseStatus=404", 2),
        ("responseStatus=500", 0),
        ("label=two&responseStatus=500", 0),
        ("fromDate=4070908800000", 0),
        ("count=1", 1),
    ] {
        let found = site.json(&format!("/v2/dlq?{query}")).await;
        let found = found["messages"].as_array().unwrap().len();
        assert_eq!(found, count, "{query}");
    }
    let named = site.json(&format!("/v2/dlq?dlqIds={dead}")).await;
    assert_eq!(named["messages"], json!([letter]));

    let retried = site.post(&format!("/v2/dlq/retry?dlqIds={dead}"));
    let expected = json!({ "responses": [{ "messageId": ids[1] }] });
    assert_eq!(told(retried, 201).await, expected);
    // It fails again, as another dead letter.
    let again = site.listed("/v2/dlq?label=two", "messages", 1).await;
    assert_ne!(again[0]["dlqId"], letter["dlqId"]);
    assert_eq!(status(site.delete(&format!("/v2/dlq/{dead}"))).await, 404);
    code.store(200, Ordering::SeqCst);
    let all = told(site.post("/v2/dlq/retry?count=1"), 201).await;
    assert_eq!(all["responses"].as_array().unwrap().len(), 1);
    let left = site.listed("/v2/dlq", "messages", 1).await;
    let left = left[0]["dlqId"].as_str().unwrap();
    told(site.delete(&format!("/v2/dlq/{left}")), 200).await;
    assert_eq!(status(site.delete(&format!("/v2/dlq/{left}"))).await, 404);
    let gone = site.delete(&format!("/v2/dlq?dlqIds={left}"));
    assert_eq!(told(gone, 200).await, json!({ "deleted": 0 }));
}

#[tokio::test]
async fn what_was_delivered_is_shown_for_a_while() {
    let site = site("[messages]\nallow_private = true");
    let (url, _) = receiver(200).await;
    let id = site.once(&url, "done").await;
    let delivered = format!("/v2/events?messageId={id}&state=DELIVERED");
    site.listed(&delivered, "events", 1).await;
    let message = site.json(&format!("/v2/messages/{id}")).await;
    assert_eq!(message["body"], "done");
    let cancelled = site.delete(&format!("/v2/messages/{id}"));
    assert_eq!(told(cancelled, 200).await, json!({ "cancelled": 0 }));
    let events = site.json(&format!("/v2/events?messageId={id}")).await;
    let events = events["events"].as_array().unwrap();
    assert_eq!(events.first().unwrap()["state"], "DELIVERED");
    assert_eq!(events.last().unwrap()["state"], "CREATED");
    assert!(events.iter().all(|event| event["label"] == "done"));
}

#[tokio::test]
async fn many_are_deleted_with_their_ids_in_the_body() {
    let site = site("[messages]\nallow_private = true");
    let (url, _) = receiver(500).await;
    for number in 0..3 {
        site.once(&url, &number.to_string()).await;
    }
    let letters = site.listed("/v2/dlq", "messages", 3).await;
    let ids: Vec<_> = letters.iter().map(|letter| &letter["dlqId"]).collect();
    let body = json!({ "dlqIds": ids[..2] });
    let deleted = told(site.delete("/v2/dlq").json(&body), 200).await;
    assert_eq!(deleted, json!({ "deleted": 2 }));
    let wrong = site.delete("/v2/dlq?labeel=0&count=100");
    assert_eq!(status(wrong).await, 400);
    assert_eq!(
        told(site.delete("/v2/dlq"), 200).await,
        json!({ "deleted": 1 })
    );
}
