//! Unreadable values.

use atelier_store::Error;
use serde::de::Error as _;

/// The error for a value that none of our scripts returns, or none of our processes wrote.
pub(super) fn unreadable(what: &str) -> Error {
    serde_json::Error::custom(what).into()
}
