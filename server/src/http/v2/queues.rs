//! Queues, whose messages are delivered in their order.

use atelier_messages::objects::{self, QueueFacts};
use atelier_queue::Gate;
use axum::{
    Json,
    extract::{Request, State as AxumState},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asker, Result, query};
use crate::{
    http::{State, extract::path::Path},
    messages::{Error, QueueChange},
};

/// A queue to be made or changed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    queue_name: String,
    parallelism: Option<u32>,
    paused: Option<bool>,
}

pub(super) async fn list(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
) -> Result<Json<Value>> {
    let queues = state.messages.queues(&sender).await?;
    let told = queues.iter().map(|(name, gate)| told(name, gate)).collect();
    Ok(Json(Value::Array(told)))
}

pub(super) async fn put(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Result<Json<Value>> {
    let (parts, body) = request.into_parts();
    let wanted: Option<Wanted> = query::json(&parts.headers, body).await?;
    let wanted = wanted.ok_or_else(|| Error::invalid("The body is missing."))?;
    let change = QueueChange {
        parallelism: wanted.parallelism,
        paused: wanted.paused,
    };
    let name = &wanted.queue_name;
    let gate = state.messages.put_queue(&sender, name, change).await?;
    Ok(Json(told(name, &gate)))
}

pub(super) async fn show(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(name): Path<String>,
) -> Result<Json<Value>> {
    let gate = state.messages.queue(&sender, &name).await?;
    Ok(Json(told(&name, &gate)))
}

pub(super) async fn remove(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(name): Path<String>,
) -> Result<Json<Value>> {
    state.messages.remove_queue(&sender, &name).await?;
    Ok(Json(json!({})))
}

pub(super) async fn pause(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(name): Path<String>,
) -> Result<Json<Value>> {
    state.messages.pause_queue(&sender, &name, true).await?;
    Ok(Json(json!({})))
}

pub(super) async fn resume(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(name): Path<String>,
) -> Result<Json<Value>> {
    state.messages.pause_queue(&sender, &name, false).await?;
    Ok(Json(json!({})))
}

fn told(name: &str, gate: &Gate) -> Value {
    objects::queue(&QueueFacts {
        name,
        parallelism: gate.terms.parallel.unwrap_or(1),
        lag: gate.waiting,
        paused: gate.paused,
        created_at: gate.created_at,
        updated_at: gate.updated_at,
    })
}
