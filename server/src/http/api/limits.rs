//! Limits as callers see them: `GET /api/limits`, the header fields of
//! draft-ietf-httpapi-ratelimit-headers, and the text of a refusal.

use atelier_api::Kind;
use atelier_app::words::duration;
use axum::{
    Json,
    extract::{Request, State as AxumState},
    middleware::Next,
    response::Response,
};
use serde::Serialize;

use crate::http::{Result, State, api::jobs::no_store};
use crate::{
    app::Caller,
    limit::{
        Algorithm, Policy, Standing, Unit,
        headers::{self, reset, retry_after, worst},
    },
    policies::{ACTIONS, CALLBACKS, REFUSALS},
};

#[derive(Serialize)]
struct Limits {
    limits: Vec<atelier_api::Limit>,
}

pub(crate) async fn list(AxumState(state): AxumState<State>, caller: Caller) -> Result<Response> {
    let standings = state.studio.limits(&caller).await?;
    let limits = standings.iter().map(view).collect();
    let mut response = no_store(Json(Limits { limits }));
    headers::set(response.headers_mut(), &standings);
    Ok(response)
}

/// A policy's standing as JSON.
pub(crate) fn view(standing: &Standing) -> atelier_api::Limit {
    let policy = &standing.policy;
    let bucket = policy.algorithm == Algorithm::TokenBucket;
    atelier_api::Limit {
        name: policy.name.clone(),
        scope: policy.scope.as_str().into(),
        unit: policy.unit.as_str().into(),
        quota: policy.unit.amount(policy.quota),
        window_seconds: policy.window.as_secs(),
        burst: bucket.then(|| policy.unit.amount(policy.burst)),
        remaining: policy.unit.amount(standing.remaining),
        reset_seconds: reset(standing),
        actions: ACTIONS
            .into_iter()
            .filter(|action| policy.counts(action))
            .map(ToOwned::to_owned)
            .collect(),
    }
}

/// Adds the limits to errors that occurred before anything was charged.
pub(crate) async fn always_tell(
    AxumState(state): AxumState<State>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    let kind = match request.uri().path() {
        "/api/restorations" => Kind::Restoration,
        _ => Kind::Image,
    };
    let mut response = next.run(request).await;
    let has_limits = response.headers().contains_key("ratelimit");
    if response.status().is_client_error()
        && !has_limits
        && let Ok(standings) = state.studio.standings(&caller, kind).await
    {
        headers::set(response.headers_mut(), &standings);
    }
    response
}

/// Why an order was refused.
pub(crate) struct Refused {
    pub(crate) violated: Vec<String>,
    /// Seconds.
    pub(crate) retry_after: u64,
    pub(crate) detail: String,
}

impl Refused {
    pub(crate) fn new(standings: &[Standing]) -> Self {
        let violated = standings.iter().filter(|standing| standing.violated);
        Self {
            violated: violated
                .map(|standing| standing.policy.name.clone())
                .collect(),
            retry_after: retry_after(standings),
            detail: worst(standings).map(detail).unwrap_or_default(),
        }
    }
}

fn detail(standing: &Standing) -> String {
    let policy = &standing.policy;
    let left = standing.remaining;
    let renews = duration(reset(standing).max(1));
    match policy.name.as_str() {
        REFUSALS => {
            return format!(
                "The image service has refused too much of what you asked for as unsafe. Try again in {renews}."
            );
        }
        CALLBACKS => return format!("You had too many callbacks sent. Try again in {renews}."),
        _ => {}
    }
    match (policy.unit, standing.reset, left) {
        (Unit::Usd, None, _) => {
            "This would cost more than the studio may spend at all. Ask for something smaller."
                .into()
        }
        (_, None, _) => format!(
            "This asks for more at once than is ever given out: {} {} in {}. Ask for fewer.",
            policy.burst,
            things(policy),
            duration(policy.window.as_secs())
        ),
        (Unit::Usd, ..) => format!("The studio has spent its budget. Try again in {renews}."),
        (Unit::Requests, ..) => format!("Too fast. Try again in {renews}."),
        (Unit::Images | Unit::Tokens, _, 0) => format!(
            "You have no {} left. Try again in {renews}.",
            things(policy)
        ),
        (Unit::Images | Unit::Tokens, ..) => {
            let things = things(policy);
            format!("That is more than the {left} {things} you have left. Try again in {renews}.")
        }
    }
}

fn things(policy: &Policy) -> &'static str {
    match (policy.unit, policy.counts(Kind::Image.as_str())) {
        (Unit::Requests, _) => "orders",
        (Unit::Tokens, _) => "tokens",
        (_, true) => "pictures",
        (_, false) => "photos",
    }
}
