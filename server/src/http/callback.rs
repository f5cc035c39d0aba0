//! `POST /api/callback`: outcomes come home, and Replicate's news.

use axum::{
    body::Bytes,
    extract::State as AxumState,
    http::{HeaderMap, StatusCode},
};

use super::{Error, Result, State};

pub(super) async fn receive(
    AxumState(state): AxumState<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode> {
    let message = state
        .signer
        .verify(&headers, &body, state.studio.clock.now())
        .map_err(Error::Forged)?;
    state.studio.complete(&message).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn replicate(
    AxumState(state): AxumState<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode> {
    let received = state
        .webhooks
        .receive(&headers, &body, state.studio.clock.now());
    received.map_err(Error::Forged)?;
    Ok(StatusCode::NO_CONTENT)
}
