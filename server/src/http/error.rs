//! Turns every error into a problem document (RFC 9457) with a status code.
//! Unexpected errors are logged and become an opaque 500.

mod causes;

use std::{any::Any, io};

use atelier_connections::TooSlow;
use axum::{
    extract::rejection::{BytesRejection, FormRejection},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tracing::{debug, warn};

pub(in crate::http) use self::causes::log;
use crate::http::{api::limits::Refused, problem::Problem, storage};
use crate::{
    access::{NotAdmitted, Scope},
    app,
    callback::ReceiveError,
    limit::{
        Standing,
        headers::{self, whole_seconds},
    },
    photo::Refusal,
};

/// Why a request failed.
#[derive(Debug)]
pub(crate) enum Error {
    /// The body has a type that the route does not accept.
    Malformed(String),
    /// The body is well-formed, but its values are not acceptable.
    Invalid {
        code: &'static str,
        detail: String,
    },
    Photo(Refusal),
    TooLarge {
        max_bytes: u64,
    },
    Unsupported {
        expected: &'static str,
    },
    NotFound(&'static str),
    MethodNotAllowed,
    /// The body came in too slowly.
    Slow,
    /// Too many connections.
    Crowded,
    /// `If-Match` names another version.
    PreconditionFailed,
    /// The part that is asked for lies outside of the whole, which has so many bytes.
    OutOfRange {
        size: u64,
    },
    CrossOrigin,
    /// Callbacks require an API key.
    CallbacksClosed,
    /// The client hung up; nobody reads this answer.
    Left,
    /// The operator's token is missing or wrong.
    Unauthorized,
    /// The API key is not valid.
    Key(NotAdmitted),
    /// The API key does not open this.
    Scope(Scope),
    /// Only an API key opens this.
    NoKey(Scope),
    /// On the deny list.
    Denied,
    /// A delivery is not authentic.
    Unverified(ReceiveError),
    Studio(app::Error),
    /// The health check found that no files can be written.
    Unready(io::Error),
    Internal(anyhow::Error),
}

impl From<app::Error> for Error {
    fn from(error: app::Error) -> Self {
        Self::Studio(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Photo(refusal)
    }
}

/// Whether a slow client caused the error.
pub(crate) fn too_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(<dyn std::error::Error>::is::<TooSlow>)
}

/// Whether the body is larger than it may be.
pub(crate) fn is_too_large(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

impl From<BytesRejection> for Error {
    fn from(rejection: BytesRejection) -> Self {
        if too_slow(&rejection) {
            Self::Slow
        } else if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Self::TooLarge {
                max_bytes: crate::http::api::images::MAX_BODY as u64,
            }
        } else {
            Self::Malformed(rejection.body_text())
        }
    }
}

impl From<FormRejection> for Error {
    fn from(rejection: FormRejection) -> Self {
        match rejection {
            FormRejection::BytesRejection(rejection) => rejection.into(),
            rejection => Self::Malformed(rejection.body_text()),
        }
    }
}

pub(crate) const NO_PICTURE: &str = "There is no such picture, or it was deleted.";

/// `Retry-After` while a store is unreachable, in seconds.
pub(crate) const SOON: HeaderValue = HeaderValue::from_static("5");

const BEARER: HeaderValue = HeaderValue::from_static("Bearer");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// Registered by draft-ietf-httpapi-ratelimit-headers.
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Studio(app::Error::Limited(standings)) = &self {
            return limited(standings);
        }
        let own = self.field();
        let mut response = self.problem().respond();
        let by_status = match response.status() {
            // The request is incomplete: no other can follow on this connection.
            StatusCode::REQUEST_TIMEOUT => Some((header::CONNECTION, CLOSE)),
            StatusCode::SERVICE_UNAVAILABLE => Some((header::RETRY_AFTER, SOON)),
            _ => None,
        };
        let fields = own.into_iter().chain(by_status);
        response.headers_mut().extend(fields);
        response
    }
}

