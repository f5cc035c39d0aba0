//! How a program in another language tells the stand-in what to do.

use std::sync::Arc;

use axum::{Json, extract::State, http::HeaderMap};
use serde_json::Value;

use crate::{
    behaviour::Behaviour,
    call::Call,
    tokens,
    upstream::{Shared, lock},
};

/// `POST /_mock/next` with a list: what becomes of the next calls.
pub(crate) async fn next(State(shared): State<Arc<Shared>>, body: String) -> Result<(), String> {
    let script: Vec<Behaviour> =
        serde_json::from_str(&body).map_err(|error| format!("no list of behaviours: {error}"))?;
    lock(&shared.script).extend(script);
    Ok(())
}

/// `GET /_mock/calls`: the requests so far.
pub(crate) async fn calls(State(shared): State<Arc<Shared>>) -> Json<Vec<Value>> {
    Json(lock(&shared.calls).iter().map(Call::to_json).collect())
}

/// `GET /_mock/account`: the file of a Google service account that gets tokens here.
pub(crate) async fn account(headers: HeaderMap) -> String {
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    tokens::service_account(&format!("http://{}", host.unwrap_or_default()))
}

/// `POST /_mock/release`: the calls that hang go on.
pub(crate) async fn release(State(shared): State<Arc<Shared>>) {
    shared.release.notify_waiters();
}

/// `DELETE /_mock`: forgets the requests and what was to become of the next.
pub(crate) async fn forget(State(shared): State<Arc<Shared>>) {
    lock(&shared.calls).clear();
    lock(&shared.script).clear();
}
