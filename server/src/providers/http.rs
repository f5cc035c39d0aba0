//! What calls to providers over HTTP have in common.

use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use reqwest::{
    Client, ClientBuilder, Response,
    header::{HeaderMap, HeaderName},
};

use super::Error;
use crate::retry_after::{self, retry_after};

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

/// `retry-after-ms`, or [`retry_after()`].
pub(super) fn pause(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    const MILLISECONDS: HeaderName = HeaderName::from_static("retry-after-ms");
    let precise = retry_after::number(headers, &MILLISECONDS);
    let precise = precise.map(|milliseconds| retry_after::pause(milliseconds / 1000.0));
    precise.or_else(|| retry_after(headers, now))
}

/// A provider's words for a visitor.
pub(super) fn shorten(message: &str) -> String {
    message
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect()
}
