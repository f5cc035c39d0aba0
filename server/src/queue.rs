//! The queue of orders: [`atelier_queue`] over a [`Request`], and how a job is added whose body
//! is kept beside it.

use atelier_api::Cache;
pub use atelier_queue::{
    Bill, Collection, Entry, Error, Event, FailedAttempt, Folder, Hooks, Housekeeping, Illegal,
    Join, Lane, MOST_AHEAD, MOST_FOLDERS, Marking, Notified, Notifier, PART, Priority, Queue,
    Report, Search, Ticket, transition,
};

use bytes::Bytes;
use tracing::warn;

use crate::{
    blob::{self, BlobKey, Blobs},
    job::{Request, Task},
};

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

/// A job could not be added, or its body not be kept.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    #[error(transparent)]
    Queue(#[from] Error),
    #[error(transparent)]
    Blob(#[from] blob::Error),
}

impl AddError {
    /// Whether the store became unreachable: it may have added the job.
    pub const fn is_uncertain(&self) -> bool {
        matches!(self, Self::Queue(Error::Store(error)) if error.is_away())
    }
}

/// Adds a job by `adding`, after the blob of its body has been kept, so that no job is without
/// one. Returns the job: the earlier one if it was added before, with a body of its own. A blob
/// that no job has is deleted; if it is unknown whether the job was added, the blob stays.
pub async fn add_with_body(
    blobs: &Blobs,
    body: Option<(BlobKey, Bytes)>,
    adding: impl Future<Output = Result<Job, Error>>,
) -> Result<Job, AddError> {
    let Some((key, bytes)) = body else {
        return Ok(adding.await?);
    };
    blobs.keep_as(&key, bytes).await?;
    let added = adding.await.map_err(AddError::from);
    let needed = match &added {
        Ok(job) => body_of(job) == Some(&key),
        Err(error) => error.is_uncertain(),
    };
    if !needed && let Err(error) = blobs.delete(&key).await {
        warn!(%error, key = &*key, "a body that no job has could not be deleted");
    }
    added
}

fn body_of(job: &Job) -> Option<&BlobKey> {
    match &job.request.task {
        Task::Message(task) => task.body.blob(),
        Task::Call(task) => task.body.blob(),
        Task::Image(_) | Task::Restoration(_) | Task::Notice(_) => None,
    }
}
