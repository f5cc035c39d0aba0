//! Vectors, kept and searched.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{super::Error, index::Candidate, record::Scope};

/// The vectors that all processes of a store share, each under an id, which is a UUID without hyphens.
/// Their number is limited: the one that was not used for longest goes first. All methods
/// fail if the store cannot be asked.
#[async_trait]
pub trait Vectors: Send + Sync + 'static {
    /// Stores or replaces the vector of an id, to be found until `until`.
    async fn put(
        &self,
        id: &str,
        scope: Scope,
        vector: &[f32],
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), Error>;
    /// Forgets the vector of an id.
    async fn remove(&self, id: &str, now: Timestamp) -> Result<(), Error>;
    /// Forgets every vector, and returns how many there were.
    async fn clear(&self, now: Timestamp) -> Result<u64, Error>;
    /// Returns the nearest vectors of a scope, at most `most`, none whose cosine
    /// similarity is below `threshold`, the nearest first.
    async fn nearest(
        &self,
        scope: Scope,
        vector: &[f32],
        threshold: f32,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, Error>;
    /// Returns whether the id may still be found; a candidate may have been removed a
    /// moment ago.
    async fn holds(&self, id: &str) -> Result<bool, Error>;
    /// Notes that the vector was of use.
    async fn touch(&self, id: &str, now: Timestamp) -> Result<(), Error>;
    /// Returns how many there are; some may have expired.
    async fn count(&self) -> Result<u64, Error>;
    /// Takes in what other processes have changed, where that needs doing.
    async fn renew(&self) -> Result<(), Error>;
    /// Forgets what has expired.
    async fn sweep(&self, now: Timestamp) -> Result<(), Error>;
}
