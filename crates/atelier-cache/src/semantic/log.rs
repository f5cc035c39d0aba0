//! Vectors as a store keeps them for the indexes of its processes.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{super::Error, record::Record};

/// A vector that came, or one that went.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its place in the sequence.
    pub number: u64,
    /// Whose vector it is.
    pub id: String,
    /// Unset: it was removed.
    pub record: Option<Record>,
}

/// What happened since.
#[derive(Debug, Clone, PartialEq)]
pub enum Changes {
    /// These, in their order.
    Since(Vec<Change>),
    /// The store knows of fewer changes than that: it has lost some, or all.
    Restarted,
}

/// The vectors in the store, each under an id. Every change has a number; of several
/// changes to one id only the last is kept. All methods fail if the store cannot be asked.
#[async_trait]
pub trait VectorLog: Send + Sync + 'static {
    /// Stores, replaces or, without a record, removes the vector of an id. The vector, or
    /// the note that it was removed, is kept until `until`.
    async fn put(&self, id: &str, record: Option<&Record>, until: Timestamp) -> Result<(), Error>;
    /// Returns at most `limit` changes after the one of that number, in their order.
    async fn changes(&self, after: u64, limit: usize) -> Result<Changes, Error>;
    /// Returns whether the id has a vector; what an index says may be a moment old.
    async fn holds(&self, id: &str) -> Result<bool, Error>;
    /// Forgets what has expired.
    async fn sweep(&self, now: Timestamp) -> Result<(), Error>;
}
