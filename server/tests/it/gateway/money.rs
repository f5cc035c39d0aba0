//! What is bought once, and what is charged.

use std::time::Duration;

use atelier_upstream_mock::{Behaviour, KEY, Upstream};
use futures::future::join_all;
use serde_json::{Value, json};

use super::{chat, error, header, site, started, streamed};
use crate::support::{PATIENCE, Setup};

#[tokio::test]
async fn a_picture_is_not_bought_twice_by_a_client_that_did_not_wait() {
    let site = site("").await;
    site.upstream.then([Behaviour::SlowFirstByte {
        milliseconds: 1_500,
    }]);
    let body = json!({ "model": "gpt-image-2", "prompt": "a boat", "n": 1 });
    let hasty = site.request("/images/generations", &body);
    let hasty = hasty.timeout(Duration::from_millis(300)).send().await;
    assert!(hasty.unwrap_err().is_timeout());
    // A client that asks anew wants another; one that tries again wants that one.
    let again = site.request("/images/generations", &body);
    let again = again
        .header("x-stainless-retry-count", "1")
        .send()
        .await
        .unwrap();
    let again: Value = again.error_for_status().unwrap().json().await.unwrap();
    assert!(again["data"][0]["b64_json"].is_string());
    let late = site.request("/images/generations", &body);
    let late = late
        .header("x-stainless-retry-count", "2")
        .send()
        .await
        .unwrap();
    assert_eq!(header(&late, "x-atelier-cache"), "hit");
    assert_eq!(site.upstream.calls_to("/v1/images/generations"), 1);
    assert_eq!(site.ask("/images/generations", &body).await.status(), 200);
    assert_eq!(site.upstream.calls_to("/v1/images/generations"), 2);
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_call() {
    let site = site("").await;
    let send = async |words: &str| {
        let request = site.request("/chat/completions", &chat(words));
        request
            .header("idempotency-key", "order-1")
            .send()
            .await
            .unwrap()
    };
    let first: Value = send("Hi").await.json().await.unwrap();
    let second: Value = send("Hi").await.json().await.unwrap();
    assert_eq!(first["id"], second["id"]);
    let (status, told) = error(send("Ho").await).await;
    assert_eq!(
        (status, told["code"].as_str()),
        (400, Some("idempotency_key_reused"))
    );
    assert_eq!(site.upstream.calls_to("/v1/chat/completions"), 1);
}

const BUDGET: &str = "[[limits]]\nname = 'budget'\nscope = 'user'\nunit = 'usd'\n\
                      algorithm = 'fixed_window'\nquota = 1.0\nwindow = '366d'\n\
                      [[gateway.prices]]\nmodel = '*'\ninput = 10_000.0\noutput = 10_000.0\n";

#[tokio::test]
async fn a_spent_budget_is_told_once_and_never_exceeded() {
    let upstream = Upstream::start().await.unwrap();
    let setup = Setup::with_file(BUDGET)
        .set("OPENAI_API_KEY", KEY)
        .set("OPENAI_BASE_URL", &upstream.url());
    let site = started(setup, upstream, &[]);
    let body = |number: usize| {
        let mut body = chat(&format!("Hi {number}"));
        body["max_tokens"] = json!(5);
        body
    };
    let calls = (0..200).map(|number| {
        let body = body(number);
        let site = &site;
        async move { site.ask("/chat/completions", &body).await }
    });
    let (mut spent, mut refused) = (0.0, 0);
    for answer in join_all(calls).await {
        match answer.status().as_u16() {
            200 => {
                let usd: f64 = header(&answer, "x-atelier-cost-usd").parse().unwrap();
                spent += usd;
            }
            429 => {
                assert_eq!(header(&answer, "x-should-retry"), "false");
                let (_, told) = error(answer).await;
                assert_eq!(told["code"], "insufficient_quota");
                refused += 1;
            }
            status => panic!("{status}"),
        }
    }
    assert!(
        spent > 0.0 && spent <= 1.0 + 1e-9 && refused > 0,
        "{spent} {refused}"
    );
}

/// The stream ends in the middle, and has told no usage by then.
#[tokio::test]
async fn a_stream_that_is_cut_is_charged_what_was_produced() {
    let upstream = Upstream::start().await.unwrap();
    let setup = Setup::with_file(BUDGET)
        .set("OPENAI_API_KEY", KEY)
        .set("OPENAI_BASE_URL", &upstream.url());
    let site = started(setup, upstream, &[]);
    let mut body = streamed(chat("Hi all of you there"));
    body["max_tokens"] = json!(50);
    site.upstream.then([Behaviour::HangMidway]);
    let mut answer = site.ask("/chat/completions", &body).await;
    assert_eq!(answer.status(), 200);
    while answer
        .chunk()
        .await
        .unwrap()
        .is_some_and(|chunk| !chunk.windows(4).any(|part| part == b"You "))
    {}
    drop(answer);
    // More than half of the budget was reserved; far less was used.
    let started = std::time::Instant::now();
    loop {
        let answer = site.ask("/chat/completions", &body).await;
        if answer.status() == 200 {
            break;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "the reservation is not given back"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn limits_are_told_as_openai_tells_them() {
    let upstream = Upstream::start().await.unwrap();
    let file = "[[limits]]\nname = 'calls'\nscope = 'user'\nunit = 'requests'\n\
                algorithm = 'fixed_window'\nquota = 2\nwindow = '1d'\n\
                [[limits]]\nname = 'tokens'\nscope = 'user'\nunit = 'tokens'\n\
                algorithm = 'token_bucket'\nquota = 60000\nwindow = '1m'\nactions = ['chat']\n";
    let setup = Setup::with_file(file)
        .set("OPENAI_API_KEY", KEY)
        .set("OPENAI_BASE_URL", &upstream.url());
    let site = started(setup, upstream, &[]);
    let first = site.ask("/chat/completions", &chat("Hi")).await;
    assert_eq!(header(&first, "x-ratelimit-limit-requests"), "2");
    assert_eq!(header(&first, "x-ratelimit-remaining-requests"), "1");
    assert_eq!(header(&first, "x-ratelimit-limit-tokens"), "60000");
    let left: u64 = header(&first, "x-ratelimit-remaining-tokens")
        .parse()
        .unwrap();
    assert!((50_000..60_000).contains(&left), "{left}");
    assert!(header(&first, "x-ratelimit-reset-requests").ends_with('s'));
    assert!(header(&first, "ratelimit").contains("\"tokens\""));
    site.ask("/chat/completions", &chat("Ho")).await;
    let third = site.ask("/chat/completions", &chat("Ha")).await;
    // A day is more than any client waits for.
    assert_eq!(header(&third, "x-should-retry"), "false");
    assert_eq!(error(third).await.0, 429);
    let mut large = chat("Hi");
    large["max_tokens"] = json!(1_000_000);
    let created = site
        ._setup
        .run(&["keys", "create", "other", "--scope", "gateway"]);
    let other = String::from_utf8(created.stdout).unwrap();
    let request = site
        .server
        .post("/v1/chat/completions")
        .bearer_auth(other.trim());
    let (status, told) = error(request.json(&large).send().await.unwrap()).await;
    assert_eq!(
        (status, told["code"].as_str()),
        (429, Some("request_too_large"))
    );
}

/// Nothing was bought, and nobody is told that something may have been.
#[tokio::test]
async fn what_was_refused_may_be_asked_for_again() {
    let site = site("").await;
    let body = json!({ "model": "gpt-image-2", "prompt": "a boat" });
    let ask = async |count: &str| {
        let request = site.request("/images/generations", &body);
        let request = request.header("x-stainless-retry-count", count);
        request.send().await.unwrap()
    };
    site.upstream.then([Behaviour::Status {
        status: 400,
        headers: std::collections::BTreeMap::default(),
        body: json!({ "error": { "message": "No.", "type": "invalid_request_error", "param": null, "code": null } }),
    }]);
    assert_eq!(error(ask("0").await).await.0, 400);
    assert_eq!(ask("1").await.status(), 200);
    assert_eq!(header(&ask("2").await, "x-atelier-cache"), "hit");
    assert_eq!(site.upstream.calls_to("/v1/images/generations"), 2);
}
