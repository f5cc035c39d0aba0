//! `/healthz` and `/readyz`.

use axum::{extract::State as AxumState, http::StatusCode};
use jiff::Timestamp;

use super::{Result, State};
use crate::studio;

/// The process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The stores answer, and new work is taken.
pub(super) async fn ready(
    AxumState(state): AxumState<State>,
) -> Result<(StatusCode, &'static str)> {
    let studio = &state.studio;
    if studio.drain.is_cancelled() {
        return Err(studio::Error::Closing.into());
    }
    studio.queue.get("-").await.map_err(studio::Error::from)?;
    studio
        .cache
        .get("-", Timestamp::now())
        .await
        .map_err(studio::Error::from)?;
    studio.blobs.size("-").await.map_err(studio::Error::from)?;
    Ok((StatusCode::OK, "ready\n"))
}
