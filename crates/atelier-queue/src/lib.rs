#![doc = include_str!("../README.md")]
//!
//! # How it works
//! One record per job is the queue entry and what a client polls.
//!
//! ```mermaid
//! stateDiagram-v2
//!     [*] --> queued: enqueue
//!     [*] --> succeeded: enqueue, answered from a cache
//!     queued --> running: claim
//!     running --> queued: retry, not before T
//!     running --> queued: release, handed back at shutdown
//!     running --> queued: expire, the lease ran out
//!     running --> delivering: record the outcome
//!     delivering --> delivering: claim, the delivery is due again
//!     delivering --> delivering: postpone, the delivery failed
//!     delivering --> succeeded: complete
//!     delivering --> failed: complete
//!     failed --> queued: retry, by an operator
//!     queued --> cancelled: cancel
//!     running --> cancelled: cancel
//! ```
//!
//! **Leases and tokens.** A claim lasts until its lease runs out, unless
//! heartbeats extend it; then the job is queued again. Every claim of a call
//! gives the job a new fencing token, and whoever acts under an older one is
//! refused with [`Error::Stale`]. A token is the claim's time in Unix
//! milliseconds, or one more than the last token if that is larger: so it is
//! not given twice even when a store has lost its last second.
//!
//! **Order.** Jobs wait in *lanes*, one per provider. In a lane a higher
//! [`Priority`] goes first; among equals the order is fair by start-time fair
//! queuing (Goyal, Vin, Cheng 1996): a job starts at the virtual time
//! `max(v, finish(owner))`, which moves `finish(owner)` on by its
//! [turns](Payload::turns); `v` is the largest start among the jobs begun. An owner's
//! thousand jobs make another's single one wait for one of them at most. Owners
//! that differ only behind a [`PART`] share one place in that order. A retry
//! keeps its turn; one that [yields](Verdict::Yield) is counted as another job.
//!
//! **Flow control.** A [`Lane`] bounds the calls in progress and the calls
//! begun per second, over all processes. [`Queue::throttle`] holds it until an
//! instant and halves its parallelism, which then grows by one a second.
//!
//! **Single flight.** A job whose request is in flight already becomes a
//! *follower*: it has an id, an owner and a version of its own, but shares the
//! call and the fate of its *leader*. A leader that its owner cancels, or even
//! deletes, is carried on for its followers; when its call has ended or nobody
//! waits for it any more, one that was deleted is forgotten, and of one that was
//! cancelled the outcome. What a call reports is written once, to the leader:
//! followers read it there. Nobody joins a job that its owner has secluded
//! ([`Queue::seclude`]).
//!
//! **Blobs.** Whatever forgets a job returns the blobs that no other refers to,
//! and notes them in the same transaction ([`Housekeeping`]) until they are gone.
//!
//! **Outbox.** Whatever ends a job notes, in the same transaction, that its
//! charge is to be settled and its owner told; the note stays until that is
//! [acknowledged](Queue::acknowledge). The price of a call that several shared
//! is owed by one of them ([`Bill`]).
//!
//! **Dead letters** are the jobs that failed. They keep every attempt's error
//! until they are tried again, deleted, or past the time finished jobs are kept.

#![warn(missing_docs)]
#![cfg_attr(
    not(all(feature = "sqlite", feature = "redis")),
    expect(
        dead_code,
        reason = "what one store needs is not always what the other does"
    )
)]

mod attempt;
mod housekeeping;
mod lane;
mod new_job;
mod notifier;
mod outbox;
mod payload;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod wait;
mod worker;

use std::{ops::Range, time::Duration};

