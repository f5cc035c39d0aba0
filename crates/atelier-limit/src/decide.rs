//! Decides demands by the state of the counters, in the same way for every store.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Counter, Demand, Policy, Rule, Unit};
use atelier_store::HOUR;

/// What a policy has charged, with all that is needed to settle it even if the policy has
/// changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The counter.
    pub key: String,
    /// What was charged.
    pub unit: Unit,
    /// How its counter moves.
    pub rule: Rule,
    /// In [parts](Unit::parts).
    pub cost: u64,
    /// See [`Rule::mark`].
    pub mark: i64,
}

/// The final amount of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// What was charged.
    pub receipt: Receipt,
    /// The final amount, in [parts](Unit::parts).
    pub actual: u64,
}

/// A subject's standing with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The policy.
    pub policy: Arc<Policy>,
    /// In [parts](Unit::parts).
    pub remaining: u64,
    /// The time until the full quota is available again or, if too little is left, until
    /// enough is. `None` if there will never be enough.
    pub reset: Option<Duration>,
    /// Whether the demand exceeded the limit.
    pub violated: bool,
}

/// The answer to a request's demands.
#[derive(Debug, Clone)]
pub struct Decision {
    /// In the order of the demands.
    pub standings: Vec<Standing>,
    /// `None` if any policy was violated; then nothing was charged.
    pub receipts: Option<Vec<Receipt>>,
}

/// Decides demands whose counters were `before`, in their order, at Unix milliseconds
/// `now`. Returns the answer and the counters' new states, or none if nothing is charged.
pub fn decide(
    demands: &[Demand],
    before: &[Option<Counter>],
    now: i64,
) -> (Decision, Option<Vec<Counter>>) {
    let after: Option<Vec<Counter>> = demands
        .iter()
        .zip(before)
        .map(|(demand, state)| demand.policy.rule.charge(*state, now, demand.cost))
        .collect();
    let standings = demands.iter().enumerate().map(|(i, demand)| {
        let charged = after.as_ref().map(|counters| counters[i]);
        standing(demand, before[i], charged, now)
    });
    let receipts = after.as_ref().map(|counters| {
        let charged = demands.iter().zip(counters);
        charged
            .filter(|(demand, _)| demand.cost > 0)
            .map(|(demand, counter)| receipt(demand, *counter))
            .collect()
    });
    let decision = Decision {
        standings: standings.collect(),
        receipts,
    };
    (decision, after)
}

fn standing(
    demand: &Demand,
    before: Option<Counter>,
    charged: Option<Counter>,
    now: i64,
) -> Standing {
    let rule = demand.policy.rule;
    let state = charged.or(before);
    let remaining = rule.remaining(state, now);
    let enough = if charged.is_some() {
        1
    } else {
        demand.cost.max(1)
    };
    let reset = if remaining < enough {
        rule.wait(state, now, enough)
    } else {
        Some(rule.renewal(state, now))
    };
    Standing {
        policy: Arc::clone(&demand.policy),
        remaining,
        reset: reset.map(|wait| Duration::from_millis(wait.max(0).unsigned_abs())),
        violated: charged.is_none() && remaining < demand.cost,
    }
}

fn receipt(demand: &Demand, counter: Counter) -> Receipt {
    let rule = demand.policy.rule;
    Receipt {
        key: demand.key.clone(),
        unit: demand.policy.unit,
        rule,
        cost: demand.cost,
        mark: rule.mark(counter),
    }
}

impl Settlement {
    /// Refunds all of it.
    pub const fn refund(receipt: Receipt) -> Self {
        Self { receipt, actual: 0 }
    }

    /// For how many milliseconds these settlements must be remembered: as long as any of the
    /// charges affects its counter, and an hour more. `None` if there is nothing to settle.
    pub(super) fn keep(settlements: &[Self], now: Timestamp) -> Option<i64> {
        let last = settlements.iter().map(Self::end).max()?;
        Some((last - now.as_millisecond()).max(0) + HOUR)
    }

    fn end(&self) -> i64 {
        match self.receipt.rule {
            Rule::FixedWindow { length, .. } => self.receipt.mark + length,
            Rule::CalendarMonth { .. } => self.receipt.rule.end(Counter {
                at: self.receipt.mark,
                ..Counter::default()
            }),
            Rule::SlidingWindow { length, .. } => self.receipt.mark + 2 * length,
            Rule::TokenBucket { .. } => self.receipt.mark,
        }
    }
}

/// Returns a counter's state after a settlement, or `None` if it stays as it is.
pub fn settled(settlement: &Settlement, state: Counter, now: i64) -> Option<Counter> {
    let Settlement { receipt, actual } = settlement;
    let after = receipt
        .rule
        .settle(state, now, receipt.mark, receipt.cost, *actual);
    (after != state).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tests::{bucket, fixed, month, sliding};

    fn kept(rule: Rule, mark: i64, now: i64) -> Option<i64> {
        let receipt = Receipt {
            key: "p:a".into(),
            unit: Unit::Requests,
            rule,
            cost: 1,
            mark,
        };
        let now = Timestamp::from_millisecond(now).unwrap();
        Settlement::keep(&[Settlement::refund(receipt)], now)
    }

    #[test]
    fn settlements_are_known_for_as_long_as_their_counters_show_them() {
        assert_eq!(Settlement::keep(&[], Timestamp::UNIX_EPOCH), None);
        assert_eq!(kept(fixed(9, 10_000), 60_000, 63_000), Some(7_000 + HOUR));
        assert_eq!(
            kept(sliding(9, 10_000), 60_000, 63_000),
            Some(17_000 + HOUR)
        );
        // April has 30 days.
        let (april, day) = (1_806_537_600_000, 24 * HOUR);
        assert_eq!(kept(month(9), april, april + 29 * day), Some(day + HOUR));
        assert_eq!(
            kept(bucket(9, 1, 1_000), 65_000, 63_000),
            Some(2_000 + HOUR)
        );
        assert_eq!(kept(bucket(9, 1, 1_000), 60_000, 63_000), Some(HOUR));
    }
}
