//! Policies that stand whatever limits an operator has configured, or removed.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Deserialize as _;
use tracing::error;

use crate::limit::{
    Algorithm, Demand, Error, InvalidPolicy, Limiter, OnError, Policy, Receipt, Scope, Unit,
};

/// Names the policy that an API key's own quota makes.
pub const OWN_QUOTA: &str = "key-quota";

/// Names the policy that bounds whom a caller has called.
pub const CALLBACKS: &str = "callbacks";

/// Names the policy that holds whose orders are refused too often.
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

/// So many requests at once, which come back evenly over the window. It is no
/// reason to refuse anybody that it cannot be asked.
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

/// How often a caller may have somebody called.
///
/// # Errors
/// If the number is 0.
pub fn callbacks(per_hour: u32) -> Result<Arc<Policy>, InvalidPolicy> {
    bucket(CALLBACKS, per_hour, Duration::from_hours(1)).map(Arc::new)
}

/// Counts what a provider refuses to make, and holds who has had too much
/// refused: it is the operator's account that suffers.
///
/// A refusal is known only when its job has ended, so nothing is charged when
/// an order is taken. It is asked whether any refusal is left to the caller,
/// and noted in the job, as receipts of nothing, whom one would count against.
#[derive(Clone)]
pub struct Refusals {
    limiter: Arc<dyn Limiter>,
    policy: Arc<Policy>,
}

impl Refusals {
    /// At most `quota` at once; they come back evenly over the window.
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

    /// Only looks how many are left to each.
    pub fn looks<'a>(
        &'a self,
        subjects: impl IntoIterator<Item = &'a str>,
    ) -> impl Iterator<Item = Demand> {
        let subjects = subjects.into_iter();
        subjects.map(|subject| Demand::new(&self.policy, subject, 0))
    }

    /// Whom a refusal will count against.
    pub fn receipts<'a>(
        &'a self,
        subjects: impl IntoIterator<Item = &'a str>,
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
            // One by one: that one has none left must not spare the other.
            let demand = Demand::new(&self.policy, subject, 1);
            self.limiter.charge(vec![demand], now).await?;
        }
        Ok(())
    }

    /// Whether the one whom a refusal would count against first has none left.
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
