//! `GET /v1/models`.

use atelier_gateway::ApiError;
use axum::{
    Json,
    extract::{Path, State as AxumState},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::{Asker, error};
use crate::http::State;

/// Nobody tells when a model was made.
const CREATED: &str = "1970-01-01T00:00:00Z";

pub(super) async fn list(
    AxumState(state): AxumState<State>,
    Asker(caller): Asker,
    headers: HeaderMap,
) -> Response {
    let models = state.gateway.models(&caller);
    let anthropic = headers.contains_key("anthropic-version");
    let data: Vec<_> = models
        .iter()
        .map(|(name, owner)| model(name, owner, anthropic))
        .collect();
    let list = if anthropic {
        let ends = (models.first(), models.last());
        let (first, last) = (ends.0.map(|(name, _)| name), ends.1.map(|(name, _)| name));
        json!({ "data": data, "has_more": false, "first_id": first, "last_id": last })
    } else {
        json!({ "object": "list", "data": data })
    };
    Json(list).into_response()
}

pub(super) async fn show(
    AxumState(state): AxumState<State>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match state.gateway.owner_of(&caller, &id) {
        Some(owner) => {
            let anthropic = headers.contains_key("anthropic-version");
            Json(model(&id, &owner, anthropic)).into_response()
        }
        None => error::respond(&ApiError::model_not_found(&id)),
    }
}

fn model(name: &str, owner: &str, anthropic: bool) -> Value {
    if anthropic {
        json!({ "type": "model", "id": name, "display_name": name, "created_at": CREATED })
    } else {
        json!({ "id": name, "object": "model", "created": 0, "owned_by": owner })
    }
}
