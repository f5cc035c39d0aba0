//! An answer before it is sent, honestly or otherwise.

use serde_json::{Value, json};

const MESSAGE: &str = "The server had an error while processing your request.";

/// What a call is answered with.
pub(crate) enum Reply {
    Json(Value),
    Events(Vec<Event>),
    /// Anything else: its media type and its bytes.
    Bytes(&'static str, Vec<u8>),
}

impl Reply {
    /// The reply with another content.
    pub(crate) fn changed(mut self, change: impl Fn(&mut Value)) -> Reply {
        match &mut self {
            Reply::Json(body) => change(body),
            Reply::Events(events) => {
                for event in events.iter_mut().filter(|event| event.data.is_object()) {
                    change(&mut event.data);
                }
            }
            Reply::Bytes(..) => {}
        }
        self
    }

    /// The reply with other usage.
    pub(crate) fn with_usage(mut self, tokens: Option<i64>) -> Reply {
        match &mut self {
            Reply::Json(body) => set_usage(body, tokens),
            Reply::Events(events) => {
                for event in events {
                    set_usage(&mut event.data, tokens);
                }
            }
            Reply::Bytes(..) => {}
        }
        self
    }
}

/// Replaces the usage, wherever either API puts it.
fn set_usage(body: &mut Value, tokens: Option<i64>) {
    for holder in ["", "/response", "/message"] {
        let Some(Value::Object(fields)) = body.pointer_mut(holder) else {
            continue;
        };
        match (fields.get_mut("usage"), tokens) {
            (Some(Value::Object(usage)), Some(tokens)) => {
                for count in usage.values_mut().filter(|value| value.is_number()) {
                    *count = tokens.into();
                }
            }
            (Some(_), None) => {
                fields.remove("usage");
            }
            _ => {}
        }
    }
}

/// One event of a stream.
pub(crate) struct Event {
    name: Option<String>,
    /// JSON; a string is sent as it is.
    data: Value,
}

impl Event {
    /// One without a name, as chat has them.
    pub(crate) fn data(data: Value) -> Event {
        Event { name: None, data }
    }

    /// One that is named by the type in its data.
    pub(crate) fn named(data: Value) -> Event {
        let name = data["type"].as_str().map(str::to_owned);
        Event { name, data }
    }

    /// The same event under this name.
    pub(crate) fn called(self, name: &str) -> Event {
        let name = Some(name.to_owned());
        Event { name, ..self }
    }

    pub(crate) fn content(&self) -> &Value {
        &self.data
    }

    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Value)) {
        change(&mut self.data);
    }

    /// The last event of chat and completions.
    pub(crate) fn done() -> Event {
        Event::data("[DONE]".into())
    }

    /// The error in the midst of a stream that began with this event.
    pub(crate) fn error_after(first: Option<&Event>) -> Event {
        let kind = first.and_then(|first| first.data["type"].as_str());
        match kind {
            Some("message_start") => Event::named(json!({
                "type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"},
            })),
            Some(kind) if kind.starts_with("response.") => Event::named(json!({
                "type": "error", "code": "server_error", "message": MESSAGE, "param": null,
                "sequence_number": 1,
            })),
            _ => Event::data(error()),
        }
    }

    pub(crate) fn render(&self) -> String {
        let data = match &self.data {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match &self.name {
            Some(name) => format!("event: {name}\ndata: {data}\n\n"),
            None => format!("data: {data}\n\n"),
        }
    }
}

/// An error that comes with status 200.
pub(crate) fn error() -> Value {
    json!({"error": {
        "message": MESSAGE, "type": "server_error", "param": null, "code": null,
    }})
}
