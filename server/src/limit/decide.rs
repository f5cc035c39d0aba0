//! From the state of the counters to the answer, the same over every store.

use super::{Decision, Demand, Receipt, Standing, Window, charge, standing};

/// The answer to demands whose counters were `before`, in their order, and
/// the counters' new state; that is empty when nothing is charged.
pub fn decide(demands: &[Demand], before: &[Option<Window>], now: i64) -> (Decision, Vec<Window>) {
    let after: Vec<Option<Window>> = demands
        .iter()
        .zip(before)
        .map(|(demand, state)| charge(&demand.policy, *state, now, demand.cost))
        .collect();
    let charged: Option<Vec<Window>> = after.iter().copied().collect();
    let standings = demands.iter().enumerate().map(|(i, demand)| {
        let state = charged
            .as_ref()
            .map_or(before[i], |windows| Some(windows[i]));
        let (remaining, reset) = standing(&demand.policy, state, now);
        Standing {
            policy: demand.policy.clone(),
            remaining,
            reset,
            violated: after[i].is_none(),
        }
    });
    let receipts = charged.as_ref().map(|windows| {
        demands
            .iter()
            .zip(windows)
            .map(|(demand, window)| receipt(demand, *window))
            .collect()
    });
    let decision = Decision {
        standings: standings.collect(),
        receipts,
    };
    (decision, charged.unwrap_or_default())
}

fn receipt(demand: &Demand, window: Window) -> Receipt {
    Receipt {
        policy: demand.policy.name.clone(),
        subject: demand.subject.clone(),
        cost: demand.cost,
        window: window.start,
    }
}
