//! `POST /api/callback`: outcomes come home, and Replicate's news.

use axum::{
    extract::State as AxumState,
    http::{HeaderMap, StatusCode},
};

use super::{Error, Result, State, body::WholeBody};

pub(super) async fn receive(
    AxumState(state): AxumState<State>,
    headers: HeaderMap,
    WholeBody(body): WholeBody,
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
    WholeBody(body): WholeBody,
) -> Result<StatusCode> {
    let received = state
        .webhooks
        .receive(&headers, &body, state.studio.clock.now());
    received.map_err(Error::Forged)?;
    Ok(StatusCode::NO_CONTENT)
}
