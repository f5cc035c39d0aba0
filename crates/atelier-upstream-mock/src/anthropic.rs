//! Anthropic's messages, and counting their tokens.

use serde_json::{Value, json};

use crate::{
    KEY,
    call::{Call, Fields},
    openai::{cut, reply_to, texts, tokens, words},
    refusal::Refusal,
    reply::{Event, Reply},
    route::Answer,
    schema,
    upstream::Shared,
};

/// The versions of the API: the first, and that of the clients since `anthropic` 2.
const VERSIONS: [&str; 2] = ["2023-06-01", "2026-10-21"];

/// Demands a version, and the key in a header of its own or, as newer clients send it, as a bearer's.
pub(crate) fn authorize(call: &Call) -> Result<(), Refusal> {
    let bearer = call.header("authorization");
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
    if call.header("x-api-key").or(bearer) != Some(KEY) {
        return Err(Refusal::key());
    }
    match call.header("anthropic-version") {
        Some(version) if VERSIONS.contains(&version) => Ok(()),
        Some(other) => Err(Refusal::bad(format!(
            "anthropic-version: \"{other}\" is not a valid version"
        ))),
        None => Err(Refusal::bad("anthropic-version: header is required")),
    }
}

pub(crate) fn count_tokens(call: &Call) -> Answer {
    let fields = call.fields()?;
    fields.model()?;
    let messages = fields.list("messages")?;
    Ok(Reply::Json(json!({"input_tokens": input_tokens(messages)})))
}

pub(crate) fn create(shared: &Shared, call: &Call) -> Answer {
    let fields = call.fields()?;
    let model = fields.model()?;
    let most = fields.number("max_tokens", 1, 1 << 20)?;
    let most = most.ok_or_else(|| Refusal::bad("max_tokens: Field required"))?;
    let messages = fields.list("messages")?;
    check(messages)?;
    let (block, reason) = block(&fields, messages, most);
    let said = block["text"].as_str().map_or(9, tokens);
    let mut message = json!({
        "id": format!("msg_{:08}", shared.number()), "type": "message", "role": "assistant",
        "model": model, "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {
            "input_tokens": input_tokens(messages), "output_tokens": 1,
            "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        },
    });
    if fields.flag("stream")? {
        return Ok(Reply::Events(events(&message, &block, reason, said)));
    }
    message["content"] = json!([block]);
    message["stop_reason"] = reason.into();
    message["usage"]["output_tokens"] = said.into();
    Ok(Reply::Json(message))
}

fn check(messages: &[Value]) -> Result<(), Refusal> {
    for (index, message) in messages.iter().enumerate() {
        if !matches!(message["role"].as_str(), Some("user" | "assistant")) {
            return Err(Refusal::bad(format!(
                "messages.{index}.role: Input should be 'user' or 'assistant'"
            )));
        }
    }
    Ok(())
}

fn input_tokens(messages: &[Value]) -> usize {
    let counted = messages.iter();
    counted.map(|one| tokens(&texts(&one["content"])) + 3).sum()
}

/// What is said, or which tool is used, and why it ends there.
fn block(fields: &Fields, messages: &[Value], most: u64) -> (Value, &'static str) {
    let last = messages
        .last()
        .map_or(&Value::Null, |last| &last["content"]);
    let answered = last[0]["type"] == "tool_result";
    let tool = fields.get("tools").map(|tools| &tools[0]);
    if let (false, Some(tool)) = (answered, tool) {
        let input = schema::instance(&tool["input_schema"]);
        let block = json!({
            "type": "tool_use", "id": "toolu_1", "name": tool["name"], "input": input,
        });
        return (block, "tool_use");
    }
    let (text, is_cut) = cut(&reply_to(&texts(last)), Some(most));
    let reason = if is_cut { "max_tokens" } else { "end_turn" };
    (json!({"type": "text", "text": text}), reason)
}

fn events(message: &Value, block: &Value, reason: &str, said: usize) -> Vec<Event> {
    let mut empty = block.clone();
    let pieces: Vec<Value> = match block["text"].as_str() {
        Some(text) => {
            empty["text"] = "".into();
            let words = words(text).into_iter();
            words
                .map(|word| json!({"type": "text_delta", "text": word}))
                .collect()
        }
        None => {
            empty["input"] = json!({});
            let input = block["input"].to_string();
            let pieces = input.split_inclusive(':');
            let delta = |piece| json!({"type": "input_json_delta", "partial_json": piece});
            pieces.map(delta).collect()
        }
    };
    let delta = json!({"stop_reason": reason, "stop_sequence": null});
    let begin = [
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": empty}),
        json!({"type": "ping"}),
    ];
    let middle = pieces
        .into_iter()
        .map(|delta| json!({"type": "content_block_delta", "index": 0, "delta": delta}));
    let end = [
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": said}}),
        json!({"type": "message_stop"}),
    ];
    let all = begin.into_iter().chain(middle).chain(end);
    all.map(Event::named).collect()
}
