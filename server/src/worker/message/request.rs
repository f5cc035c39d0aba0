//! The request that delivers a message.

use std::time::Duration;

use atelier_messages::{Message, signature};
use atelier_webhook::Call;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header::USER_AGENT};
use bytes::Bytes;
use jiff::Timestamp;
use url::Url;

use super::Attempt;

/// How receivers recognise deliveries.
const AGENT: HeaderValue = HeaderValue::from_static("Upstash-QStash");

/// Receivers compare it only if they were told another.
const REGION: &str = "local";

const SIGNATURE: &str = "upstash-signature";

/// No request can be made of the message.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(super) enum InvalidRequest {
    #[error("The URL cannot be called.")]
    Url,
    #[error("The method is none.")]
    Method,
}

/// The call of the message's receiver.
pub(super) fn call(
    attempt: &Attempt<'_>,
    body: Bytes,
    key: &str,
    now: Timestamp,
    timeout: Duration,
    most: usize,
) -> Result<Call, InvalidRequest> {
    let message = &attempt.task.message;
    let url = Url::parse(&message.url).map_err(|_| InvalidRequest::Url)?;
    let id = format!("{}.{}", attempt.job.id, attempt.job.token);
    let signature = signature::sign(key, &message.url, &body, &id, now);
    let mut headers = headers(message);
    headers.entry(USER_AGENT).or_insert(AGENT);
    let signed = (SIGNATURE, signature);
    set(&mut headers, ours(attempt).into_iter().chain([signed]));
    Ok(Call {
        method: method(message)?,
        url,
        headers,
        body,
        timeout,
        most,
    })
}

pub(super) fn method(message: &Message) -> Result<Method, InvalidRequest> {
    if message.method.is_empty() {
        return Ok(Method::POST);
    }
    message.method.parse().map_err(|_| InvalidRequest::Method)
}

/// The message's own header fields. They were checked when it was published.
pub(super) fn headers(message: &Message) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(message.headers.len() + 8);
    for (name, value) in &message.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            headers.append(name, value);
        }
    }
    headers
}

/// What tells the receiver of the delivery.
fn ours(attempt: &Attempt<'_>) -> Vec<(&'static str, String)> {
    let message = &attempt.task.message;
    let mut ours = vec![
        ("upstash-message-id", attempt.job.id.clone()),
        ("upstash-retried", attempt.retried.to_string()),
        ("upstash-region", REGION.to_owned()),
    ];
    let optional = [
        ("upstash-schedule-id", message.schedule.as_ref()),
        ("upstash-topic-name", message.group.as_ref()),
        ("upstash-caller-ip", Some(&message.caller_ip)),
    ];
    let present = optional.into_iter().filter_map(|(name, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some((name, value.clone()))
    });
    ours.extend(present);
    ours
}

fn set(headers: &mut HeaderMap, fields: impl Iterator<Item = (&'static str, String)>) {
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
