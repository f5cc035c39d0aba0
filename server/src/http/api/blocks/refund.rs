//! `POST /api/limits/refund`: gives back what a check charged.

use axum::{Json, extract::State as AxumState, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    check::{Answer, Names, distinct, read},
    name,
    receipts::Charged,
};
use crate::http::{
    Error, Result, State, api::jobs::no_store, extract::json::JsonBody,
    middleware::scopes::BlocksHolder,
};
use crate::{
    access::Holder,
    app::blocks::Check,
    limit::{Receipt, Settlement},
};

/// Either the receipt of a check, or what was checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    receipt: Option<String>,
    /// What it really cost; nothing, if this is left out.
    actual: Option<f64>,
    policy: Option<Names>,
    identity: Option<String>,
    cost: Option<f64>,
    /// Names the refund, which is carried out once.
    id: Option<String>,
}

/// Maximum length of a refund's id, in characters.
const LONGEST_ID: usize = 100;

pub(super) async fn refund(
    AxumState(state): AxumState<State>,
    BlocksHolder(holder): BlocksHolder,
    JsonBody(body): JsonBody<Body>,
) -> Result<Response> {
    let checks = match body {
        Body {
            receipt: Some(receipt),
            actual,
            policy: None,
            identity: None,
            cost: None,
            id: None,
        } => by_receipt(&state, &holder, &receipt, actual).await?,
        Body {
            receipt: None,
            actual: None,
            policy: Some(policy),
            identity,
            cost,
            id,
        } => {
            let checks = read(&state, policy, identity, cost)?;
            by_name(&state, &holder, &checks, id).await?;
            checks
        }
        _ => {
            let detail = "A refund has either receipt and perhaps actual, or policy, identity and perhaps cost and id.";
            return Err(Error::invalid("refund", detail));
        }
    };
    let standings = state.studio.look_at_limits(&holder, &checks).await?;
    Ok(no_store(Json(Answer::new(&checks, &standings, None))))
}

/// Settles what the receipt says. Returns the checks that it was for.
async fn by_receipt(
    state: &State,
    holder: &Holder,
    sealed: &str,
    actual: Option<f64>,
) -> Result<Vec<Check>> {
    let opened = state.receipts.open(sealed);
    let Some(charged) = opened.filter(|charged| charged.holder == holder.id) else {
        let detail = "The receipt is not one that a check answered to this key.";
        return Err(Error::invalid("receipt", detail));
    };
    let checks = checks(state, holder, &charged.receipts);
    let Charged { id, receipts, .. } = charged;
    let mut settlements: Vec<_> = receipts.into_iter().map(Settlement::refund).collect();
    if let Some(actual) = actual {
        let [settlement] = &mut settlements[..] else {
            let detail = "actual is for the receipt of a single check.";
            return Err(Error::invalid("actual", detail));
        };
        let parts = settlement.receipt.unit.parts_of(actual);
        settlement.actual =
            parts.map_err(|fault| Error::invalid("actual", format!("actual {fault}.")))?;
    }
    state.studio.settle_checks(&id, settlements).await?;
    Ok(checks)
}

/// The checks that receipts are from, as far as their policies are still configured.
fn checks(state: &State, holder: &Holder, receipts: &[Receipt]) -> Vec<Check> {
    let check = |receipt: &Receipt| {
        let mut policies = state.studio.settings.policies.iter();
        let policy = policies.find(|policy| policy.gave(receipt))?;
        let subject = receipt.key.strip_prefix(policy.prefix())?;
        let identity = subject.strip_prefix(&holder.id)?.strip_prefix('/')?;
        Some(Check {
            policy: policy.clone(),
            identity: identity.to_owned(),
            cost: 0,
        })
    };
    receipts.iter().filter_map(check).collect()
}

async fn by_name(
    state: &State,
    holder: &Holder,
    checks: &[Check],
    id: Option<String>,
) -> Result<()> {
    distinct(checks)?;
    let id = match id {
        Some(id) => {
            name("id", &id, LONGEST_ID)?;
            id
        }
        None => Uuid::now_v7().simple().to_string(),
    };
    Ok(state.studio.give_back(holder, &id, checks).await?)
}
