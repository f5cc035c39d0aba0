//! Answers that are given again, and calls that are shared.

use std::time::Duration;

use atelier_upstream_mock::Behaviour;
use futures::future::join_all;
use serde_json::{Value, json};

use super::{chat, cold, header, site, streamed};

#[tokio::test]
async fn what_is_sure_to_repeat_is_answered_once_in_both_forms() {
    let site = site("").await;
    let first = site
        .ask("/chat/completions", &streamed(cold("Hi you")))
        .await;
    assert_eq!(header(&first, "x-atelier-cache"), "miss");
    let stream = first.text().await.unwrap();
    // Nobody asked for usage, and none is shown.
    assert!(
        stream.ends_with("data: [DONE]\n\n") && !stream.contains("total_tokens"),
        "{stream}"
    );
    let again = async |body: Value| {
        for _ in 0..200 {
            let answer = site.ask("/chat/completions", &body).await;
            if header(&answer, "x-atelier-cache") == "hit" {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it is not kept");
    };
    let whole = again(cold("Hi you")).await;
    assert_eq!(header(&whole, "x-atelier-cost-usd"), "0.000000");
    assert!(!header(&whole, "age").is_empty());
    let whole: Value = whole.json().await.unwrap();
    assert_eq!(
        whole["choices"][0]["message"]["content"],
        "You said: Hi you"
    );
    assert!(whole["usage"]["total_tokens"].as_u64().unwrap() > 0);
    let replayed = again(streamed(cold("Hi you"))).await.text().await.unwrap();
    assert!(replayed.contains("You said: Hi you") && replayed.ends_with("data: [DONE]\n\n"));
    let calls = site.upstream.calls_to("/v1/chat/completions");
    // Other parameters, no cache wanted, and other words are other calls.
    let mut other = cold("Hi you");
    other["tools"] = json!([{ "type": "function", "function": { "name": "f", "parameters": { "type": "object" } } }]);
    other["tool_choice"] = json!("none");
    assert_eq!(
        header(
            &site.ask("/chat/completions", &other).await,
            "x-atelier-cache"
        ),
        "miss"
    );
    let fresh = site.request("/chat/completions", &cold("Hi you"));
    let fresh = fresh
        .header("cache-control", "no-cache")
        .send()
        .await
        .unwrap();
    assert_eq!(header(&fresh, "x-atelier-cache"), "miss");
    let off = site.request("/chat/completions", &cold("Hi you"));
    let off = off.header("x-atelier-cache", "off").send().await.unwrap();
    assert_eq!(header(&off, "x-atelier-cache"), "off");
    assert_eq!(
        header(
            &site.ask("/chat/completions", &chat("Hi you")).await,
            "x-atelier-cache"
        ),
        "off"
    );
    assert_eq!(site.upstream.calls_to("/v1/chat/completions"), calls + 4);
}

#[tokio::test]
async fn another_key_does_not_get_the_first_ones_answer() {
    let site = site("").await;
    let first = site
        .ask(
            "/embeddings",
            &json!({ "model": "text-embedding-3-small", "input": "Hi" }),
        )
        .await;
    assert_eq!(first.status(), 200);
    first.bytes().await.unwrap();
    let created = site
        ._setup
        .run(&["keys", "create", "other", "--scope", "gateway"]);
    let other = String::from_utf8(created.stdout).unwrap();
    let request = site.server.post("/v1/embeddings").bearer_auth(other.trim());
    let body = json!({ "model": "text-embedding-3-small", "input": "Hi" });
    let answer = request.json(&body).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), header(&answer, "x-atelier-cache")),
        (200, "miss")
    );
}

#[tokio::test]
async fn the_same_call_at_the_same_moment_is_made_once() {
    let site = site("").await;
    site.upstream
        .then([Behaviour::SlowFirstByte { milliseconds: 500 }]);
    let body = cold("Hi all");
    let answers = join_all((0..20).map(|_| site.ask("/chat/completions", &body))).await;
    for answer in answers {
        let answer: Value = answer.error_for_status().unwrap().json().await.unwrap();
        assert_eq!(
            answer["choices"][0]["message"]["content"],
            "You said: Hi all"
        );
    }
    assert_eq!(site.upstream.calls_to("/v1/chat/completions"), 1);
}

#[tokio::test]
async fn a_question_that_means_the_same_is_answered_to_its_own_key_alone() {
    let site = site("[gateway.cache]\nmode = 'semantic'").await;
    let (one, other) = (
        "How do I undo the last commit in git?",
        "How can I undo the last commit in git?",
    );
    let first = site.ask("/chat/completions", &chat(one)).await;
    assert_eq!(header(&first, "x-atelier-cache"), "miss");
    first.bytes().await.unwrap();
    // The vector is kept after the answer; each try has words of its own, which are kept, too.
    let mut tries = 0..100;
    loop {
        let number = tries.next().expect("no question is found to mean the same");
        let similar = site
            .ask(
                "/chat/completions",
                &chat(&other.replace('?', &"?".repeat(number))),
            )
            .await;
        if header(&similar, "x-atelier-cache") == "semantic" {
            assert!(header(&similar, "cache-status").contains("semantic"));
            assert_eq!(header(&similar, "x-atelier-cost-usd"), "0.000000");
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let created = site
        ._setup
        .run(&["keys", "create", "other", "--scope", "gateway"]);
    let key = String::from_utf8(created.stdout).unwrap();
    let ask = async |words: &str| {
        let request = site
            .server
            .post("/v1/chat/completions")
            .bearer_auth(key.trim());
        request.json(&chat(words)).send().await.unwrap()
    };
    assert_eq!(header(&ask(other).await, "x-atelier-cache"), "miss");
}
