//! Limits and caches for calls that the holder of an API key makes elsewhere
//! (`/api/limits/check`, `/api/cache/lookup` and what belongs to them).

mod answers;
mod check;
mod receipts;
mod refund;

use axum::{Router, routing::post};

pub use self::receipts::ReceiptKeys;
use crate::http::{Error, State};

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/api/limits/check", post(check::check))
        .route("/api/limits/refund", post(refund::refund))
        .route("/api/cache/lookup", post(answers::lookup))
        .route("/api/cache/store", post(answers::store))
}

/// Checks the length of a name, in characters, and that it can be printed.
fn name(code: &'static str, text: &str, most: usize) -> Result<(), Error> {
    let printable = !text.is_empty() && !text.chars().any(char::is_control);
    if printable && text.chars().count() <= most {
        return Ok(());
    }
    let detail = format!("{code} is 1 to {most} characters, none of them a control character.");
    Err(Error::invalid(code, detail))
}
