//! Upstreams that fail, and clients that leave.

use std::time::Duration;

use atelier_upstream_mock::{Behaviour, KEY, Upstream};
use serde_json::{Value, json};

use super::{chat, cold, error, header, site, started, streamed};
use crate::support::Setup;

#[tokio::test]
async fn an_upstream_that_fails_is_asked_again_and_then_the_next_one() {
    let (first, second) = (
        Upstream::start().await.unwrap(),
        Upstream::start().await.unwrap(),
    );
    let file = format!(
        "limits = []\n\
         [[upstreams]]\nname = 'a'\nbase_url = '{}'\napi_key_env = 'A'\nmodels = ['gpt-*']\n\
         [[upstreams]]\nname = 'b'\nbase_url = '{}'\napi_key_env = 'A'\nmodels = ['gpt-*']\npriority = 1\n\
         [[models]]\nname = 'small'\ntargets = ['a/gpt-4o-mini', 'b/gpt-5-mini']",
        first.url(),
        second.url()
    );
    let site = started(Setup::with_file(&file).set("A", KEY), first, &[]);
    let failing = || Behaviour::Status {
        status: 503,
        headers: Default::default(),
        body: Value::Null,
    };
    let mut body = chat("Hi");
    body["model"] = json!("small");
    site.upstream.then([failing()]);
    let answer = site.ask("/chat/completions", &body).await;
    assert_eq!(
        (
            answer.status().as_u16(),
            header(&answer, "x-atelier-upstream")
        ),
        (200, "a")
    );
    site.upstream.then([failing(), failing()]);
    let answer = site.ask("/chat/completions", &body).await;
    assert_eq!(
        (
            answer.status().as_u16(),
            header(&answer, "x-atelier-upstream")
        ),
        (200, "b")
    );
    let asked = second.calls();
    let asked = asked
        .iter()
        .find(|call| call.path() == "/v1/chat/completions");
    assert_eq!(asked.unwrap().json()["model"], "gpt-5-mini");
    // A refusal is the client's.
    let refused = Behaviour::Status {
        status: 400,
        headers: Default::default(),
        body: json!({ "error": { "message": "No.", "type": "invalid_request_error", "param": "messages", "code": null } }),
    };
    site.upstream.then([refused]);
    let (status, told) = error(site.ask("/chat/completions", &body).await).await;
    assert_eq!((status, told["message"].as_str()), (400, Some("No.")));
    assert_eq!(second.calls_to("/v1/chat/completions"), 1);
}

#[tokio::test]
async fn odd_answers_become_clear_errors() {
    let site = site("").await;
    for (behaviour, expected) in [
        (Behaviour::Html, 502),
        (Behaviour::HalfJson, 502),
        (
            Behaviour::Redirect {
                to: "http://169.254.169.254/".into(),
            },
            502,
        ),
    ] {
        site.upstream.then([behaviour.clone()]);
        let (status, _) = error(site.ask("/chat/completions", &chat("Hi")).await).await;
        assert_eq!(status, expected, "{behaviour:?}");
    }
    for behaviour in [
        Behaviour::CloseMidway,
        Behaviour::HalfEvent,
        Behaviour::ErrorInside,
    ] {
        site.upstream.then([behaviour.clone()]);
        let answer = site.ask("/chat/completions", &streamed(cold("Hi"))).await;
        assert_eq!(answer.status(), 200);
        let stream = answer.text().await.unwrap();
        assert!(stream.contains("\"error\":{"), "{behaviour:?}: {stream}");
    }
    // None of it was kept.
    let whole = site.ask("/chat/completions", &cold("Hi")).await;
    assert_eq!(header(&whole, "x-atelier-cache"), "miss");
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_its_call() {
    let site = site("").await;
    site.upstream.then([Behaviour::HangMidway]);
    let mut answer = site.ask("/chat/completions", &streamed(chat("Hi"))).await;
    assert!(answer.chunk().await.unwrap().is_some());
    drop(answer);
    tokio::time::timeout(Duration::from_secs(60), site.upstream.abandoned(1))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_silent_stream_shows_that_it_is_alive() {
    let site = site("[gateway]\nping = '100ms'").await;
    site.upstream.then([Behaviour::HangMidway]);
    let mut answer = site.ask("/chat/completions", &streamed(chat("Hi"))).await;
    let mut seen = String::new();
    while !seen.contains(": ping\n\n") {
        seen += std::str::from_utf8(&answer.chunk().await.unwrap().unwrap()).unwrap();
    }
    site.upstream.release();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        seen += std::str::from_utf8(&chunk).unwrap();
    }
    assert!(seen.ends_with("data: [DONE]\n\n"), "{seen}");
}
