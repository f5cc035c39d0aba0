//! Who may do how much. A [`Policy`] counts the cost of submissions per
//! subject over time; a submission is charged to every policy that applies to
//! it in one atomic step, or to none of them. What it did not use in the end
//! is given back, what it cost more is owed.
//!
//! | word | meaning |
//! |---|---|
//! | [`Demand`] | what one submission asks of one policy |
//! | [`Rule`], [`Counter`] | how a policy counts: pure functions of (state, now, cost) |
//! | [`Decision`] | all demands granted, with receipts, or none; and how things stand |
//! | [`Receipt`] | what a policy has taken, kept with the job until it ends |
//! | [`Settlement`] | what the job cost in the end |

mod decide;
mod demand;
mod figures;
mod house;
mod memory;
mod policy;
mod redis;
mod rule;
mod sqlite;
mod words;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

pub use self::{
    decide::{Decision, Receipt, Settlement, Standing, decide, settled},
    demand::{Asker, Costs, Demand, demands, micros},
    figures::{Figure, Tally},
    house::{Refusals, callbacks},
    memory::Memory,
    policy::{Fault, MAX_PARTS, Policy},
    redis::RedisLimiter,
    rule::{Counter, Rule},
    sqlite::SqliteLimiter,
    words::{Action, Algorithm, OnError, Scope, Unit},
};

/// Names the policy that an API key's own quota makes.
pub const OWN_QUOTA: &str = "key-quota";

/// Names the policy that bounds whom a caller has called.
pub const CALLBACKS: &str = "callbacks";

/// Names the policy that holds whose orders are refused too often.
pub const REFUSALS: &str = "refusals";

/// Names that no policy in the configuration may have.
pub const RESERVED: [&str; 3] = [OWN_QUOTA, CALLBACKS, REFUSALS];

/// The store cannot be asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Error(#[from] crate::store::Error);

impl Error {
    /// The store is away, not broken: to try again later may help.
    pub const fn is_away(&self) -> bool {
        self.0.is_away()
    }

    /// Its store has no memory left.
    pub const fn is_out_of_memory(&self) -> bool {
        self.0.is_out_of_memory()
    }
}

/// A store of counters. Instants are passed in.
#[async_trait]
pub trait Limiter: Send + Sync + 'static {
    /// Charges all demands, or none when one of them does not fit.
    async fn charge(&self, demands: Vec<Demand>, now: Timestamp) -> Result<Decision, Error>;
    /// Settles what was charged, once: a settlement of the same `id` while its
    /// windows last changes nothing.
    async fn settle(
        &self,
        id: &str,
        settlements: Vec<Settlement>,
        now: Timestamp,
    ) -> Result<(), Error>;
    /// Adds figures to those of the same policy and hour, and forgets those
    /// older than `keep`.
    async fn record(
        &self,
        figures: Vec<Figure>,
        now: Timestamp,
        keep: Duration,
    ) -> Result<(), Error>;
    /// The figures since an hour, the oldest first.
    async fn figures(&self, since: Timestamp, now: Timestamp) -> Result<Vec<Figure>, Error>;
    /// Forgets counters that say nothing any more, where the store does not do so by itself.
    async fn sweep(&self, now: Timestamp) -> Result<(), Error>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store;

    #[test]
    fn a_store_that_is_away_is_not_one_that_is_broken() {
        assert!(Error::from(store::Error::silent(Duration::from_secs(1))).is_away());
        let broken = Error::from(store::Error::Closed);
        assert!(!broken.is_away() && !broken.is_out_of_memory());
    }
}
