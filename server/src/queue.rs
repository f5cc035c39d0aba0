//! The queue of orders: [`atelier_queue`] over a [`Request`].

use atelier_api::Cache;
pub use atelier_queue::{
    Bill, Collection, Entry, Error, Event, FailedAttempt, Folder, Hooks, Housekeeping, Illegal,
    Join, Lane, MOST_AHEAD, MOST_FOLDERS, Marking, Notified, Notifier, PART, Priority, Queue,
    Report, Search, Ticket, transition,
};

use crate::job::Request;

pub type Job = atelier_queue::Job<Request>;
pub type NewJob = atelier_queue::NewJob<Request>;
pub type Claim = atelier_queue::Claim<Request>;
pub type Verdict = atelier_queue::Verdict<Request>;
pub type Completion = atelier_queue::Completion<Request>;
pub type Cancellation = atelier_queue::Cancellation<Request>;
pub type Ended = atelier_queue::Ended<Request>;
pub type DynQueue = dyn Queue<Request>;
pub type DynCollection = dyn Collection<Request>;
pub type SqliteQueue = atelier_queue::SqliteQueue<Request>;
pub type RedisQueue = atelier_queue::RedisQueue<Request>;

/// Returns where a job's answer came from. For an answer that came with the request, the
/// request knows how it was found; the queue does not.
pub fn source(job: &Job) -> Cache {
    let similar = job
        .request
        .found
        .as_ref()
        .is_some_and(|found| found.similar.is_some());
    match job.cache {
        Cache::Exact if similar => Cache::Semantic,
        cache => cache,
    }
}
