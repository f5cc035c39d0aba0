//! How a job ends: its outcome comes home, or its owner calls it off.

use std::time::Duration;

use atelier_app::wire::Status;
use jiff::Timestamp;
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::{Caller, Error, Studio, fares::receipts};
use crate::{
    callback::Message,
    job::{Outcome, Task},
    metrics,
    provider::CONTENT_REFUSED,
    queue::{self, Cancellation, Completion, Job, Ticket},
};

/// How often an address is noted again whose job has ended already.
const TRIES: u32 = 6;

impl Studio {
    /// Brings a delivered outcome home. Doing so twice changes nothing.
    pub async fn complete(&self, message: &Message) -> Result<(), Error> {
        let (ticket, now) = (&message.data.ticket, self.clock.now());
        if let Some(job) = self.delivered(ticket).await? {
            self.remember(&job, now).await?;
            if matches!(job.outcome, Some(Outcome::Failed(_))) {
                self.refund(&job.id, receipts(&job)).await;
            }
            self.tell(&ended(job, now), ticket.token, now).await?;
        }
        let (jobs, orphans) = match self.queue.complete(ticket, now).await {
            Ok(Completion::Applied { jobs, orphans }) => (jobs, orphans),
            // A deleted job needs no outcome any more.
            Ok(Completion::Repeated) | Err(queue::Error::NotFound) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.clear_up(&orphans).await;
        self.settle_all(&jobs).await;
        if let Some(leader) = jobs.first() {
            self.remember_meaning(leader, now);
        }
        self.note_refusals(&jobs, now).await;
        for job in &jobs {
            info!(id = job.id, status = job.status.as_str(), "finished");
            metrics::finished(job);
            if job.id != ticket.id {
                self.tell_follower(job, ticket.token, now).await;
            }
        }
        Ok(())
    }

    /// Counts what the provider refused against those who asked for it. Failing
    /// to is logged and not passed on: the job has ended.
    async fn note_refusals(&self, jobs: &[Job], now: Timestamp) {
        for job in jobs.iter().filter(|job| was_refused(job)) {
            if let Err(error) = self.refusals.count(&receipts(job), now).await {
                warn!(%error, id = job.id, "a refusal could not be counted");
            }
        }
    }

    /// The job whose outcome this is, unless it was applied before.
    async fn delivered(&self, ticket: &Ticket) -> Result<Option<Job>, Error> {
        let job = self.queue.get(&ticket.id).await?;
        Ok(job.filter(|job| job.status == Status::Delivering && job.token == ticket.token))
    }

    /// Followers are known only when they have ended, and no later delivery
    /// would come back to them.
    async fn tell_follower(&self, job: &Job, token: u64, now: Timestamp) {
        for tries in 1..=TRIES {
            match self.tell(job, token, now).await {
                Ok(()) => return,
                Err(error) => error!(%error, id = job.id, "an API user's notice is not noted yet"),
            }
            sleep(Duration::from_millis(100) * 2_u32.pow(tries)).await;
        }
    }

    /// Cancels the caller's job, or, unless `only_cancel`, deletes it with its
    /// files if it is finished; then the answer is `None`.
    pub async fn cancel(
        &self,
        caller: &Caller,
        id: &str,
        only_cancel: bool,
    ) -> Result<Option<Job>, Error> {
        let job = self.queue.get(id).await?.ok_or(queue::Error::NotFound)?;
        if matches!(job.request.task, Task::Notice(_)) {
            return Err(queue::Error::NotFound.into());
        }
        if !caller.owns(&job) {
            return Err(Error::NotYours);
        }
        if job.status.is_terminal() && !only_cancel {
            self.delete(id).await?;
            return Ok(None);
        }
        let cancelled = self.queue.cancel(id, self.clock.now()).await?;
        let Cancellation {
            job,
            before_call,
            orphans,
        } = cancelled;
        if before_call {
            self.refund(&job.id, receipts(&job)).await;
        }
        self.clear_up(&orphans).await;
        info!(id, before_call, "cancelled");
        Ok(Some(job))
    }
}

fn was_refused(job: &Job) -> bool {
    matches!(&job.outcome, Some(Outcome::Failed(failure)) if failure.code == CONTENT_REFUSED)
}

/// The job as it will be once its outcome is applied; stores keep milliseconds.
fn ended(job: Job, now: Timestamp) -> Job {
    let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    Job {
        status: job.outcome.as_ref().map_or(job.status, Outcome::status),
        version: job.version + 1,
        finished_at: Some(now),
        progress: None,
        preview: None,
        ..job
    }
}
