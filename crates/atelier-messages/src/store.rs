//! What is kept besides the messages themselves: URL groups, schedules, generations of
//! signing keys, ids for deduplication, and events.

use std::time::Duration;

use async_trait::async_trait;
use atelier_store as store;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Message;

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

type Result<T> = std::result::Result<T, StoreError>;

/// URLs that a message can be published to together.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name, unique for its owner.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Header fields that each message to it gets, unless it has them.
    pub headers: Vec<(String, String)>,
    /// In the order in which they were added.
    pub endpoints: Vec<Endpoint>,
}

/// One URL of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// A name, unique in the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The URL, unique in the group.
    pub url: String,
}

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
    /// As it was given. `next` is when it is due next.
    pub given: NewSchedule,
    /// Differs for every change, also when it is deleted and made again.
    pub revision: u64,
    /// When it was made.
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

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// It was published.
    Created,
    /// A call was begun.
    Active,
    /// A call failed; there will be another.
    Retry,
    /// A call failed.
    Error,
    /// It was delivered.
    Delivered,
    /// The last call failed.
    Failed,
    /// It was cancelled during a call.
    CancelRequested,
    /// It was cancelled.
    Canceled,
}

/// An event in the life of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, in Unix milliseconds.
    pub time: i64,
    /// The message's id.
    pub message: String,
    /// What became of it.
    pub state: State,
    /// The message, redacted, without headers: enough for filters and for what is shown.
    pub about: Box<Message>,
    /// When it is called next, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
    /// The status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The header fields of the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The beginning of the answer's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Why a call failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The place of an event among its owner's: later ones are larger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventId(pub String);

/// Where these things are kept for all processes. Nothing of one owner is seen by another.
/// Every method is atomic and durable when it returns, and fails if the store fails.
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// The owner's group of that name.
    async fn group(&self, owner: &str, name: &str) -> Result<Option<Group>>;
    /// All of the owner's groups, by name.
    async fn groups(&self, owner: &str) -> Result<Vec<Group>>;
    /// Adds endpoints, and makes the group if there is none. One with the URL or the name of
    /// another replaces that. `None` if there would be more than `most`.
    async fn add_endpoints(
        &self,
        owner: &str,
        name: &str,
        endpoints: &[Endpoint],
        most: usize,
        now: Timestamp,
    ) -> Result<Option<Group>>;
    /// Removes endpoints by URL or name; the group goes with its last one. Returns whether
    /// there was such a group.
    async fn remove_endpoints(
        &self,
        owner: &str,
        name: &str,
        which: &[EndpointKey],
        now: Timestamp,
    ) -> Result<bool>;
    /// Sets the header fields of a group. Returns whether there is one.
    async fn set_group_headers(
        &self,
        owner: &str,
        name: &str,
        headers: &[(String, String)],
        now: Timestamp,
    ) -> Result<bool>;
    /// Deletes a group. Returns whether there was one.
    async fn remove_group(&self, owner: &str, name: &str) -> Result<bool>;

    /// Keeps a schedule. `None` if its owner would have more than `most`.
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
    /// Pauses or resumes a schedule, which is due at `next` then. Returns whether there is one.
    async fn pause_schedule(
        &self,
        owner: &str,
        id: &str,
        paused: bool,
        next: Option<Timestamp>,
    ) -> Result<bool>;
    /// Deletes a schedule. Returns whether there was one.
    async fn remove_schedule(&self, owner: &str, id: &str) -> Result<bool>;
    /// At most `limit` schedules that are due, of all owners, the earliest first.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>>;
    /// When the next schedule is due.
    async fn next_due(&self) -> Result<Option<Timestamp>>;
    /// Notes what a due schedule published, and when it is due next. Returns whether it was
    /// still due at that time in that revision: otherwise nothing is changed.
    async fn advance(&self, due: &Due, fired: &Fired, next: Option<Timestamp>) -> Result<bool>;

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

    /// Adds events of owners. Each keeps the last `most`.
    async fn append(&self, events: &[(String, Event)], most: usize) -> Result<()>;
    /// At most `limit` of the owner's events, newest first, before that one.
    async fn events(
        &self,
        owner: &str,
        before: Option<&EventId>,
        limit: usize,
    ) -> Result<Vec<(EventId, Event)>>;

    /// Deletes events from before `since`, and what else has expired.
    async fn sweep(&self, now: Timestamp, since: Timestamp) -> Result<()>;
}

/// How an endpoint is named that is to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointKey {
    /// By its URL.
    Url(String),
    /// By its name.
    Name(String),
}
