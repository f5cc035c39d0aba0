//! Chunks of chat completions and of completions.

use serde_json::{Map, Value, json};

use super::{MAX_ITEMS, length, merge::merge, merge::merge_members};
use crate::{Endpoint, json::Json};

/// Members of a chunk that do not belong to the answer.
const OF_CHUNKS: [&str; 5] = ["object", "choices", "usage", "obfuscation", "error"];

/// Which choices have begun, and which of them have an end.
#[derive(Debug, Default)]
pub(super) struct Ends {
    open: Vec<u64>,
    closed: Vec<u64>,
}

impl Ends {
    /// Notes a choice of a chunk, and whether it tells why the model stopped.
    pub(super) fn note(&mut self, index: u64, is_end: bool) {
        if self.closed.contains(&index) || self.open.len() + self.closed.len() == MAX_ITEMS {
            return;
        }
        if is_end {
            self.open.retain(|open| *open != index);
            self.closed.push(index);
        } else if !self.open.contains(&index) {
            self.open.push(index);
        }
    }

    /// Whether every choice has an end.
    pub(super) const fn are_all(&self) -> bool {
        self.open.is_empty() && !self.closed.is_empty()
    }
}

/// What the chunks so far amount to.
#[derive(Debug)]
pub(super) struct Chunks {
    endpoint: Endpoint,
    head: Map<String, Value>,
    choices: Vec<Choice>,
    usage: Value,
}

#[derive(Debug, Default)]
struct Choice {
    index: u64,
    message: Map<String, Value>,
    /// Everything besides the message.
    rest: Map<String, Value>,
}

impl Chunks {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            head: Map::new(),
            choices: Vec::new(),
            usage: Value::Null,
        }
    }

    pub(super) fn push(&mut self, chunk: Value) {
        let Value::Object(mut chunk) = chunk else {
            return;
        };
        if let Some(Value::Array(choices)) = chunk.remove("choices") {
            choices
                .into_iter()
                .for_each(|choice| self.push_choice(choice));
        }
        let usage = [
            chunk.remove("usage"),
            chunk.get("x_groq").map(|more| more["usage"].clone()),
        ];
        if let Some(usage) = usage.into_iter().flatten().find(Value::is_object) {
            self.usage = usage;
        }
        let told = chunk.into_iter();
        for (name, value) in
            told.filter(|(name, value)| !value.is_null() && !OF_CHUNKS.contains(&&**name))
        {
            if self.head.len() < MAX_ITEMS {
                self.head.entry(name).or_insert(value);
            }
        }
    }

    fn push_choice(&mut self, choice: Value) {
        let Value::Object(mut choice) = choice else {
            return;
        };
        let index = choice
            .remove("index")
            .and_then(|index| index.as_u64())
            .unwrap_or(0);
        let known = self.choices.iter().position(|one| one.index == index);
        let at = known.unwrap_or(self.choices.len());
        if at == self.choices.len() {
            if at == MAX_ITEMS {
                return;
            }
            self.choices.push(Choice {
                index,
                ..Choice::default()
            });
        }
        let Some(whole) = self.choices.get_mut(at) else {
            return;
        };
        if let Some(Value::Object(delta)) = choice.remove("delta") {
            merge_members(&mut whole.message, delta);
        }
        let reason = choice.remove("finish_reason");
        if let Some(reason) = reason.filter(|reason| !reason.is_null()) {
            whole.rest.insert("finish_reason".to_owned(), reason);
        }
        for (name, piece) in choice {
            let entry = whole.rest.entry(name.as_str()).or_insert(Value::Null);
            match &*name {
                "text" | "logprobs" => merge(&name, entry, piece),
                _ if piece.is_null() => {}
                _ => *entry = piece,
            }
        }
    }

    pub(super) fn into_answer(mut self) -> Option<Value> {
        if self.choices.is_empty() {
            return None;
        }
        self.choices.sort_by_key(|choice| choice.index);
        let is_chat = self.endpoint == Endpoint::ChatCompletions;
        let choices = self
            .choices
            .into_iter()
            .map(|choice| choice.into_answer(is_chat));
        let mut answer = self.head;
        answer.insert("choices".to_owned(), choices.collect());
        let kind = if is_chat {
            "chat.completion"
        } else {
            "text_completion"
        };
        answer.insert("object".to_owned(), kind.into());
        if !self.usage.is_null() {
            answer.insert("usage".to_owned(), self.usage);
        }
        Some(Value::Object(answer))
    }
}

impl Choice {
    fn into_answer(self, is_chat: bool) -> Value {
        let mut choice = self.rest;
        choice.insert("index".to_owned(), self.index.into());
        choice.entry("finish_reason").or_insert(Value::Null);
        if is_chat {
            choice.entry("logprobs").or_insert(Value::Null);
            choice.insert("message".to_owned(), message(self.message));
        }
        Value::Object(choice)
    }
}

/// A message as it stands in answers that do not come as streams.
fn message(mut message: Map<String, Value>) -> Value {
    message.entry("role").or_insert_with(|| json!("assistant"));
    message.entry("content").or_insert(Value::Null);
    if let Some(Value::Array(calls)) = message.get_mut("tool_calls") {
        calls.sort_by_key(|call| call["index"].as_u64());
        for call in calls.iter_mut().filter_map(Value::as_object_mut) {
            call.remove("index");
        }
        // Streams of tool calls begin with an empty text that answers do not have.
        if !calls.is_empty() && message["content"] == "" {
            message.insert("content".to_owned(), Value::Null);
        }
    }
    Value::Object(message)
}

/// The texts of a delta that the model has written.
const TEXTS: [&str; 4] = ["content", "refusal", "reasoning_content", "reasoning"];

/// Bytes that a choice of a chunk adds to what the model has written.
pub(super) fn written(choice: &Value) -> u64 {
    let delta = &choice["delta"];
    let texts: u64 = TEXTS.iter().map(|name| length(&delta[name])).sum();
    let calls = delta["tool_calls"].as_array().into_iter().flatten();
    let arguments = calls.map(|call| length(&call["function"]["arguments"]));
    texts + arguments.sum::<u64>() + length(&choice["text"])
}

/// The same of a choice that is not read as a whole.
pub(super) fn skimmed(choice: Json<'_>) -> u64 {
    let length = |value: Json<'_>| value.as_str().map_or(0, |text| text.len() as u64);
    let delta = choice.get("delta").into_iter().flat_map(Json::members);
    let written = delta.map(|(name, value)| match name.as_str().as_deref() {
        Some("tool_calls") => {
            let calls = value.elements().filter_map(|call| call.get("function"));
            calls
                .filter_map(|call| call.get("arguments"))
                .map(length)
                .sum()
        }
        Some(name) if TEXTS.contains(&name) => length(value),
        _ => 0,
    });
    written.sum::<u64>() + choice.get("text").map_or(0, length)
}
