//! The application as its users meet it: over HTTP, beside an upstream and a receiver.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    path::Path,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use atelier_store::testing;
use axum::http::StatusCode;
use chat_limits::{Settings, Stores};
use reqwest::Response;
use serde_json::{Value, json};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};

use self::support::{Fake, PATIENCE, Process, receiver, settings};

const QUESTION: &str = "How do I undo the last commit in git?";

fn field<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

async fn sqlite(folder: &Path) -> Stores {
    Stores::sqlite(&folder.join("chat.db")).await.unwrap()
}

async fn questions_are_counted_per_address_and_per_user(stores: Stores) {
    let fake = Fake::start(Semaphore::MAX_PERMITS).await;
    let settings = Settings {
        per_minute: 2.0,
        ..settings(&fake)
    };
    let process = Process::start(settings, stores).await;
    for left in ["1", "0"] {
        let response = process.ask(None, "", QUESTION).await;
        assert_eq!(response.status(), StatusCode::OK);
        let limit = format!("\"requests-per-address\";r={left};t=");
        assert!(field(&response, "ratelimit").starts_with(&limit));
    }
    let refused = process.ask(None, "", QUESTION).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(field(&refused, "retry-after").parse::<u64>().unwrap() >= 1);
    let policy = field(&refused, "ratelimit-policy");
    assert_eq!(policy, "\"requests-per-address\";q=2;w=60");
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(
        problem["violated-policies"],
        json!(["requests-per-address"])
    );

    // Users have quotas of their own, and nobody can make users up.
    for (key, status) in [
        ("key-of-ada", 200),
        ("key-of-ada", 200),
        ("key-of-ada", 429),
        ("key-of-ben", 200),
        ("no-key", 401),
    ] {
        let response = process.ask(Some(key), "", QUESTION).await;
        assert_eq!(response.status(), status, "{key}");
    }
}

async fn what_was_asked_before_is_not_paid_for_again(stores: Stores) {
    let fake = Fake::start(Semaphore::MAX_PERMITS).await;
    let process = Process::start(settings(&fake), stores).await;
    for (question, cache, answer) in [
        (QUESTION, "miss", "answer 1"),
        (QUESTION, "exact", "answer 1"),
        (
            "How can I undo the last commit in git?",
            "semantic",
            "answer 1",
        ),
        ("How do I undo the last merge in git?", "miss", "answer 2"),
    ] {
        let body = process.answer(question).await;
        assert_eq!(
            (&body["cache"], &body["answer"]),
            (&json!(cache), &json!(answer))
        );
    }
    // Others have answers of their own.
    let other = process.ask(Some("key-of-ada"), "", QUESTION).await;
    assert_eq!(other.json::<Value>().await.unwrap()["answer"], "answer 3");
    assert_eq!(fake.calls(), 3);
}

async fn a_budget_pays_the_price_and_not_the_estimate(stores: Stores) {
    let fake = Fake::start(Semaphore::MAX_PERMITS).await;
    let (url, mut received) = receiver().await;
    // Two estimates fit, and three do not.
    let settings = Settings {
        usd_per_day: 0.0022,
        ..settings(&fake)
    };
    let process = Process::start(settings, stores).await;
    for question in ["one lighthouse", "two ships", "three gulls"] {
        accepted(&process, question).await;
    }
    // A price above the estimate is paid as well: it is settled when the callback comes.
    fake.tokens.store(1_000, Ordering::SeqCst);
    let terms = format!("?callback={url}");
    let response = process.ask(None, &terms, "four anchors").await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    timeout(PATIENCE, received.recv()).await.unwrap().unwrap();
    let refused = process.ask(None, "", "five sailors").await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let limits = refused.headers().get_all("ratelimit").iter();
    let limits: Vec<_> = limits.map(|limit| limit.to_str().unwrap()).collect();
    for (limit, policy) in limits
        .iter()
        .zip(["dollars-per-address", "requests-per-address"])
    {
        assert!(limit.starts_with(&format!("\"{policy}\"")), "{limits:?}");
    }
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["violated-policies"], json!(["dollars-per-address"]));
    assert_eq!(fake.calls(), 4);
}

