//! Chunks of chat completions and of completions.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{data, done, pieces, without};
use crate::Endpoint;

/// Texts that come in pieces, in the order in which models write them.
const TEXTS: [&str; 4] = ["reasoning_content", "reasoning", "refusal", "content"];

pub(super) fn replay(endpoint: Endpoint, answer: &Value, wants_usage: bool) -> Vec<Bytes> {
    let is_chat = endpoint == Endpoint::ChatCompletions;
    let mut head = without(answer, &["choices", "usage", "object"]);
    let kind = if is_chat {
        "chat.completion.chunk"
    } else {
        "text_completion"
    };
    head.insert("object".to_owned(), kind.into());
    if wants_usage {
        head.insert("usage".to_owned(), Value::Null);
    }
    let mut events = Vec::new();
    for choice in answer["choices"].as_array().into_iter().flatten() {
        let parts = if is_chat {
            chat(choice)
        } else {
            completion(choice)
        };
        events.extend(parts.into_iter().map(|part| chunk(&head, vec![part])));
    }
    if wants_usage && let Some(usage) = answer.get("usage") {
        head.insert("usage".to_owned(), usage.clone());
        events.push(chunk(&head, Vec::new()));
    }
    events.push(done());
    events
}

fn chunk(head: &Map<String, Value>, choices: Vec<Value>) -> Bytes {
    let mut chunk = head.clone();
    chunk.insert("choices".to_owned(), Value::Array(choices));
    data(&Value::Object(chunk))
}

/// The choices of the chunks that one choice of the answer comes in.
fn chat(choice: &Value) -> Vec<Value> {
    let message = &choice["message"];
    let part =
        |delta: Value| json!({ "index": choice["index"], "delta": delta, "finish_reason": null });
    let mut parts = vec![part(beginning(message))];
    // The probabilities of all tokens come with the first piece of text, which is whole then.
    let probabilities = choice.get("logprobs").filter(|value| !value.is_null());
    if let Some(probabilities) = probabilities {
        let mut first = part(json!({}));
        first["logprobs"] = probabilities.clone();
        parts.push(first);
    }
    for name in TEXTS {
        let text = message[name].as_str().unwrap_or_default();
        let texts = pieces(text).into_iter();
        parts.extend(texts.map(|piece| {
            part(Value::Object(Map::from_iter([(
                name.to_owned(),
                piece.into(),
            )])))
        }));
    }
    if let Some(calls) = message["tool_calls"].as_array() {
        let calls = calls.iter().enumerate().map(|(index, call)| {
            let mut call = without(call, &[]);
            call.insert("index".to_owned(), index.into());
            part(json!({ "tool_calls": [call] }))
        });
        parts.extend(calls);
    }
    let mut end = without(choice, &["message", "logprobs"]);
    end.insert("delta".to_owned(), json!({}));
    parts.push(Value::Object(end));
    parts
}

/// The first delta: everything that does not come in pieces.
fn beginning(message: &Value) -> Value {
    let mut delta = without(message, &["tool_calls"]);
    for name in TEXTS {
        if let Some(Value::String(text)) = delta.get_mut(name) {
            text.clear();
        }
    }
    Value::Object(delta)
}

fn completion(choice: &Value) -> Vec<Value> {
    let text = choice["text"].as_str().unwrap_or_default();
    let part = |text: &str| json!({ "index": choice["index"], "text": text, "finish_reason": null, "logprobs": null });
    let mut parts: Vec<_> = pieces(text).into_iter().map(part).collect();
    let mut end = without(choice, &[]);
    end.insert("text".to_owned(), "".into());
    parts.push(Value::Object(end));
    parts
}
