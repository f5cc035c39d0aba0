//! The caches: what was made once is not paid for twice.
//!
//! The *exact* cache leads from the digest of a canonical request to the job
//! that answered it. The *semantic* one finds earlier requests that may have
//! meant the same ([`semantic`]), and a [`guard`] decides whether they did. Both
//! hold successes only, and both name jobs: whoever finds one looks whether the
//! job, and so its picture, is still there.

pub mod guard;
pub mod semantic;
mod savings;
mod redis;
mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

pub use self::{
    redis::RedisCache,
    savings::{Saved, Saving, Savings},
    sqlite::SqliteCache,
};

/// The store cannot be asked.
#[derive(Debug, thiserror::Error)]
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

/// An entry's use is noted when the last noted one is older than this.
const WORTH_NOTING: Duration = Duration::from_secs(3600);

/// Where an answer is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The job that was answered by the provider.
    pub job: String,
    pub stored_at: Timestamp,
}

/// A map from request digests to answers, each for a limited time, and so many
/// at most: the entry that was of no use for longest goes first.
#[async_trait]
pub trait Cache: Send + Sync + 'static {
    /// The entry, unless it has expired.
    async fn get(&self, digest: &str, now: Timestamp) -> Result<Option<Entry>, Error>;
    /// Stores or replaces the entry for `ttl` from `now`.
    async fn put(
        &self,
        digest: &str,
        job: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<(), Error>;
    /// Forgets the entry if it still leads to the job.
    async fn remove(&self, digest: &str, job: &str) -> Result<(), Error>;
    /// How many entries there are; some may have expired.
    async fn count(&self) -> Result<u64, Error>;
    /// Forgets every entry; how many there were.
    async fn clear(&self) -> Result<u64, Error>;
    /// Forgets what has expired, and what was saved before `since`.
    async fn sweep(&self, now: Timestamp, since: Timestamp) -> Result<(), Error>;
    /// Adds to what was saved.
    async fn record(&self, savings: &[Saving]) -> Result<(), Error>;
    /// What was saved since, per hour and kind, the oldest first.
    async fn savings(&self, since: Timestamp) -> Result<Vec<Saving>, Error>;
}
