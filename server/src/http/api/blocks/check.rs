//! `POST /api/limits/check`: charges configured policies by name.

use std::{collections::HashSet, fmt};

use axum::{Json, extract::State as AxumState, response::Response};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use uuid::Uuid;

use super::{name, receipts::Charged};
use crate::http::{
    Error, Result, State, api::jobs::no_store, extract::json::JsonBody,
    middleware::scopes::BlocksHolder,
};
use crate::{
    app::blocks::Check,
    limit::{
        Scope, Standing,
        headers::{reset, retry_after, worst},
    },
};

/// Maximum number of checks in one step.
const MOST: usize = 20;

/// Maximum length of an identity, in characters.
const LONGEST_IDENTITY: usize = 200;

/// What is to be checked: one object, or a list of them in one step.
pub(super) struct Body(Vec<Item>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    policy: Names,
    identity: Option<String>,
    cost: Option<f64>,
    #[serde(default)]
    dry: bool,
}

/// One policy, or several.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "policy is the name of a limit, or a list of names"
)]
pub(super) enum Names {
    One(String),
    Several(Vec<String>),
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Body;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a check such as {\"policy\": …, \"identity\": …}, or a list of checks")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Body, A::Error> {
                let item = Item::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Body(vec![item]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Body, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Body)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// What came of checks. The numbers are those of the check that decides: of the refused
/// ones, that which is free last, otherwise that of which the smallest part is left.
#[derive(Serialize)]
pub(super) struct Answer {
    allowed: bool,
    #[serde(flatten)]
    left: Left,
    /// For a refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    /// Each of several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<One>,
}

#[derive(Default, Serialize)]
struct Left {
    /// In the policy's unit; null if the store is unreachable and the policy allows that.
    remaining: Option<f64>,
    reset_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

#[derive(Serialize)]
struct One {
    policy: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    identity: String,
    allowed: bool,
    #[serde(flatten)]
    left: Left,
}

pub(super) async fn check(
    AxumState(state): AxumState<State>,
    BlocksHolder(holder): BlocksHolder,
    JsonBody(Body(items)): JsonBody<Body>,
) -> Result<Response> {
    let dry = items.first().is_some_and(|item| item.dry);
    if items.iter().any(|item| item.dry != dry) {
        return Err(Error::invalid(
            "dry",
            "Either all checks of a list are dry, or none.",
        ));
    }
    let mut checks = Vec::new();
    for item in items {
        checks.extend(read(&state, item.policy, item.identity, item.cost)?);
    }
    distinct(&checks)?;
    if dry {
        let mut standings = state.studio.look_at_limits(&holder, &checks).await?;
        for (standing, check) in standings.iter_mut().zip(&checks) {
            standing.violated = standing.remaining < check.cost;
        }
        return Ok(no_store(Json(Answer::new(&checks, &standings, None))));
    }
    let checked = state.studio.check_limits(&holder, &checks).await?;
    let receipts = checked.receipts.filter(|receipts| !receipts.is_empty());
    let receipt = receipts.map(|receipts| {
        state.receipts.seal(&Charged {
            id: Uuid::now_v7().simple().to_string(),
            holder: holder.id.clone(),
            receipts,
        })
    });
    let receipt = receipt
        .transpose()
        .map_err(|error| Error::Internal(error.into()))?;
    Ok(no_store(Json(Answer::new(
        &checks,
        &checked.standings,
        receipt,
    ))))
}

/// The checks of one identity.
pub(super) fn read(
    state: &State,
    policies: Names,
    identity: Option<String>,
    cost: Option<f64>,
) -> Result<Vec<Check>> {
    let names = match policies {
        Names::One(name) => vec![name],
        Names::Several(names) => names,
    };
    let identity = identity.unwrap_or_default();
    let check = |policy: String| {
        let Some(policy) = state.studio.policy(&policy) else {
            let detail = format!("There is no limit {policy:?} in the configuration.");
            return Err(Error::invalid("policy", detail));
        };
        if policy.scope != Scope::Global || !identity.is_empty() {
            name("identity", &identity, LONGEST_IDENTITY)?;
        }
        let cost = policy.unit.parts_of(cost.unwrap_or(1.0)).map_err(|fault| {
            let unit = policy.unit.as_str();
            Error::invalid("cost", format!("cost, in {unit}, {fault}."))
        })?;
        Ok(Check {
            policy: policy.clone(),
            identity: identity.clone(),
            cost,
        })
    };
    names.into_iter().map(check).collect()
}

/// Errors unless there are checks, not too many, and each counter occurs once.
pub(super) fn distinct(checks: &[Check]) -> Result<()> {
    if checks.is_empty() || checks.len() > MOST {
        let detail = format!("A list has 1 to {MOST} checks.");
        return Err(Error::invalid("checks", detail));
    }
    let mut counters = HashSet::new();
    for Check {
        policy, identity, ..
    } in checks
    {
        let identity = if policy.scope == Scope::Global {
            ""
        } else {
            identity
        };
        if !counters.insert((&policy.name, identity)) {
            let detail = format!(
                "{:?} is checked twice for the same identity. Add the costs.",
                policy.name
            );
            return Err(Error::invalid("checks", detail));
        }
    }
    Ok(())
}

impl Answer {
    pub(super) fn new(checks: &[Check], standings: &[Standing], receipt: Option<String>) -> Self {
        let share = |one: &&Standing| one.remaining as f64 / one.policy.quota.max(1) as f64;
        let least = || {
            standings
                .iter()
                .min_by(|a, b| share(a).total_cmp(&share(b)))
        };
        let all = checks.iter().zip(standings).map(|(check, standing)| One {
            policy: check.policy.name.clone(),
            identity: check.identity.clone(),
            allowed: !standing.violated,
            left: Left::of(standing),
        });
        Self {
            allowed: standings.iter().all(|standing| !standing.violated),
            left: worst(standings)
                .or_else(least)
                .map(Left::of)
                .unwrap_or_default(),
            receipt,
            checks: if checks.len() > 1 {
                all.collect()
            } else {
                Vec::new()
            },
        }
    }
}

impl Left {
    fn of(standing: &Standing) -> Self {
        let again = standing.violated && standing.reset.is_some();
        Self {
            remaining: Some(standing.policy.unit.amount(standing.remaining)),
            reset_seconds: Some(reset(standing)),
            retry_after: again.then(|| retry_after(std::slice::from_ref(standing))),
        }
    }
}
