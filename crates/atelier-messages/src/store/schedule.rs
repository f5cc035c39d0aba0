//! Schedules.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Result;
use crate::Message;

/// A schedule to be kept: it replaces everything of an earlier one with its id.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSchedule {
    /// Unique for its owner.
    pub id: String,
    /// When messages are published, as it was given.
    pub cron: String,
    /// The URL, the group or the API that they are published to, as it was given.
    pub destination: String,
    /// What is published.
    pub message: Message,
    /// The delay of each message, in milliseconds.
    pub delay: u64,
    /// Its body, as JSON that only its maker reads.
    pub body: serde_json::Value,
    /// When it is due first; `None` for never.
    pub next: Option<Timestamp>,
}

/// A schedule as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Whose it is.
    pub owner: String,
    /// As it was given. `next` is when it is due next, or would be if it were not paused.
    pub given: NewSchedule,
    /// Given out once: another whenever a schedule is put, also when it was deleted before.
    pub revision: u64,
    /// When it was put.
    pub created_at: Timestamp,
    /// Whether it publishes nothing for now.
    pub paused: bool,
    /// What it published last, the newest first; at most ten.
    pub fired: Vec<Fired>,
}

/// A message that a schedule published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// The message's id; `None` if nothing could be published.
    pub message: Option<String>,
    /// When it was due.
    pub at: Timestamp,
    /// Why nothing was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A schedule that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// The schedule.
    pub schedule: Schedule,
    /// When it was due: the same for all processes that find it.
    pub at: Timestamp,
}

/// The part of a [`MessageStore`](super::MessageStore) that keeps schedules.
///
/// A schedule is due at one instant, its slot. Any number of processes find it by
/// [`due`](Self::due) and publish a message whose id is derived from revision and slot, so
/// that it is one message; the first that [`advance`](Self::advance)s it sets the next
/// slot, counted from its own time: however many slots have passed while nobody looked, it
/// has published once.
#[async_trait]
pub trait ScheduleStore: Send + Sync {
    /// Keeps a schedule. An earlier one with its id is gone, also if that was paused.
    /// `None` if its owner would have more than `most`.
    async fn put_schedule(
        &self,
        owner: &str,
        schedule: &NewSchedule,
        most: usize,
        now: Timestamp,
    ) -> Result<Option<Schedule>>;

    /// The owner's schedule with that id.
    async fn schedule(&self, owner: &str, id: &str) -> Result<Option<Schedule>>;

    /// All of the owner's schedules, the newest first.
    async fn schedules(&self, owner: &str) -> Result<Vec<Schedule>>;

    /// Pauses a schedule, or resumes it if it is paused, which is due at `next` then.
    /// Returns whether there is one.
    async fn pause_schedule(
        &self,
        owner: &str,
        id: &str,
        paused: bool,
        next: Option<Timestamp>,
    ) -> Result<bool>;

    /// Deletes a schedule. Returns whether there was one.
    async fn remove_schedule(&self, owner: &str, id: &str) -> Result<bool>;

    /// At most `limit` schedules that are due, of all owners, the earliest first. One that
    /// cannot be read is put off for an hour: it would be the first for ever.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>>;

    /// When the next schedule is due.
    async fn next_due(&self) -> Result<Option<Timestamp>>;

    /// Notes what a due schedule published, and when it is due next. Returns whether it was
    /// still due at that time in that revision: otherwise nothing is changed.
    async fn advance(&self, due: &Due, fired: &Fired, next: Option<Timestamp>) -> Result<bool>;
}

#[cfg(any(feature = "sqlite", feature = "redis"))]
pub(crate) use self::content::{Content, MOST_FIRED, PUT_OFF};

#[cfg(any(feature = "sqlite", feature = "redis"))]
mod content {
    use std::borrow::Cow;

    use super::{Deserialize, Message, NewSchedule, Serialize, Timestamp};

    /// How long a schedule is put off that cannot be read, in milliseconds.
    pub(crate) const PUT_OFF: i64 = atelier_store::HOUR;

    /// Maximum of [`Schedule::fired`](super::Schedule::fired).
    pub(crate) const MOST_FIRED: usize = 10;

    /// What of a schedule never changes, as it is stored.
    #[derive(Serialize, Deserialize)]
    pub(crate) struct Content<'a> {
        cron: Cow<'a, str>,
        destination: Cow<'a, str>,
        message: Cow<'a, Message>,
        #[serde(default)]
        delay: u64,
        #[serde(default)]
        body: Cow<'a, serde_json::Value>,
    }

    impl<'a> From<&'a NewSchedule> for Content<'a> {
        fn from(given: &'a NewSchedule) -> Self {
            Self {
                cron: Cow::Borrowed(&given.cron),
                destination: Cow::Borrowed(&given.destination),
                message: Cow::Borrowed(&given.message),
                delay: given.delay,
                body: Cow::Borrowed(&given.body),
            }
        }
    }

    impl Content<'_> {
        pub(crate) fn into_given(self, id: String, next: Option<Timestamp>) -> NewSchedule {
            NewSchedule {
                id,
                cron: self.cron.into_owned(),
                destination: self.destination.into_owned(),
                message: self.message.into_owned(),
                delay: self.delay,
                body: self.body.into_owned(),
                next,
            }
        }
    }
}
