//! Vectors, kept and searched.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{super::Error, index::Candidate, record::Scope};

/// The vectors that all processes of a store share, each by the job that made
/// the picture, and so many at most: the longest unused goes first.
#[async_trait]
pub trait Vectors: Send + Sync + 'static {
    /// Stores or replaces the job's vector, to be found until `until`.
    async fn put(
        &self,
        job: &str,
        scope: Scope,
        vector: &[f32],
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), Error>;
    /// Forgets the job's vector.
    async fn remove(&self, job: &str, now: Timestamp) -> Result<(), Error>;
    /// Forgets every vector; how many there were.
    async fn clear(&self, now: Timestamp) -> Result<u64, Error>;
    /// The nearest vectors of a scope, at most `most`, none whose cosine
    /// similarity is below `threshold`, the nearest first.
    async fn nearest(
        &self,
        scope: Scope,
        vector: &[f32],
        threshold: f32,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, Error>;
    /// Whether the job may still be found; a candidate may have been removed a
    /// moment ago.
    async fn holds(&self, job: &str) -> Result<bool, Error>;
    /// The job's vector was of use.
    async fn touch(&self, job: &str, now: Timestamp) -> Result<(), Error>;
    /// How many there are; some may have expired.
    async fn count(&self) -> Result<u64, Error>;
    /// Takes in what other processes have changed, where that needs doing.
    async fn renew(&self) -> Result<(), Error>;
    /// Forgets what has expired.
    async fn sweep(&self, now: Timestamp) -> Result<(), Error>;
}
