//! Schedules. Their ids and their destinations stand in the same place of the path: a
//! destination begins with a scheme, or has no slash.

use atelier_messages::{
    Schedule,
    objects::{self, RunState},
};
use axum::{
    Json,
    body::Body,
    extract::{Request, State as AxumState},
    http::{StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tracing::error;

use super::{
    Asker, Result, error,
    publish::{read_one, rest},
    query,
};
use crate::{
    http::State,
    messages::{Sender, Template},
};

const PREFIX: &str = "/v2/schedules/";

pub(super) async fn list(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
) -> Result<Json<Value>> {
    let schedules = state.messages.schedules(&sender).await?;
    let states = state.messages.run_states(&schedules).await?;
    let told = schedules.iter().zip(&states);
    Ok(Json(
        told.map(|(one, states)| told_of(one, states)).collect(),
    ))
}

pub(super) async fn show(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Result<Json<Value>> {
    let id = decoded(rest(request.uri(), PREFIX));
    let schedule = state.messages.schedule(&sender, &id).await?;
    let states = state.messages.run_states_of(&schedule).await?;
    Ok(Json(told_of(&schedule, &states)))
}

pub(super) async fn remove(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Result<Json<Value>> {
    let id = decoded(rest(request.uri(), PREFIX));
    state.messages.remove_schedule(&sender, &id).await?;
    Ok(Json(json!({})))
}

/// As the clients pause and resume a schedule.
pub(super) async fn switch(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Response {
    match change(rest(request.uri(), PREFIX)) {
        Some((id, paused)) => pause(&state, &sender, &id, paused).await,
        None => error::told(
            StatusCode::METHOD_NOT_ALLOWED,
            "A schedule is changed by /pause and /resume behind its id.",
        ),
    }
}

/// As the documentation pauses and resumes one, or a new schedule.
pub(super) async fn create_or_switch(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Response {
    let path = rest(request.uri(), PREFIX).to_owned();
    if let Some((id, paused)) = change(&path) {
        return pause(&state, &sender, &id, paused).await;
    }
    let (parts, body) = request.into_parts();
    match create(&state, &sender, &parts, body, &path).await {
        Ok(id) => (StatusCode::CREATED, Json(json!({ "scheduleId": id }))).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn create(
    state: &State,
    sender: &Sender,
    parts: &Parts,
    body: Body,
    path: &str,
) -> Result<String> {
    let body = query::read(&parts.headers, body, state.messages.settings.max_body).await?;
    let publish = read_one(state, parts, body, path, None)?;
    state.messages.put_schedule(sender, publish).await
}

async fn pause(state: &State, sender: &Sender, id: &str, paused: bool) -> Response {
    match state.messages.pause_schedule(sender, id, paused).await {
        Ok(()) => Json(json!({})).into_response(),
        Err(error) => error.into_response(),
    }
}

/// The schedule that is to be paused, or resumed.
fn change(path: &str) -> Option<(String, bool)> {
    let (id, change) = path.split_once('/')?;
    if id.ends_with(':') {
        return None;
    }
    let paused = match change {
        "pause" => true,
        "resume" => false,
        _ => return None,
    };
    Some((decoded(id), paused))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn told_of(schedule: &Schedule, states: &[(String, RunState)]) -> Value {
    let template = Template::of(schedule);
    let body = template.map(|template| template.body.recorded().unwrap_or_default());
    let body = body.unwrap_or_else(|error| {
        error!(%error, id = schedule.given.id, "a schedule cannot be read");
        Default::default()
    });
    objects::schedule(schedule, &body, states)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_not_a_change() {
        for (path, expected) in [
            ("scd_1/pause", Some(("scd_1".to_owned(), true))),
            ("a%2Db/resume", Some(("a-b".to_owned(), false))),
            ("https://example.com/pause", None),
            ("https:/pause", None),
            ("group", None),
            ("api/llm", None),
            ("scd_1/delete", None),
        ] {
            assert_eq!(change(path), expected, "{path}");
        }
    }
}
