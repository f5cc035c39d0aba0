//! The durable queue: one record per job, which is the queue entry, what the
//! client polls, and the row of the gallery.
//!
//! ```mermaid
//! stateDiagram-v2
//!     [*] --> queued: enqueue
//!     [*] --> succeeded: enqueue, answered from a cache
//!     queued --> running: claim
//!     running --> running: claim, after the lease ran out
//!     running --> queued: retry, not before T
//!     running --> queued: release, handed back at shutdown
//!     running --> delivering: record the outcome
//!     delivering --> delivering: postpone, the delivery failed
//!     delivering --> succeeded: complete
//!     delivering --> failed: complete
//!     queued --> cancelled: cancel
//!     running --> cancelled: cancel
//! ```
//!
//! **Leases and tokens.** A claim lasts until its lease runs out, unless
//! heartbeats extend it; then anyone may claim the job again. Every claim of a
//! call raises the job's fencing token, and whoever acts under an older one is
//! refused with [`Error::Stale`].
//!
//! **Single flight.** A job whose request is in flight already becomes a
//! *follower*: it has an id, an owner and a version of its own, but shares the
//! call and the fate of its *leader*. A leader that its owner cancels is
//! carried on for its followers.

mod bell;
mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use atelier_app::wire::{Cache, Failure, Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::{
    bell::{Bell, Ring},
    sqlite::SqliteQueue,
};
use crate::job::{Outcome, Request};

/// Why the queue did not do as it was told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The job has been claimed again, cancelled, finished or deleted since.
    #[error("the job is no longer held under this token")]
    Stale,
    #[error("there is no such job")]
    NotFound,
    #[error(transparent)]
    Illegal(#[from] Illegal),
    #[error(transparent)]
    Store(#[from] crate::sqlite::Error),
}

type Result<T> = std::result::Result<T, Error>;

/// What can happen to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Claim,
    Retry,
    Release,
    Record,
    Postpone,
    Complete { succeeded: bool },
    Cancel,
}

/// The event cannot happen to a job in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen to a job that is {}", status.as_str())]
pub struct Illegal {
    pub status: Status,
    pub event: Event,
}

/// The state machine drawn above; both stores follow it.
pub const fn transition(status: Status, event: Event) -> std::result::Result<Status, Illegal> {
    use Event as E;
    use Status as S;
    match (status, event) {
        (S::Queued | S::Running, E::Claim) => Ok(S::Running),
        (S::Running, E::Retry | E::Release) => Ok(S::Queued),
        (S::Running, E::Record) => Ok(S::Delivering),
        (S::Delivering, E::Claim | E::Postpone) => Ok(S::Delivering),
        (S::Delivering, E::Complete { succeeded: true }) => Ok(S::Succeeded),
        (S::Delivering, E::Complete { succeeded: false }) => Ok(S::Failed),
        (S::Queued | S::Running, E::Cancel) => Ok(S::Cancelled),
        _ => Err(Illegal { status, event }),
    }
}

/// A job to be added.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub id: String,
    /// Who may list, cancel and delete it.
    pub owner: String,
    pub request: Request,
    /// What the limits took for it, kept to be given back; opaque here.
    pub charge: serde_json::Value,
    /// Share the call of a job with this digest that is in flight, or its
    /// answer if it succeeded less than `window` ago.
    pub join: Option<Join>,
    /// Finished at once with this answer, found in a cache.
    pub answer: Option<Outcome>,
}

/// Which jobs may be joined.
#[derive(Debug, Clone)]
pub struct Join {
    pub digest: String,
    pub window: Duration,
}

/// A job's record.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: String,
    pub owner: String,
    pub status: Status,
    /// Grows with every change that a client can see.
    pub version: u64,
    /// The fencing token of the latest claim.
    pub token: u64,
    /// Calls begun, the present one included.
    pub attempt: u32,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub progress: Option<f32>,
    /// Jobs ahead of it; only while queued.
    pub position: Option<u64>,
    pub cache: Cache,
    pub request: Request,
    pub charge: serde_json::Value,
    /// One entry per attempt that failed.
    pub failures: Vec<FailedAttempt>,
    pub outcome: Option<Outcome>,
}

