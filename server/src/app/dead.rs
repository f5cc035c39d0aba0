//! Dead letters: failed jobs, kept with the error of every attempt for an operator
//! to retry or to delete.

use atelier_api::Status;
use tracing::info;

use super::{Error, Studio};
use crate::{
    job::JobId,
    queue::{self, Job, Priority},
};

/// Dead letters read at a time.
const BATCH: usize = 100;

#[derive(Clone, Copy)]
enum Action {
    Retry,
    Delete,
}

impl Studio {
    /// Returns at most `limit` dead letters, newest first, older than the job `before`.
    pub async fn dead(&self, before: Option<&str>, limit: usize) -> Result<Vec<Job>, Error> {
        Ok(self.stores.queue.dead(before, limit).await?)
    }

    /// Retries a dead letter.
    pub async fn retry(&self, id: &JobId) -> Result<Job, Error> {
        self.retry_as(id, Priority::Normal).await
    }

    /// Retries all dead letters, at low priority. Returns their number.
    pub async fn retry_all(&self) -> Result<usize, Error> {
        self.apply_to_all(Action::Retry).await
    }

    async fn retry_as(&self, id: &JobId, priority: Priority) -> Result<Job, Error> {
        let job = self
            .stores
            .queue
            .retry(id, priority, self.stores.clock.now())
            .await?;
        info!(id = &**id, ?priority, "job retried");
        Ok(job)
    }

    /// Deletes a dead letter with its files.
    pub async fn delete_dead(&self, id: &JobId) -> Result<(), Error> {
        let job = self.stores.queue.get(id).await?;
        if job.is_none_or(|job| job.status != Status::Failed) {
            return Err(queue::Error::NotFound.into());
        }
        self.delete(id).await
    }

    /// Deletes all dead letters. Returns their number.
    pub async fn delete_all_dead(&self) -> Result<usize, Error> {
        self.apply_to_all(Action::Delete).await
    }

    /// Applies the action to every present dead letter, oldest first: the leader of
    /// a call thus leads it again, and receives an answer already paid for.
    async fn apply_to_all(&self, action: Action) -> Result<usize, Error> {
        let mut count = 0;
        for id in self.dead_ids().await?.into_iter().rev() {
            let result = match action {
                Action::Retry => self.retry_as(&id, Priority::Low).await.map(drop),
                Action::Delete => self.delete_dead(&id).await,
            };
            match result {
                Ok(()) => count += 1,
                // Another process was faster.
                Err(Error::Queue(queue::Error::NotFound | queue::Error::Illegal(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(count)
    }

    /// The ids of all dead letters, newest first.
    async fn dead_ids(&self) -> Result<Vec<JobId>, Error> {
        let mut ids: Vec<JobId> = Vec::new();
        loop {
            let last = ids.last().map(|id| &**id);
            let letters = self.dead(last, BATCH).await?;
            let all = letters.len() < BATCH;
            ids.extend(letters.into_iter().map(|letter| letter.id.into()));
            if all {
                return Ok(ids);
            }
        }
    }
}
