//! Limits that stand whatever policies an operator has written, or removed:
//! they guard others than the site's purse.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{CALLBACKS, Demand, Error, Fault, Limiter, Policy, REFUSALS, Receipt, Unit};

/// How often a caller may have somebody called.
pub fn callbacks(per_hour: u32) -> Result<Arc<Policy>, Fault> {
    Policy::bucket(CALLBACKS, per_hour, Duration::from_hours(1)).map(Arc::new)
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
    pub fn new(limiter: Arc<dyn Limiter>, quota: u32, window: Duration) -> Result<Self, Fault> {
        let policy = Arc::new(Policy::bucket(REFUSALS, quota, window)?);
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
        let prefix = self.policy.prefix.as_str();
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