/// What went wrong in one attempt, kept for the operator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedAttempt {
    pub attempt: u32,
    pub at: Timestamp,
    pub failure: Failure,
    /// The provider's id of the call, where it gave one.
    pub request_id: Option<String>,
}

/// The right to act on a claimed job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub id: String,
    pub token: u64,
}

/// What there is to do.
#[derive(Debug)]
pub enum Claim {
    /// Make the call.
    Call(Box<Job>),
    /// The outcome is recorded, only its delivery is due; the number counts
    /// the deliveries tried before.
    Deliver(Box<Job>, u32),
    /// Nothing now; the instant says when the next job falls due, if one waits.
    Idle(Option<Timestamp>),
}

/// What became of a call.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It ended; the outcome is to be delivered next, under the same lease.
    Record(Outcome),
    /// It failed and is to be tried again, not before the instant.
    Retry(FailedAttempt, Timestamp),
    /// It ended badly for good: as `Record`, with the attempt kept.
    Fail(FailedAttempt),
    /// It was not finished; somebody else may begin it again at once.
    Release,
    /// The delivery failed and is to be tried again, not before the instant.
    Postpone(Timestamp),
}

/// What a delivery changed.
#[derive(Debug)]
pub enum Completion {
    /// These jobs are finished now: the leader first, then its followers.
    Applied(Vec<Job>),
    /// They were finished before.
    Repeated,
}

/// What a cancellation changed.
#[derive(Debug)]
pub struct Cancellation {
    pub job: Job,
    /// No call had been begun, so nothing was paid.
    pub before_call: bool,
}

impl Job {
    /// The right under which this claim acts.
    pub fn ticket(&self) -> Ticket {
        Ticket {
            id: self.id.clone(),
            token: self.token,
        }
    }
}

/// A store of jobs. Every method is atomic and durable when it returns.
/// Instants are passed in; a store never asks for the time.
#[async_trait]
pub trait Queue: Send + Sync + 'static {
    /// Adds the job: queued, joined to another's call, or finished at once.
    async fn enqueue(&self, job: NewJob, now: Timestamp) -> Result<Job>;
    /// The job of that id.
    async fn get(&self, id: &str) -> Result<Option<Job>>;
    /// At most `limit` of the owner's jobs, newest first, older than the job `before`.
    async fn list(&self, owner: &str, before: Option<&str>, limit: usize) -> Result<Vec<Job>>;
    /// Takes the next job that is due, or whose lease has run out.
    async fn claim(&self, now: Timestamp, lease: Duration) -> Result<Claim>;
    /// Extends the lease of a running or delivering job and reports progress (0 to 1).
    async fn extend(
        &self,
        ticket: &Ticket,
        now: Timestamp,
        lease: Duration,
        progress: Option<f32>,
    ) -> Result<()>;
    /// Ends the call or the delivery that the ticket stands for.
    async fn settle(&self, ticket: &Ticket, verdict: Verdict, now: Timestamp) -> Result<()>;
    /// Finishes a delivering job with its recorded outcome; called by the callback.
    async fn complete(&self, ticket: &Ticket, now: Timestamp) -> Result<Completion>;
    /// Cancels a queued or running job.
    async fn cancel(&self, id: &str, now: Timestamp) -> Result<Cancellation>;
    /// Forgets a finished job; returns the blobs that no other job refers to.
    async fn delete(&self, id: &str) -> Result<Vec<String>>;
    /// Rings when a job changes or work arrives.
    fn bell(&self) -> &Bell;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_states_stay() {
        let events = [
            Event::Claim,
            Event::Retry,
            Event::Release,
            Event::Record,
            Event::Postpone,
            Event::Complete { succeeded: true },
            Event::Complete { succeeded: false },
            Event::Cancel,
        ];
        for status in [Status::Succeeded, Status::Failed, Status::Cancelled] {
            for event in events {
                assert_eq!(transition(status, event), Err(Illegal { status, event }));
            }
        }
    }

    #[test]
    fn a_recorded_outcome_cannot_be_cancelled_or_called_again() {
        for event in [Event::Cancel, Event::Retry, Event::Release, Event::Record] {
            assert!(transition(Status::Delivering, event).is_err());
        }
    }
}
