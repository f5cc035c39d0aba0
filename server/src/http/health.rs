//! `/healthz`, `/readyz` and `/metrics`.

use std::{io, time::Duration};

use axum::{
    extract::State as AxumState,
    http::{StatusCode, header},
    response::IntoResponse,
};
use futures::future::try_join;
use tokio::{task::spawn_blocking, time::timeout};

use crate::http::{Error, Result, State};
use crate::{
    app::{self, Studio},
    blob, queue, store,
    telemetry::metrics,
};

/// Maximum wait for a store: health checks have short time-outs, and a healthy store answers at once.
const PATIENCE: Duration = Duration::from_secs(1);

/// The process is alive.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// The stores answer, pictures can be stored, and new work is accepted.
pub(crate) async fn ready(
    AxumState(state): AxumState<State>,
) -> Result<(StatusCode, &'static str)> {
    let studio = &state.studio;
    if studio.drain.is_cancelled() {
        return Err(app::Error::Closing.into());
    }
    let silent = |_| Err(queue::Error::Store(store::Error::silent(PATIENCE)).into());
    let answers = timeout(PATIENCE, answers(studio)).await;
    answers.unwrap_or_else(silent)?;
    let hanging = |_| Err(Error::Unready(io::ErrorKind::TimedOut.into()));
    let written = timeout(PATIENCE, written(&state)).await;
    written.unwrap_or_else(hanging)?;
    Ok((StatusCode::OK, "ready\n"))
}

/// Checks that files can be written.
async fn written(state: &State) -> Result<()> {
    state
        .studio
        .stores
        .blobs
        .probe()
        .await
        .map_err(Error::Unready)?;
    let uploads = state.uploads.clone();
    let written = spawn_blocking(move || blob::probe(&uploads)).await;
    written
        .map_err(anyhow::Error::from)?
        .map_err(Error::Unready)
}

async fn answers(studio: &Studio) -> Result<(), app::Error> {
    let queue = async { Ok(studio.stores.queue.ready().await?) };
    let cache = async {
        Ok(studio
            .stores
            .cache
            .get("-", studio.stores.clock.now())
            .await
            .map(drop)?)
    };
    try_join(queue, cache).await.map(drop)
}

/// The metrics in Prometheus' text format.
pub(crate) async fn metrics(AxumState(state): AxumState<State>) -> impl IntoResponse {
    // While the store is unreachable, the last known values are reported.
    if let Ok(standings) = state.studio.shared_standings().await {
        metrics::stand(&standings);
    }
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, media_type)], state.metrics.render())
}
