//! The keys that sign deliveries.

use atelier_messages::objects;
use axum::{Json, extract::State as AxumState};
use serde_json::Value;

use super::{Asker, Result};
use crate::{http::State, messages::Keys};

pub(super) async fn show(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
) -> Result<Json<Value>> {
    Ok(told(&state.messages.keys(&sender).await?))
}

pub(super) async fn rotate(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
) -> Result<Json<Value>> {
    Ok(told(&state.messages.rotate_keys(&sender).await?))
}

fn told(keys: &Keys) -> Json<Value> {
    Json(objects::signing_keys(&keys.current, &keys.next))
}
