//! Common parts of HTTP calls to providers.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, ClientBuilder, Response};

use super::Error;

/// Maximum length of a response in bytes: ten large pictures in base64.
pub(super) const MAX_BYTES: usize = 256 * 1024 * 1024;

/// Maximum number of bytes read of an error response.
const ENOUGH: usize = 64 * 1024;

pub(super) fn client() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("atelier/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
}

/// The error for a failed connection, with no request sent, or for an incomplete response to a sent one.
pub(super) fn broken(error: reqwest::Error) -> Error {
    let asked = !error.is_connect() && !error.is_builder();
    tracing::warn!(error = %error.without_url(), asked, "the image service is unreachable");
    if asked {
        let message = "The image service did not answer in time, or its answer broke off.";
        Error::passing("answer_lost", message).lost()
    } else {
        let message = "The image service could not be reached.";
        Error::passing("provider_unreachable", message)
    }
}

/// The error for a response over [`MAX_BYTES`]; the call is paid for nevertheless.
pub(super) fn too_large() -> Error {
    Error::last("bad_answer", "The image service's answer was too large.").lost()
}

/// Reads the whole response.
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

/// Reads the beginning of an error response, as far as it arrives.
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

/// The error for an unusable response: its cost is unknown.
pub(super) fn garbage() -> Error {
    Error::passing(
        "bad_answer",
        "The image service's answer could not be understood.",
    )
    .lost()
}

/// A provider's message as shown to visitors.
pub(super) fn shorten(message: &str) -> String {
    message
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect()
}
