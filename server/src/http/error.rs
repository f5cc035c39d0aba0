//! The one error door: what happened inside becomes a problem document
//! (RFC 9457) with a status code. What we did not foresee is logged and
//! becomes an opaque 500.

use std::{any::Any, io};

use axum::{
    extract::rejection::{BytesRejection, FormRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tracing::{debug, error, warn};

use super::{
    headers::whole_seconds,
    limits::{self, Refused},
    problem::Problem,
    storage,
};
use crate::{
    access::NotAdmitted, callback::Forgery, connections::TooSlow, limit::Standing, photo::Refusal,
    queue, studio,
};

/// Why a request was not answered as asked.
#[derive(Debug)]
pub(super) enum Error {
    /// The body is not what the route takes at all.
    Malformed(String),
    /// The body is understood, but what it says cannot be done.
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
    /// No place for another connection.
    Crowded,
    /// `If-Match` names another version.
    PreconditionFailed,
    CrossOrigin,
    /// Only who has an API key may have addresses called.
    CallbacksClosed,
    /// The client did not wait for its answer; nobody reads this one.
    Left,
    /// The operator's token is missing or wrong.
    Unauthorized,
    /// The API key opens nothing.
    Key(NotAdmitted),
    /// On the deny list.
    Denied,
    Forged(Forgery),
    Studio(studio::Error),
    /// Nothing can be written, as somebody found out who looked whether all is well.
    Unready(io::Error),
    Internal(anyhow::Error),
}

impl From<studio::Error> for Error {
    fn from(error: studio::Error) -> Self {
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

/// Whether the client's dawdling is what failed.
pub(super) fn too_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(<dyn std::error::Error>::is::<TooSlow>)
}

/// Nobody else finds a place at the moment.
pub(crate) const fn crowded() -> impl IntoResponse {
    Error::Crowded
}

impl From<BytesRejection> for Error {
    fn from(rejection: BytesRejection) -> Self {
        if too_slow(&rejection) {
            Self::Slow
        } else if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Self::TooLarge {
                max_bytes: super::images::MAX_BODY as u64,
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

pub(super) const NO_PICTURE: &str = "There is no such picture, or it was deleted.";

/// When to try again while a store is away.
pub(super) const SOON: header::HeaderValue = header::HeaderValue::from_static("5");

/// Registered by draft-ietf-httpapi-ratelimit-headers.
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Studio(studio::Error::Limited(standings)) = &self {
            return limited(standings);
        }
        let bearer = matches!(self, Self::Unauthorized | Self::Key(NotAdmitted::Unknown));
        let wait = match &self {
            Self::Key(NotAdmitted::TooMany(wait)) => Some(whole_seconds(*wait).max(1)),
            Self::Studio(studio::Error::Busy) => Some(1),
            _ => None,
        };
        let mut response = self.problem().respond();
        if let Some(wait) = wait {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, wait.into());
        }
        if bearer {
            let scheme = header::HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        if response.status() == StatusCode::REQUEST_TIMEOUT {
            // Only half of the request is there: nothing can follow it.
            let close = header::HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, SOON);
        }
        response
    }
}

impl Error {
    fn problem(self) -> Problem {
        use StatusCode as S;
        match self {
            Self::Malformed(detail) => {
                Problem::new(S::BAD_REQUEST, "malformed", "Malformed request", detail)
            }
            Self::Invalid { code, detail } => {
                Problem::new(S::UNPROCESSABLE_ENTITY, code, "This cannot be done", detail)
            }
            Self::Photo(refusal) => photo(&refusal),
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
            Self::Key(refusal) => key(refusal),
            Self::Denied => denied(),
            Self::Forged(forgery) => {
                warn!(reason = %forgery, "a delivery was not believed");
                let detail = "The signature is missing, wrong or too old.";
                Problem::new(S::UNAUTHORIZED, "bad_signature", "Not authentic", detail)
            }
            Self::Studio(error) => studio(error),
            Self::Unready(error) => {
                debug!(%error, "not ready: nothing can be written");
                storage::problem(false)
            }
            Self::Internal(error) => internal(&error),
        }
    }
}

fn key(refusal: NotAdmitted) -> Problem {
    use StatusCode as S;
    match refusal {
        NotAdmitted::Unknown => {
            let detail = "The API key is not known here, or was revoked.";
            Problem::new(S::UNAUTHORIZED, "unauthorized", "Not authorised", detail)
        }
        NotAdmitted::Denied => denied(),
        NotAdmitted::TooMany(_) => {
            let detail = "Too many wrong API keys came from this address. Check yours, and wait.";
            Problem::new(
                S::TOO_MANY_REQUESTS,
                "too_many_wrong_keys",
                "Too many wrong keys",
                detail,
            )
        }
        NotAdmitted::Away(error) => {
            log(&error.into());
            unavailable()
        }
    }
}

fn denied() -> Problem {
    let detail = "This site does not serve you. If you think that is a mistake, ask its operator.";
    Problem::new(StatusCode::FORBIDDEN, "denied", "Forbidden", detail)
}

fn studio(error: studio::Error) -> Problem {
    use StatusCode as S;
    match error {
        studio::Error::Closing => {
            let detail = "The studio is restarting. Try again in a moment.";
            Problem::new(S::SERVICE_UNAVAILABLE, "closing", "Restarting", detail)
        }
        studio::Error::Busy => {
            let detail =
                "You ask for too much at a time. Wait for the answers before you ask for more.";
            Problem::new(S::TOO_MANY_REQUESTS, "busy", "Too much at once", detail)
        }
        studio::Error::NotYours => {
            let detail = "Only whoever asked for this job may change it.";
            Problem::new(S::FORBIDDEN, "not_yours", "Not yours", detail)
        }
        studio::Error::Queue(queue::Error::NotFound) => Problem::new(
            S::NOT_FOUND,
            "not_found",
            "Not found",
            "There is no such job, or it was deleted.",
        ),
        studio::Error::Queue(queue::Error::Stale) => {
            let detail = "The job has moved on since this was sent.";
            Problem::new(S::CONFLICT, "stale_token", "Out of date", detail)
        }
        studio::Error::Queue(queue::Error::Illegal(illegal)) => {
            let detail = format!("The job is {} already.", illegal.status.as_str());
            Problem::new(S::CONFLICT, "wrong_state", "Too late", detail)
        }
        studio::Error::Blob(blob) if blob.is_missing() => {
            Problem::new(S::NOT_FOUND, "not_found", "Not found", NO_PICTURE)
        }
        studio::Error::Blob(blob) => {
            error!(error = %blob, "the blob store failed");
            storage::problem(blob.is_full())
        }
        error if is_out_of_memory(&error) => full(),
        error => {
            log(&error);
            if storage::is_full(&error) {
                storage::problem(true)
            } else {
                unavailable()
            }
        }
    }
}

fn is_out_of_memory(error: &studio::Error) -> bool {
    match error {
        studio::Error::Queue(queue::Error::Store(store)) => store.is_out_of_memory(),
        studio::Error::Cache(cache) => cache.is_out_of_memory(),
        studio::Error::Limit(limit) => limit.is_out_of_memory(),
        studio::Error::Access(access) => access.is_out_of_memory(),
        _ => false,
    }
}

/// The store has said so itself, once.
fn full() -> Problem {
    let detail = "The studio's store is full and takes nothing new at the moment. Nothing was lost; \
                  try again later.";
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "store_full",
        "Unavailable",
        detail,
    )
}

fn unavailable() -> Problem {
    let detail =
        "The studio cannot reach its store at the moment. Nothing was lost; try again in a moment.";
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "store_unavailable",
        "Unavailable",
        detail,
    )
}

/// A store that is away has said so itself, once.
pub(super) fn log(error: &studio::Error) {
    let away = match error {
        studio::Error::Queue(queue::Error::Store(store)) => store.is_away(),
        studio::Error::Cache(cache) => cache.is_away(),
        studio::Error::Limit(limit) => limit.is_away(),
        studio::Error::Access(access) => access.is_away(),
        _ => false,
    };
    if away {
        debug!(%error, "a store is away");
    } else {
        error!(%error, "a store failed");
    }
}

fn photo(refusal: &Refusal) -> Problem {
    use StatusCode as S;
    let (status, code) = match refusal {
        Refusal::Empty => (S::UNPROCESSABLE_ENTITY, "photo_empty"),
        Refusal::UnknownType(_) => (S::UNSUPPORTED_MEDIA_TYPE, "photo_type"),
        Refusal::Unread(_) => (S::UNSUPPORTED_MEDIA_TYPE, "photo_kind"),
        Refusal::TooManyPixels { .. } | Refusal::TooLong { .. } | Refusal::TooDeep { .. } => {
            (S::UNPROCESSABLE_ENTITY, "photo_pixels")
        }
        Refusal::Enlarged { .. } => (S::UNPROCESSABLE_ENTITY, "enlarge"),
        Refusal::Damaged(_) => (S::UNPROCESSABLE_ENTITY, "photo_damaged"),
        Refusal::Mask(_) => (S::UNPROCESSABLE_ENTITY, "mask"),
    };
    Problem::new(
        status,
        code,
        "The photo cannot be used",
        refusal.to_string(),
    )
}

fn internal(error: &anyhow::Error) -> Problem {
    if let Some(problem) = storage::problem_in(error) {
        error!(error = format!("{error:#}"), "a file could not be written");
        return problem;
    }
    error!(error = format!("{error:#}"), "unforeseen");
    let detail = "Something went wrong on our side. It was logged; try again.";
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Our fault",
        detail,
    )
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
    limits::tell(response.headers_mut(), standings);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, refusal.retry_after.into());
    response
}

/// Says as a problem that a known path does not take the method. The router adds
/// which ones it takes afterwards, unless a handler of its own refuses.
pub(super) async fn method_not_allowed(response: Response) -> Response {
    let plain = response.extensions().get::<Problem>().is_none();
    if plain && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        return Error::MethodNotAllowed.into_response();
    }
    response
}

/// A handler panicked.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over so")]
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
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
