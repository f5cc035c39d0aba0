//! Problems with files, which only the operator can fix.

use std::{error::Error as _, io};

use axum::http::StatusCode;

use crate::http::problem::Problem;
use crate::{app, blob, queue, store};

/// The problem document, if a file is the cause.
pub(crate) fn problem_in(error: &anyhow::Error) -> Option<Problem> {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
    causes.find_map(|cause| is_unwritable(cause).then(|| problem(blob::is_full(cause))))
}

fn is_unwritable(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    blob::is_full(error)
        || matches!(
            error.kind(),
            K::PermissionDenied | K::ReadOnlyFilesystem | K::NotFound | K::NotADirectory
        )
}

/// Pictures or photos cannot be written or read.
pub(crate) fn problem(full: bool) -> Problem {
    use StatusCode as S;
    if full {
        let detail =
            "There is no room left on the studio's disk. Please tell whoever runs this site.";
        Problem::new(S::INSUFFICIENT_STORAGE, "storage_full", "Disk full", detail)
    } else {
        let detail = "The studio cannot reach its pictures at the moment. Nothing was lost; try again in a moment.";
        Problem::new(
            S::SERVICE_UNAVAILABLE,
            "storage_unavailable",
            "Unavailable",
            detail,
        )
    }
}

/// Whether the database's disk is full.
pub(crate) fn is_full(error: &app::Error) -> bool {
    let store = match error {
        app::Error::Queue(queue::Error::Store(store)) => return store.is_full(),
        app::Error::Cache(error) => error.source(),
        app::Error::Limit(error) => error.source(),
        app::Error::Access(error) => error.source(),
        _ => None,
    };
    let store = store.and_then(|error| error.downcast_ref::<store::Error>());
    store.is_some_and(store::Error::is_full)
}
