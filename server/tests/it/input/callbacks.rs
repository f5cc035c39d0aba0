//! Deliveries that are not what they seem.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::HeaderMap;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::support::{Atelier, Delivery, OpenAi, Recorder, Setup, problem, text};

const SECRET: &str = "a secret of our tests";

/// A finished job and the delivery that finished it.
async fn delivered() -> (Setup, Atelier, Value, Delivery) {
    let (recorder, openai) = (Recorder::start().await, OpenAi::start(vec![]).await);
    let setup = Setup::new()
        .openai(&openai)
        .set("ATELIER_SECRET", SECRET)
        .set("ATELIER_CALLBACK_URL", &recorder.url);
    let server = setup.start();
    recorder.forward(&server);
    let job = server.succeeded(&server.paint("a boat").await).await;
    (setup, server, job, recorder.next().await)
}

/// The delivery signed anew, `age` seconds ago.
fn signed(delivery: &Delivery, secret: &str, age: i64) -> Delivery {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let timestamp = i64::try_from(now).unwrap() - age;
    let webhook = Webhook::from_bytes(secret.into()).unwrap();
    let id = delivery.headers["webhook-id"].to_str().unwrap();
    let signature = webhook.sign(id, timestamp, &delivery.body).unwrap();
    delivery
        .clone()
        .with("webhook-timestamp", &timestamp.to_string())
        .with("webhook-signature", &signature)
}

async fn is_a_forgery(server: &Atelier, delivery: &Delivery) {
    let (status, problem) = problem(delivery.send(&server.client, &server.url).await).await;
    assert_eq!((status, text(&problem["code"])), (401, "bad_signature"));
    server.logged("delivery rejected");
}

#[tokio::test]
async fn a_delivery_sent_twice_changes_nothing() {
    let (_setup, server, job, delivery) = delivered().await;
    for again in [
        delivery.clone(),
        delivery.clone(),
        signed(&delivery, SECRET, 0),
    ] {
        let response = again.send(&server.client, &server.url).await;
        assert_eq!(response.status(), 204);
        assert_eq!(server.job(text(&job["id"])).await, job);
    }
}

#[tokio::test]
async fn a_delivery_without_its_signature_is_not_believed() {
    let (_setup, server, job, delivery) = delivered().await;
    for name in ["webhook-signature", "webhook-timestamp", "webhook-id"] {
        let mut bare = delivery.clone();
        bare.headers.remove(name);
        is_a_forgery(&server, &bare).await;
    }
    assert_eq!(server.job(text(&job["id"])).await, job);
}

#[tokio::test]
async fn a_delivery_signed_by_another_is_not_believed() {
    let (_setup, server, job, delivery) = delivered().await;
    is_a_forgery(&server, &signed(&delivery, "a secret of somebody else", 0)).await;
    is_a_forgery(
        &server,
        &delivery
            .clone()
            .with("webhook-signature", "v1,bm9uc2Vuc2U="),
    )
    .await;
    is_a_forgery(&server, &delivery.clone().with("webhook-id", "another.1")).await;
    let mut altered = delivery.clone();
    altered.body = [&delivery.body[..], b" "].concat().into();
    is_a_forgery(&server, &altered).await;
    assert_eq!(server.job(text(&job["id"])).await, job);
}

#[tokio::test]
async fn an_old_delivery_is_not_believed() {
    let (_setup, server, job, delivery) = delivered().await;
    for age in [301, 86_400, -3600] {
        is_a_forgery(&server, &signed(&delivery, SECRET, age)).await;
    }
    is_a_forgery(
        &server,
        &delivery.clone().with("webhook-timestamp", "yesterday"),
    )
    .await;
    assert_eq!(server.job(text(&job["id"])).await, job);
}

/// Signed by us, but for an attempt that is not the job's: a worker that was
/// thought dead.
#[tokio::test]
async fn a_delivery_for_another_attempt_changes_nothing() {
    let (recorder, openai) = (Recorder::start().await, OpenAi::start(vec![]).await);
    let setup = Setup::with_file("limits = []\n[queue]\nretry_base = '10ms'")
        .openai(&openai)
        .set("ATELIER_SECRET", SECRET)
        .set("ATELIER_CALLBACK_URL", &recorder.url);
    let server = setup.start();
    let job = server.paint("a boat").await;
    let job = server
        .until(&job, |job| job["status"] == "delivering")
        .await;
    let failure = json!({ "code": "late", "message": "Too late.", "retryable": false });
    let stale = json!({
        "type": "job.failed",
        "timestamp": "2026-11-23T00:00:00Z",
        "data": { "id": job["id"], "token": 99, "outcome": { "failed": failure } },
    });
    let stale = Delivery {
        headers: HeaderMap::new(),
        body: stale.to_string().into(),
    };
    let stale = signed(&stale.with("webhook-id", "stale"), SECRET, 0);
    let (status, problem) = problem(stale.send(&server.client, &server.url).await).await;
    assert_eq!((status, text(&problem["code"])), (409, "stale_token"));
    assert_eq!(server.job(text(&job["id"])).await["status"], "delivering");
    recorder.forward(&server);
    let job = server.succeeded(&job).await;
    assert_eq!(
        stale.send(&server.client, &server.url).await.status(),
        204,
        "too late to matter"
    );
    assert_eq!(server.job(text(&job["id"])).await, job);
    assert_eq!(openai.calls().len(), 1);
}
