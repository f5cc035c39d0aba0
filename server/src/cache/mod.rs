//! The exact cache: the digest of a canonical request leads to the job that
//! answered it. Only successes are ever stored.

mod redis;
mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

pub use self::{redis::RedisCache, sqlite::SqliteCache};

/// The store cannot be asked.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] crate::store::Error);

impl Error {
    /// The store is away, not broken: to try again later may help.
    pub const fn is_away(&self) -> bool {
        self.0.is_away()
    }
}

/// Where an answer is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The job that was answered by the provider.
    pub job: String,
    pub stored_at: Timestamp,
}

/// A map from request digests to answers, each for a limited time.
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
    /// Forgets the entry.
    async fn remove(&self, digest: &str) -> Result<(), Error>;
    /// Forgets what has expired, where the store does not do so by itself.
    async fn sweep(&self, now: Timestamp) -> Result<(), Error>;
}
