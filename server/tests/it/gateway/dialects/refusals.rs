//! What each upstream refuses, in its own form, and what is made of it.

use std::time::Instant;

use atelier_upstream_mock::{Behaviour, Kind, Trouble};
use serde_json::json;

use super::{before, calls, chat, speaking};
use crate::gateway::{error, header};

#[tokio::test]
async fn refusals_are_told_as_openai_tells_them() {
    for kind in speaking() {
        let site = before(kind).await;
        let mut body = chat(kind, "Hi");
        body["model"] = json!("it/no-such-model");
        let answer = site.ask("/chat/completions", &body).await;
        let (status, told) = error(answer).await;
        assert_eq!(status, 404, "{kind:?}: {told}");
        let message = told["message"].as_str().unwrap();
        assert!(message.contains("no-such-model"), "{kind:?}: {message}");
    }
}

#[tokio::test]
async fn a_short_pause_is_kept_and_a_long_one_is_told() {
    for kind in speaking() {
        let site = before(kind).await;
        let busy = |milliseconds| Behaviour::Trouble(Trouble::Busy { milliseconds });
        site.upstream.then([busy(600)]);
        let began = Instant::now();
        let answer = site.ask("/chat/completions", &chat(kind, "Hi")).await;
        assert_eq!(answer.status(), 200, "{kind:?}");
        assert!(began.elapsed().as_millis() >= 600, "{kind:?}");
        assert_eq!(calls(&site), 2, "{kind:?}");
        site.upstream.then([busy(90_000)]);
        let answer = site.ask("/chat/completions", &chat(kind, "again")).await;
        let pause: u64 = header(&answer, "retry-after").parse().unwrap_or_default();
        assert_eq!(header(&answer, "x-should-retry"), "false", "{kind:?}");
        assert!((89..=90).contains(&pause), "{kind:?}: {pause}");
        let (status, _) = error(answer).await;
        assert!(matches!(status, 429 | 503), "{kind:?}: {status}");
        assert_eq!(calls(&site), 3, "{kind:?}");
    }
}

#[tokio::test]
async fn what_is_spent_is_not_asked_for_again() {
    for kind in speaking() {
        let site = before(kind).await;
        site.upstream
            .then(vec![Behaviour::Trouble(Trouble::Spent); 2]);
        let answer = site.ask("/chat/completions", &chat(kind, "Hi")).await;
        assert_eq!(header(&answer, "x-should-retry"), "false", "{kind:?}");
        let (status, told) = error(answer).await;
        assert!(matches!(status, 402 | 429), "{kind:?}: {status} {told}");
        assert_eq!(calls(&site), 1, "{kind:?}");
        // It was not the upstream's fault: others may still be served.
        site.upstream.then([]);
    }
}

#[tokio::test]
async fn another_target_takes_over_where_nothing_is_left_to_spend() {
    let first = atelier_upstream_mock::Upstream::start_as(Kind::HuggingFace)
        .await
        .unwrap();
    let second = atelier_upstream_mock::Upstream::start_as(Kind::Mistral)
        .await
        .unwrap();
    let file = format!(
        "limits = []\n[[upstreams]]\nname = 'a'\nkind = 'huggingface'\nbase_url = '{}'\napi_key_env = 'A'\n\
         [[upstreams]]\nname = 'b'\nkind = 'mistral'\nbase_url = '{}'\napi_key_env = 'A'\n\
         [[models]]\nname = 'small'\ntargets = ['a/{}', 'b/{}']\n",
        first.url(),
        second.url(),
        Kind::HuggingFace.model(),
        Kind::Mistral.model()
    );
    let setup = crate::support::Setup::with_file(&file).set("A", atelier_upstream_mock::KEY);
    let site = crate::gateway::started(setup, first, &[]);
    site.upstream.then([Behaviour::Trouble(Trouble::Spent)]);
    let mut body = crate::gateway::chat("Hi");
    body["model"] = json!("small");
    let answer = site.ask("/chat/completions", &body).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "x-atelier-upstream"), "b");
}

#[tokio::test]
async fn failures_are_told_without_pages() {
    for kind in speaking() {
        let site = before(kind).await;
        site.upstream
            .then(vec![Behaviour::Trouble(Trouble::Failing); 2]);
        let answer = site.ask("/chat/completions", &chat(kind, "Hi")).await;
        let (status, told) = error(answer).await;
        assert_eq!(status, 500, "{kind:?}");
        assert_eq!(told["message"], "Something went wrong.", "{kind:?}");
        assert_eq!(calls(&site), 2, "{kind:?}");
    }
}