use async_trait::async_trait;
pub use atelier_api::{Cache, Failure, Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::error;

#[cfg(feature = "sqlite")]
use self::lane::place_of;
#[cfg(feature = "redis")]
pub use self::redis::RedisQueue;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteQueue;
pub use self::{
    attempt::FailedAttempt,
    housekeeping::Housekeeping,
    lane::{Lane, MOST_AHEAD, PART, Priority},
    new_job::{Hooks, Join, NewJob},
    notifier::{Notified, Notifier},
    outbox::{Bill, Ended},
    payload::{Cost, Ending, Outcome, Payload},
    state::{Event, Illegal, transition},
    wait::wait,
    worker::{CallError, Work, Worker, Workers},
};
#[cfg(any(feature = "sqlite", feature = "redis"))]
use self::{
    attempt::{expired, unreadable},
    new_job::due,
};
use atelier_store as store;

/// Why the queue did not do as it was told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The job has been claimed again, cancelled, finished or deleted since.
    #[error("the job is no longer held under this token")]
    Stale,
    /// There is no job of that id.
    #[error("there is no such job")]
    NotFound,
    /// The job was to be added only with an answer, or with one that is gone.
    #[error("there is no answer")]
    NoAnswer,
    /// The job's state does not allow it.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// The store failed or cannot be asked.
    #[error(transparent)]
    Store(#[from] store::Error),
}

type Result<T, E = Error> = std::result::Result<T, E>;

/// A job's record.
#[derive(Debug, Clone, PartialEq)]
pub struct Job<P: Payload> {
    /// Sorts by the time of creation if the caller chose it so.
    pub id: String,
    /// Who may list, cancel and delete it.
    pub owner: String,
    /// Where it stands.
    pub status: Status,
    /// Grows with every change that a client can see.
    pub version: u64,
    /// The fencing token of the latest claim; 0 before the first.
    pub token: u64,
    /// Calls begun, the present one included.
    pub attempt: u32,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its first call was begun.
    pub started_at: Option<Timestamp>,
    /// When it succeeded, failed or was cancelled.
    pub finished_at: Option<Timestamp>,
    /// How far the call is, 0 to 1.
    pub progress: Option<f32>,
    /// Blob of a picture that shows how far the call is.
    pub preview: Option<String>,
    /// The job whose call it shares, while that is in flight. What is reported
    /// of the call notifies those who wait for that job alone.
    pub leader: Option<String>,
    /// Jobs ahead of it in its lane, counted up to [`MOST_AHEAD`]; only while
    /// it waits for nothing else.
    pub position: Option<u64>,
    /// Where its answer came from.
    pub cache: Cache,
    /// What is to be done.
    pub request: P,
    /// What the limits took for it; opaque here.
    pub charge: serde_json::Value,
    /// Whom to tell about the end; opaque here.
    pub hooks: Hooks,
    /// One entry per attempt that failed.
    pub failures: Vec<FailedAttempt>,
    /// How it ended, or will once that is delivered.
    pub outcome: Option<P::Outcome>,
}

/// The right to act on a claimed job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The job.
    pub id: String,
    /// The fencing token.
    pub token: u64,
}

/// What there is to do.
#[derive(Debug)]
pub enum Claim<P: Payload> {
    /// Make the call.
    Call(Box<Job<P>>),
    /// The outcome is recorded, only its delivery is due; the number counts
    /// the deliveries tried before.
    Deliver(Box<Job<P>>, u32),
    /// Nothing now; the instant says when something may fall due, if time
    /// alone can bring it.
    Idle(Option<Timestamp>),
}

/// How far a call is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// 0 to 1; unset: as before.
    pub progress: Option<f32>,
    /// A blob; unset: as before.
    pub preview: Option<String>,
}

/// What became of a call.
#[derive(Debug, Clone)]
pub enum Verdict<P: Payload> {
    /// It ended; the outcome is to be delivered next, under the same lease.
    Record(P::Outcome),
    /// It failed and is to be tried again, not before the instant, in the turn it has.
    Retry(FailedAttempt, Timestamp),
    /// The same, but behind its owner's other jobs: each try is counted as one job
    /// more, so that tries that take long give nobody more than the others.
    Yield(FailedAttempt, Timestamp),
    /// It ended badly for good: as `Record`, with the attempt kept.
    Fail(FailedAttempt),
    /// It was not finished; somebody else may begin it again at once. It does
    /// not count as an attempt, but is kept where it may have been paid for.
    Release(Option<FailedAttempt>),
    /// The delivery failed and is to be tried again, not before the instant.
    Postpone(Timestamp),
}

/// What a delivery changed.
#[derive(Debug)]
pub enum Completion<P: Payload> {
    /// The jobs have ended by it.
    Applied {
        /// These jobs are finished now: the leader first, then its followers.
        ended: Vec<Ended<P>>,
        /// Blobs that no job refers to any more, since the leader's owner had
        /// left it.
        orphans: Vec<String>,
    },
    /// They were finished before.
    Repeated,
}

/// What a cancellation changed.
#[derive(Debug)]
pub struct Cancellation<P: Payload> {
    /// The job, as its owner sees it now.
    pub job: Job<P>,
    /// What has ended and is noted: the job, and a call that nobody waits for
    /// any more.
    pub ended: Vec<Ended<P>>,
    /// Blobs that no job refers to any more: the job was the last to wait for
    /// the call of a leader whose owner had deleted it.
    pub orphans: Vec<String>,
}

impl<P: Payload> Job<P> {
    /// Whether it belongs to nobody but whoever has its key.
    pub fn owns_itself(&self) -> bool {
        let part = self.owner.rsplit_once(PART);
        part.is_some_and(|(_, part)| part == self.id)
    }

    /// The right under which this claim acts.
    pub fn ticket(&self) -> Ticket {
        Ticket {
            id: self.id.clone(),
            token: self.token,
        }
    }
}

