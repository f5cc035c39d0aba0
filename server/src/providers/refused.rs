//! What refusals of image services mean: temporary, permanent, or one of the content.

use std::time::{Duration, SystemTime};

use atelier_gateway::{Dialect, Refusal};
use bytes::Bytes;
use reqwest::{
    Response, StatusCode,
    header::{HeaderMap, HeaderValue},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    CONTENT_REFUSED, Error, Remedy,
    endpoint::Endpoint,
    http::{beginning, shorten},
};

/// Codes of errors that refuse the content.
const UNSAFE: [&str; 4] = [
    "moderation_blocked",
    "content_policy_violation",
    "content_filter",
    "ResponsibleAIPolicyViolation",
];

/// The fields of an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(deserialize_with = "leniently")]
    message: Option<String>,
    #[serde(rename = "type", deserialize_with = "leniently")]
    kind: Option<String>,
    /// What FastAPI calls the message.
    #[serde(deserialize_with = "leniently")]
    detail: Option<String>,
    // A number with some servers.
    code: Value,
    status: Value,
    /// Azure's reasons.
    #[serde(alias = "innererror")]
    inner_error: Value,
    /// OpenRouter's.
    metadata: Value,
}

impl Body {
    /// Some servers return the message alone.
    fn read(error: &Value) -> Self {
        match error {
            Value::String(message) => Self {
                message: Some(message.clone()),
                ..Self::default()
            },
            error => Self::deserialize(error).unwrap_or_default(),
        }
    }

    /// The error of a whole response, which Google wraps in a list of one.
    fn of_response(text: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Value>(text) else {
            return Self::default();
        };
        let body = body.get(0).unwrap_or(&body);
        let error = body.get("error").filter(|error| !error.is_null());
        Self::read(error.unwrap_or(body))
    }

    fn message(&self) -> Option<&str> {
        self.message.as_deref().or(self.detail.as_deref())
    }

    fn is_unsafe(&self) -> bool {
        let inner = self.inner_error["code"].as_str().unwrap_or_default();
        let codes = [self.code(), inner];
        codes.iter().any(|code| UNSAFE.contains(code))
            || self.metadata["reasons"].is_array()
            || self.metadata["flagged_input"].is_string()
    }

    fn code(&self) -> &str {
        self.code.as_str().unwrap_or_default()
    }

    fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or_default()
    }

    /// The HTTP status that such an error has as a response of its own.
    fn usual_status(&self) -> StatusCode {
        let number = |value: &Value| {
            let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
            let status = StatusCode::from_u16(number.try_into().ok()?).ok()?;
            (status.is_client_error() || status.is_server_error()).then_some(status)
        };
        let told = number(&self.status).or_else(|| number(&self.code));
        told.or_else(|| usual_status(self.code()))
            .or_else(|| usual_status(self.kind()))
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

fn usual_status(word: &str) -> Option<StatusCode> {
    Some(match word {
        "invalid_request_error" | "image_generation_user_error" | "user_error" => {
            StatusCode::BAD_REQUEST
        }
        "authentication_error" | "invalid_api_key" => StatusCode::UNAUTHORIZED,
        "permission_error" => StatusCode::FORBIDDEN,
        "not_found_error" | "model_not_found" => StatusCode::NOT_FOUND,
        "rate_limit_error" | "rate_limit_exceeded" | "requests" | "tokens" | "slow_down" => {
            StatusCode::TOO_MANY_REQUESTS
        }
        "overloaded_error" => StatusCode::SERVICE_UNAVAILABLE,
        word if word.starts_with("invalid_") => StatusCode::BAD_REQUEST,
        _ => return None,
    })
}

/// An error inside a successful response: in a stream, or with status 200.
pub(super) fn told(error: &Value, headers: &HeaderMap) -> Error {
    let body = Body::read(error);
    let (status, text) = (body.usual_status(), json!({ "error": error }).to_string());
    let now = SystemTime::now();
    let refusal = Refusal::read(Dialect::OpenAi, status, headers, text.as_bytes(), now);
    let error = classify(status, headers, &body, refusal);
    tracing::warn!(code = error.code, remedy = ?error.remedy, "the image service reported an error");
    error
}

/// The provider's own id of the call.
pub(super) fn request_id(response: &Response) -> Option<String> {
    response
        .headers()
        .get("x-request-id")?
        .to_str()
        .ok()
        .map(ToOwned::to_owned)
}

/// The error for a response with an error status.
pub(super) async fn refused(endpoint: &Endpoint, response: Response) -> Error {
    refused_in_words(endpoint, response).await.0
}

/// The same, with the body of the response.
pub(super) async fn refused_in_words(endpoint: &Endpoint, response: Response) -> (Error, Bytes) {
    let (status, headers) = (response.status(), response.headers().clone());
    let request_id = request_id(&response);
    let text = endpoint.hidden(beginning(response).await);
    let (dialect, now) = (endpoint.dialect(), SystemTime::now());
    let refusal = Refusal::read(dialect, status, &headers, &text, now);
    let error = Error {
        request_id,
        ..classify(status, &headers, &Body::of_response(&text), refusal)
    };
    tracing::warn!(
        upstream = endpoint.name(),
        status = status.as_u16(),
        code = error.code,
        request_id = error.request_id,
        remedy = ?error.remedy,
        "the image service refused a call"
    );
    (error, text)
}

fn classify(status: StatusCode, headers: &HeaderMap, body: &Body, refusal: Refusal) -> Error {
    let is_spent = out_of_money(body.code()) || out_of_money(body.kind());
    if refusal.is_final || is_spent {
        return Error::last(
            "provider_credit_exhausted",
            "The studio's account with the image service has run out of credit. Please tell whoever runs this site.",
        );
    }
    if body.is_unsafe() {
        return unsafe_content();
    }
    if may_pass(status, headers) {
        return passing(status, refusal.pause);
    }
    if refusal.is_bad_key {
        return key();
    }
    let message = body.message().map_or_else(
        || {
            let status = status.as_u16();
            format!("The image service refused the request (status {status}).")
        },
        |message| {
            let message = shorten(message);
            format!("The image service refused the request: {message}")
        },
    );
    Error::last("provider_refused", message)
}

/// The error for content that is refused.
pub(super) fn unsafe_content() -> Error {
    Error::last(
        CONTENT_REFUSED,
        "The image service refused this request as unsafe. Sending the same again will not help.",
    )
}

/// The error for a key that is refused.
pub(super) fn key() -> Error {
    Error::last(
        "provider_key_refused",
        "The image service does not accept this studio's key. Please tell whoever runs this site.",
    )
}

fn passing(status: StatusCode, pause: Option<Duration>) -> Error {
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Error {
            remedy: Remedy::Wait(pause),
            ..Error::passing("provider_busy", "The image service is busy.")
        };
    }
    let failed = Error {
        remedy: Remedy::Retry(pause),
        ..Error::passing("provider_failed", "The image service failed.")
    };
    if lost_on_the_way(status) {
        failed.lost()
    } else {
        failed
    }
}

/// Whether a gateway timed out (504, or Cloudflare's 524): the call may still be running behind it.
fn lost_on_the_way(status: StatusCode) -> bool {
    matches!(status.as_u16(), 504 | 524)
}

/// Credit and spending limits answer 429 like a rate limit, but no pause helps.
fn out_of_money(word: &str) -> bool {
    matches!(
        word,
        "insufficient_quota" | "credit_balance_exhausted" | "billing_hard_limit_reached"
    ) || word.ends_with("_spend_limit_exceeded")
        || word.ends_with("_usage_limit_exceeded")
}

fn may_pass(status: StatusCode, headers: &HeaderMap) -> bool {
    match headers.get("x-should-retry").map(HeaderValue::as_bytes) {
        Some(b"true") => true,
        Some(b"false") => false,
        _ => matches!(status.as_u16(), 408 | 409 | 429) || status.is_server_error(),
    }
}

/// The value, or its default where it is of another type.
pub(super) fn leniently<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

#[cfg(test)]
mod tests;
