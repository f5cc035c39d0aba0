//! The log of vectors in a store, from which the indexes of its processes are built.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{super::Error, record::Record};

/// A vector that was added or removed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its number in the sequence.
    pub number: u64,
    /// The vector's id.
    pub id: String,
    /// `None` if it was removed.
    pub record: Option<Record>,
}

/// The changes since a number.
#[derive(Debug, Clone, PartialEq)]
pub enum Changes {
    /// These changes, in order.
    Since(Vec<Change>),
    /// The store knows of fewer changes than that: it has lost some, or all.
    Restarted,
}

/// The vectors in the store, each under an id. Every change has a number; of several
/// changes to one id only the last is kept. All methods fail if the store fails.
#[async_trait]
pub trait VectorLog: Send + Sync + 'static {
    /// Stores, replaces or, without a record, removes the vector of an id. The vector, or
    /// the note that it was removed, is kept until `until`.
    async fn put(&self, id: &str, record: Option<&Record>, until: Timestamp) -> Result<(), Error>;
    /// Returns at most `limit` changes after the one with that number, in order.
    async fn changes(&self, after: u64, limit: usize) -> Result<Changes, Error>;
    /// Returns whether the id has a vector; an index may be slightly out of date.
    async fn holds(&self, id: &str) -> Result<bool, Error>;
    /// Removes what has expired.
    async fn sweep(&self, now: Timestamp) -> Result<(), Error>;
}