impl<P: Payload> Verdict<P> {
    /// What it makes happen to the job.
    pub const fn event(&self) -> Event {
        match self {
            Self::Record(_) | Self::Fail(_) => Event::Record,
            Self::Retry(..) | Self::Yield(..) => Event::Retry,
            Self::Release(_) => Event::Release,
            Self::Postpone(_) => Event::Postpone,
        }
    }
}

/// Whether the call of a job in this state may be made once more.
fn is_open<O: Outcome>(status: Status, outcome: Option<&O>) -> bool {
    let succeeded = outcome.is_some_and(|outcome| outcome.failure().is_none());
    status != Status::Cancelled && !succeeded
}

/// What was read; nothing, if the record is damaged or of a later version. It
/// must not stand in the way of others.
fn readable<T>(id: &str, read: Result<T>) -> Result<Option<T>> {
    match read {
        Err(Error::Store(store::Error::Record(error))) => {
            error!(%error, id, "a job's record cannot be read");
            Ok(None)
        }
        read => read.map(Some),
    }
}

/// A store of jobs. Every method is atomic and durable when it returns.
/// Instants are passed in; a store never asks for the time. A method that
/// failed with [`Error::Store`] may have been carried out: all can be repeated.
/// All fail if the store cannot be asked, and those that act on a job with
/// [`Error::NotFound`] if there is none.
#[async_trait]
pub trait Queue<P: Payload>: Send + Sync + 'static {
    /// Adds the job: queued, joined to another's call, or finished at once.
    async fn enqueue(&self, job: NewJob<P>, now: Timestamp) -> Result<Job<P>>;
    /// The job of that id.
    async fn get(&self, id: &str) -> Result<Option<Job<P>>>;
    /// At most `limit` of the owner's jobs, newest first, older than the job `before`.
    async fn list(&self, owner: &str, before: Option<&str>, limit: usize) -> Result<Vec<Job<P>>>;
    /// Takes a delivery that is due, else the next job of the first of the
    /// lanes that has one and may begin another call. A job that cannot be read
    /// fails, and the next one is taken.
    async fn claim(&self, lanes: &[Lane], now: Timestamp, lease: Duration) -> Result<Claim<P>>;
    /// Extends the lease of a running or delivering job, never shortens it, and
    /// reports progress.
    async fn extend(
        &self,
        ticket: &Ticket,
        now: Timestamp,
        lease: Duration,
        report: Report,
    ) -> Result<()>;
    /// Ends the call or the delivery that the ticket stands for. Recording
    /// what is recorded already under this ticket changes nothing.
    async fn settle(&self, ticket: &Ticket, verdict: Verdict<P>, now: Timestamp) -> Result<()>;
    /// Finishes a delivering job with its recorded outcome; called by the callback.
    async fn complete(&self, ticket: &Ticket, now: Timestamp) -> Result<Completion<P>>;
    /// Lets no call begin in the lane before `until`, and fewer at once for a while.
    async fn throttle(&self, lane: &Lane, until: Timestamp, now: Timestamp) -> Result<()>;
    /// Cancels a queued or running job.
    async fn cancel(&self, id: &str, now: Timestamp) -> Result<Cancellation<P>>;
    /// Forgets a finished job; returns the blobs that no other job refers to.
    async fn delete(&self, id: &str) -> Result<Vec<String>>;
    /// Whether the job's call may be made once more, also for those who share it
    /// when its owner has left: it goes on without an answer, or has failed and
    /// may be revived.
    async fn wants_answer(&self, id: &str) -> Result<bool>;
    /// Lets nobody share the job's call, or be given its answer, from now on, and
    /// the job nobody else's, should it be tried again.
    async fn seclude(&self, id: &str) -> Result<()>;
    /// At most `limit` failed jobs, newest first, older than the job `before`.
    async fn dead(&self, before: Option<&str>, limit: usize) -> Result<Vec<Job<P>>>;
    /// Queues a failed job again, with all its attempts before it and nothing
    /// charged; it joins an identical request in flight.
    async fn retry(&self, id: &str, priority: Priority, now: Timestamp) -> Result<Job<P>>;
    /// At most `limit` jobs that finished in that time, oldest first.
    async fn finished(&self, within: Range<Timestamp>, limit: usize) -> Result<Vec<String>>;
    /// The store takes what is written.
    async fn ready(&self) -> Result<()>;
    /// At most `limit` noted ends whose keys come after this one, in the order
    /// of their keys.
    async fn outbox(&self, after: Option<&str>, limit: usize) -> Result<Vec<Ended<P>>>;
    /// Forgets a noted end: it is settled and told.
    async fn acknowledge(&self, key: &str) -> Result<()>;
    /// Tells when a job changes or work arrives.
    fn notifier(&self) -> &Notifier;
}
