//! Events.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Result;
use crate::Message;

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

/// The place of an event among its owner's: later ones are larger. It begins with the time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventId(pub String);

/// Larger than every id: a digit is never in this place.
#[cfg(any(feature = "sqlite", feature = "redis"))]
pub(crate) const AFTER_ALL: &str = ":";

impl EventId {
    /// The id of the event that a writer noted as its `number`th. An id comes again only if
    /// a writer does.
    ///
    /// Of one millisecond, what created a message comes first: whoever publishes notes that
    /// when the message is in the queue already, and a worker may have begun with it.
    pub fn new(event: &Event, number: u64, writer: &str) -> Self {
        let later = u8::from(event.state != State::Created);
        Self(format!(
            "{}-{later}{number:012}-{writer}",
            Self::prefix(event.time)
        ))
    }

    /// Sorts before the ids of all events from then on, and after all earlier ones.
    pub fn from(since: Timestamp) -> Self {
        Self(Self::prefix(since.as_millisecond()))
    }

    /// Of the same length for all, so that texts sort as numbers.
    fn prefix(time: i64) -> String {
        format!("{:015}", time.clamp(0, 999_999_999_999_999))
    }
}

/// An event with its owner and place.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Whose it is.
    pub owner: String,
    /// Its place among the owner's.
    pub id: EventId,
    /// The event.
    pub event: Event,
}

/// The part of a [`MessageStore`](super::MessageStore) that keeps events.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Adds events. Each owner keeps the last `most`. To add one again changes nothing.
    async fn append(&self, entries: &[Entry], most: usize) -> Result<()>;

    /// At most `limit` of the owner's events, newest first, before that one.
    async fn events(
        &self,
        owner: &str,
        before: Option<&EventId>,
        limit: usize,
    ) -> Result<Vec<(EventId, Event)>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(time: i64, state: State, number: u64) -> EventId {
        let event = Event {
            time,
            message: "m".into(),
            state,
            about: Box::default(),
            next: None,
            status: None,
            headers: Vec::new(),
            body: None,
            error: None,
        };
        EventId::new(&event, number, "0000abcd")
    }

    #[test]
    fn ids_sort_by_time_then_creation_then_number() {
        use State::{Active, Created};
        let ids = [
            id(i64::MIN, Active, 99),
            id(9, Active, 10),
            id(1_000, Created, 10_000_000_000),
            id(1_000, Active, 9),
            id(1_000, Active, 10),
            id(1_000, Active, 1_000_000_000),
            id(1_001, Created, 0),
            id(i64::MAX, Active, 0),
        ];
        assert!(ids.is_sorted());
        let since = EventId::from(Timestamp::from_millisecond(1_000).unwrap());
        assert!(ids[1] < since && since < ids[2]);
        assert!(ids.last() < Some(&EventId(AFTER_ALL.into())));
    }
}
