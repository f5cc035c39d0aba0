//! Vectors as a store keeps them for the indexes of its processes.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{super::Error, record::Record};

/// A vector that came, or one that went.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub number: u64,
    pub job: String,
    pub record: Option<Record>,
}

/// What happened since.
#[derive(Debug, Clone, PartialEq)]
pub enum Changes {
    Since(Vec<Change>),
    /// The store knows of fewer changes than that: it has lost some, or all.
    Restarted,
}

/// The vectors in the store, each by the job that made the picture. Every change
/// has a number; of several changes to one job only the last is kept.
#[async_trait]
pub trait Meanings: Send + Sync + 'static {
    /// Stores, replaces or, without a record, removes the job's vector. What is
    /// stored is kept until `until`, that it was removed as well.
    async fn put(&self, job: &str, record: Option<&Record>, until: Timestamp) -> Result<(), Error>;
    /// At most `limit` changes after the one of that number, in their order.
    async fn changes(&self, after: u64, limit: usize) -> Result<Changes, Error>;
    /// Whether the job has a vector; what an index says may be a moment old.
    async fn holds(&self, job: &str) -> Result<bool, Error>;
    /// Forgets what is kept no longer.
    async fn sweep(&self, now: Timestamp) -> Result<(), Error>;
}
