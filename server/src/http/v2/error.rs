//! Errors as this door's clients expect them: `{"error": "a sentence"}`.

use atelier_messages::objects;
use axum::{
    Json,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use tracing::{debug, error};

use crate::{
    app,
    http::{error::SOON, problem::Problem},
    limit::{
        Standing, Unit,
        headers::{self, reset, retry_after, worst},
    },
    messages::Error,
};

/// From this length on, a window is told as the daily one.
const DAY: u64 = 24 * 60 * 60;

/// The header fields that tell of a limit: its quota, what is left, and when it has room again.
type Fields = [HeaderName; 3];

const DAILY: Fields = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];

const BURST: Fields = [
    HeaderName::from_static("burst-ratelimit-limit"),
    HeaderName::from_static("burst-ratelimit-remaining"),
    HeaderName::from_static("burst-ratelimit-reset"),
];

/// Gives every error this form, also those of what precedes the door.
pub(super) async fn shape(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = rewritten(response, &problem.detail);
    } else if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response = rewritten(response, "This address does not take that method.");
    }
    let headers = response.headers_mut();
    let private = HeaderValue::from_static("private, no-store");
    headers.insert(header::CACHE_CONTROL, private);
    headers.append(header::VARY, HeaderValue::from_static("authorization"));
    response
}

/// The same answer with this text in its body.
fn rewritten(response: Response, text: &str) -> Response {
    let (mut parts, _) = response.into_parts();
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        parts.headers.remove(name);
    }
    let mut response = told(parts.status, text);
    response.headers_mut().extend(parts.headers);
    response
}

pub(super) fn told(status: StatusCode, text: &str) -> Response {
    (status, Json(objects::error(text))).into_response()
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Some(standings) = self.limits() {
            return limited(standings);
        }
        if self.is_away() {
            debug!(error = %self, "a store is unreachable");
            return match self {
                Self::Uncertain(_) => unavailable(&self.to_string()),
                _ => unavailable("The server cannot reach its store at the moment. Try again."),
            };
        }
        let status = match &self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::TooMany(_) => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unsupported(_) => StatusCode::NOT_IMPLEMENTED,
            Self::Studio(app::Error::Closing) => {
                return unavailable("The server is restarting. Try again in a moment.");
            }
            Self::Store(_) | Self::Studio(_) | Self::Uncertain(_) => {
                error!(error = %self, "a store failed");
                let text = "Something went wrong here. The operator finds it in the log.";
                return told(StatusCode::INTERNAL_SERVER_ERROR, text);
            }
        };
        told(status, &self.to_string())
    }
}

fn unavailable(text: &str) -> Response {
    let mut response = told(StatusCode::SERVICE_UNAVAILABLE, text);
    response.headers_mut().insert(header::RETRY_AFTER, SOON);
    response
}

/// The official clients tell a daily limit from a burst by which fields there are.
fn limited(standings: &[Standing]) -> Response {
    let pause = retry_after(standings);
    let mut response = match worst(standings) {
        Some(standing) => {
            let policy = &standing.policy;
            let text = format!(
                "You are over the limit {:?} of {} {}. It has room again in {pause} s.",
                policy.name,
                policy.unit.amount(policy.quota),
                policy.unit.as_str()
            );
            let mut response = told(StatusCode::TOO_MANY_REQUESTS, &text);
            response.headers_mut().extend(fields(standing));
            response
        }
        None => told(StatusCode::TOO_MANY_REQUESTS, "You are over a limit."),
    };
    headers::set(response.headers_mut(), standings);
    let pause = HeaderValue::from(pause);
    response.headers_mut().insert(header::RETRY_AFTER, pause);
    response
}

fn fields(standing: &Standing) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let policy = &standing.policy;
    let names = if policy.window.as_secs() >= DAY {
        DAILY
    } else {
        BURST
    };
    let whole = |parts: u64| match policy.unit {
        Unit::Usd => parts / Unit::Usd.parts(),
        Unit::Requests | Unit::Images | Unit::Tokens => parts,
    };
    let reset = Timestamp::now().as_second().unsigned_abs() + reset(standing);
    let values = [whole(policy.quota), whole(standing.remaining), reset];
    names.into_iter().zip(values.map(HeaderValue::from))
}
