//! How a job ends: its outcome is delivered, or its owner cancels it.

use std::sync::Arc;

use atelier_api::Status;
use jiff::Timestamp;
use tracing::{info, warn};

use super::{
    Caller, Error, Studio,
    charging::{receipts, settlements},
};
use crate::{
    callback::Message,
    job::{JobId, Outcome, Task},
    providers::CONTENT_REFUSED,
    queue::{self, Bill, Cancellation, Completion, Ended, Job, Ticket},
    telemetry::metrics,
};

impl Studio {
    /// Applies a delivered outcome; applying it again changes nothing. The jobs that
    /// shared the call are processed in the background, so that the response
    /// does not wait for them.
    pub async fn complete(self: &Arc<Self>, message: &Message) -> Result<(), Error> {
        let (ticket, now) = (&message.data.ticket, self.stores.clock.now());
        let mut settled = false;
        if let Some(job) = self.delivered(ticket).await? {
            let (cached, early) =
                tokio::join!(self.cache_answer(&job, now), self.settle_early(&job));
            cached?;
            settled = early;
        }
        let (ended, orphans) = match self.stores.queue.complete(ticket, now).await {
            Ok(Completion::Applied { ended, orphans }) => (ended, orphans),
            // A deleted job no longer needs its outcome.
            Ok(Completion::Repeated) | Err(queue::Error::NotFound) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.discard_all(orphans).await;
        if let Some(leader) = ended.first() {
            self.cache_meaning(&leader.job, now);
        }
        self.note_refusals(&ended, now).await;
        for Ended { job, .. } in &ended {
            info!(id = job.id, status = job.status.as_str(), "job finished");
            metrics::finished(job);
        }
        let mut ended: Vec<Ended> = ended.into_iter().filter(Ended::is_noted).collect();
        if let Some(leader) = ended.first_mut().filter(|_| settled) {
            leader.job.charge = serde_json::Value::Null;
        }
        let studio = Arc::clone(self);
        tokio::spawn(async move { studio.process_ended(ended).await });
        Ok(())
    }

    /// Counts the provider's refusals against the callers. A failure to count is
    /// logged and not returned: the job has ended.
    async fn note_refusals(&self, ended: &[Ended], now: Timestamp) {
        let refused = ended
            .iter()
            .map(|end| &end.job)
            .filter(|job| was_refused(job));
        for job in refused {
            if let Err(error) = self.refusals.count(&receipts(job), now).await {
                warn!(%error, id = job.id, "a refusal could not be counted");
            }
        }
    }

    /// Settles the charge for a job whose outcome is recorded, so that a client
    /// that sees its end also sees the limits after it. Returns whether it
    /// succeeded.
    async fn settle_early(&self, job: &Job) -> bool {
        let settlements = settlements(job, &Bill::delivered(job));
        let settled = self.settle(&job.id, settlements).await;
        if let Err(error) = &settled {
            warn!(%error, id = job.id, "early settlement failed; the outbox settles later");
        }
        settled.is_ok()
    }

    /// The job that this outcome belongs to, unless it was applied before.
    async fn delivered(&self, ticket: &Ticket) -> Result<Option<Job>, Error> {
        let job = self.stores.queue.get(&ticket.id).await?;
        Ok(job.filter(|job| job.status == Status::Delivering && job.token == ticket.token))
    }

    /// Cancels the caller's job. A finished job is deleted with its files instead,
    /// unless `only_cancel` is set, and `None` is returned.
    pub async fn cancel(
        &self,
        caller: &Caller,
        id: &JobId,
        only_cancel: bool,
    ) -> Result<Option<Job>, Error> {
        let job = self
            .stores
            .queue
            .get(id)
            .await?
            .ok_or(queue::Error::NotFound)?;
        if matches!(job.request.task, Task::Notice(_)) {
            return Err(queue::Error::NotFound.into());
        }
        if !caller.owns(&job) {
            // A caller who cannot see the job must not learn that it exists.
            let seen = self.shown(caller, false, Some(job)).await?;
            return Err(seen.map_or_else(|| queue::Error::NotFound.into(), |_| Error::NotYours));
        }
        if job.status.is_terminal() && !only_cancel {
            self.delete(id).await?;
            return Ok(None);
        }
        let cancelled = self
            .stores
            .queue
            .cancel(id, self.stores.clock.now())
            .await?;
        let Cancellation {
            mut job,
            ended,
            orphans,
        } = cancelled;
        self.process_ended(ended).await;
        self.discard_all(orphans).await;
        info!(id = &**id, "job cancelled");
        self.drop_withdrawn(caller, &mut job).await?;
        Ok(Some(job))
    }

    /// Cancels the caller's job, if it can still be cancelled, and deletes it.
    pub async fn withdraw(&self, caller: &Caller, id: &JobId) -> Result<(), Error> {
        for only_cancel in [true, false] {
            match self.cancel(caller, id, only_cancel).await {
                Ok(_) | Err(Error::Queue(queue::Error::Illegal(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn was_refused(job: &Job) -> bool {
    matches!(&job.outcome, Some(Outcome::Failed(failure)) if failure.code == CONTENT_REFUSED)
}
