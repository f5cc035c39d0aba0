//! Retention: finished jobs are kept for a time, then deleted with their files.

mod messages;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::{Error, Studio};
use crate::{
    job::{JobId, Task},
    queue, store,
};

/// Old jobs looked up at a time.
const BATCH: usize = 100;

/// Names the mark up to which finished jobs have been searched for photos.
const PHOTOS: &str = "photos";

/// How long a gate that no job names is remembered.
const GATES_KEPT: SignedDuration = SignedDuration::from_mins(10);

/// How finished jobs are visited.
struct Pace {
    /// Jobs looked up at a time.
    batch: usize,
    /// Jobs visited at a time.
    concurrency: usize,
}

impl Studio {
    /// Deletes a finished job, and the files that no other job refers to.
    pub(super) async fn delete(&self, id: &JobId) -> Result<(), Error> {
        if let Some(job) = self.stores.queue.get(id).await? {
            self.forget_answer(&job).await?;
        }
        let orphans = self.stores.queue.delete(id).await?;
        self.discard_all(orphans).await;
        self.discard_unrecorded(id).await?;
        self.stores.access.withhold(id, false).await?;
        info!(id = &**id, "job deleted");
        Ok(())
    }

    /// Discards files that were paid for and never recorded, unless other jobs
    /// wait for the same call.
    async fn discard_unrecorded(&self, id: &JobId) -> Result<(), Error> {
        let Ok(Some(entry)) = self.stores.journal.find(id).await else {
            return Ok(());
        };
        if !self.stores.queue.wants_answer(id).await? {
            self.stores.journal.remove(id).await;
            for (key, _) in entry.files() {
                self.discard(key).await;
            }
        }
        Ok(())
    }

    /// Deletes what has expired. To be called periodically.
    pub async fn sweep(&self) -> Result<(), Error> {
        let now = self.stores.clock.now();
        let since = now
            .checked_sub(self.settings.stats_kept)
            .unwrap_or(Timestamp::MIN);
        self.stores.files.set_aside_unreadable(now).await?;
        if let Ok(before) = now.checked_sub(GATES_KEPT) {
            self.stores.files.remove_idle_gates(before).await?;
        }
        self.stores.cache.sweep(now, since).await?;
        if let Some(semantic) = &self.stores.semantic {
            semantic.sweep(now).await?;
        }
        self.stores.limiter.sweep(now).await?;
        self.forget_contents(now).await?;
        self.stores.pins.unpin_old(now).await?;
        let since = now.checked_sub(self.settings.events_kept);
        let since = since.unwrap_or(Timestamp::MIN);
        self.stores.messages.sweep(now, since).await?;
        if let Ok(before) = now.checked_sub(self.settings.photos_kept) {
            self.delete_photos(before).await?;
        }
        if let Ok(before) = now.checked_sub(self.settings.jobs_kept) {
            while self.delete_batch(before).await? {}
        }
        Ok(())
    }

    /// Deletes a batch of the jobs that finished before `before`. Returns whether
    /// there may be more.
    async fn delete_batch(&self, before: Timestamp) -> Result<bool, Error> {
        let old = self
            .stores
            .queue
            .finished(Timestamp::UNIX_EPOCH..before, BATCH)
            .await?;
        let (all, mut deleted) = (old.len() < BATCH, 0);
        for id in old.into_iter().map(JobId::from) {
            deleted += usize::from(self.delete_if_present(&id).await?);
        }
        Ok(!all && deleted > 0)
    }

    /// Deletes the restorations that finished before `before`, with their photos.
    async fn delete_photos(&self, before: Timestamp) -> Result<(), Error> {
        let pace = Pace {
            batch: BATCH,
            concurrency: 1,
        };
        self.visit_finished(PHOTOS, before, pace, |id| async move {
            let Some(job) = self.stores.queue.get(&id).await? else {
                return Ok(None);
            };
            if matches!(job.request.task, Task::Restoration(_)) {
                self.delete_if_present(&JobId::from(id)).await?;
            }
            Ok(job.finished_at)
        })
        .await
    }

    /// Visits the jobs that finished before `before`. `visit` returns when its job had, if that
    /// can be told. Every job is visited once, by whichever process comes first: the mark up to
    /// which they have been is kept in the store.
    async fn visit_finished<F>(
        &self,
        mark: &str,
        before: Timestamp,
        pace: Pace,
        visit: impl Fn(String) -> F,
    ) -> Result<(), Error>
    where
        F: Future<Output = Result<Option<Timestamp>, Error>>,
    {
        let (queue, files) = (&self.stores.queue, &self.stores.files);
        let mut looked_at = files.mark(mark).await?;
        let mut limit = pace.batch;
        while looked_at < before {
            let old = queue.finished(looked_at..before, limit).await?;
            let all = old.len() < limit;
            let last = stream::iter(old)
                .map(&visit)
                .buffer_unordered(pace.concurrency)
                .try_fold(looked_at, |last, end| async move {
                    Ok(end.map_or(last, |end| last.max(end)))
                })
                .await?;
            // More may have finished in the same millisecond.
            limit = if last == looked_at {
                2 * limit
            } else {
                pace.batch
            };
            looked_at = if all { before } else { last };
            files.advance(mark, looked_at).await?;
        }
        Ok(())
    }

    /// Deletes the job and returns true, or false if that is not possible: another
    /// process was faster, an operator retries it, or its record cannot be read.
    async fn delete_if_present(&self, id: &JobId) -> Result<bool, Error> {
        match self.delete(id).await {
            Ok(()) => Ok(true),
            Err(Error::Queue(queue::Error::NotFound | queue::Error::Illegal(_))) => Ok(false),
            Err(Error::Queue(queue::Error::Store(store::Error::Record(error)))) => {
                warn!(%error, id = &**id, "a job with an unreadable record is not deleted");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
