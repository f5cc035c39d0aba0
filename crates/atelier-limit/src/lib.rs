#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![cfg_attr(
    not(any(feature = "sqlite", feature = "redis")),
    expect(dead_code, reason = "there is no store that needs it")
)]

mod decide;
mod demand;
#[cfg(feature = "http")]
pub mod headers;
#[cfg(feature = "tower")]
mod layer;
mod policy;
#[cfg(feature = "redis")]
mod redis;
mod rejections;
#[cfg(feature = "http")]
pub mod responses;
mod rule;
#[cfg(feature = "sqlite")]
mod sqlite;
mod stats;
mod terms;
mod window;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

#[cfg(feature = "tower")]
pub use self::layer::{Identity, LimitLayer, Limited};
#[cfg(feature = "redis")]
pub use self::redis::RedisLimiter;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteLimiter;
pub use self::{
    decide::{Decision, Receipt, Settlement, Standing, decide, settled},
    demand::{Asker, Costs, Demand, demands, micros, network},
    policy::{InvalidPolicy, MAX_PARTS, Policy},
    rejections::RejectionCache,
    rule::{Counter, Rule},
    stats::{HourlyStats, Stats},
    terms::{Algorithm, InvalidAmount, OnError, Scope, Unit, UnknownUnit},
    window::{InvalidWindow, Window},
};

/// The store failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Error(#[from] atelier_store::Error);

impl Error {
    /// Whether the store is unreachable rather than broken, so that a retry may help.
    pub const fn is_away(&self) -> bool {
        self.0.is_away()
    }

    /// Whether the store has no memory left.
    pub const fn is_out_of_memory(&self) -> bool {
        self.0.is_out_of_memory()
    }
}

/// A store of counters. Instants are passed in; all processes that share a store
/// should take them from its [clock](atelier_store::clock::Clock).
#[async_trait]
pub trait Limiter: Send + Sync + 'static {
    /// Charges all demands, or none if one of them does not fit.
    ///
    /// # Errors
    /// If the store fails. It is unknown then whether anything was charged.
    async fn charge(&self, demands: Vec<Demand>, now: Timestamp) -> Result<Decision, Error>;
    /// Settles what was charged, once: while the windows last, another settlement of the
    /// same `id` changes nothing.
    ///
    /// # Errors
    /// If the store fails. The call can be repeated.
    async fn settle(
        &self,
        id: &str,
        settlements: Vec<Settlement>,
        now: Timestamp,
    ) -> Result<(), Error>;
    /// Adds to the statistics, and deletes those older than `keep`.
    ///
    /// # Errors
    /// If the store fails.
    async fn record(
        &self,
        stats: Vec<HourlyStats>,
        now: Timestamp,
        keep: Duration,
    ) -> Result<(), Error>;
    /// Returns the statistics since the hour of an instant, oldest first.
    ///
    /// # Errors
    /// If the store fails.
    async fn stats(&self, since: Timestamp, now: Timestamp) -> Result<Vec<HourlyStats>, Error>;
    /// Deletes expired counters, if the store does not do so itself.
    ///
    /// # Errors
    /// If the store fails.
    async fn sweep(&self, now: Timestamp) -> Result<(), Error>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use atelier_store as store;

    #[test]
    fn a_store_that_is_away_is_not_one_that_is_broken() {
        assert!(Error::from(store::Error::silent(Duration::from_secs(1))).is_away());
        let broken = Error::from(store::Error::Closed);
        assert!(!broken.is_away() && !broken.is_out_of_memory());
        #[cfg(feature = "redis")]
        {
            let text = "OOM command not allowed when used memory > 'maxmemory'.";
            let kind = ::redis::ErrorKind::Extension;
            let full = ::redis::RedisError::from((kind, "OOM", text.to_owned()));
            let full = Error::from(store::Error::from(full));
            assert!(!full.is_away() && full.is_out_of_memory());
        }
    }
}
