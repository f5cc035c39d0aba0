//! watsonx.ai's own API.

use serde_json::{Value, json};

use super::{INNER, Manner, check};
use crate::{
    call::Call,
    openai::{chat, embeddings},
    refusal::Refusal,
    reply::Reply,
    route::Answer,
    upstream::Shared,
};

/// The fields of embeddings.
const EMBEDDING: &[&str] = &["inputs", "model_id", "parameters", "project_id", "space_id"];

pub(super) fn models(model: &str) -> Reply {
    Reply::Json(json!({
        "limit": 100, "total_count": 1,
        "resources": [{"model_id": model, "label": model, "functions": [{"id": "text_chat"}]}],
    }))
}

pub(super) fn answer(shared: &Shared, manner: &Manner, call: &Call, path: &str) -> Answer {
    let mut fields = call.fields()?.0;
    if path == "/text/embeddings" {
        if let Some(name) = fields
            .keys()
            .find(|name| !EMBEDDING.contains(&name.as_str()))
        {
            return Err(Refusal::unknown_field(name));
        }
    } else {
        check(manner, &fields)?;
    }
    if !fields.contains_key("project_id") && !fields.contains_key("space_id") {
        return Err(Refusal::missing("project_id"));
    }
    let tools = fields
        .get("tools")
        .map(Value::to_string)
        .unwrap_or_default();
    if tools.contains("\"strict\"") || tools.contains("\"additionalProperties\"") {
        return Err(Refusal::bad("Invalid input argument: tools"));
    }
    if fields.get("tool_choice").is_some_and(Value::is_string) {
        return Err(Refusal::bad("Invalid input argument: tool_choice"));
    }
    for name in ["project_id", "space_id", "model_id"] {
        fields.remove(name);
    }
    if path == "/text/embeddings" {
        let inputs = fields.remove("inputs").filter(Value::is_array);
        let inputs = inputs.ok_or_else(|| Refusal::missing("inputs"))?;
        let body = json!({"model": "text-embedding-3-small", "input": inputs});
        let body = body.as_object().cloned().unwrap_or_default();
        return Ok(embeddings::create(&call.with(&body))?.changed(|value| embedded(value, manner)));
    }
    let streams = path == "/text/chat_stream";
    fields.insert("model".into(), INNER.into());
    if streams {
        fields.insert("stream".into(), true.into());
        fields.insert("stream_options".into(), json!({"include_usage": true}));
    }
    let reply = chat::create(shared, &call.with(&fields))?;
    let reply = reply.changed(|value| {
        if let Some(members) = value.as_object_mut() {
            members.remove("object");
            members.remove("model");
            members.insert("model_id".into(), manner.model.into());
            members.insert("created_at".into(), "2026-11-27T00:00:00Z".into());
        }
    });
    Ok(match reply {
        Reply::Events(events) => {
            let events = events
                .into_iter()
                .filter(|event| event.content().is_object());
            Reply::Events(events.map(|event| event.called("message")).collect())
        }
        whole => whole,
    })
}

fn embedded(value: &mut Value, manner: &Manner) {
    let data = value["data"].as_array().into_iter().flatten();
    let results: Vec<_> = data
        .map(|one| json!({"embedding": one["embedding"]}))
        .collect();
    *value = json!({
        "model_id": manner.model, "created_at": "2026-11-27T00:00:00Z", "results": results,
        "input_token_count": value["usage"]["prompt_tokens"],
    });
}
