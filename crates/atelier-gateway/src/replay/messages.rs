//! Events of Anthropic's messages.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{named, pieces, without};

/// What the last event but one tells of a message.
const OF_END: [&str; 2] = ["stop_reason", "stop_sequence"];

pub(super) fn replay(answer: &Value) -> Vec<Bytes> {
    let mut events = vec![start(answer)];
    let blocks = answer["content"].as_array().into_iter().flatten();
    for (index, block) in blocks.enumerate() {
        events.extend(block_events(index, block));
    }
    let end: Map<_, _> = OF_END
        .map(|name| (name.to_owned(), answer[name].clone()))
        .into_iter()
        .collect();
    events.push(json!({ "type": "message_delta", "delta": end, "usage": answer["usage"] }));
    events.push(json!({ "type": "message_stop" }));
    events.iter().map(named).collect()
}

/// The message before anything is written.
fn start(answer: &Value) -> Value {
    let mut message = without(answer, &OF_END);
    message.insert("content".to_owned(), json!([]));
    for name in OF_END {
        message.insert(name.to_owned(), Value::Null);
    }
    if let Some(usage) = message.get_mut("usage").and_then(Value::as_object_mut) {
        usage.insert("output_tokens".to_owned(), 1.into());
    }
    json!({ "type": "message_start", "message": message })
}

fn block_events(index: usize, block: &Value) -> Vec<Value> {
    let (begun, deltas) = deltas(block);
    let start = json!({ "type": "content_block_start", "index": index, "content_block": begun });
    let deltas = deltas
        .into_iter()
        .map(|delta| json!({ "type": "content_block_delta", "index": index, "delta": delta }));
    let stop = json!({ "type": "content_block_stop", "index": index });
    [start].into_iter().chain(deltas).chain([stop]).collect()
}

/// A block at its beginning, and what it grows by.
fn deltas(block: &Value) -> (Value, Vec<Value>) {
    let mut begun = without(block, &[]);
    let mut deltas = Vec::new();
    match block["type"].as_str().unwrap_or_default() {
        "text" => {
            deltas.extend(texts(&mut begun, "text", "text_delta"));
            if let Some(Value::Array(citations)) = begun.get_mut("citations") {
                let taken = std::mem::take(citations).into_iter();
                deltas
                    .extend(taken.map(|one| json!({ "type": "citations_delta", "citation": one })));
            }
        }
        "thinking" => {
            deltas.extend(texts(&mut begun, "thinking", "thinking_delta"));
            if let Some(Value::String(signature)) = begun.get_mut("signature") {
                let signature = std::mem::take(signature);
                deltas.push(json!({ "type": "signature_delta", "signature": signature }));
            }
        }
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            let input = begun
                .insert("input".to_owned(), json!({}))
                .unwrap_or_default();
            let whole = json!({ "type": "input_json_delta", "partial_json": input.to_string() });
            deltas.push(whole);
        }
        _ => {}
    }
    (Value::Object(begun), deltas)
}

fn texts(block: &mut Map<String, Value>, name: &str, kind: &str) -> Vec<Value> {
    let Some(Value::String(text)) = block.get_mut(name) else {
        return Vec::new();
    };
    let text = std::mem::take(text);
    let delta = |piece: &str| {
        let members = [
            ("type".to_owned(), kind.into()),
            (name.to_owned(), piece.into()),
        ];
        Value::Object(Map::from_iter(members))
    };
    pieces(&text).into_iter().map(delta).collect()
}
