//! `GET /api/admin/limits`: what the policies decided, by the hour, and whom they
//! rejected most.

use std::collections::{BTreeMap, HashMap};

use axum::{Json, extract::State as AxumState, response::Response};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::http::{Result, State, api::jobs::no_store, api::limits::view};
use crate::limit::{HourlyStats, Policy, Standing};

/// Names shown of each policy, and for which period.
const MOST_REJECTED: usize = 10;
const LATELY: SignedDuration = SignedDuration::from_hours(24);

#[derive(Serialize)]
struct Overview {
    policies: Vec<Shown>,
}

/// One policy. If it is no longer configured, only what it decided.
#[derive(Serialize, Default)]
struct Shown {
    name: String,
    #[serde(flatten)]
    terms: Option<Terms>,
    hours: Vec<Hour>,
    /// Over the last 24 hours; addresses are hashed unless the configuration
    /// says otherwise.
    most_rejected: Vec<Rejected>,
}

#[derive(Serialize)]
struct Terms {
    scope: &'static str,
    unit: &'static str,
    quota: f64,
    window_seconds: u64,
    /// Only for policies that all callers share.
    remaining: Option<f64>,
    reset_seconds: Option<u64>,
}

#[derive(Serialize)]
struct Hour {
    /// Its beginning.
    hour: String,
    allowed: u64,
    rejected: u64,
}

#[derive(Serialize)]
struct Rejected {
    who: String,
    rejected: u64,
}

pub(crate) async fn limits(AxumState(state): AxumState<State>) -> Result<Response> {
    let (studio, now) = (&state.studio, state.studio.stores.clock.now());
    let since = now
        .checked_sub(studio.settings.stats_kept)
        .unwrap_or_default();
    let stats = studio.hourly_stats(since).await?;
    let standings = studio.shared_standings().await?;
    let lately = (now - LATELY).as_millisecond();
    let mut shown: Vec<Shown> = Vec::new();
    let mut by_name: BTreeMap<&str, Vec<&HourlyStats>> = BTreeMap::new();
    for hour in &stats {
        by_name.entry(&hour.policy).or_default().push(hour);
    }
    for policy in &studio.settings.policies {
        let decided = by_name.remove(policy.name.as_str()).unwrap_or_default();
        let standing = standings.iter().find(|standing| standing.policy == *policy);
        shown.push(Shown {
            terms: Some(terms(policy, standing)),
            ..decisions(&policy.name, &decided, lately)
        });
    }
    let gone = by_name.iter();
    shown.extend(gone.map(|(name, decided)| decisions(name, decided, lately)));
    Ok(no_store(Json(Overview { policies: shown })))
}

fn terms(policy: &Policy, standing: Option<&Standing>) -> Terms {
    let shared = standing.map(view);
    Terms {
        scope: policy.scope.as_str(),
        unit: policy.unit.as_str(),
        quota: policy.unit.amount(policy.quota),
        window_seconds: policy.window.as_secs(),
        remaining: shared.as_ref().map(|limit| limit.remaining),
        reset_seconds: shared.map(|limit| limit.reset_seconds),
    }
}

fn decisions(name: &str, decided: &[&HourlyStats], lately: i64) -> Shown {
    let hours = decided.iter().map(|stats| Hour {
        hour: Timestamp::from_millisecond(stats.hour)
            .unwrap_or_default()
            .to_string(),
        allowed: stats.allowed,
        rejected: stats.rejected,
    });
    Shown {
        name: name.to_owned(),
        terms: None,
        hours: hours.collect(),
        most_rejected: most_rejected(decided, lately),
    }
}

fn most_rejected(decided: &[&HourlyStats], lately: i64) -> Vec<Rejected> {
    let mut times: HashMap<&str, u64> = HashMap::new();
    for hour in decided.iter().filter(|stats| stats.hour >= lately) {
        for (who, rejected) in &hour.who {
            *times.entry(who).or_default() += rejected;
        }
    }
    let mut most: Vec<_> = times.into_iter().collect();
    most.sort_by(|(a, x), (b, y)| y.cmp(x).then(a.cmp(b)));
    most.into_iter()
        .take(MOST_REJECTED)
        .map(|(who, rejected)| Rejected {
            who: who.to_owned(),
            rejected,
        })
        .collect()
}
