//! OpenAI's API, one module for each part of it.

pub(crate) mod audio;
pub(crate) mod chat;
pub(crate) mod completions;
pub(crate) mod embeddings;
pub(crate) mod images;
pub(crate) mod models;
pub(crate) mod moderations;
pub(crate) mod responses;

use serde_json::{Value, json};

use crate::schema;

/// When everything was made.
const CREATED: u64 = 1_790_000_000;

/// What is answered to these words.
pub(crate) fn reply_to(text: &str) -> String {
    format!("You said: {text}")
}

/// How many tokens a text is counted as.
pub(crate) fn tokens(text: &str) -> usize {
    text.split_whitespace().count()
}

/// The words of a text, each with the blank behind it.
pub(crate) fn words(text: &str) -> Vec<&str> {
    text.split_inclusive(' ').collect()
}

/// The text up to so many words, and whether it ends there for that reason.
pub(crate) fn cut(text: &str, most: Option<u64>) -> (String, bool) {
    let words = words(text);
    let most = most.map_or(words.len(), |most| {
        usize::try_from(most).unwrap_or(usize::MAX)
    });
    let kept = &words[..most.min(words.len())];
    (kept.concat(), kept.len() < words.len())
}

/// The texts of a message's content, which is one or a list of parts.
pub(crate) fn texts(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

/// Arguments for a tool with these parameters, as JSON in a string.
pub(crate) fn arguments(parameters: &Value) -> String {
    schema::instance(parameters).to_string()
}

/// An empty list that cannot be continued, and its kind.
fn list(data: &[Value]) -> Value {
    json!({"object": "list", "data": data})
}
