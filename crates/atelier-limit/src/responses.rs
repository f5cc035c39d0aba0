//! Answers to requests that are not let through: problems (RFC 9457).

use http::{HeaderValue, Response, StatusCode, header};

use super::{Standing, headers};

/// Returns the answer to a request over a limit: 429 with `Retry-After`, the `RateLimit`
/// fields, and the `violated-policies` in its body.
pub fn limited<A: From<String>>(standings: &[Standing]) -> Response<A> {
    let violated = standings.iter().filter(|standing| standing.violated);
    let names: Vec<_> = violated.map(|standing| &standing.policy.name).collect();
    // A name is made of letters, digits and hyphens.
    let mut response = problem(StatusCode::TOO_MANY_REQUESTS, &format!("{names:?}"));
    let seconds = HeaderValue::from(headers::retry_after(standings));
    let fields = response.headers_mut();
    fields.insert(header::RETRY_AFTER, seconds);
    headers::set(fields, standings);
    response
}

/// Returns the answer to a request whose limits cannot be asked: 503.
pub fn unavailable<A: From<String>>() -> Response<A> {
    problem(StatusCode::SERVICE_UNAVAILABLE, "[]")
}

fn problem<A: From<String>>(status: StatusCode, violated: &str) -> Response<A> {
    let title = status.canonical_reason().unwrap_or_default();
    let code = status.as_u16();
    let body = format!(
        r#"{{"type":"about:blank","title":"{title}","status":{code},"violated-policies":{violated}}}"#
    );
    let mut response = Response::new(A::from(body));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
