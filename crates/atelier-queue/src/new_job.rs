//! A job to be added to the queue.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{GateRef, Payload, Priority};

/// A job to be added.
#[derive(Debug, Clone)]
pub struct NewJob<P: Payload> {
    /// Chosen by the caller. Adding is idempotent by id.
    pub id: String,
    /// Who may list, cancel and delete it.
    pub owner: String,
    /// What is to be done.
    pub request: P,
    /// Its priority in the lane.
    pub priority: Priority,
    /// Not to be started earlier.
    pub not_before: Option<Timestamp>,
    /// What the limits charged for it, kept for refunds; opaque here.
    pub charge: serde_json::Value,
    /// URLs to be called when it has ended; opaque here.
    pub hooks: Hooks,
    /// Joins a job with this digest: its call if that is in flight, or its answer if it
    /// succeeded less than `window` ago.
    pub join: Option<Join>,
    /// Finishes it at once with this answer from a cache; [`Error::NoAnswer`](crate::Error::NoAnswer) if
    /// nothing refers to its blobs any more.
    pub answer: Option<P::Outcome>,
    /// Adds it only if it is finished at once, as its charge covers no call and no share of
    /// one. Otherwise [`Error::NoAnswer`](crate::Error::NoAnswer).
    pub answered_only: bool,
    /// What it passes before each call, at most three: those held to the end first, then by
    /// name, so that no two jobs wait for each other.
    pub gates: Vec<GateRef>,
    /// A job whose end is still in the outbox: this one takes slots as well in the gates that
    /// the other holds [to the end](crate::Hold::End), whatever their limits.
    pub inherits: Option<String>,
}

impl<P: Payload> NewJob<P> {
    /// A job that is begun as soon as it is its turn, for which nothing was charged
    /// and of whose end nobody is told. The fields change that:
    ///
    /// ```
    /// # use atelier_queue::{Ending, NewJob, Payload, Priority};
    /// # #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
    /// # struct Letter;
    /// # impl Payload for Letter {
    /// #     type Outcome = Ending<()>;
    /// #     fn lane(&self) -> &str { "letters" }
    /// # }
    /// let job = NewJob {
    ///     priority: Priority::High,
    ///     ..NewJob::new("1", "alice", Letter)
    /// };
    /// ```
    pub fn new(id: impl Into<String>, owner: impl Into<String>, request: P) -> Self {
        Self {
            id: id.into(),
            owner: owner.into(),
            request,
            priority: Priority::Normal,
            not_before: None,
            charge: serde_json::Value::Null,
            hooks: Hooks::default(),
            join: None,
            answer: None,
            answered_only: false,
            gates: Vec::new(),
            inherits: None,
        }
    }
}

/// Which jobs may be joined.
#[derive(Debug, Clone)]
pub struct Join {
    /// The digest of everything that determines the answer.
    pub digest: String,
    /// How long after its success a job may be joined.
    pub window: Duration,
}

/// URLs to be called when a job has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hooks {
    /// For successes, and for failures.
    pub callback_url: Option<String>,
    /// For failures; without it, `callback_url` receives them too.
    pub failure_callback_url: Option<String>,
}

/// When a job with this earliest start is due, in Unix milliseconds; 0 if that has
/// passed.
pub(crate) fn due(not_before: Timestamp, now: i64) -> i64 {
    Some(not_before.as_millisecond())
        .filter(|due| *due > now)
        .unwrap_or(0)
}
