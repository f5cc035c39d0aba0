//! What cannot be read.

use atelier_store::Error;
use serde::de::Error as _;

/// A value that no script of ours answers, or no process of ours wrote.
pub(super) fn unreadable(what: &str) -> Error {
    serde_json::Error::custom(what).into()
}
