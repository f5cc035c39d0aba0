//! What calls to providers over HTTP have in common.

use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use reqwest::{Client, ClientBuilder, Response, header::HeaderMap};

use super::Error;

/// No pause asked for by a provider is believed beyond this.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// The largest answer read: ten large pictures in base64.
pub(super) const MAX_BYTES: usize = 256 * 1024 * 1024;

/// So much of a refusal is read.
const ENOUGH: usize = 64 * 1024;

pub(super) fn client() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("atelier/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
}

/// The connection failed, so that nothing was asked; or the answer to what was asked never came whole.
pub(super) fn broken(error: reqwest::Error) -> Error {
    let asked = !error.is_connect() && !error.is_builder();
    tracing::warn!(error = %error.without_url(), asked, "the image service could not be reached");
    if asked {
        let message = "The image service did not answer in time, or its answer broke off.";
        Error::passing("answer_lost", message).lost()
    } else {
        let message = "The image service could not be reached.";
        Error::passing("provider_unreachable", message)
    }
}

/// More than [`MAX_BYTES`]; the call is paid for all the same.
pub(super) fn too_large() -> Error {
    Error::last("bad_answer", "The image service's answer was too large.").lost()
}

/// The whole answer.
pub(super) async fn body(mut response: Response) -> Result<Bytes, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// The beginning of a refusal, as far as it comes.
pub(super) async fn beginning(mut response: Response) -> Vec<u8> {
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        text.extend_from_slice(&chunk);
        if text.len() > ENOUGH {
            break;
        }
    }
    text
}

/// An answer came, but none that can be used: what it cost is not known.
pub(super) fn garbage() -> Error {
    Error::passing(
        "bad_answer",
        "The image service's answer could not be understood.",
    )
    .lost()
}

/// `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110, 10.2.3).
pub(super) fn pause(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let number = |text: &str| {
        text.parse::<f64>()
            .ok()
            .filter(|number| number.is_finite() && *number >= 0.0)
    };
    let longest = LONGEST_PAUSE.as_secs_f64();
    let milliseconds = text("retry-after-ms")
        .and_then(number)
        .map(|ms| ms / 1000.0);
    let seconds = || text("retry-after").and_then(number);
    if let Some(seconds) = milliseconds.or_else(seconds) {
        return Some(Duration::from_secs_f64(seconds.min(longest)));
    }
    let date = httpdate::parse_http_date(text("retry-after")?).ok()?;
    Some(
        date.duration_since(now)
            .unwrap_or_default()
            .min(LONGEST_PAUSE),
    )
}

/// A provider's words for a visitor.
pub(super) fn shorten(message: &str) -> String {
    message
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect()
}
