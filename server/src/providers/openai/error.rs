//! Classifies errors into temporary and permanent ones.

use std::time::{Duration, SystemTime};

use reqwest::{
    Response, StatusCode,
    header::{HeaderMap, HeaderValue},
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        CONTENT_REFUSED, Error, Remedy,
        http::{beginning, shorten},
    },
    usage::{Usage, leniently},
};
use crate::config::Prices;
use atelier_gateway::retry_after::asked_pause;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Envelope {
    error: Value,
    #[serde(deserialize_with = "leniently")]
    usage: Option<Usage>,
}

/// The fields of an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(deserialize_with = "leniently")]
    message: Option<String>,
    #[serde(rename = "type", deserialize_with = "leniently")]
    kind: Option<String>,
    // A number with some servers.
    code: Value,
    status: Value,
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
    let error = classify(body.usual_status(), headers, &body, SystemTime::now());
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
pub(super) async fn refused(response: Response, prices: Prices) -> Error {
    refused_in_words(response, prices).await.0
}

/// The same, with all parts of the response.
pub(super) async fn refused_in_words(response: Response, prices: Prices) -> (Error, String) {
    let (status, headers) = (response.status(), response.headers().clone());
    let request_id = request_id(&response);
    let text = beginning(response).await;
    let Envelope { error, usage } = serde_json::from_slice(&text).unwrap_or_default();
    let body = Body::read(&error);
    let error = classify(status, &headers, &body, SystemTime::now());
    let error = Error {
        request_id,
        ..error.charged(usage.and_then(|usage| usage.cost(prices)))
    };
    tracing::warn!(
        status = status.as_u16(),
        code = error.code,
        request_id = error.request_id,
        remedy = ?error.remedy,
        "the image service refused a call"
    );
    (error, String::from_utf8_lossy(&text).into_owned())
}

fn classify(status: StatusCode, headers: &HeaderMap, body: &Body, now: SystemTime) -> Error {
    let code = body.code();
    if out_of_money(code) || out_of_money(body.kind()) {
        return Error::last(
            "provider_credit_exhausted",
            "The studio's account with the image service has run out of credit. Please tell whoever runs this site.",
        );
    }
    if code == "moderation_blocked" || code == "content_policy_violation" {
        return Error::last(
            CONTENT_REFUSED,
            "The image service refused this request as unsafe. Sending the same again will not help.",
        );
    }
    if may_pass(status, headers) {
        return passing(status, asked_pause(headers, now));
    }
    match status.as_u16() {
        401 | 403 => Error::last(
            "provider_key_refused",
            "The image service does not accept this studio's key. Please tell whoever runs this site.",
        ),
        _ => Error::last(
            "provider_refused",
            body.message.as_deref().map_or_else(
                || {
                    format!(
                        "The image service refused the request (status {}).",
                        status.as_u16()
                    )
                },
                |message| {
                    format!(
                        "The image service refused the request: {}",
                        shorten(message)
                    )
                },
            ),
        ),
    }
}

