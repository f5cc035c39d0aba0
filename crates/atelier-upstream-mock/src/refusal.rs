//! A refusal, in the form of either API.

use serde_json::{Value, json};

/// Why a call is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
    kind: &'static str,
    param: Option<String>,
    code: Option<&'static str>,
}

impl Refusal {
    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            message: message.into(),
            kind,
            param: None,
            code: None,
        }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "invalid_request_error", message)
    }

    pub(crate) fn missing(name: &str) -> Refusal {
        Refusal {
            param: Some(name.into()),
            code: Some("missing_required_parameter"),
            ..Refusal::bad(format!("Missing required parameter: '{name}'."))
        }
    }

    pub(crate) fn wrong(name: &str, expected: &str, found: &Value) -> Refusal {
        let mut found = found.to_string();
        if let Some((cut, _)) = found.char_indices().nth(80) {
            found.truncate(cut);
        }
        Refusal {
            param: Some(name.into()),
            code: Some("invalid_value"),
            ..Refusal::bad(format!(
                "Invalid '{name}': expected {expected}, but got {found} instead."
            ))
        }
    }

    pub(crate) fn key() -> Refusal {
        Refusal {
            code: Some("invalid_api_key"),
            ..Refusal::new(401, "invalid_request_error", "Incorrect API key provided.")
        }
    }

    pub(crate) fn no_model(model: &str) -> Refusal {
        Refusal {
            param: Some("model".into()),
            code: Some("model_not_found"),
            ..Refusal::new(
                404,
                "invalid_request_error",
                format!("The model `{model}` does not exist or you do not have access to it."),
            )
        }
    }

    pub(crate) fn unknown_field(name: &str) -> Refusal {
        Refusal {
            param: Some(name.into()),
            code: Some("unknown_parameter"),
            ..Refusal::bad(format!("Extra inputs are not permitted: '{name}'."))
        }
    }

    /// The field that is not known.
    pub(crate) fn field(&self) -> Option<&str> {
        self.param
            .as_deref()
            .filter(|_| self.code == Some("unknown_parameter"))
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Refusal {
        Refusal::new(404, "invalid_request_error", message)
    }

    pub(crate) fn openai(&self) -> Value {
        json!({"error": {
            "message": self.message, "type": self.kind, "param": self.param, "code": self.code,
        }})
    }

    pub(crate) fn anthropic(&self, request_id: &str) -> Value {
        let kind = match self.status {
            401 => "authentication_error",
            404 => "not_found_error",
            _ => "invalid_request_error",
        };
        json!({
            "type": "error", "request_id": request_id,
            "error": {"type": kind, "message": self.message},
        })
    }
}
