//! Flow control keys.

use atelier_messages::{
    flow::{DEFAULT_PERIOD, number, period},
    objects::{self, FlowFacts},
};
use atelier_queue::Gate;
use axum::{
    Json,
    extract::{Request, State as AxumState},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Asker, Result, query};
use crate::{
    http::{
        State,
        extract::{path::Path, query::parameter},
    },
    messages::{Error, FlowLimits, Pins},
};

pub(super) async fn list(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Result<Json<Value>> {
    let text = parameter(request.uri().query(), "search").unwrap_or_default();
    let flows = state.messages.flows(&sender, &text).await?;
    let now = state.studio.stores.clock.now();
    let told = flows.iter().map(|(key, gate)| told(key, gate, now));
    Ok(Json(Value::Array(told.collect())))
}

pub(super) async fn show(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(key): Path<String>,
) -> Result<Json<Value>> {
    let gate = state.messages.flow(&sender, &key).await?;
    let now = state.studio.stores.clock.now();
    Ok(Json(told(&key, &gate, now)))
}

/// `pause`, `resume`, `resetRate`, `pin` and `unpin`.
pub(super) async fn change(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path((key, change)): Path<(String, String)>,
    request: Request,
) -> Result<Json<Value>> {
    let (messages, query) = (&state.messages, request.uri().query());
    match change.as_str() {
        "pause" => messages.pause_flow(&sender, &key, true).await?,
        "resume" => messages.pause_flow(&sender, &key, false).await?,
        "resetRate" => messages.reset_rate(&sender, &key).await?,
        "pin" => messages.pin_flow(&sender, &key, limits(query)?).await?,
        "unpin" => messages.unpin_flow(&sender, &key, pins(query)).await?,
        _ => return Err(Error::unknown("change of a flow control key", &change)),
    }
    Ok(Json(json!({})))
}

pub(super) async fn global(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
) -> Result<Json<Value>> {
    let count = state.messages.calls_under_way(&sender).await?;
    let max = state.messages.settings.parallel;
    Ok(Json(
        json!({ "parallelismMax": max, "parallelismCount": count }),
    ))
}

fn limits(query: Option<&str>) -> Result<FlowLimits> {
    let mut limits = FlowLimits {
        period: DEFAULT_PERIOD,
        ..FlowLimits::default()
    };
    for (name, value) in query::fields(query) {
        match name.as_str() {
            "parallelism" => {
                let count = number("parallelism", &value).map_err(Error::invalid)?;
                limits.parallelism = Some(count);
            }
            "rate" => limits.rate = Some(number("rate", &value).map_err(Error::invalid)?),
            "period" => limits.period = period(&value).map_err(Error::invalid)?,
            _ => return Err(unknown(&name)),
        }
    }
    Ok(limits)
}

/// What is to be unpinned: everything, if nothing is named.
fn pins(query: Option<&str>) -> Pins {
    let fields = query::fields(query);
    let named = |name: &str| {
        let is_it = |(one, value): &(String, String)| one == name && value != "false";
        fields.is_empty() || fields.iter().any(is_it)
    };
    Pins {
        parallelism: named("parallelism"),
        rate: named("rate"),
    }
}

fn unknown(name: &str) -> Error {
    Error::Invalid(format!(
        "{name:?} cannot be pinned: there are parallelism, rate and period."
    ))
}

fn told(key: &str, gate: &Gate, now: Timestamp) -> Value {
    let rate = gate.terms.rate;
    // A period begins with the first call after the one before.
    let began = gate.window_start.filter(|start| {
        rate.is_none_or(|rate| now.duration_since(*start).unsigned_abs() < rate.period)
    });
    objects::flow_control(&FlowFacts {
        key,
        waiting: gate.waiting,
        // Clients expect numbers; none at all is no limit.
        parallelism: Some(gate.terms.parallel.unwrap_or(0)),
        active: gate.active,
        rate: Some(rate.map_or(0, |rate| rate.count)),
        started: began.map_or(0, |_| gate.started),
        period: rate.map_or(DEFAULT_PERIOD, |rate| rate.period.as_secs()),
        period_start: began,
        paused: gate.paused,
        pinned_parallelism: gate.pinned_parallel,
        pinned_rate: gate.pinned_rate,
    })
}
