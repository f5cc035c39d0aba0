//! Errors in the form of the API that was called.

use atelier_gateway::{ApiError, Endpoint, Retry, Wire};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use std::time::Duration;
use tracing::{debug, error};

use super::RequestId;
use crate::{
    gateway,
    http::problem::Problem,
    limit::{
        Standing, Unit,
        headers::{self, retry_after, worst},
    },
};

/// The longest pause that every official client waits for, in seconds.
const LONGEST_PAUSE: u64 = 60;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Anthropic's clients read this one.
const ANTHROPIC_ID: HeaderName = HeaderName::from_static("request-id");

/// Gives every request an id, and every error the form of the API that was called.
pub(super) async fn shape(mut request: Request, next: Next) -> Response {
    let id = RequestId::new();
    let wire = wire(&request);
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    let problem = response.extensions_mut().remove::<Problem>();
    let failed = response.extensions_mut().remove::<ApiError>();
    let refused = response.status() == StatusCode::METHOD_NOT_ALLOWED;
    let failed = failed.or_else(|| match problem {
        Some(problem) => Some(translated(&problem, response.headers())),
        None if refused => {
            let message = "This address does not take that method.";
            Some(ApiError::new(405, "invalid_request_error", message).code("method_not_allowed"))
        }
        None => None,
    });
    if let Some(failed) = failed {
        response = written(response, &failed, wire, &id);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, id.clone());
        if wire == Wire::Anthropic {
            headers.insert(ANTHROPIC_ID, id);
        }
    }
    let private = HeaderValue::from_static("private, no-store");
    headers.insert(header::CACHE_CONTROL, private);
    headers.append(header::VARY, HeaderValue::from_static("authorization"));
    response
}

/// Anthropic's clients name the version of its API.
fn wire(request: &Request) -> Wire {
    let path = request.uri().path().strip_prefix("/v1");
    match path.and_then(Endpoint::from_path) {
        Some(endpoint) => endpoint.wire(),
        None if request.headers().contains_key("anthropic-version") => Wire::Anthropic,
        None => Wire::OpenAi,
    }
}

fn written(response: Response, failed: &ApiError, wire: Wire, id: &RequestId) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::from_u16(failed.status).unwrap_or(StatusCode::BAD_GATEWAY);
    for (name, value) in failed.headers() {
        if let Ok(value) = HeaderValue::from_str(&value) {
            parts.headers.insert(name, value);
        }
    }
    let json = HeaderValue::from_static("application/json");
    parts.headers.insert(header::CONTENT_TYPE, json);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(failed.body(wire, Some(&id.0))))
}

/// A problem of what precedes the door: who asks, how, and how much.
fn translated(problem: &Problem, headers: &axum::http::HeaderMap) -> ApiError {
    let detail = problem.detail.clone();
    let pause = headers.get(header::RETRY_AFTER);
    let pause = pause.and_then(|value| value.to_str().ok()?.parse().ok());
    match problem.status {
        401 => ApiError::unauthenticated(detail),
        403 => ApiError::forbidden(detail),
        404 => ApiError::not_found(detail),
        429 => ApiError::rate_limited(detail, Duration::from_secs(pause.unwrap_or(1))),
        500 => ApiError::internal(),
        503 => ApiError::unavailable(detail, pause.map(Duration::from_secs)),
        status => ApiError::new(status, "invalid_request_error", detail),
    }
}

/// An error, to be written in the form of the API.
pub(super) fn respond(failed: &ApiError) -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(failed.clone());
    response
}

/// Why a call failed, to be written in the form of the API.
pub(super) fn respond_to(failure: gateway::Error) -> Response {
    match failure {
        gateway::Error::Api(failed) | gateway::Error::Uncertain(failed) => respond(&failed),
        gateway::Error::Limited(standings) => {
            let mut response = respond(&limited(&standings));
            headers::set(response.headers_mut(), &standings);
            super::answer::tell_limits(response.headers_mut(), &standings);
            response
        }
        gateway::Error::Closing => {
            let message = "The server is restarting.";
            respond(&ApiError::unavailable(
                message,
                Some(Duration::from_secs(1)),
            ))
        }
        failure if failure.is_away() => {
            debug!(%failure, "a store is unreachable");
            let message = "The server cannot reach its store at the moment.";
            respond(&ApiError::unavailable(
                message,
                Some(Duration::from_secs(5)),
            ))
        }
        failure => {
            error!(%failure, "a store failed");
            respond(&ApiError::internal())
        }
    }
}

/// A budget that is spent is told apart from calls that come too fast: trying again would only
/// make three calls of one.
fn limited(standings: &[Standing]) -> ApiError {
    let Some(standing) = worst(standings) else {
        return ApiError::internal();
    };
    let (policy, pause) = (&standing.policy, retry_after(standings));
    let unit = policy.unit;
    if standing.reset.is_none() {
        let message = format!(
            "This asks for more {} at once than the limit {} ever allows.",
            unit.as_str(),
            policy.name
        );
        return ApiError::new(429, "invalid_request_error", message)
            .code("request_too_large")
            .retry(Retry::Never);
    }
    let message = format!(
        "You are over the limit {} of {} {}. It has room again in {pause} s.",
        policy.name,
        unit.amount(policy.quota),
        unit.as_str(),
    );
    if unit == Unit::Usd || pause > LONGEST_PAUSE {
        let error = ApiError::insufficient_quota(message);
        return error;
    }
    ApiError::rate_limited(message, Duration::from_secs(pause))
}
