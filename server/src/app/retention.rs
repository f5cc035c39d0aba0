//! What was made is kept for its time, and forgotten with its files.

use jiff::Timestamp;
use tracing::{info, warn};

use super::{Error, Studio};
use crate::{job::Task, queue, store};

/// Old jobs looked up at a time.
const BATCH: usize = 100;

/// The mark up to which finished jobs were looked through for photos.
const PHOTOS: &str = "photos";

impl Studio {
    /// Forgets a finished job, and the files that no other job refers to.
    pub(super) async fn delete(&self, id: &str) -> Result<(), Error> {
        if let Some(job) = self.queue.get(id).await? {
            self.forget_answer(&job).await?;
        }
        let orphans = self.queue.delete(id).await?;
        self.discard_all(&orphans).await;
        self.discard_unrecorded(id).await?;
        self.register.withhold(id, false).await?;
        info!(id, "deleted");
        Ok(())
    }

    /// Discards what was paid for the job and never recorded, unless others wait
    /// for its call.
    async fn discard_unrecorded(&self, id: &str) -> Result<(), Error> {
        let Ok(Some(entry)) = self.journal.find(id).await else {
            return Ok(());
        };
        if !self.queue.wants_answer(id).await? {
            self.journal.remove(id).await;
            for picture in entry.pictures() {
                self.discard(picture).await;
            }
        }
        Ok(())
    }

    /// Forgets what has expired, now and then.
    pub async fn sweep(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let since = now.checked_sub(self.figures_kept).unwrap_or(Timestamp::MIN);
        self.files.set_aside_unreadable(now).await?;
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
    /// before the instant. Every job is looked at once, by whichever process
    /// comes first: how far they have come is kept in the store.
    async fn forget_photos(&self, before: Timestamp) -> Result<(), Error> {
        let mut looked_at = self.files.mark(PHOTOS).await?;
        let mut most = BATCH;
        while looked_at < before {
            let old = self.queue.finished(looked_at..before, most).await?;
            let (all, mut last) = (old.len() < most, looked_at);
            for id in &old {
                let Some(job) = self.queue.get(id).await? else {
                    continue;
                };
                last = job.finished_at.unwrap_or(last);
                if matches!(job.request.task, Task::Restoration(_)) {
                    self.delete_if_there(id).await?;
                }
            }
            // More may have finished in the same millisecond.
            most = if last == looked_at { 2 * most } else { BATCH };
            looked_at = if all { before } else { last };
            self.files.advance(PHOTOS, looked_at).await?;
        }
        Ok(())
    }

    /// Whether it was there, and could be deleted: another process may have been
    /// faster, an operator has revived it, or its record cannot be read.
    async fn delete_if_there(&self, id: &str) -> Result<bool, Error> {
        match self.delete(id).await {
            Ok(()) => Ok(true),
            Err(Error::Queue(queue::Error::NotFound | queue::Error::Illegal(_))) => Ok(false),
            Err(Error::Queue(queue::Error::Store(store::Error::Record(error)))) => {
                warn!(%error, id, "a job whose record cannot be read stays");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
