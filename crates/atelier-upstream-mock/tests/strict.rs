//! The stand-in by itself: it answers, refuses, records and misbehaves as it says. That
//! this is a test also has the binary built where tests are.

#![expect(clippy::unwrap_used, reason = "a test that fails should say where")]

use std::{collections::BTreeMap, time::Duration};

use atelier_upstream_mock::{Behaviour, KEY, Upstream};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

struct Caller {
    upstream: Upstream,
    client: Client,
}

impl Caller {
    async fn new() -> Caller {
        // Another test may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let redirects = reqwest::redirect::Policy::none();
        let client = Client::builder().no_proxy().redirect(redirects).build();
        Caller {
            upstream: Upstream::start().await.unwrap(),
            client: client.unwrap(),
        }
    }

    fn post(&self, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.upstream.url());
        self.client.post(url).bearer_auth(KEY).timeout(PATIENCE)
    }

    async fn chat(&self, more: Value) -> Response {
        let request = self.post("/chat/completions").json(&chat(&more));
        request.send().await.unwrap()
    }
}

fn chat(more: &Value) -> Value {
    let mut body = json!({
        "model": "gpt-4o-mini", "messages": [{"role": "user", "content": "good morning"}],
    });
    let fields = body.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    body
}

/// What is behind `data:`, and the usage that any of it has.
async fn events(response: Response) -> Vec<String> {
    let text = response.text().await.unwrap();
    assert!(text.ends_with("\n\n"), "{text}");
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_chat_is_answered_whole_and_in_events() {
    let caller = Caller::new().await;
    let whole: Value = caller.chat(json!({})).await.json().await.unwrap();
    let choice = &whole["choices"][0];
    assert_eq!(choice["message"]["content"], "You said: good morning");
    assert_eq!(choice["finish_reason"], "stop");
    assert!(whole["usage"]["total_tokens"].as_u64() > Some(0));

    let plain = events(caller.chat(json!({"stream": true})).await).await;
    assert_eq!(plain.last().unwrap(), "[DONE]");
    assert!(!plain.concat().contains("usage"));
    let options = json!({"stream": true, "stream_options": {"include_usage": true}});
    let counted = events(caller.chat(options).await).await;
    let usage: Value = serde_json::from_str(&counted[counted.len() - 2]).unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"], whole["usage"]);
}

#[tokio::test]
async fn what_the_real_one_refuses_is_refused() {
    let caller = Caller::new().await;
    for (more, code) in [
        (json!({"model": "gpt-9"}), "model_not_found"),
        (json!({"model": null}), "missing_required_parameter"),
        (json!({"messages": []}), "invalid_value"),
        (json!({"n": 1_000_000_000}), "invalid_value"),
        (json!({"temperature": 3}), "invalid_value"),
    ] {
        let refusal: Value = caller.chat(more).await.json().await.unwrap();
        assert_eq!(refusal["error"]["code"], code, "{refusal}");
    }
    let url = format!("{}/chat/completions", caller.upstream.url());
    let request = caller.client.post(url).bearer_auth("sk-other");
    assert_eq!(request.send().await.unwrap().status(), 401);
    let unknown = caller.post("/chats").json(&json!({}));
    assert_eq!(unknown.send().await.unwrap().status(), 404);
    let broken = caller.post("/chat/completions").body("{\"model\":");
    let broken = broken.header("content-type", "application/json");
    assert_eq!(broken.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn messages_need_their_own_headers() {
    let caller = Caller::new().await;
    let body = json!({
        "model": "claude-sonnet-5", "max_tokens": 100,
        "messages": [{"role": "user", "content": "hello"}],
    });
    let url = format!("{}/messages", caller.upstream.url());
    let call = || caller.client.post(&url).json(&body);
    let without = call().send().await.unwrap();
    assert_eq!(without.status(), 401);
    let refusal: Value = without.json().await.unwrap();
    assert_eq!(refusal["error"]["type"], "authentication_error");
    let call = || call().header("x-api-key", KEY);
    assert_eq!(call().send().await.unwrap().status(), 400);
    let answer = call().header("anthropic-version", "2023-06-01");
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["content"][0]["text"], "You said: hello");
}

#[tokio::test]
async fn every_request_is_recorded_to_the_byte() {
    let caller = Caller::new().await;
    let body = "{\"model\" : \"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"\"}] }";
    let call = caller.post("/chat/completions").body(body);
    let call = call.header("content-type", "application/json");
    call.header("x-odd", "1").send().await.unwrap();
    let calls = caller.upstream.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].body, body);
    assert_eq!(calls[0].header("x-odd"), Some("1"));
}

#[tokio::test]
async fn answers_can_be_broken_in_every_way() {
    let caller = Caller::new().await;
    let status = Behaviour::Status {
        status: 429,
        headers: BTreeMap::from([("retry-after".into(), "7".into())]),
        body: json!({"error": {"message": "slow down"}}),
    };
    caller.upstream.then([
        status,
        Behaviour::Html,
        Behaviour::HalfJson,
        Behaviour::ErrorInside,
        Behaviour::Usage { tokens: Some(-1) },
        Behaviour::Usage { tokens: None },
        Behaviour::Redirect {
            to: "http://10.0.0.1/".into(),
        },
    ]);
    let limited = caller.chat(json!({})).await;
    assert_eq!(
        (limited.status().as_u16(), &limited.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    assert!(
        caller
            .chat(json!({}))
            .await
            .text()
            .await
            .unwrap()
            .starts_with("<html>")
    );
    let half = caller.chat(json!({})).await.text().await.unwrap();
    assert!(serde_json::from_str::<Value>(&half).is_err());
    let inside: Value = caller.chat(json!({})).await.json().await.unwrap();
    assert_eq!(inside["error"]["type"], "server_error");
    let odd: Value = caller.chat(json!({})).await.json().await.unwrap();
    assert_eq!(odd["usage"]["prompt_tokens"], -1);
    let without: Value = caller.chat(json!({})).await.json().await.unwrap();
    assert!(without.get("usage").is_none());
    assert_eq!(caller.chat(json!({})).await.status(), 307);
}

#[tokio::test]
async fn connections_break_where_they_should() {
    let caller = Caller::new().await;
    let request = || {
        caller
            .post("/chat/completions")
            .json(&chat(&json!({"stream": true})))
            .send()
    };
    caller.upstream.then([
        Behaviour::Close,
        Behaviour::CloseMidway,
        Behaviour::GarbageChunks,
    ]);
    assert!(request().await.is_err());
    for _ in 0..2 {
        let mut begun = request().await.unwrap();
        assert!(begun.chunk().await.unwrap().is_some());
        assert!(begun.bytes().await.is_err());
    }
    caller.upstream.then([Behaviour::HalfEvent]);
    let half = request().await.unwrap().text().await.unwrap();
    assert!(!half.ends_with("\n\n"), "{half}");
}

#[tokio::test]
async fn who_gives_up_is_noticed_and_who_waits_is_answered() {
    let caller = Caller::new().await;
    caller
        .upstream
        .then([Behaviour::Hang, Behaviour::HangMidway]);
    let hanging = caller.chat(json!({}));
    tokio::select! {
        _ = hanging => panic!("it hangs"),
        () = caller.upstream.called("/v1/chat/completions", 1) => {}
    }
    tokio::time::timeout(PATIENCE, caller.upstream.abandoned(1))
        .await
        .unwrap();
    let mut begun = caller.chat(json!({"stream": true})).await;
    assert!(begun.chunk().await.unwrap().is_some());
    caller.upstream.release();
    assert!(begun.text().await.unwrap().ends_with("[DONE]\n\n"));
}