impl Error {
    /// Of values that are not acceptable.
    pub(crate) fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::Invalid { code, detail }
    }

    /// An additional header field.
    fn field(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Unauthorized
            | Self::NoKey(_)
            | Self::Key(NotAdmitted::Unknown | NotAdmitted::Expired) => {
                Some((header::WWW_AUTHENTICATE, BEARER))
            }
            Self::Key(NotAdmitted::TooMany(wait)) => {
                let seconds = whole_seconds(*wait).max(1);
                Some((header::RETRY_AFTER, seconds.into()))
            }
            Self::Studio(app::Error::Busy) => Some((header::RETRY_AFTER, 1.into())),
            Self::OutOfRange { size } => {
                let whole = HeaderValue::from_str(&format!("bytes */{size}"));
                Some((header::CONTENT_RANGE, whole.ok()?))
            }
            _ => None,
        }
    }

    fn problem(self) -> Problem {
        use StatusCode as S;
        match self {
            Self::Malformed(detail) => {
                Problem::new(S::BAD_REQUEST, "malformed", "Malformed request", detail)
            }
            Self::Invalid { code, detail } => {
                Problem::new(S::UNPROCESSABLE_ENTITY, code, "This cannot be done", detail)
            }
            Self::Photo(refusal) => causes::photo(&refusal),
            Self::TooLarge { max_bytes } => {
                let detail = format!("At most {} are taken.", size(max_bytes));
                Problem::new(S::PAYLOAD_TOO_LARGE, "too_large", "Too large", detail)
            }
            Self::Unsupported { expected } => {
                let detail = format!("This address takes {expected}.");
                Problem::new(
                    S::UNSUPPORTED_MEDIA_TYPE,
                    "unsupported_media_type",
                    "Wrong kind of body",
                    detail,
                )
            }
            Self::NotFound(detail) => Problem::new(S::NOT_FOUND, "not_found", "Not found", detail),
            Self::MethodNotAllowed => {
                let detail = "This address does not take that method.";
                Problem::new(
                    S::METHOD_NOT_ALLOWED,
                    "method_not_allowed",
                    "Method not allowed",
                    detail,
                )
            }
            Self::Slow => {
                let detail = "The body came in too slowly. Send it again over a better line.";
                Problem::new(S::REQUEST_TIMEOUT, "too_slow", "Too slow", detail)
            }
            Self::Crowded => {
                let detail = "Too many connections are open, or too many from your address. \
                              Use fewer at a time, and try again in a moment.";
                Problem::new(
                    S::SERVICE_UNAVAILABLE,
                    "crowded",
                    "Too many connections",
                    detail,
                )
            }
            Self::PreconditionFailed => {
                let detail = "There is another version than the one that was asked for.";
                let code = "precondition_failed";
                Problem::new(S::PRECONDITION_FAILED, code, "Another version", detail)
            }
            Self::OutOfRange { size } => {
                let detail = format!("There are {size} bytes, and none where you asked for some.");
                let code = "out_of_range";
                Problem::new(S::RANGE_NOT_SATISFIABLE, code, "Out of range", detail)
            }
            Self::CrossOrigin => {
                let detail = "The request came from a page of another site.";
                Problem::new(S::FORBIDDEN, "cross_origin", "Forbidden", detail)
            }
            Self::CallbacksClosed => {
                let detail = "Only callers with an API key may name a callback_url or failure_callback_url: \
                              send yours as \"Authorization: Bearer …\", or leave them out and poll the job. \
                              Operators let everybody in by \"open = true\" under [callbacks].";
                Problem::new(S::FORBIDDEN, "callbacks_closed", "Forbidden", detail)
            }
            Self::Left => {
                let detail = "The request was given up before it was answered.";
                Problem::new(S::REQUEST_TIMEOUT, "left", "Given up", detail)
            }
            Self::Unauthorized => {
                let detail =
                    "This is for operators: send the admin token as \"Authorization: Bearer …\".";
                Problem::new(S::UNAUTHORIZED, "unauthorized", "Not authorised", detail)
            }
            Self::Key(refusal) => causes::key(refusal),
            Self::Scope(missing) => causes::scope(missing),
            Self::NoKey(needed) => causes::no_key(needed),
            Self::Denied => causes::denied(),
            Self::Unverified(error) => {
                warn!(reason = %error, "delivery rejected");
                let detail = "The signature is missing, wrong or too old.";
                Problem::new(S::UNAUTHORIZED, "bad_signature", "Not authentic", detail)
            }
            Self::Studio(error) => causes::studio(error),
            Self::Unready(error) => {
                debug!(%error, "not ready: no files can be written");
                storage::problem(false)
            }
            Self::Internal(error) => causes::internal(&error),
        }
    }
}

fn limited(standings: &[Standing]) -> Response {
    let refusal = Refused::new(standings);
    let mut problem = Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "limited",
        "Over the limit",
        refusal.detail,
    );
    problem.kind = QUOTA_EXCEEDED;
    problem.violated = refusal.violated;
    let mut response = problem.respond();
    headers::set(response.headers_mut(), standings);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, refusal.retry_after.into());
    response
}

/// Turns the router's 405 into a problem document. The router adds `Allow` afterwards,
/// unless a handler itself refuses the method.
pub(crate) async fn method_not_allowed(response: Response) -> Response {
    let plain = response.extensions().get::<Problem>().is_none();
    if plain && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        return Error::MethodNotAllowed.into_response();
    }
    response
}

/// A handler panicked.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over so")]
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    Error::Internal(anyhow::anyhow!("a handler panicked: {message}")).into_response()
}

fn size(bytes: u64) -> String {
    if bytes >= 1_000_000 {
        format!("{} MB", bytes / 1_000_000)
    } else {
        format!("{} kB", bytes / 1000)
    }
}
