//! What went wrong, sorted into what may pass and what will not.

use std::time::{Duration, SystemTime};

use reqwest::{
    Response, StatusCode,
    header::{HeaderMap, HeaderValue},
};
use serde::Deserialize;

use super::super::{
    CONTENT_REFUSED, Error, Remedy,
    http::{beginning, pause, shorten},
};

#[derive(Debug, Default, Deserialize)]
struct Envelope {
    #[serde(default)]
    error: Body,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Body {
    message: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    // Some servers answer with a number here.
    code: Option<serde_json::Value>,
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

/// The provider answered with an error status.
pub(super) async fn refused(response: Response) -> Error {
    refused_in_words(response).await.0
}

/// The same, with all that the answer says.
pub(super) async fn refused_in_words(response: Response) -> (Error, String) {
    let (status, headers) = (response.status(), response.headers().clone());
    let request_id = request_id(&response);
    let text = beginning(response).await;
    let body = serde_json::from_slice::<Envelope>(&text)
        .unwrap_or_default()
        .error;
    let error = Error {
        request_id,
        ..classify(status, &headers, &body, SystemTime::now())
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

pub(super) fn classify(
    status: StatusCode,
    headers: &HeaderMap,
    body: &Body,
    now: SystemTime,
) -> Error {
    let code = body
        .code
        .as_ref()
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    let kind = body.kind.as_deref().unwrap_or_default();
    if out_of_money(code) || out_of_money(kind) {
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
        return passing(status, pause(headers, now));
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
        Error {
            remedy: Remedy::Retry(pause),
            ..Error::passing("provider_failed", "The image service failed.")
        }
    }
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
    use crate::provider::http::LONGEST_PAUSE;

    fn sorted(status: u16, headers: &[(&'static str, &str)], json: &str) -> Error {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let body = serde_json::from_str::<Envelope>(json)
            .unwrap_or_default()
            .error;
        classify(
            StatusCode::from_u16(status).unwrap(),
            &headers,
            &body,
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
        assert_eq!(after(&[("retry-after", "soon")]), Remedy::Wait(None));
        assert_eq!(after(&[("x-should-retry", "false")]), Remedy::Nothing);
        assert_eq!(
            sorted(400, &[("x-should-retry", "true")], "").remedy,
            Remedy::Retry(None)
        );
    }
}
