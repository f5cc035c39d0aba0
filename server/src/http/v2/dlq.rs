//! Dead letters: messages whose last call failed.

use atelier_messages::{
    filter::Of,
    objects::{self, Answer},
};
use axum::{
    Json,
    extract::{Request, State as AxumState},
    http::StatusCode,
};
use serde_json::{Value, json};

use super::{
    Asker, Result,
    query::{self, paged},
};
use crate::{
    http::{State, extract::path::Path},
    messages::{Action, DeadLetter, Page, Sender},
};

pub(super) async fn list(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Result<Json<Value>> {
    let filter = query::filter(Of::DeadLetters, request).await?;
    let page = state.messages.dead_letters(&sender, &filter).await?;
    let letters = page.items.iter().map(told).collect();
    Ok(Json(paged("messages", letters, page.cursor)))
}

pub(super) async fn show(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(id): Path<String>,
) -> Result<Json<Value>> {
    let letter = state.messages.dead_letter(&sender, &id).await?;
    Ok(Json(told(&letter)))
}

pub(super) async fn remove(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(id): Path<String>,
) -> Result<Json<Value>> {
    let messages = &state.messages;
    messages.settle_dead(&sender, &id, Action::Delete).await?;
    Ok(Json(json!({})))
}

pub(super) async fn remove_many(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Result<Json<Value>> {
    let page = settle_many(&state, &sender, request, Action::Delete).await?;
    let mut told = json!({ "deleted": page.items.len() });
    if let Some(cursor) = page.cursor {
        told["cursor"] = cursor.into();
    }
    Ok(Json(told))
}

pub(super) async fn retry(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>)> {
    let messages = &state.messages;
    let id = messages.settle_dead(&sender, &id, Action::Retry).await?;
    Ok((StatusCode::CREATED, Json(json!({ "messageId": id }))))
}

pub(super) async fn retry_many(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Result<(StatusCode, Json<Value>)> {
    let page = settle_many(&state, &sender, request, Action::Retry).await?;
    let told = page.items.iter().map(|id| json!({ "messageId": id }));
    let told = paged("responses", told.collect(), page.cursor);
    Ok((StatusCode::CREATED, Json(told)))
}

async fn settle_many(
    state: &State,
    sender: &Sender,
    request: Request,
    action: Action,
) -> Result<Page<String>> {
    let (filter, most) = query::changed(Of::DeadLetters, request).await?;
    let settled = state
        .messages
        .settle_dead_wanted(sender, &filter, most, action);
    settled.await
}

fn told(letter: &DeadLetter) -> Value {
    let found = &letter.found;
    let answer = Answer {
        status: letter.status,
        headers: &letter.headers,
        body: &letter.answer,
    };
    let message = &found.task.message;
    objects::dead_letter(&letter.id, &found.id, message, &found.body, answer)
}