fn passing(status: StatusCode, pause: Option<Duration>) -> Error {
    if status == StatusCode::TOO_MANY_REQUESTS {
        Error {
            remedy: Remedy::Wait(pause),
            ..Error::passing("provider_busy", "The image service is busy.")
        }
    } else {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Cost;
    use atelier_gateway::retry_after::LONGEST_PAUSE;

    fn sorted(status: u16, headers: &[(&'static str, &str)], json: &str) -> Error {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let Envelope { error, .. } = serde_json::from_str(json).unwrap_or_default();
        classify(
            StatusCode::from_u16(status).unwrap(),
            &headers,
            &Body::read(&error),
            SystemTime::UNIX_EPOCH,
        )
    }

    #[test]
    fn money_and_refusals_are_final() {
        for (status, code) in [
            (429, "insufficient_quota"),
            (429, "credit_balance_exhausted"),
            (429, "organization_spend_limit_exceeded"),
            (429, "project_usage_limit_exceeded"),
            (400, "moderation_blocked"),
            (400, "invalid_value"),
            (401, "invalid_api_key"),
        ] {
            let by_code = sorted(
                status,
                &[],
                &format!(r#"{{"error":{{"message":"no","code":"{code}"}}}}"#),
            );
            assert_eq!(by_code.remedy, Remedy::Nothing, "{code}");
        }
        let by_type = sorted(
            429,
            &[],
            r#"{"error":{"message":"no","type":"insufficient_quota","code":null}}"#,
        );
        assert_eq!(by_type.remedy, Remedy::Nothing);
    }

    #[test]
    fn trouble_that_passes_is_retried() {
        for status in [408, 409, 500, 502, 503, 529] {
            let error = sorted(status, &[], "not json");
            assert_eq!(error.remedy, Remedy::Retry(None), "{status}");
        }
        assert_eq!(sorted(429, &[], "").remedy, Remedy::Wait(None));
        let slow_down = sorted(
            429,
            &[],
            r#"{"error":{"message":"slow","code":"slow_down"}}"#,
        );
        assert_eq!(slow_down.remedy, Remedy::Wait(None));
    }

    #[test]
    fn the_provider_decides_whether_and_when() {
        let after = |headers: &[(&'static str, &str)]| sorted(429, headers, "").remedy;
        let wait = |pause| Remedy::Wait(Some(pause));
        assert_eq!(after(&[("retry-after", "7")]), wait(Duration::from_secs(7)));
        assert_eq!(
            after(&[("retry-after-ms", "250"), ("retry-after", "7")]),
            wait(Duration::from_millis(250))
        );
        assert_eq!(
            after(&[("retry-after", "Thu, 01 Jan 1970 00:00:30 GMT")]),
            wait(Duration::from_secs(30))
        );
        assert_eq!(after(&[("retry-after", "1e300")]), wait(LONGEST_PAUSE));
        for nonsense in ["soon", "-1", "-0.5", "NaN", "inf", ""] {
            let fields = [("retry-after", nonsense)];
            assert_eq!(after(&fields), Remedy::Wait(None), "{nonsense:?}");
        }
        assert_eq!(
            after(&[("retry-after-ms", "-1"), ("retry-after", "7")]),
            wait(Duration::from_secs(7))
        );
        assert_eq!(after(&[("x-should-retry", "false")]), Remedy::Nothing);
        assert_eq!(
            sorted(400, &[("x-should-retry", "true")], "").remedy,
            Remedy::Retry(None)
        );
    }

    #[test]
    fn an_error_inside_an_answer_means_what_it_would_alone() {
        let headers = HeaderMap::new();
        for (json, code, remedy) in [
            (
                r#"{"type":"invalid_request_error","message":"No such size.","code":null}"#,
                "provider_refused",
                Remedy::Nothing,
            ),
            (
                r#"{"type":"image_generation_user_error","code":"moderation_blocked"}"#,
                "content_refused",
                Remedy::Nothing,
            ),
            (
                r#"{"type":"tokens","code":"rate_limit_exceeded"}"#,
                "provider_busy",
                Remedy::Wait(None),
            ),
            (r#"{"code":429}"#, "provider_busy", Remedy::Wait(None)),
            (r#"{"code":"401"}"#, "provider_key_refused", Remedy::Nothing),
            (
                r#"{"code":"invalid_value"}"#,
                "provider_refused",
                Remedy::Nothing,
            ),
            (
                r#"{"type":"server_error"}"#,
                "provider_failed",
                Remedy::Retry(None),
            ),
            (
                r#""no words for it""#,
                "provider_failed",
                Remedy::Retry(None),
            ),
            (r#"{"code":200}"#, "provider_failed", Remedy::Retry(None)),
        ] {
            let error = told(&serde_json::from_str(json).unwrap(), &headers);
            assert_eq!((error.code, error.remedy), (code, remedy), "{json}");
            assert_eq!(error.cost, Cost::Nothing, "{json}");
        }
        let error =
            serde_json::json!({"type": "invalid_request_error", "message": "No such size."});
        assert!(told(&error, &headers).message.ends_with("No such size."));
    }
}
