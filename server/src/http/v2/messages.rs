//! Messages that were published.

use atelier_messages::{filter::Of, objects};
use axum::{
    Json,
    extract::{Request, State as AxumState},
};
use serde_json::{Value, json};

use super::{Asker, Result, query};
use crate::http::{State, extract::path::Path};

pub(super) async fn show(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(id): Path<String>,
) -> Result<Json<Value>> {
    let found = state.messages.message(&sender, &id).await?;
    let told = objects::message(&found.id, &found.task.message, &found.body);
    Ok(Json(told))
}

pub(super) async fn cancel(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(id): Path<String>,
) -> Result<Json<Value>> {
    let count = state.messages.cancel(&sender, &id).await?;
    Ok(Json(json!({ "cancelled": count })))
}

/// Cancels those that are named, or those that a filter wants, or all.
pub(super) async fn cancel_many(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Result<Json<Value>> {
    let (filter, most) = query::changed(Of::Messages, request).await?;
    let cancelled = state.messages.cancel_wanted(&sender, &filter, most);
    let (count, cursor) = cancelled.await?;
    let mut told = json!({ "cancelled": count });
    if let Some(cursor) = cursor {
        told["cursor"] = cursor.into();
    }
    Ok(Json(told))
}
