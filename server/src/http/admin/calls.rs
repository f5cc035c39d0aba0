//! `GET /api/admin/calls`, `/api/admin/calls/{id}` and `/api/admin/calls/stats`: the last calls
//! of the gateway, one of them with what was said in it, and what is counted of all.

use std::time::Duration;

use axum::{Json, extract::State as AxumState, response::Response};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    app::{Studio, WantedCalls},
    calls::{self, Dimension, MOST_RECENT, Record},
    http::{
        Error, Result, State,
        api::jobs::no_store,
        extract::path::Path,
        extract::query::{self, Query},
    },
};

/// The calls of a page, unless asked otherwise, and the period that is added up.
const PAGE: usize = 100;
const LATELY: Duration = Duration::from_secs(24 * 60 * 60);

/// The query of the last calls.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    #[serde(default, deserialize_with = "query::text")]
    key: Option<String>,
    #[serde(default, deserialize_with = "query::text")]
    model: Option<String>,
    #[serde(default, deserialize_with = "duration")]
    since: Option<Duration>,
    #[serde(default, deserialize_with = "limit")]
    limit: Option<usize>,
}

/// The query of what is counted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counted {
    #[serde(default, deserialize_with = "query::text")]
    key: Option<String>,
    #[serde(default, deserialize_with = "query::text")]
    model: Option<String>,
    #[serde(default, deserialize_with = "duration")]
    since: Option<Duration>,
    #[serde(default, deserialize_with = "dimensions")]
    by: Option<Vec<Dimension>>,
}

#[derive(Serialize)]
struct Calls {
    calls: Vec<Record>,
}

pub(crate) async fn list(
    AxumState(state): AxumState<State>,
    Query(wanted): Query<Wanted>,
) -> Result<Response> {
    let since = wanted.since.map(|since| ago(&state.studio, since));
    let which = WantedCalls {
        key: wanted.key,
        model: wanted.model,
        since,
    };
    let mut calls = state.studio.calls(&which).await?;
    calls.truncate(wanted.limit.unwrap_or(PAGE));
    Ok(no_store(Json(Calls { calls })))
}

pub(crate) async fn show(
    AxumState(state): AxumState<State>,
    Path(id): Path<String>,
) -> Result<Response> {
    match state.studio.call(&id).await? {
        Some(call) => Ok(no_store(Json(call))),
        None => Err(Error::NotFound("It is none of the last calls.")),
    }
}

pub(crate) async fn stats(
    AxumState(state): AxumState<State>,
    Query(counted): Query<Counted>,
) -> Result<Response> {
    let query = calls::Query::since(ago(&state.studio, counted.since.unwrap_or(LATELY)));
    let query = calls::Query {
        key: counted.key,
        model: counted.model,
        by: counted.by.unwrap_or(query.by),
        ..query
    };
    Ok(no_store(Json(state.studio.call_stats(query).await?)))
}

fn ago(studio: &Studio, period: Duration) -> Timestamp {
    let now = studio.stores.clock.now();
    now.checked_sub(period).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    query::optional(deserializer, |text| {
        humantime::parse_duration(text).map_err(|_| "since is a duration such as 1h or 7d.")
    })
}

fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    query::optional(deserializer, |text| match text.parse() {
        Ok(limit @ 1..=MOST_RECENT) => Ok(limit),
        _ => Err(format!("limit is a number from 1 to {MOST_RECENT}.")),
    })
}

fn dimensions<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Dimension>>, D::Error> {
    query::optional(deserializer, |text| {
        let names = text.split(',').map(str::parse);
        let names = names.collect::<Result<Vec<_>, _>>();
        names.map_err(|_| "by is a list of hour, key, model and upstream.")
    })
}
