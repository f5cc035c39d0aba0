//! Errors of upstreams, in the many shapes that they have.

use std::str;

use bytes::Bytes;
use serde_json::Value;

use super::ApiError;
use crate::{Wire, refusal::unwrapped};

/// How much of an answer that is no JSON is shown.
const SHOWN: usize = 300;

impl ApiError {
    /// Reads the body of an upstream's error. Whether its words may be shown is for the caller
    /// to decide: those of a 401 can hold a part of the upstream's key.
    pub fn from_upstream(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::from_value(status, &value),
            Err(_) => Self::from_text(status, str::from_utf8(body).unwrap_or_default()),
        }
    }

    /// The body of an upstream's error in the shape of an API, if it has another.
    pub fn reshaped(status: u16, body: &[u8], wire: Wire) -> Option<Bytes> {
        let has_shape = serde_json::from_slice::<Value>(body).is_ok_and(|body| {
            let error = &body["error"];
            let has = |name: &str| error.get(name).is_some();
            let is_told = error["message"].is_string();
            match wire {
                Wire::OpenAi => {
                    let fields = ["type", "param", "code"];
                    is_told && fields.into_iter().all(has) && !error["code"].is_number()
                }
                Wire::Anthropic => is_told && has("type") && body["type"] == "error",
            }
        });
        (!has_shape).then(|| Self::from_upstream(status, body).body(wire, None))
    }

    /// Reads an error out of JSON: an answer or an event.
    pub(crate) fn from_value(status: u16, value: &Value) -> Self {
        let value = unwrapped(value);
        let listed = value["errors"].get(0);
        let error = [value.get("error"), listed]
            .into_iter()
            .flatten()
            .find(|error| !error.is_null());
        let error = error.unwrap_or(value);
        let message = [
            error,
            &error["message"],
            &value["message"],
            &value["detail"],
        ];
        let message = message
            .into_iter()
            .find_map(Value::as_str)
            .map(str::to_owned);
        let message = message.or_else(|| detail(&value["detail"]));
        let kind = error["type"].as_str().filter(|kind| *kind != "error");
        let text = |name: &str| word(&error[name]);
        Self {
            param: text("param"),
            code: text("code").or_else(|| text("status")).map(Into::into),
            ..Self::new(
                status,
                kind.map_or_else(|| kind_of(status).to_owned(), str::to_owned),
                message.unwrap_or_else(|| unnamed(status)),
            )
        }
    }

    fn from_text(status: u16, text: &str) -> Self {
        let text = text.trim();
        let is_page = text.starts_with('<');
        let message = match text.char_indices().nth(SHOWN) {
            _ if is_page || text.is_empty() => unnamed(status),
            Some((at, _)) => text.get(..at).unwrap_or_default().to_owned(),
            None => text.to_owned(),
        };
        Self::new(status, kind_of(status), message)
    }
}

/// The type that OpenAI's errors of a status have.
const fn kind_of(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

fn unnamed(status: u16) -> String {
    format!("The upstream answered with status {status}.")
}

/// FastAPI's list of what is wrong with a request.
fn detail(detail: &Value) -> Option<String> {
    let first = detail.get(0)?;
    let message = first["msg"].as_str()?;
    let location = first["loc"].as_array().into_iter().flatten();
    let location: Vec<_> = location.filter_map(word).collect();
    Some(format!("{}: {message}", location.join(".")))
}

/// A string or a number, as text.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
