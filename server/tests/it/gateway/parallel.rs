//! Calls of several processes in flight at one upstream.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use atelier_upstream_mock::{Behaviour, KEY, Upstream};
use axum::{Json, Router, extract::State, routing::post};
use futures::future::join_all;
use serde_json::{Value, json};

use super::{chat, error};
use crate::{
    redis::{PASSWORD, Server},
    support::{Atelier, PATIENCE, Setup, redis_database},
};

/// How many calls are in flight at an upstream, and were at most.
#[derive(Default)]
struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

async fn answer(State(gauge): State<Arc<Gauge>>) -> Json<Value> {
    let now = gauge.now.fetch_add(1, Ordering::SeqCst) + 1;
    gauge.most.fetch_max(now, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(20)).await;
    gauge.now.fetch_sub(1, Ordering::SeqCst);
    Json(
        json!({ "id": "1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
        "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": "Hi" } }],
        "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 } }),
    )
}

/// An upstream that measures, and its base URL.
async fn measuring() -> (Arc<Gauge>, String) {
    let gauge = Arc::new(Gauge::default());
    let router = Router::new()
        .route("/v1/chat/completions", post(answer))
        .with_state(Arc::clone(&gauge));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (gauge, format!("http://{address}/v1"))
}

/// A site of everybody, whose upstream takes so many calls at once.
fn limited(url: &str, parallel: u32) -> Setup {
    let file = format!(
        "limits = []\n[gateway]\nopen = true\n[[upstreams]]\nname = 'a'\nbase_url = '{url}'\n\
         api_key_env = 'A'\nmodels = ['gpt-*']\nparallel = {parallel}\n"
    );
    Setup::with_file(&file).set("A", KEY)
}

fn ask(server: &Atelier, words: &str) -> reqwest::RequestBuilder {
    server.post("/v1/chat/completions").json(&chat(words))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_the_calls_in_flight() {
    let (gauge, url) = measuring().await;
    let setup = limited(&url, 3).set("ATELIER_REDIS_URL", &redis_database().await);
    let processes = [setup.start(), setup.again().start()];
    let calls = (0..60).map(|number| {
        let request = ask(&processes[number % 2], &format!("number {number}"));
        async move { request.send().await.unwrap().status() }
    });
    let all = tokio::time::timeout(PATIENCE, join_all(calls)).await;
    assert!(all.unwrap().iter().all(|status| *status == 200));
    assert_eq!(gauge.most.load(Ordering::SeqCst), 3);
    assert_eq!(gauge.now.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_a_process_that_was_killed_hold_no_room_for_long() {
    let upstream = Upstream::start().await.unwrap();
    let setup = limited(&upstream.url(), 1).set("ATELIER_REDIS_URL", &redis_database().await);
    let (first, second) = (setup.start(), setup.again().start());
    upstream.then([Behaviour::Hang]);
    let hanging = tokio::spawn(ask(&first, "one").send());
    let path = "/v1/chat/completions";
    let called = tokio::time::timeout(PATIENCE, upstream.called(path, 1)).await;
    called.unwrap();
    // It waits for room as long as its client does.
    let hasty = ask(&second, "two")
        .header("x-stainless-timeout", "1")
        .send();
    assert_eq!(error(hasty.await.unwrap()).await.0, 503);
    assert_eq!(upstream.calls_to(path), 1);
    first.kill();
    assert!(hanging.await.unwrap().is_err());
    let patient = tokio::time::timeout(PATIENCE, ask(&second, "three").send()).await;
    assert_eq!(patient.unwrap().unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_process_counts_for_itself_while_redis_is_away() {
    let (gauge, url) = measuring().await;
    let mut redis = Server::new(false);
    redis.start_and_wait().await;
    let setup = limited(&url, 2).set("ATELIER_REDIS_URL", &redis.url(PASSWORD));
    let server = setup.start();
    assert_eq!(ask(&server, "before").send().await.unwrap().status(), 200);
    redis.kill();
    for round in 0..3 {
        let calls = (0..6).map(|number| ask(&server, &format!("{round} {number}")).send());
        let all = tokio::time::timeout(PATIENCE, join_all(calls))
            .await
            .unwrap();
        assert!(
            all.iter()
                .all(|answer| answer.as_ref().unwrap().status() == 200)
        );
    }
    assert_eq!(gauge.most.load(Ordering::SeqCst), 2);
    redis.start_and_wait().await;
    let started = std::time::Instant::now();
    // It is asked again a second after it has failed.
    while started.elapsed() < Duration::from_secs(3) {
        assert_eq!(ask(&server, "again").send().await.unwrap().status(), 200);
    }
    let log = server.whole_log();
    for told in [
        "calls in flight cannot be counted over all processes",
        "calls in flight are counted over all processes again",
    ] {
        assert_eq!(log.matches(told).count(), 1, "{told} in {log}");
    }
}
