//! What is added to the queue.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Payload, Priority};

/// A job to be added.
#[derive(Debug, Clone)]
pub struct NewJob<P: Payload> {
    /// Chosen by the caller. Adding the same id twice adds it once.
    pub id: String,
    /// Who may list, cancel and delete it.
    pub owner: String,
    /// What is to be done.
    pub request: P,
    /// Which jobs of the lane go first.
    pub priority: Priority,
    /// Not to be begun earlier.
    pub not_before: Option<Timestamp>,
    /// What the limits took for it, kept to be given back; opaque here.
    pub charge: serde_json::Value,
    /// Whom to tell about the end; opaque here.
    pub hooks: Hooks,
    /// Share the call of a job with this digest that is in flight, or its
    /// answer if it succeeded less than `window` ago.
    pub join: Option<Join>,
    /// Finished at once with this answer, found in a cache; [`Error::NoAnswer`](crate::Error::NoAnswer) if
    /// nothing refers to its blobs any more.
    pub answer: Option<P::Outcome>,
    /// Only added if it is finished at once: what was charged pays for no call,
    /// and for no share of one. Else [`Error::NoAnswer`](crate::Error::NoAnswer).
    pub answered_only: bool,
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
        }
    }
}

/// Which jobs may be joined.
#[derive(Debug, Clone)]
pub struct Join {
    /// Of everything that decides what the answer is.
    pub digest: String,
    /// How long after it succeeded.
    pub window: Duration,
}

/// Addresses that a client wants called when its job has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hooks {
    /// For successes, and for failures.
    pub callback_url: Option<String>,
    /// For failures; without it `callback_url` hears of them too.
    pub failure_callback_url: Option<String>,
}

/// When a job is due that must not be begun before an instant, in Unix
/// milliseconds; 0 if that has passed.
pub(crate) fn due(not_before: Timestamp, now: i64) -> i64 {
    Some(not_before.as_millisecond())
        .filter(|due| *due > now)
        .unwrap_or(0)
}
