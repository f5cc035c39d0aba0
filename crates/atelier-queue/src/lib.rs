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
//! **Leases and tokens.** A claim lasts until its lease runs out, unless heartbeats
//! extend it; then the job is queued again. Every claim of a call gives the job a new
//! fencing token, and operations with an older one are refused with [`Error::Stale`]. A
//! token is the claim's time in Unix milliseconds, or one more than the last token if that
//! is larger, so that it is unique even if a store has lost its last second.
//!
//! **Order.** Jobs wait in *lanes*, one per provider. In a lane a higher
//! [`Priority`] goes first; among equals the order is fair by start-time fair
//! queuing (Goyal, Vin, Cheng 1996): a job starts at the virtual time
//! `max(v, finish(owner))`, which moves `finish(owner)` on by its
//! [turns](Payload::turns); `v` is the largest start among the jobs started. Another
//! owner's single job waits for at most one of an owner's thousand jobs. Owners that
//! differ only after a [`PART`] count as one in that order. A retry keeps its turn; one
//! that [yields](Verdict::Yield) counts as another job.
//!
//! **Flow control.** A [`Lane`] limits the calls in progress and the calls started per
//! second, over all processes. [`Queue::throttle`] pauses it until an instant and halves
//! its parallelism, which then grows by one per second.
//!
//! **Gates.** A job may name [gates](GateRef) that it passes before each call: how many
//! jobs hold a gate at a time, and how many calls start in a period, over all processes,
//! is set by [`Terms`] that jobs bring along or an operator [pins](Queue::set_gate). A job
//! that is due passes its gates one after the other and enters the order of its lane once
//! it has passed all. Where one is closed it waits in that gate's line, first come, first
//! served, and claims never look at it: whatever frees a slot (an end, a retry, a lease
//! that runs out, a cancellation, a raised limit) admits the next one in the same
//! transaction, and a period's end is an instant at which the first of the line falls due.
//! A slot is held during an [attempt](Hold::Attempt), or to the [end](Hold::End), which
//! makes a FIFO queue of a gate with one slot: the next job waits for the retries of the
//! one before, and until its entry in the outbox is acknowledged, so that a job which is
//! added from there can [inherit](NewJob::inherits) the slot. Calls are counted when they
//! start; a job that finds its gate paused, or its limit lowered, then takes its place in
//! the line again. Gates held to the end are passed first, others in the order of their
//! names, so that no two jobs wait for each other, as long as all that name a gate hold it
//! alike. A limit that is lowered stops no call in progress, nor the retries of what holds
//! its slot to the end.
//!
//! **Single flight.** A job whose request is in flight already becomes a
//! *follower*: it has its own id, owner and version, but shares the call and the outcome
//! of its *leader*. A leader that its owner cancels or even deletes continues for its
//! followers; when its call has ended or nobody waits for it any more, a deleted leader is
//! removed, and a cancelled one loses its outcome. Progress is written once, to the leader,
//! where followers read it. A job that its owner has secluded ([`Queue::seclude`]) is not
//! joined.
//!
//! **Blobs.** Deleting a job returns the blobs that no other refers to, and notes them in
//! the same transaction ([`Housekeeping`]) until they are gone.
//!
//! **Outbox.** Ending a job notes, in the same transaction, that its charge is to be
//! settled and its owner notified; the note is kept until that is
//! [acknowledged](Queue::acknowledge). One of the jobs that shared a call owes its price
//! ([`Bill`]).
//!
//! **Collections.** Owners find those of their jobs that succeeded by the beginnings of words, in any order, case and
//! accent, mark favourites and sort them into folders ([`Collection`]). Payloads say what their jobs are found by
//! ([`Entry`]).
//!
//! **Dead letters** are failed jobs. They keep the error of every attempt until they are
//! retried, deleted, or past the retention of finished jobs.

#![warn(missing_docs)]
#![cfg_attr(
    not(all(feature = "sqlite", feature = "redis")),
    expect(
        dead_code,
        reason = "what one store needs is not always what the other does"
    )
)]

