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
mod wrong;

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
fn each_api_names_the_user_in_its_own_place() {
    let body = json!({ "user": "a", "metadata": { "user_id": "b" }, "max_tokens": 1 });
    for (endpoint, user) in [(Endpoint::ChatCompletions, "a"), (Endpoint::Messages, "b")] {
        assert_eq!(call(endpoint, &chat(body.clone())).user(), Some(user));
    }
}

#[test]
fn pictures_can_be_edited_by_reference() {
    let url = format!("data:image/png;base64,{}", "A".repeat(100_000));
    let body = json!({ "prompt": "x", "images": [{ "image_url": url }, { "file_id": "f" }] });
    let call = call(Endpoint::ImageEdits, &body);
    let estimate = call.estimate(crate::Counter::for_model("m"));
    assert!(call.has_attachments() && (3_000..4_000).contains(&estimate.input_tokens));
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
