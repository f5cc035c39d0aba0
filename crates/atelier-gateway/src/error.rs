//! Errors in the shape of each API.
//!
//! The official clients choose an exception by the status and show `message`; they try again
//! after 408, 409, 429, 5xx and lost connections unless `x-should-retry` says otherwise, and
//! obey `retry-after` up to a minute.

mod foreign;

use std::{borrow::Cow, fmt, time::Duration};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::{Endpoint, Wire};

/// The longest pause that every official client waits for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// An answer that refuses or fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, for a human.
    pub message: String,
    /// OpenAI's `type`, such as `invalid_request_error`. Anthropic's follows from the status.
    pub kind: Cow<'static, str>,
    /// The parameter that is wrong.
    pub param: Option<String>,
    /// What programs compare, such as `model_not_found`.
    pub code: Option<Cow<'static, str>>,
    /// Whether the client should try again.
    pub retry: Retry,
}

/// What a client is told about trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// What the official clients do by the status.
    ByStatus,
    /// Not at all: it would fail again.
    Never,
    /// After a pause.
    After(Duration),
}

impl ApiError {
    /// Creates an error. Statuses below 500 are not worth another try, but for 408 and 429.
    pub fn new(
        status: u16,
        kind: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        let is_final = status < 500 && !matches!(status, 408 | 429);
        Self {
            status,
            message: message.into(),
            kind: kind.into(),
            param: None,
            code: None,
            retry: if is_final {
                Retry::Never
            } else {
                Retry::ByStatus
            },
        }
    }

    /// 400, the client's mistake.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", message)
    }

    /// 401, no key or a wrong one.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(401, "authentication_error", message).code("invalid_api_key")
    }

    /// 403, a key that may not do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "permission_error", message).code("permission_denied")
    }

    /// 404, no such address or thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "invalid_request_error", message).code("not_found")
    }

    /// 404, a model that there is not, or that a key may not use.
    pub fn model_not_found(model: &str) -> Self {
        let message =
            format!("The model '{model}' does not exist or you do not have access to it.");
        Self::new(404, "invalid_request_error", message)
            .param("model")
            .code("model_not_found")
    }

    /// 413, a body beyond the limit in bytes.
    pub fn too_large(limit: u64) -> Self {
        let message = format!("The request is larger than the limit of {limit} bytes.");
        Self::new(413, "invalid_request_error", message).code("request_too_large")
    }

    /// 429, a rate limit that has room again after a pause.
    pub fn rate_limited(message: impl Into<String>, pause: Duration) -> Self {
        let error = Self::new(429, "rate_limit_error", message).code("rate_limit_exceeded");
        error.retry(Retry::After(pause))
    }

    /// 429, a budget that is spent: trying again would only make three calls of one.
    pub fn insufficient_quota(message: impl Into<String>) -> Self {
        let error = Self::new(429, "insufficient_quota", message).code("insufficient_quota");
        error.retry(Retry::Never)
    }

    /// 500, a mistake of ours. The cause belongs into the log.
    pub fn internal() -> Self {
        Self::new(
            500,
            "server_error",
            "The server had an error while processing the request.",
        )
    }

    /// 502, an upstream that cannot be reached or does not speak the API.
    pub fn bad_gateway(message: impl Into<String>) -> Self {
        Self::new(502, "server_error", message).code("upstream_error")
    }

    /// 503, nobody who could answer at present.
    pub fn unavailable(message: impl Into<String>, pause: Option<Duration>) -> Self {
        let error = Self::new(503, "server_error", message).code("unavailable");
        error.retry(pause.map_or(Retry::ByStatus, Retry::After))
    }

    /// 504, an upstream that is too slow.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::new(504, "server_error", message).code("timeout")
    }

    /// Names the parameter that is wrong.
    #[must_use]
    pub fn param(self, param: impl Into<String>) -> Self {
        Self {
            param: Some(param.into()),
            ..self
        }
    }

    /// Sets what programs compare.
    #[must_use]
    pub fn code(self, code: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: Some(code.into()),
            ..self
        }
    }

    /// Sets what the client is told about trying again.
    #[must_use]
    pub fn retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// The header fields that tell a client whether and when to try again. Pauses that not
    /// every client would wait for also say that trying again is of no use.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let should_retry = |is_worth: bool| ("x-should-retry", is_worth.to_string());
        match self.retry {
            Retry::ByStatus => Vec::new(),
            Retry::Never => vec![should_retry(false)],
            Retry::After(pause) => {
                let seconds = pause.as_millis().div_ceil(1000).max(1);
                vec![
                    ("retry-after", seconds.to_string()),
                    should_retry(pause <= LONGEST_PAUSE),
                ]
            }
        }
    }

    /// The body of the answer. Anthropic's holds the id of the request, if it is given.
    pub fn body(&self, wire: Wire, request_id: Option<&str>) -> Bytes {
        let body = match wire {
            Wire::OpenAi => json!({ "error": self.openai() }),
            Wire::Anthropic => {
                let mut body = self.anthropic();
                if let Some(id) = request_id {
                    body.insert("request_id".into(), id.into());
                }
                Value::Object(body)
            }
        };
        Bytes::from(body.to_string())
    }

    /// The error as an event of a stream that has begun. `sequence_number` is the next one of
    /// the stream, which only responses count.
    pub fn event(&self, endpoint: Endpoint, sequence_number: u64) -> Bytes {
        let error = self.openai();
        let (is_named, data) = match endpoint {
            Endpoint::Messages | Endpoint::CountTokens => (true, Value::Object(self.anthropic())),
            // The specification has the fields beside the type; clients raise only for `error`.
            Endpoint::Responses => (
                true,
                json!({
                    "type": "error", "sequence_number": sequence_number, "code": self.code,
                    "message": self.message, "param": self.param, "error": error,
                }),
            ),
            Endpoint::ChatCompletions | Endpoint::Completions => (false, json!({ "error": error })),
            _ => (true, json!({ "type": "error", "error": error })),
        };
        let name = if is_named { "event: error\n" } else { "" };
        Bytes::from(format!("{name}data: {data}\n\n"))
    }

    fn openai(&self) -> Value {
        json!({
            "message": self.message, "type": self.kind, "param": self.param, "code": self.code,
        })
    }

    fn anthropic(&self) -> Map<String, Value> {
        let error = json!({ "type": self.anthropic_kind(), "message": self.message });
        Map::from_iter([("type".into(), "error".into()), ("error".into(), error)])
    }

    fn anthropic_kind(&self) -> &'static str {
        match self.status {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            503 | 529 => "overloaded_error",
            408 | 504 => "timeout_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests;
