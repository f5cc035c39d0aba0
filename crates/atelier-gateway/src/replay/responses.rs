//! Events of responses, in the order in which OpenAI sends them.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{named, pieces, without};

/// Numbers the events.
#[derive(Debug, Default)]
struct Events(Vec<Bytes>);

impl Events {
    fn push(&mut self, kind: &str, more: Value) {
        let mut event = match more {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        event.insert("type".to_owned(), kind.into());
        event.insert("sequence_number".to_owned(), self.0.len().into());
        self.0.push(named(&Value::Object(event)));
    }

    /// Sends a text in pieces, and then as a whole.
    fn text(
        &mut self,
        kind: &str,
        name: &str,
        text: &str,
        place: &Map<String, Value>,
        more: &Value,
    ) {
        let event = |name: &str, text: &str| {
            let mut event = place.clone();
            event.extend(without(more, &[]));
            event.insert(name.to_owned(), text.into());
            Value::Object(event)
        };
        for piece in pieces(text) {
            self.push(&format!("{kind}.delta"), event("delta", piece));
        }
        self.push(&format!("{kind}.done"), event(name, text));
    }
}

pub(super) fn replay(answer: &Value) -> Vec<Bytes> {
    let mut events = Events::default();
    let mut begun = without(answer, &["completed_at", "output_text"]);
    begun.insert("status".to_owned(), "in_progress".into());
    begun.insert("output".to_owned(), json!([]));
    begun.insert("usage".to_owned(), Value::Null);
    for kind in ["response.created", "response.in_progress"] {
        events.push(kind, json!({ "response": begun }));
    }
    for (index, item) in answer["output"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        output_item(&mut events, index, item);
    }
    let ending = match answer["status"].as_str() {
        Some("incomplete") => "response.incomplete",
        Some("failed") => "response.failed",
        _ => "response.completed",
    };
    events.push(ending, json!({ "response": answer }));
    events.0
}

fn output_item(events: &mut Events, index: usize, item: &Value) {
    let mut begun = without(item, &[]);
    if begun.contains_key("status") {
        begun.insert("status".to_owned(), "in_progress".into());
    }
    let emptied = [
        ("content", json!([])),
        ("summary", json!([])),
        ("arguments", json!("")),
        ("input", json!("")),
    ];
    for (name, nothing) in emptied {
        let is_alike = |value: &Value| value.is_array() == nothing.is_array() && !value.is_null();
        if begun.get(name).is_some_and(is_alike) {
            begun.insert(name.to_owned(), nothing);
        }
    }
    events.push(
        "response.output_item.added",
        json!({ "output_index": index, "item": begun }),
    );
    let place = Map::from_iter([
        ("item_id".to_owned(), item["id"].clone()),
        ("output_index".to_owned(), index.into()),
    ]);
    item_events(events, &place, item);
    events.push(
        "response.output_item.done",
        json!({ "output_index": index, "item": item }),
    );
}

fn item_events(events: &mut Events, place: &Map<String, Value>, item: &Value) {
    let nothing = json!({});
    let text = |name: &str| item[name].as_str().unwrap_or_default();
    match item["type"].as_str().unwrap_or_default() {
        "function_call" => {
            let name = json!({ "name": item["name"] });
            let (kind, arguments) = ("response.function_call_arguments", text("arguments"));
            for piece in [arguments].into_iter().filter(|text| !text.is_empty()) {
                events.push(
                    &format!("{kind}.delta"),
                    at(place, &[("delta", piece.into())]),
                );
            }
            let mut end = place.clone();
            end.extend(without(&name, &[]));
            end.insert("arguments".to_owned(), arguments.into());
            events.push(&format!("{kind}.done"), Value::Object(end));
        }
        "custom_tool_call" => {
            events.text(
                "response.custom_tool_call_input",
                "input",
                text("input"),
                place,
                &nothing,
            );
        }
        _ => {
            for (index, part) in list(item, "summary").iter().enumerate() {
                let place = at(place, &[("summary_index", index.into())]);
                summary(events, &place, part);
            }
            for (index, part) in list(item, "content").iter().enumerate() {
                let place = at(place, &[("content_index", index.into())]);
                content(events, &place, part);
            }
        }
    }
}

fn list<'a>(item: &'a Value, name: &str) -> &'a [Value] {
    item[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn at(place: &Map<String, Value>, more: &[(&str, Value)]) -> Value {
    let mut place = place.clone();
    place.extend(
        more.iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    Value::Object(place)
}

fn summary(events: &mut Events, place: &Value, part: &Value) {
    let place = without(place, &[]);
    let empty = emptied(part, &["text"]);
    events.push(
        "response.reasoning_summary_part.added",
        at(&place, &[("part", empty)]),
    );
    let text = part["text"].as_str().unwrap_or_default();
    events.text(
        "response.reasoning_summary_text",
        "text",
        text,
        &place,
        &json!({}),
    );
    events.push(
        "response.reasoning_summary_part.done",
        at(&place, &[("part", part.clone())]),
    );
}

fn content(events: &mut Events, place: &Value, part: &Value) {
    let place = without(place, &[]);
    let empty = emptied(part, &["text", "refusal", "annotations", "logprobs"]);
    events.push(
        "response.content_part.added",
        at(&place, &[("part", empty)]),
    );
    let text = |name: &str| part[name].as_str().unwrap_or_default();
    match part["type"].as_str().unwrap_or_default() {
        "output_text" => {
            let probabilities = json!({ "logprobs": [] });
            events.text(
                "response.output_text",
                "text",
                text("text"),
                &place,
                &probabilities,
            );
            for (index, annotation) in list(part, "annotations").iter().enumerate() {
                let more = [
                    ("annotation_index", index.into()),
                    ("annotation", annotation.clone()),
                ];
                events.push("response.output_text.annotation.added", at(&place, &more));
            }
        }
        "refusal" => events.text(
            "response.refusal",
            "refusal",
            text("refusal"),
            &place,
            &json!({}),
        ),
        "reasoning_text" => {
            events.text(
                "response.reasoning_text",
                "text",
                text("text"),
                &place,
                &json!({}),
            );
        }
        _ => {}
    }
    events.push(
        "response.content_part.done",
        at(&place, &[("part", part.clone())]),
    );
}

/// A part before anything is written.
fn emptied(part: &Value, names: &[&str]) -> Value {
    let mut begun = without(part, &[]);
    for name in names {
        match begun.get_mut(*name) {
            Some(Value::String(text)) => text.clear(),
            Some(Value::Array(items)) => items.clear(),
            _ => {}
        }
    }
    Value::Object(begun)
}
