//! Storing and searching vectors.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{super::Error, index::Candidate, record::Scope};

/// The vectors that all processes of a store share, each under an id, which is a UUID without hyphens.
/// Their number is limited; the least recently used are evicted. All methods fail if the
/// store fails.
#[async_trait]
pub trait Vectors: Send + Sync + 'static {
    /// Stores or replaces the vector of an id until `until`.
    async fn put(
        &self,
        id: &str,
        scope: Scope,
        vector: &[f32],
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), Error>;
    /// Removes the vector of an id.
    async fn remove(&self, id: &str, now: Timestamp) -> Result<(), Error>;
    /// Removes all vectors. Returns how many there were.
    async fn clear(&self, now: Timestamp) -> Result<u64, Error>;
    /// Returns the nearest vectors of a scope, at most `most`, none whose cosine
    /// similarity is below `threshold`, nearest first.
    async fn nearest(
        &self,
        scope: Scope,
        vector: &[f32],
        threshold: f32,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, Error>;
    /// Returns whether the id is still present: a candidate may have been removed
    /// meanwhile.
    async fn holds(&self, id: &str) -> Result<bool, Error>;
    /// Records a use of the vector.
    async fn touch(&self, id: &str, now: Timestamp) -> Result<(), Error>;
    /// Returns the number of vectors; some may have expired.
    async fn count(&self) -> Result<u64, Error>;
    /// Applies changes by other processes, if necessary.
    async fn renew(&self) -> Result<(), Error>;
    /// Removes expired vectors.
    async fn sweep(&self, now: Timestamp) -> Result<(), Error>;
}
