//! The problem documents for errors of the other modules.

use axum::http::StatusCode;
use tracing::{debug, error};

use super::{
    super::{problem::Problem, storage},
    NO_PICTURE,
};
use crate::{
    access::{NotAdmitted, Scope},
    app,
    photo::Refusal,
    queue,
};

pub(super) fn key(refusal: NotAdmitted) -> Problem {
    use StatusCode as S;
    match refusal {
        NotAdmitted::Unknown => {
            let detail = "The API key is not known here, or was revoked.";
            Problem::new(S::UNAUTHORIZED, "unauthorized", "Not authorised", detail)
        }
        NotAdmitted::Expired => {
            let detail = "The API key has expired. Ask whoever gave it to you for another.";
            Problem::new(S::UNAUTHORIZED, "key_expired", "Not authorised", detail)
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

/// The key is valid, but not for this.
pub(super) fn scope(missing: Scope) -> Problem {
    let detail = format!(
        "The API key does not open this: it lacks the scope \"{missing}\". Ask whoever gave it to you for one that \
         has it (atelier keys create --scope {missing})."
    );
    Problem::new(StatusCode::FORBIDDEN, "scope", "Forbidden", detail)
}

/// There is no key, and nobody is let in without one.
pub(super) fn no_key(needed: Scope) -> Problem {
    let detail = format!(
        "This needs an API key with the scope \"{needed}\", sent as \"Authorization: Bearer …\"."
    );
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "Not authorised",
        detail,
    )
}

pub(super) fn denied() -> Problem {
    let detail = "This site does not serve you. If you think that is a mistake, ask its operator.";
    Problem::new(StatusCode::FORBIDDEN, "denied", "Forbidden", detail)
}

pub(super) fn studio(error: app::Error) -> Problem {
    use StatusCode as S;
    match error {
        app::Error::Closing => {
            let detail = "The studio is restarting. Try again in a moment.";
            Problem::new(S::SERVICE_UNAVAILABLE, "closing", "Restarting", detail)
        }
        app::Error::Busy => {
            let detail =
                "You ask for too much at a time. Wait for the answers before you ask for more.";
            Problem::new(S::TOO_MANY_REQUESTS, "busy", "Too much at once", detail)
        }
        app::Error::NotYours => {
            let detail = "Only whoever asked for this job may change it.";
            Problem::new(S::FORBIDDEN, "not_yours", "Not yours", detail)
        }
        app::Error::Queue(queue::Error::NotFound) => Problem::new(
            S::NOT_FOUND,
            "not_found",
            "Not found",
            "There is no such job, or it was deleted.",
        ),
        app::Error::Queue(queue::Error::TooManyFolders) => {
            let detail = format!("There are at most {} folders.", queue::MOST_FOLDERS);
            Problem::new(
                S::UNPROCESSABLE_ENTITY,
                "too_many_folders",
                "Too many folders",
                detail,
            )
        }
        app::Error::Queue(queue::Error::Stale) => {
            let detail = "The job has moved on since this was sent.";
            Problem::new(S::CONFLICT, "stale_token", "Out of date", detail)
        }
        app::Error::Queue(queue::Error::Illegal(illegal)) => {
            let detail = format!("The job is {} already.", illegal.status.as_str());
            Problem::new(S::CONFLICT, "wrong_state", "Too late", detail)
        }
        app::Error::Blob(blob) if blob.is_missing() => {
            Problem::new(S::NOT_FOUND, "not_found", "Not found", NO_PICTURE)
        }
        app::Error::Blob(blob) => {
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

fn is_out_of_memory(error: &app::Error) -> bool {
    match error {
        app::Error::Queue(queue::Error::Store(store)) => store.is_out_of_memory(),
        app::Error::Cache(cache) => cache.is_out_of_memory(),
        app::Error::Limit(limit) => limit.is_out_of_memory(),
        app::Error::Access(access) => access.is_out_of_memory(),
        _ => false,
    }
}

/// The store has logged that itself, once.
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

/// An unreachable store has logged that itself, once.
pub(in crate::http) fn log(error: &app::Error) {
    let away = match error {
        app::Error::Queue(queue::Error::Store(store)) => store.is_away(),
        app::Error::Cache(cache) => cache.is_away(),
        app::Error::Limit(limit) => limit.is_away(),
        app::Error::Access(access) => access.is_away(),
        app::Error::Calls(calls) => calls.is_away(),
        app::Error::Messages(messages) => messages.is_away(),
        _ => false,
    };
    if away {
        debug!(%error, "a store is unreachable");
    } else {
        error!(%error, "a store failed");
    }
}

pub(super) fn photo(refusal: &Refusal) -> Problem {
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

pub(super) fn internal(error: &anyhow::Error) -> Problem {
    if let Some(problem) = storage::problem_in(error) {
        error!(error = format!("{error:#}"), "a file could not be written");
        return problem;
    }
    error!(error = format!("{error:#}"), "unexpected error");
    let detail = "Something went wrong on our side. It was logged; try again.";
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Our fault",
        detail,
    )
}
