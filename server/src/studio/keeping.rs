//! What was made is kept for its time, and forgotten with its files.

use jiff::Timestamp;
use tracing::{info, warn};

use super::{Error, Studio};
use crate::{
    job::{Picture, Task},
    queue,
};

/// Old jobs looked up at a time.
const BATCH: usize = 100;

impl Studio {
    /// Forgets a finished job, and the files that no other job refers to.
    pub(super) async fn delete(&self, id: &str) -> Result<(), Error> {
        if let Some(job) = self.queue.get(id).await? {
            self.forget_answer(&job).await?;
        }
        let orphans = self.queue.delete(id).await?;
        self.delete_blobs(&orphans).await?;
        self.register.withhold(id, false).await?;
        info!(id, "deleted");
        Ok(())
    }

    /// Deletes all of them that can be deleted; the first failure.
    async fn delete_blobs(&self, keys: &[String]) -> Result<(), Error> {
        let mut result = Ok(());
        for key in keys {
            let deleted = self.blobs.delete(key).await;
            result = result.and(deleted.map_err(Error::from));
        }
        result
    }

    /// Deletes what a job leaves behind that its owner deleted earlier. Whoever
    /// brought its end about has no part in it, and is not told of a failure.
    pub(super) async fn clear_up(&self, orphans: &[String]) {
        if let Err(error) = self.delete_blobs(orphans).await {
            warn!(%error, ?orphans, "the files of a deleted job could not all be deleted");
        }
    }

    /// Forgets a picture that was kept for an order that was not taken.
    pub async fn discard(&self, picture: &Picture) {
        if let Err(error) = self.blobs.delete(&picture.key).await {
            warn!(%error, key = picture.key, "an unwanted photo could not be deleted");
        }
    }

    /// Forgets what has expired, now and then.
    pub async fn sweep(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let since = now.checked_sub(self.figures_kept).unwrap_or(Timestamp::MIN);
        self.cache.sweep(now, since).await?;
        if let Some(semantic) = &self.semantic {
            semantic.sweep(now).await?;
        }
        self.limiter.sweep(now).await?;
        if let Ok(before) = now.checked_sub(self.photos_kept) {
            self.forget_photos(before).await?;
        }
        if let Ok(before) = now.checked_sub(self.keep) {
            while self.forget(before).await? {}
        }
        Ok(())
    }

    /// Forgets some of the jobs that finished before the instant; whether
    /// there may be more.
    async fn forget(&self, before: Timestamp) -> Result<bool, Error> {
        let old = self
            .queue
            .finished(Timestamp::UNIX_EPOCH..before, BATCH)
            .await?;
        let mut deleted = 0;
        for id in &old {
            deleted += usize::from(self.delete_if_there(id).await?);
        }
        Ok(old.len() == BATCH && deleted > 0)
    }

    /// Forgets the photos, and what was made of them, of all jobs that finished
    /// before the instant. Every job is looked at once in the life of a process.
    async fn forget_photos(&self, before: Timestamp) -> Result<(), Error> {
        let mut looked_at = self.photos_forgotten.lock().await;
        let mut most = BATCH;
        loop {
            let old = self.queue.finished(*looked_at..before, most).await?;
            let mut last = *looked_at;
            for id in &old {
                let Some(job) = self.queue.get(id).await? else {
                    continue;
                };
                last = job.finished_at.unwrap_or(last);
                if matches!(job.request.task, Task::Restoration(_)) {
                    self.delete_if_there(id).await?;
                }
            }
            if old.len() < most {
                *looked_at = before.max(*looked_at);
                return Ok(());
            }
            // More may have finished in the same millisecond.
            most = if last == *looked_at { 2 * most } else { BATCH };
            *looked_at = last;
        }
    }

    /// Whether it was there, and could be deleted: another process may have been
    /// faster, or an operator has revived it.
    async fn delete_if_there(&self, id: &str) -> Result<bool, Error> {
        match self.delete(id).await {
            Ok(()) => Ok(true),
            Err(Error::Queue(queue::Error::NotFound | queue::Error::Illegal(_))) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
