use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::ApiError;

mod any;
mod digest;
mod estimate;
mod forms;
mod question;
mod splice;

pub(super) const JSON: Option<&str> = Some("application/json");

pub(super) fn read(endpoint: Endpoint, body: &str) -> Result<Call, ApiError> {
    Call::read(endpoint, JSON, Bytes::from(body.to_owned()))
}

pub(super) fn call(endpoint: Endpoint, body: &Value) -> Call {
    read(endpoint, &body.to_string()).unwrap()
}

pub(super) fn chat(more: Value) -> Value {
    let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Hi" }] });
    let (Value::Object(body), Value::Object(more)) = (&mut body, more) else {
        panic!("{body} is no object");
    };
    body.extend(more);
    Value::Object(std::mem::take(body))
}

#[test]
fn the_fields_that_are_used_are_read() {
    let call = call(
        Endpoint::ChatCompletions,
        &chat(json!({
            "stream": true, "n": 3, "max_tokens": 10, "max_completion_tokens": 20.0,
            "temperature": 0, "user": "u", "stream_options": { "include_usage": true },
        })),
    );
    assert_eq!(call.model(), Some("m"));
    assert!(call.is_stream() && call.wants_usage() && call.is_deterministic());
    assert_eq!((call.n(), call.max_output()), (3, Some(20)));
    assert_eq!(call.user(), Some("u"));
    assert_eq!(call.endpoint(), Endpoint::ChatCompletions);
}

#[test]
fn null_is_the_same_as_nothing() {
    let nothing = json!({
        "stream": null, "n": null, "max_tokens": null, "temperature": null, "user": null,
        "stream_options": null, "tools": null, "web_search_options": null,
    });
    let call = call(Endpoint::ChatCompletions, &chat(nothing));
    assert!(!call.is_stream() && !call.wants_usage() && !call.is_deterministic());
    assert!(!call.has_tools() && call.is_single_turn());
    assert_eq!((call.n(), call.max_output(), call.user()), (1, None, None));
}

#[test]
fn what_is_wrong_is_named() {
    let deep = format!(
        r#"{{"model":"m","messages":[{}1{}]}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    for (endpoint, body, code, param) in [
        (
            Endpoint::ChatCompletions,
            r#"{"messages":[{}]}"#,
            "missing_required_parameter",
            "model",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"","messages":[{}]}"#,
            "missing_required_parameter",
            "model",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":null,"messages":[{}]}"#,
            "missing_required_parameter",
            "model",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":7,"messages":[{}]}"#,
            "invalid_type",
            "model",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"a\nb","messages":[{}]}"#,
            "invalid_value",
            "model",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m"}"#,
            "missing_required_parameter",
            "messages",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":"Hi"}"#,
            "invalid_type",
            "messages",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[]}"#,
            "empty_array",
            "messages",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{},3]}"#,
            "invalid_type",
            "messages[1]",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"stream":"yes"}"#,
            "invalid_type",
            "stream",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"n":1000000000}"#,
            "integer_above_max_value",
            "n",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"n":0}"#,
            "integer_below_min_value",
            "n",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"n":1.5}"#,
            "invalid_type",
            "n",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"max_tokens":-1}"#,
            "integer_below_min_value",
            "max_tokens",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"max_tokens":1e18}"#,
            "integer_above_max_value",
            "max_tokens",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"temperature":"0"}"#,
            "invalid_type",
            "temperature",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"tools":{}}"#,
            "invalid_type",
            "tools",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"stream_options":true}"#,
            "invalid_type",
            "stream_options",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"mod\u0065l":"n"}"#,
            "duplicate_parameter",
            "model",
        ),
        (Endpoint::ChatCompletions, "", "invalid_json", ""),
        (Endpoint::ChatCompletions, "[1]", "invalid_json", ""),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m"} x"#,
            "invalid_json",
            "",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m",}"#,
            "invalid_json",
            "",
        ),
        (Endpoint::ChatCompletions, &deep, "invalid_json", ""),
        (
            Endpoint::Embeddings,
            r#"{"model":"m"}"#,
            "missing_required_parameter",
            "input",
        ),
        (
            Endpoint::Embeddings,
            r#"{"model":"m","input":{}}"#,
            "invalid_type",
            "input",
        ),
        (
            Endpoint::Speech,
            r#"{"model":"m","input":[]}"#,
            "invalid_type",
            "input",
        ),
        (
            Endpoint::ImageGenerations,
            r#"{"model":"m"}"#,
            "missing_required_parameter",
            "prompt",
        ),
        (
            Endpoint::ImageGenerations,
            r#"{"prompt":"x","n":11}"#,
            "integer_above_max_value",
            "n",
        ),
        (
            Endpoint::Messages,
            r#"{"model":"m","messages":[{}]}"#,
            "missing_required_parameter",
            "max_tokens",
        ),
        (
            Endpoint::Messages,
            r#"{"model":"m","messages":[{}],"max_tokens":9,"system":1}"#,
            "invalid_type",
            "system",
        ),
        (
            Endpoint::Transcriptions,
            r#"{"model":"m"}"#,
            "unsupported_content_type",
            "",
        ),
    ] {
        let error = read(endpoint, body).unwrap_err();
        let found = (error.status, error.code.as_deref(), error.param.as_deref());
        let param = (!param.is_empty()).then_some(param);
        assert_eq!(found, (400, Some(code), param), "{body}: {error}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let error = Call::read(
        Endpoint::Responses,
        JSON,
        Bytes::from_static(b"{\"a\":\"\xff\"}"),
    );
    assert_eq!(error.unwrap_err().message, "The body is not valid UTF-8.");
}