/// Asks until what was reserved before is settled.
async fn accepted(process: &Process, question: &str) {
    let started = Instant::now();
    loop {
        match process.ask(None, "", question).await.status() {
            StatusCode::OK => return,
            status => assert_eq!(status, StatusCode::TOO_MANY_REQUESTS),
        }
        assert!(started.elapsed() < PATIENCE, "nothing is settled");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The first process only takes the question; it is gone when the second one answers it.
async fn a_queued_job_survives_and_its_callback_is_signed(
    first: Stores,
    second: impl AsyncFnOnce() -> Stores,
) {
    let fake = Fake::start(Semaphore::MAX_PERMITS).await;
    let (url, mut received) = receiver().await;
    let front = Settings {
        workers: 0,
        ..settings(&fake)
    };
    let process = Process::start(front, first).await;
    let terms = format!("?callback={url}");
    let response = process.ask(None, &terms, QUESTION).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let address = field(&response, "location").to_owned();
    let job: Value = process.get(&address).await.json().await.unwrap();
    assert_eq!(job["status"], "queued");
    drop(process);

    let process = Process::start(settings(&fake), second().await).await;
    let message = timeout(PATIENCE, received.recv()).await.unwrap().unwrap();
    assert_eq!(message["type"], "job.succeeded");
    assert_eq!(message["data"]["answer"], "answer 1");
    let job: Value = process.get(&address).await.json().await.unwrap();
    assert_eq!(job, message["data"]);
    assert_eq!(fake.calls(), 1);

    // An answer from the cache is delivered as well.
    let response = process.ask(None, &terms, QUESTION).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let message = timeout(PATIENCE, received.recv()).await.unwrap().unwrap();
    assert_eq!(message["data"]["answer"], "answer 1");
    assert_eq!(fake.calls(), 1);
}

#[tokio::test]
async fn a_call_that_a_killed_process_was_making_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start(0).await;
    let process = Process::start(settings(&fake), sqlite(folder.path()).await).await;
    let terms = "?callback=http://127.0.0.1:1/hook";
    let response = process.ask(None, terms, QUESTION).await;
    let address = field(&response, "location").to_owned();
    let started = Instant::now();
    while fake.calls() == 0 {
        assert!(started.elapsed() < PATIENCE, "nobody called");
        sleep(Duration::from_millis(10)).await;
    }
    drop(process);

    fake.permits.add_permits(10);
    let process = Process::start(settings(&fake), sqlite(folder.path()).await).await;
    let job = loop {
        let job: Value = process.get(&address).await.json().await.unwrap();
        if job["status"] == "succeeded" {
            break job;
        }
        assert!(started.elapsed() < 2 * PATIENCE, "{job}");
        sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(job["answer"], "answer 2");
}

#[tokio::test]
async fn callbacks_do_not_reach_private_networks() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start(0).await;
    let settings = Settings {
        allow_private_callbacks: false,
        ..settings(&fake)
    };
    let process = Process::start(settings, sqlite(folder.path()).await).await;
    let terms = "?callback=http://169.254.169.254/latest/meta-data";
    let refused = process.ask(None, terms, QUESTION).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

macro_rules! over_both_stores {
    ($($test:ident),+ $(,)?) => {
        mod over_sqlite {
            $(#[tokio::test]
            async fn $test() {
                let folder = tempfile::tempdir().unwrap();
                super::$test(super::sqlite(folder.path()).await).await;
            })+
        }

        mod over_redis {
            $(#[tokio::test]
            async fn $test() {
                let redis = super::testing::redis_8();
                super::$test(super::Stores::redis(redis).await.unwrap()).await;
            })+
        }
    };
}

over_both_stores!(
    questions_are_counted_per_address_and_per_user,
    what_was_asked_before_is_not_paid_for_again,
    a_budget_pays_the_price_and_not_the_estimate,
);

#[tokio::test]
async fn a_restart_over_sqlite_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let first = sqlite(folder.path()).await;
    let second = async || sqlite(folder.path()).await;
    a_queued_job_survives_and_its_callback_is_signed(first, second).await;
}

#[tokio::test]
async fn a_restart_over_redis_loses_nothing() {
    let redis = testing::redis();
    let first = Stores::redis(redis.clone()).await.unwrap();
    let second = async || Stores::redis(redis).await.unwrap();
    a_queued_job_survives_and_its_callback_is_signed(first, second).await;
}
