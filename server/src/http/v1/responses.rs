//! Responses that an upstream keeps, asked for by whoever made them.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State as AxumState},
    response::Response,
};

use super::{Asker, answer, begin, deadline, error, failed};
use crate::{
    app::Caller,
    gateway::{Passed, forwarded},
    http::State,
};

/// Shows it, or deletes it: the method is passed on.
pub(super) async fn itself(
    state: AxumState<State>,
    asker: Asker,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    ask(state, asker.0, &id, "", request).await
}

pub(super) async fn cancel(
    state: AxumState<State>,
    asker: Asker,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    ask(state, asker.0, &id, "/cancel", request).await
}

pub(super) async fn input_items(
    state: AxumState<State>,
    asker: Asker,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    ask(state, asker.0, &id, "/input_items", request).await
}

async fn ask(
    AxumState(state): AxumState<State>,
    caller: Caller,
    id: &str,
    rest: &str,
    request: Request,
) -> Response {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if !id.chars().all(plain) {
        let unknown = atelier_gateway::ApiError::not_found("There is no such response.");
        return error::respond(&unknown);
    }
    let recording = begin(&state, &caller, &request, "responses/{id}");
    let (parts, _) = request.into_parts();
    let path = format!("/responses/{id}{rest}");
    let passed = Passed {
        caller: &caller,
        method: parts.method.clone(),
        path: &path,
        query: parts.uri.query(),
        headers: forwarded(&parts.headers),
        body: axum::body::Bytes::new(),
        deadline: deadline(&parts.headers),
        recording: Arc::clone(&recording),
    };
    match state.gateway.ask_for_response(id, passed).await {
        Ok(reply) => answer::respond(reply, false),
        Err(failure) => failed(&recording, failure),
    }
}
