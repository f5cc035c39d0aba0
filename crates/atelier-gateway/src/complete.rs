//! Which answers are whole, and may be kept.

use serde_json::Value;

use crate::Endpoint;

/// What an answer amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// The model has said all it had to say.
    Whole,
    /// The model waits for the results of tools that the client runs.
    ToolCalls,
    /// Cut, refused by a filter, empty, an error, or not understood.
    Partial,
}

/// Tools that the client runs, as the items of a response that ask for them.
const CLIENT_CALLS: [&str; 8] = [
    "function_call",
    "custom_tool_call",
    "computer_call",
    "local_shell_call",
    "shell_call",
    "apply_patch_call",
    "mcp_approval_request",
    "tool_search_call",
];

/// Whether an answer is whole, and no tool is waited for.
pub fn is_complete(endpoint: Endpoint, answer: &Value) -> bool {
    completion(endpoint, answer) == Completion::Whole
}

/// Judges an answer. Pictures count as whole if they are in it: a URL expires.
pub fn completion(endpoint: Endpoint, answer: &Value) -> Completion {
    if answer.get("error").is_some_and(|error| !error.is_null()) || !answer.is_object() {
        return Completion::Partial;
    }
    match endpoint {
        Endpoint::ChatCompletions => chat(answer),
        Endpoint::Completions => completions(answer),
        Endpoint::Responses => response(answer),
        Endpoint::Messages => message(answer),
        Endpoint::Embeddings => whole(all(answer, "data", |item| match &item["embedding"] {
            Value::Array(numbers) => !numbers.is_empty(),
            Value::String(text) => !text.is_empty(),
            _ => false,
        })),
        Endpoint::Moderations => whole(all(answer, "results", Value::is_object)),
        Endpoint::ImageGenerations | Endpoint::ImageEdits => {
            whole(all(answer, "data", |item| is_text(&item["b64_json"])))
        }
        Endpoint::Transcriptions | Endpoint::Translations => whole(answer["text"].is_string()),
        Endpoint::CountTokens => whole(answer["input_tokens"].is_u64()),
        Endpoint::Speech => Completion::Partial,
    }
}

const fn whole(is_whole: bool) -> Completion {
    if is_whole {
        Completion::Whole
    } else {
        Completion::Partial
    }
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => false,
    }
}

/// Whether a list has elements, all of this kind.
fn all(answer: &Value, list: &str, is_it: impl Fn(&Value) -> bool) -> bool {
    let items = answer.get(list).and_then(Value::as_array);
    items.is_some_and(|items| !items.is_empty() && items.iter().all(is_it))
}

fn chat(answer: &Value) -> Completion {
    let calls = |choice: &Value| {
        let message = &choice["message"];
        is_filled(&message["tool_calls"]) || is_filled(&message["function_call"])
    };
    let is_over = |choice: &Value| match choice["finish_reason"].as_str() {
        // Some servers say so of tool calls as well.
        Some("stop") => calls(choice) || says_something(&choice["message"]),
        Some("tool_calls" | "function_call") => calls(choice),
        _ => false,
    };
    if !all(answer, "choices", is_over) {
        return Completion::Partial;
    }
    let choices = answer["choices"].as_array().into_iter().flatten();
    if choices.into_iter().any(calls) {
        Completion::ToolCalls
    } else {
        Completion::Whole
    }
}

fn says_something(message: &Value) -> bool {
    ["content", "refusal", "audio", "images"]
        .iter()
        .any(|name| is_filled(&message[name]))
}

fn completions(answer: &Value) -> Completion {
    whole(all(answer, "choices", |choice| {
        choice["finish_reason"] == "stop" && is_text(&choice["text"])
    }))
}

fn response(answer: &Value) -> Completion {
    if answer["status"] != "completed" || is_filled(&answer["incomplete_details"]) {
        return Completion::Partial;
    }
    if !all(answer, "output", |item| {
        item["status"]
            .as_str()
            .is_none_or(|status| status == "completed")
    }) {
        return Completion::Partial;
    }
    let kind = |item: &Value| item["type"].as_str().unwrap_or_default().to_owned();
    let is_call = |item: &Value| CLIENT_CALLS.contains(&kind(item).as_str());
    let mut items = answer["output"].as_array().into_iter().flatten();
    if items.any(is_call) {
        Completion::ToolCalls
    } else {
        Completion::Whole
    }
}

fn message(answer: &Value) -> Completion {
    let is_said = all(answer, "content", Value::is_object);
    match answer["stop_reason"].as_str() {
        Some("end_turn" | "stop_sequence") => whole(is_said),
        Some("tool_use") if is_said => Completion::ToolCalls,
        _ => Completion::Partial,
    }
}

#[cfg(test)]
mod tests;
