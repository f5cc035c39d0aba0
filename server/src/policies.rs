//! Policies that apply whatever limits an operator configures.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Deserialize as _;
use tracing::error;

use crate::limit::{
    Algorithm, Demand, Error, InvalidPolicy, Limiter, OnError, Policy, Receipt, Scope, Unit,
};

/// Names the policy that an API key's own quota makes.
pub const OWN_QUOTA: &str = "key-quota";

/// Names the policy that limits the callbacks of a caller.
pub const CALLBACKS: &str = "callbacks";

/// Names the policy that blocks callers whose orders are refused too often.
pub const REFUSALS: &str = "refusals";

/// Names that no policy in the configuration may have.
pub const RESERVED: [&str; 3] = [OWN_QUOTA, CALLBACKS, REFUSALS];

/// What was charged for a job. What cannot be read is logged, since it cannot be
/// given back.
pub fn receipts(charge: &serde_json::Value) -> Vec<Receipt> {
    if charge.is_null() {
        return Vec::new();
    }
    let read = Vec::deserialize(charge);
    read.unwrap_or_else(|error| {
        error!(%error, %charge, "what was charged for a job cannot be read");
        Vec::new()
    })
}

/// An API key's own quota, renewed in aligned windows.
///
/// # Errors
/// If the quota or the window is not allowed.
pub fn own_quota(unit: Unit, quota: f64, window: Duration) -> Result<Policy, InvalidPolicy> {
    let (scope, algorithm) = (Scope::User, Algorithm::FixedWindow);
    Policy::new(OWN_QUOTA, scope, unit, algorithm, quota, window)
}

/// A token bucket of `quota` requests, refilled evenly over the window. If the store is
/// unreachable, it refuses nobody.
fn bucket(name: &str, quota: u32, window: Duration) -> Result<Policy, InvalidPolicy> {
    let (scope, unit) = (Scope::User, Unit::Requests);
    let policy = Policy::new(
        name,
        scope,
        unit,
        Algorithm::TokenBucket,
        quota.into(),
        window,
    )?;
    Ok(policy.with_on_error(OnError::Allow))
}

/// Limits the callbacks that a caller requests per hour.
///
/// # Errors
/// If the number is 0.
pub fn callbacks(per_hour: u32) -> Result<Arc<Policy>, InvalidPolicy> {
    bucket(CALLBACKS, per_hour, Duration::from_hours(1)).map(Arc::new)
}

/// Counts the provider's refusals and blocks callers with too many of them, as they
/// endanger the operator's account.
///
/// A refusal is known only when its job has ended, so an order is charged nothing. It is
/// only checked that the caller has refusals left, and the job notes, as receipts over
/// zero, against whom a refusal would count.
#[derive(Clone)]
pub struct Refusals {
    limiter: Arc<dyn Limiter>,
    policy: Arc<Policy>,
}

impl Refusals {
    /// Allows `quota` refusals, refilled evenly over the window.
    ///
    /// # Errors
    /// If the quota or the window is not allowed.
    pub fn new(
        limiter: Arc<dyn Limiter>,
        quota: u32,
        window: Duration,
    ) -> Result<Self, InvalidPolicy> {
        let policy = Arc::new(bucket(REFUSALS, quota, window)?);
        Ok(Self { limiter, policy })
    }

    /// Demands of zero, which return how many refusals each has left.
    pub fn looks(
        &self,
        subjects: impl IntoIterator<Item: AsRef<str>>,
    ) -> impl Iterator<Item = Demand> {
        let subjects = subjects.into_iter();
        subjects.map(|subject| Demand::new(&self.policy, subject.as_ref(), 0))
    }

    /// Receipts over zero that name against whom a refusal will count.
    pub fn receipts(
        &self,
        subjects: impl IntoIterator<Item: AsRef<str>>,
        now: Timestamp,
    ) -> impl Iterator<Item = Receipt> {
        self.looks(subjects).map(move |look| Receipt {
            key: look.key,
            unit: Unit::Requests,
            rule: self.policy.rule(),
            cost: 0,
            mark: now.as_millisecond(),
        })
    }

    /// Counts one refusal against each of those in a job's receipts.
    pub async fn count(&self, receipts: &[Receipt], now: Timestamp) -> Result<(), Error> {
        for subject in self.subjects(receipts) {
            // Separately: if one has none left, the other must still be charged.
            let demand = Demand::new(&self.policy, subject, 1);
            self.limiter.charge(vec![demand], now).await?;
        }
        Ok(())
    }

    /// Whether the first of those against whom a refusal would count has none left.
    pub async fn hold(&self, receipts: &[Receipt], now: Timestamp) -> Result<bool, Error> {
        let Some(subject) = self.subjects(receipts).next() else {
            return Ok(false);
        };
        let look = Demand::new(&self.policy, subject, 0);
        let decision = self.limiter.charge(vec![look], now).await?;
        Ok(decision.standings.iter().any(|one| one.remaining == 0))
    }

    fn subjects<'a>(&'a self, receipts: &'a [Receipt]) -> impl Iterator<Item = &'a str> {
        let prefix = self.policy.prefix();
        let counted = receipts.iter().filter(|receipt| receipt.cost == 0);
        counted.filter_map(move |receipt| receipt.key.strip_prefix(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_come_back_over_an_hour() {
        let policy = callbacks(60).unwrap();
        assert_eq!((policy.quota, policy.window), (60, Duration::from_hours(1)));
    }
}
