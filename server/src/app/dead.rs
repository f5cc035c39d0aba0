//! Dead letters: jobs that failed, kept with every attempt's error for an
//! operator to try again or to delete.

use atelier_api::Status;
use tracing::info;

use super::{Error, Studio};
use crate::queue::{self, Job, Priority};

/// Dead letters looked up at a time.
const BATCH: usize = 100;

#[derive(Clone, Copy)]
enum Treatment {
    Revive,
    Bury,
}

impl Studio {
    /// At most `limit` dead letters, newest first, older than the job `before`.
    pub async fn dead(&self, before: Option<&str>, limit: usize) -> Result<Vec<Job>, Error> {
        Ok(self.queue.dead(before, limit).await?)
    }

    /// Tries a dead letter again.
    pub async fn revive(&self, id: &str) -> Result<Job, Error> {
        self.revive_as(id, Priority::Normal).await
    }

    /// Tries all dead letters again, behind everything else; how many.
    pub async fn revive_all(&self) -> Result<usize, Error> {
        self.treat_all(Treatment::Revive).await
    }

    async fn revive_as(&self, id: &str, priority: Priority) -> Result<Job, Error> {
        let job = self.queue.retry(id, priority, self.clock.now()).await?;
        info!(id, ?priority, "revived");
        Ok(job)
    }

    /// Deletes a dead letter with its files.
    pub async fn bury(&self, id: &str) -> Result<(), Error> {
        let job = self.queue.get(id).await?;
        if job.is_none_or(|job| job.status != Status::Failed) {
            return Err(queue::Error::NotFound.into());
        }
        self.delete(id).await
    }

    /// Deletes all dead letters; how many.
    pub async fn bury_all(&self) -> Result<usize, Error> {
        self.treat_all(Treatment::Bury).await
    }

    /// Does it to every dead letter there is now, the oldest first: who led a
    /// call leads it again, and is given what may have been paid for it.
    async fn treat_all(&self, treatment: Treatment) -> Result<usize, Error> {
        let mut treated = 0;
        for id in self.dead_ids().await?.into_iter().rev() {
            let result = match treatment {
                Treatment::Revive => self.revive_as(&id, Priority::Low).await.map(drop),
                Treatment::Bury => self.bury(&id).await,
            };
            match result {
                Ok(()) => treated += 1,
                // Somebody else was faster.
                Err(Error::Queue(queue::Error::NotFound | queue::Error::Illegal(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(treated)
    }

    /// Those of all dead letters, the newest first.
    async fn dead_ids(&self) -> Result<Vec<String>, Error> {
        let mut ids: Vec<String> = Vec::new();
        loop {
            let last = ids.last().map(String::as_str);
            let letters = self.dead(last, BATCH).await?;
            let all = letters.len() < BATCH;
            ids.extend(letters.into_iter().map(|letter| letter.id));
            if all {
                return Ok(ids);
            }
        }
    }
}
