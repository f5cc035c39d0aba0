#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod guard;
#[cfg(feature = "redis")]
mod redis;
mod savings;
pub mod semantic;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

#[cfg(feature = "redis")]
pub use self::redis::RedisCache;
pub use self::savings::{Saved, Saving, Savings};
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteCache;

/// The store failed.
#[derive(Debug, thiserror::Error)]
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

/// Returns the digest of what decides an answer, such as a model's name and a question:
/// other parts have another digest.
///
/// ```
/// use atelier_cache::digest;
///
/// assert_ne!(digest(&["model-1", "question"]), digest(&["model-1q", "uestion"]));
/// ```
pub fn digest(parts: &[&str]) -> String {
    let sum = parts.iter().fold(Sha256::new(), |sum, part| {
        let length = part.len() as u64;
        sum.chain_update(length.to_be_bytes()).chain_update(part)
    });
    format!("{:x}", sum.finalize())
}

/// An entry's use is recorded only if the last recorded use is older than this.
const WORTH_NOTING: Duration = Duration::from_secs(3600);

/// A cached answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The stored value: a text, or a reference to where it is.
    pub value: String,
    /// When.
    pub stored_at: Timestamp,
}

/// A map from request digests to answers, each for a limited time. It holds a limited
/// number of them, and evicts the least recently used.
#[async_trait]
pub trait Cache: Send + Sync + 'static {
    /// Returns the entry, unless it has expired.
    ///
    /// # Errors
    /// If the store fails; this applies to all methods.
    async fn get(&self, digest: &str, now: Timestamp) -> Result<Option<Entry>, Error>;
    /// Stores or replaces the entry for `ttl` from `now`.
    async fn put(
        &self,
        digest: &str,
        value: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<(), Error>;
    /// Removes the entry if it still has this value.
    async fn remove(&self, digest: &str, value: &str) -> Result<(), Error>;
    /// Returns the number of entries; some may have expired.
    async fn count(&self) -> Result<u64, Error>;
    /// Removes all entries. Returns how many there were.
    async fn clear(&self) -> Result<u64, Error>;
    /// Removes expired entries, and savings before `since`.
    async fn sweep(&self, now: Timestamp, since: Timestamp) -> Result<(), Error>;
    /// Adds to the savings.
    async fn record(&self, savings: &[Saving]) -> Result<(), Error>;
    /// Returns the savings since an instant, per hour and kind, oldest first.
    async fn savings(&self, since: Timestamp) -> Result<Vec<Saving>, Error>;
}
