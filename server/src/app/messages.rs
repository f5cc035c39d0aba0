//! Messages as jobs: queued with their bodies, cancelled, retried and deleted.

use atelier_api::Status;
use bytes::Bytes;
use tracing::{debug, info};

use super::{Error, Studio};
use crate::{
    access::Holder,
    blob::BlobKey,
    job::{JobId, MESSAGES},
    limit::{self, Asker, Costs, Standing},
    queue::{self, Cancellation, Job, NewJob, Priority},
    telemetry::metrics,
};

/// What the policies call a message.
const ACTION: &str = "message";

impl Studio {
    /// Charges an API key for so many messages, which nobody gets back.
    pub async fn charge_messages(
        &self,
        holder: &Holder,
        count: u64,
    ) -> Result<Vec<Standing>, Error> {
        let asker = Asker {
            ip: "",
            user: Some(&holder.id),
            own: &holder.policies,
            provider: MESSAGES,
        };
        let costs = Costs {
            requests: count,
            ..Costs::default()
        };
        let demands = limit::demands(&self.settings.policies, Some(ACTION), asker, costs);
        if demands.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.stores.clock.now();
        let charge = self.charge(demands.clone(), now).await;
        let charge = charge.map(|charge| charge.standings);
        if let Ok(standings) | Err(Error::Limited(standings)) = &charge {
            metrics::decided(standings);
            self.recorders.stats.note(&demands, standings, now);
        }
        charge
    }

    /// Queues a message with the blob of its body, and returns its job: the earlier one if it
    /// was queued before. If the store fails it may have been queued nevertheless, and is then
    /// delivered: its publisher may have been told that it is a duplicate of itself.
    pub async fn queue_message(
        &self,
        message: NewJob,
        body: Option<(BlobKey, Bytes)>,
    ) -> Result<Job, Error> {
        let adding = self.enqueue_or_retry(&message, self.stores.clock.now());
        let job = queue::add_with_body(&self.stores.blobs, body, adding).await?;
        debug!(id = job.id, "message accepted");
        Ok(job)
    }

    /// Cancels a message. Returns whether it was still to be delivered.
    pub async fn cancel_message(&self, id: &str) -> Result<bool, Error> {
        let now = self.stores.clock.now();
        match self.stores.queue.cancel(id, now).await {
            Ok(Cancellation { ended, orphans, .. }) => {
                self.process_ended(ended).await;
                self.discard_all(orphans).await;
                info!(id, "message cancelled");
                Ok(true)
            }
            Err(queue::Error::NotFound | queue::Error::Illegal(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Retries a message that failed. Returns whether it had failed.
    pub async fn retry_message(&self, id: &str) -> Result<bool, Error> {
        let now = self.stores.clock.now();
        match self.stores.queue.retry(id, Priority::Normal, now).await {
            Ok(_) => Ok(true),
            Err(queue::Error::NotFound | queue::Error::Illegal(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes a message that failed. Returns whether it had failed.
    pub async fn delete_message(&self, id: &JobId) -> Result<bool, Error> {
        let job = self.stores.queue.get(id).await?;
        if job.is_none_or(|job| job.status != Status::Failed) {
            return Ok(false);
        }
        match self.delete(id).await {
            Ok(()) => Ok(true),
            Err(Error::Queue(queue::Error::NotFound | queue::Error::Illegal(_))) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
