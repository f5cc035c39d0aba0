//! What is kept besides the messages themselves: URL groups, schedules, generations of
//! signing keys, ids for deduplication, and events.

#[cfg(test)]
pub(crate) mod damage;
mod event;
mod group;
mod recorder;
mod schedule;

use std::time::Duration;

use async_trait::async_trait;
use atelier_store as store;
use jiff::Timestamp;

#[cfg(any(feature = "sqlite", feature = "redis"))]
pub(crate) use self::{
    event::AFTER_ALL,
    schedule::{Content, MOST_FIRED, PUT_OFF},
};
pub use self::{
    event::{Entry, Event, EventId, EventStore, State},
    group::{Endpoint, EndpointKey, Group, GroupStore, MostGroups},
    recorder::Events,
    schedule::{Due, Fired, NewSchedule, Schedule, ScheduleStore},
};

/// The store failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(#[from] store::Error);

impl StoreError {
    /// Whether the store is unreachable rather than broken, so that a retry may help.
    pub const fn is_away(&self) -> bool {
        self.0.is_away()
    }
}

pub(crate) type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Where all of this is kept for all processes. Nothing of one owner is seen by another,
/// and names may have any characters. Every method is atomic and durable when it returns,
/// and fails if the store fails. Instants are kept in milliseconds.
#[async_trait]
pub trait MessageStore: GroupStore + ScheduleStore + EventStore {
    /// The generation of the owner's signing keys, 0 at first.
    async fn generation(&self, owner: &str) -> Result<u64>;

    /// Begins the next generation, and returns it.
    async fn rotate(&self, owner: &str) -> Result<u64>;

    /// Notes `id` as the message for a key, for so long, unless there is one. Returns the id
    /// that is noted: this or the earlier one.
    async fn deduplicate(
        &self,
        owner: &str,
        key: &str,
        id: &str,
        window: Duration,
        now: Timestamp,
    ) -> Result<String>;

    /// Removes the note if it names this message.
    async fn forget_duplicate(&self, owner: &str, key: &str, id: &str) -> Result<()>;

    /// Deletes events from before `since`, and what else has expired.
    async fn sweep(&self, now: Timestamp, since: Timestamp) -> Result<()>;
}

/// The name under which an owner's key is noted, of the same length for all.
#[cfg(any(feature = "sqlite", feature = "redis"))]
pub(crate) fn digest(owner: &str, key: &str) -> String {
    use sha2::{Digest as _, Sha256};
    // With the length no two pairs are the same text.
    format!(
        "{:x}",
        Sha256::digest(format!("{}:{owner}{key}", owner.len()))
    )
}
