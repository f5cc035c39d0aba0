//! A stored answer as the stream that a client asks for.

mod chunks;
mod messages;
mod responses;

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use crate::{
    Endpoint,
    json::{Json, Kind},
    sse::{DONE, Event},
};

/// How many bytes of text a piece of a stream has at least, and how many pieces a text is cut
/// into at most.
const PIECE: usize = 48;
const MAX_PIECES: usize = 256;

/// Returns the events of a stream that amounts to an answer, as [`Assembler`](crate::Assembler)
/// would put it together. `wants_usage` is whether a stream of chunks is to end with its usage;
/// the others always tell it. Endpoints that have no streams give no events.
pub fn replay(endpoint: Endpoint, answer: &Value, wants_usage: bool) -> Vec<Bytes> {
    match endpoint {
        Endpoint::ChatCompletions | Endpoint::Completions => {
            chunks::replay(endpoint, answer, wants_usage)
        }
        Endpoint::Responses => responses::replay(answer),
        Endpoint::Messages => messages::replay(answer),
        Endpoint::ImageGenerations => pictures(answer, "image_generation.completed"),
        Endpoint::ImageEdits => pictures(answer, "image_edit.completed"),
        Endpoint::Transcriptions => transcript(answer),
        _ => Vec::new(),
    }
}

/// Whether an event is the chunk that only tells the usage, which is hidden from clients that
/// did not ask for it.
pub fn usage_chunk(event: &Event) -> bool {
    let Some(data) = event.data.as_deref() else {
        return false;
    };
    let Some(chunk) = Json::of_event(data) else {
        return false;
    };
    let is_empty =
        |choices: Json<'_>| choices.kind() == Kind::Array && choices.elements().next().is_none();
    let usage = chunk.get("usage");
    usage.is_some_and(|usage| usage.kind() == Kind::Object)
        && chunk.get("choices").is_some_and(is_empty)
        && serde_json::from_slice::<IgnoredAny>(data).is_ok()
}

/// An event without a name.
fn data(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

/// An event that is named by its type.
fn named(value: &Value) -> Bytes {
    let kind = value["type"].as_str().unwrap_or_default();
    Bytes::from(format!("event: {kind}\ndata: {value}\n\n"))
}

fn done() -> Bytes {
    Bytes::from(format!("data: {DONE}\n\n"))
}

/// Cuts a text into pieces; none if it is empty.
fn pieces(text: &str) -> Vec<&str> {
    let size = PIECE.max(text.len().div_ceil(MAX_PIECES));
    let (mut pieces, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(size));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// The members of an object but for some.
fn without(object: &Value, names: &[&str]) -> Map<String, Value> {
    let members = object.as_object().into_iter().flatten();
    let kept = members.filter(|(name, _)| !names.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// One event for each picture. The last tells the usage, those before it none.
fn pictures(answer: &Value, kind: &str) -> Vec<Bytes> {
    let pictures = answer["data"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let events = pictures.iter().enumerate().map(|(at, picture)| {
        let mut event = without(answer, &["data", "created", "usage"]);
        event.extend(without(picture, &[]));
        event.insert("type".to_owned(), kind.into());
        event.insert("created_at".to_owned(), answer["created"].clone());
        let is_last = at + 1 == pictures.len();
        let nothing = json!({
            "input_tokens": 0, "output_tokens": 0, "total_tokens": 0,
            "input_tokens_details": { "image_tokens": 0, "text_tokens": 0 },
        });
        let usage = answer.get("usage").filter(|_| is_last);
        event.insert("usage".to_owned(), usage.cloned().unwrap_or(nothing));
        named(&Value::Object(event))
    });
    events.collect()
}

fn transcript(answer: &Value) -> Vec<Bytes> {
    let text = answer["text"].as_str().unwrap_or_default();
    let deltas = pieces(text)
        .into_iter()
        .map(|piece| named(&json!({ "type": "transcript.text.delta", "delta": piece })));
    let mut end = without(answer, &[]);
    end.insert("type".to_owned(), "transcript.text.done".into());
    deltas.chain([named(&Value::Object(end))]).collect()
}

#[cfg(test)]
mod tests;
