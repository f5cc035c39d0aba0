//! Anthropic's messages: passed on as they come.

use atelier_upstream_mock::{Behaviour, Kind};
use serde_json::{Value, json};

use super::{before, calls};
use crate::gateway::{Site, header};

fn message() -> Value {
    json!({ "model": "claude-sonnet-5", "max_tokens": 20,
        "messages": [{ "role": "user", "content": "Hi" }] })
}

async fn ask(site: &Site, body: &str, fields: &[(&str, &str)]) -> reqwest::Response {
    let request = site
        .server
        .post("/v1/messages")
        .header("x-api-key", &site.key);
    let request = request
        .header("content-type", "application/json")
        .body(body.to_owned());
    let fields = fields.iter();
    let request = fields.fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.send().await.unwrap()
}

#[tokio::test]
async fn versions_betas_and_bodies_reach_anthropic_untouched() {
    let site = before(Kind::Anthropic).await;
    let body = "{ \"max_tokens\":20,\"model\" : \"claude-sonnet-5\", \"of_tomorrow\": 1.0e0,\n\
                \"messages\":[{\"role\":\"user\",\"content\":\"H\\u0069\"}]}";
    for (number, version) in ["2023-06-01", "2026-10-21"].into_iter().enumerate() {
        let betas = "context-1m-2025-08-07,of-tomorrow";
        let fields = [("anthropic-version", version), ("anthropic-beta", betas)];
        let answer = ask(&site, body, &fields).await;
        assert_eq!(answer.status(), 200);
        let calls = site.upstream.calls();
        let mut calls = calls.iter().filter(|call| call.path() == "/v1/messages");
        let call = calls.nth(number).unwrap();
        assert_eq!(call.body, body);
        assert_eq!(call.header("anthropic-version"), Some(version));
        assert_eq!(call.header("anthropic-beta"), Some(betas));
    }
    // None is made up: whoever sends none is told so by the upstream.
    let answer = ask(&site, body, &[]).await;
    assert_eq!(answer.status(), 400);
    let told: Value = answer.json().await.unwrap();
    assert_eq!(told["error"]["type"], "invalid_request_error");
    assert!(
        told["error"]["message"]
            .as_str()
            .unwrap()
            .contains("anthropic-version")
    );
}

/// A million tokens cost 3, 15, 3.75, 6 and 0.3 dollars: in, out, written, written for an
/// hour, and read.
#[tokio::test]
async fn what_is_cached_has_prices_of_its_own() {
    let upstream = atelier_upstream_mock::Upstream::start_as(Kind::Anthropic)
        .await
        .unwrap();
    let file = format!(
        "limits = []\n[gateway]\nprices = [{{ model = 'claude-sonnet-5', input = 3.0, cached_input = 0.3, \
         cache_write = 3.75, output = 15.0 }}]\n[[upstreams]]\nname = 'it'\nkind = 'anthropic'\n\
         base_url = '{}'\napi_key_env = 'A'\n",
        upstream.url()
    );
    let setup = crate::support::Setup::with_file(&file).set("A", atelier_upstream_mock::KEY);
    let site = crate::gateway::started(setup, upstream, &[]);
    let usage = json!({ "input_tokens": 1_000, "output_tokens": 100,
        "cache_creation_input_tokens": 3_000, "cache_read_input_tokens": 10_000,
        "cache_creation": { "ephemeral_5m_input_tokens": 2_000, "ephemeral_1h_input_tokens": 1_000 } });
    let answer = json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5",
        "content": [{ "type": "text", "text": "Hi" }], "stop_reason": "end_turn", "usage": usage });
    site.upstream.then([Behaviour::Status {
        status: 200,
        headers: Default::default(),
        body: answer,
    }]);
    let fields = [("anthropic-version", "2023-06-01")];
    let answer = ask(&site, &message().to_string(), &fields).await;
    let dollars =
        (1_000.0 * 3.0 + 2_000.0 * 3.75 + 1_000.0 * 6.0 + 10_000.0 * 0.3 + 100.0 * 15.0) / 1e6;
    assert_eq!(
        header(&answer, "x-atelier-cost-usd"),
        format!("{dollars:.6}")
    );
}

#[tokio::test]
async fn the_key_goes_where_each_of_its_doors_wants_it() {
    let site = before(Kind::Anthropic).await;
    let fields = [("anthropic-version", "2023-06-01")];
    assert_eq!(
        ask(&site, &message().to_string(), &fields).await.status(),
        200
    );
    let chat = super::chat(Kind::Anthropic, "Hi");
    assert_eq!(site.ask("/chat/completions", &chat).await.status(), 200);
    assert_eq!(calls(&site), 2);
    for call in site.upstream.calls() {
        let is_chat = call.path().ends_with("/chat/completions");
        assert_eq!(
            call.header("authorization").is_some(),
            is_chat,
            "{}",
            call.path()
        );
        assert_eq!(
            call.header("x-api-key").is_some(),
            !is_chat,
            "{}",
            call.path()
        );
    }
}
