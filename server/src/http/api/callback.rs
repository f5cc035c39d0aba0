//! `POST /api/callback`, which receives deliveries, and Replicate's webhooks.

use axum::{
    extract::State as AxumState,
    http::{HeaderMap, StatusCode},
};

use crate::{
    callback,
    http::{Error, Result, State, extract::body::WholeBody},
};

pub(crate) async fn receive(
    AxumState(state): AxumState<State>,
    headers: HeaderMap,
    WholeBody(body): WholeBody,
) -> Result<StatusCode> {
    let now = state.studio.stores.clock.now();
    let message =
        callback::receive(&state.signer, &headers, &body, now).map_err(Error::Unverified)?;
    state.studio.complete(&message).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn replicate(
    AxumState(state): AxumState<State>,
    headers: HeaderMap,
    WholeBody(body): WholeBody,
) -> Result<StatusCode> {
    let received = state
        .webhooks
        .receive(&headers, &body, state.studio.stores.clock.now());
    received.map_err(Error::Unverified)?;
    Ok(StatusCode::NO_CONTENT)
}
