//! What became of messages: as the clients call it, and as the documentation does.

use atelier_messages::{filter::Of, objects};
use axum::{
    Json,
    extract::{Request, State as AxumState},
};
use serde_json::Value;

use super::{
    Asker, Result,
    query::{self, paged},
};
use crate::{http::State, messages::Sender};

pub(super) async fn events(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Result<Json<Value>> {
    read(&state, &sender, request, "events").await
}

pub(super) async fn logs(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Result<Json<Value>> {
    read(&state, &sender, request, "logs").await
}

async fn read(state: &State, sender: &Sender, request: Request, name: &str) -> Result<Json<Value>> {
    let filter = query::filter(Of::Events, request).await?;
    let page = state.messages.events(sender, &filter).await?;
    let events = page.items.iter().map(objects::log).collect();
    Ok(Json(paged(name, events, page.cursor)))
}