mod attempt;
mod collection;
mod gate;
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
mod verdict;
mod wait;
mod words;
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
    collection::{Collection, Entry, Folder, MOST_FOLDERS, Marking, Marks, Search},
    gate::{Bound, Gate, GateChange, GateRef, Hold, In, Rate, Terms},
    housekeeping::Housekeeping,
    lane::{Lane, MOST_AHEAD, PART, Priority},
    new_job::{Hooks, Join, NewJob},
    notifier::{Notified, Notifier},
    outbox::{Bill, Ended},
    payload::{Cost, Ending, Outcome, Payload},
    state::{Event, Illegal, transition},
    verdict::{Report, Verdict},
    wait::wait,
    words::words,
    worker::{CallError, Work, Worker, Workers},
};
#[cfg(any(feature = "sqlite", feature = "redis"))]
use self::{
    attempt::{expired, unreadable},
    gate::in_order,
    new_job::due,
};
use atelier_store as store;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The job has been claimed again, cancelled, finished or deleted meanwhile.
    #[error("the job is no longer held under this token")]
    Stale,
    /// There is no job with that id.
    #[error("there is no such job")]
    NotFound,
    /// As many gates stay already as the [`Bound`] allows.
    #[error("there are as many gates as there may be")]
    Crowded,
    /// The job requires an answer, and there is none, or the given one is gone.
    #[error("there is no answer")]
    NoAnswer,
    /// The owner has as many folders as they may have.
    #[error("there are too many folders")]
    TooManyFolders,
    /// The job's state does not allow it.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// The store failed.
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
    /// Its state.
    pub status: Status,
    /// Increases with every change that a client can see.
    pub version: u64,
    /// The fencing token of the latest claim; 0 before the first.
    pub token: u64,
    /// Number of calls started, including the present one.
    pub attempt: u32,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its first call was started.
    pub started_at: Option<Timestamp>,
    /// When it succeeded, failed or was cancelled.
    pub finished_at: Option<Timestamp>,
    /// The progress of the call, 0 to 1.
    pub progress: Option<f32>,
    /// The blob of a preview.
    pub preview: Option<String>,
    /// The job whose call it shares, while that is in flight. Progress notifies only those
    /// who wait for that job.
    pub leader: Option<String>,
    /// Number of jobs ahead of it in its lane, up to [`MOST_AHEAD`]; only while it waits
    /// for nothing else.
    pub position: Option<u64>,
    /// Where its answer came from.
    pub cache: Cache,
    /// What is to be done.
    pub request: P,
    /// What the limits charged for it; opaque here.
    pub charge: serde_json::Value,
    /// URLs to be called when it has ended; opaque here.
    pub hooks: Hooks,
    /// One entry per failed attempt.
    pub failures: Vec<FailedAttempt>,
    /// How it ended, or will end once that is delivered.
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

/// What to do next.
#[derive(Debug)]
pub enum Claim<P: Payload> {
    /// Make the call.
    Call(Box<Job<P>>),
    /// Deliver the recorded outcome; with the number of earlier delivery attempts.
    Deliver(Box<Job<P>>, u32),
    /// Nothing to do now; with the instant when something becomes due, if time alone can
    /// cause that.
    Idle(Option<Timestamp>),
}

/// What a delivery changed.
#[derive(Debug)]
pub enum Completion<P: Payload> {
    /// The jobs have ended.
    Applied {
        /// The finished jobs: the leader first, then its followers.
        ended: Vec<Ended<P>>,
        /// Blobs that no job refers to any more, because the leader's owner had withdrawn
        /// it.
        orphans: Vec<String>,
    },
    /// They had ended before.
    Repeated,
}

/// What a cancellation changed.
#[derive(Debug)]
pub struct Cancellation<P: Payload> {
    /// The job as its owner sees it now.
    pub job: Job<P>,
    /// The jobs that have ended: this one, and a leader that nobody waits for any more.
    pub ended: Vec<Ended<P>>,
    /// Blobs that no job refers to any more, if this job was the last to wait for a deleted
    /// leader's call.
    pub orphans: Vec<String>,
}

impl<P: Payload> Job<P> {
    /// Whether it belongs to itself, that is to whoever has its key.
    pub fn owns_itself(&self) -> bool {
        let part = self.owner.rsplit_once(PART);
        part.is_some_and(|(_, part)| part == self.id)
    }

    /// The ticket of this claim.
    pub fn ticket(&self) -> Ticket {
        Ticket {
            id: self.id.clone(),
            token: self.token,
        }
    }
}

/// Whether the call of a job in this state may be made again.
fn is_open<O: Outcome>(status: Status, outcome: Option<&O>) -> bool {
    let succeeded = outcome.is_some_and(|outcome| outcome.failure().is_none());
    status != Status::Cancelled && !succeeded
}