#[test]
fn too_many_members_are_refused() {
    let members: Vec<_> = (0..600_000).map(|at| format!("\"{at}\":0")).collect();
    let body = format!("{{\"input\":\"\",\"x\":{{{}}}}}", members.join(","));
    assert!(read(Endpoint::Responses, &body).is_err());
}

#[test]
fn where_openai_has_a_default_no_model_is_needed() {
    for endpoint in Endpoint::ALL {
        let body = json!({ "input": "x", "prompt": "x", "messages": [{}], "max_tokens": 1 });
        let named = read(endpoint, &body.to_string());
        let is_free = matches!(
            endpoint,
            Endpoint::Responses
                | Endpoint::Moderations
                | Endpoint::ImageGenerations
                | Endpoint::ImageEdits
        );
        assert_eq!(named.is_ok(), is_free, "{endpoint:?}");
    }
}

#[test]
fn what_is_kept_upstream_is_state() {
    for (body, is_stateful) in [
        (json!({}), false),
        (
            json!({ "store": true, "previous_response_id": null }),
            false,
        ),
        (json!({ "previous_response_id": "resp_1" }), true),
        (json!({ "conversation": { "id": "c" } }), true),
        (json!({ "background": true }), true),
        (json!({ "background": false }), false),
    ] {
        let mut body = body;
        body["temperature"] = json!(0.0);
        let call = call(Endpoint::Responses, &body);
        assert_eq!(call.is_stateful(), is_stateful, "{body}");
        assert_eq!(call.is_deterministic(), !is_stateful, "{body}");
    }
    let next = call(
        Endpoint::Responses,
        &json!({ "previous_response_id": "resp_1" }),
    );
    assert_eq!(next.previous_response_id(), Some(Cow::Borrowed("resp_1")));
}

#[test]
fn only_cold_calls_and_embeddings_are_deterministic() {
    let cold = json!({ "temperature": -0.0 });
    assert!(call(Endpoint::ChatCompletions, &chat(cold)).is_deterministic());
    for warm in [
        json!({}),
        json!({ "temperature": 0.1 }),
        json!({ "temperature": 1 }),
    ] {
        assert!(!call(Endpoint::ChatCompletions, &chat(warm)).is_deterministic());
    }
    let picture = json!({ "prompt": "x", "temperature": 0 });
    assert!(!call(Endpoint::ImageGenerations, &picture).is_deterministic());
    assert!(call(Endpoint::Embeddings, &json!({ "model": "m", "input": "x" })).is_deterministic());
}

#[test]
fn tools_attachments_and_turns_are_seen() {
    let user = json!({ "role": "user", "content": "x" });
    let picture = json!({ "role": "user", "content": [
        { "type": "text", "text": "x" }, { "type": "image_url", "image_url": { "url": "data:" } },
    ]});
    let before = json!({ "role": "assistant", "content": "y" });
    for (more, tools, attachments, single) in [
        (json!({ "messages": [user] }), false, false, true),
        (
            json!({ "messages": [{ "role": "system", "content": "s" }, user] }),
            false,
            false,
            true,
        ),
        (
            json!({ "messages": [user, before, user] }),
            false,
            false,
            false,
        ),
        (json!({ "messages": [user, user] }), false, false, false),
        (json!({ "messages": [picture] }), false, true, true),
        (
            json!({ "messages": [user], "tools": [] }),
            false,
            false,
            true,
        ),
        (
            json!({ "messages": [user], "tools": [{}] }),
            true,
            false,
            true,
        ),
        (
            json!({ "messages": [user], "functions": [{}] }),
            true,
            false,
            true,
        ),
        (
            json!({ "messages": [user], "web_search_options": {} }),
            true,
            false,
            true,
        ),
    ] {
        let call = call(Endpoint::ChatCompletions, &chat(more.clone()));
        let found = (
            call.has_tools(),
            call.has_attachments(),
            call.is_single_turn(),
        );
        assert_eq!(found, (tools, attachments, single), "{more}");
    }
}