/// The record, or `None` if it is damaged or of a later version: it must not block
/// others.
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
/// Instants are passed in; a store never reads the clock. A method that failed with
/// [`Error::Store`] may have been carried out; all can be repeated. All fail if the store
/// fails, and those that act on a job with [`Error::NotFound`] if there is none.
#[async_trait]
pub trait Queue<P: Payload>: Send + Sync + 'static {
    /// Adds the job: queued, joined to another call, or finished at once.
    async fn enqueue(&self, job: NewJob<P>, now: Timestamp) -> Result<Job<P>>;
    /// Returns the job with that id.
    async fn get(&self, id: &str) -> Result<Option<Job<P>>>;
    /// Returns at most `limit` of the owner's jobs, newest first, older than the job `before`.
    async fn list(&self, owner: &str, before: Option<&str>, limit: usize) -> Result<Vec<Job<P>>>;
    /// Returns at most `limit` of the owner's jobs in that state, newest first, older than the
    /// job `before`. Only jobs whose payload is [tracked](Payload::is_tracked).
    async fn list_in(
        &self,
        owner: &str,
        state: In,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Job<P>>>;
    /// Claims a delivery that is due, else the next job of the first lane that has one and
    /// may start another call. An unreadable job fails, and the next one is claimed.
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
    /// Ends the ticket's call or delivery. Recording again under the same ticket changes
    /// nothing.
    async fn settle(&self, ticket: &Ticket, verdict: Verdict<P>, now: Timestamp) -> Result<()>;
    /// Finishes a delivering job with its recorded outcome; called by the callback.
    async fn complete(&self, ticket: &Ticket, now: Timestamp) -> Result<Completion<P>>;
    /// Ends a call with its outcome and finishes the job in one step, for outcomes that
    /// nobody else has to be delivered: a verdict that [records](Event::Record), then
    /// [`complete`](Self::complete).
    async fn finish(
        &self,
        ticket: &Ticket,
        verdict: Verdict<P>,
        now: Timestamp,
    ) -> Result<Completion<P>>;
    /// Starts no call in the lane before `until`, and fewer concurrently for a while.
    async fn throttle(&self, lane: &Lane, until: Timestamp, now: Timestamp) -> Result<()>;
    /// Cancels a queued or running job.
    async fn cancel(&self, id: &str, now: Timestamp) -> Result<Cancellation<P>>;
    /// Deletes a finished job. Returns the blobs that no other job refers to.
    async fn delete(&self, id: &str) -> Result<Vec<String>>;
    /// Returns whether the job's call may be made again, also for followers if its owner has
    /// withdrawn it: it is unfinished without an answer, or has failed and may be retried.
    async fn wants_answer(&self, id: &str) -> Result<bool>;
    /// From now on, no other job shares this one's call or answer, nor does this one share
    /// another's if it is retried. Returns the unfinished jobs that share its call already.
    async fn seclude(&self, id: &str) -> Result<Vec<String>>;
    /// Returns at most `limit` failed jobs, newest first, older than the job `before`.
    async fn dead(&self, before: Option<&str>, limit: usize) -> Result<Vec<Job<P>>>;
    /// Queues a failed job again, with all its attempts available and nothing charged. It
    /// joins an identical request in flight.
    async fn retry(&self, id: &str, priority: Priority, now: Timestamp) -> Result<Job<P>>;
    /// Returns at most `limit` jobs that finished in that time, oldest first.
    async fn finished(&self, within: Range<Timestamp>, limit: usize) -> Result<Vec<String>>;
    /// Checks that the store accepts writes.
    async fn ready(&self) -> Result<()>;
    /// Returns at most `limit` entries of the outbox whose keys come after this one, in the
    /// order of their keys.
    async fn outbox(&self, after: Option<&str>, limit: usize) -> Result<Vec<Ended<P>>>;
    /// Removes an entry of the outbox that has been processed.
    async fn acknowledge(&self, key: &str) -> Result<()>;
    /// Returns the gate of that name.
    async fn gate(&self, name: &str) -> Result<Option<Gate>>;
    /// Returns at most `limit` gates whose names begin with `prefix` and come after this one,
    /// in the order of their names.
    async fn gates(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Gate>>;
    /// Changes a gate, which is created if there is none. Returns it as it is then. Changes
    /// nothing and fails with [`Error::Crowded`] if that would be beyond the change's bound.
    async fn set_gate(&self, name: &str, change: GateChange, now: Timestamp) -> Result<Gate>;
    /// Removes a gate; the jobs that wait for it pass, and those that hold it no longer do.
    /// Returns whether there was one.
    async fn remove_gate(&self, name: &str, now: Timestamp) -> Result<bool>;
    /// Notifies of changed jobs and of new work.
    fn notifier(&self) -> &Notifier;
}
