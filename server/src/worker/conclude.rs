//! The end of a call: its outcome recorded, then delivered.

use std::time::Duration;

use tokio::time::sleep;
use tracing::{info, warn};

use super::{STORE_TRIES, Worker, backoff};
use crate::{
    job::{Outcome, Task},
    queue::{self, Job, Ticket, Verdict},
};

/// A delivery costs nothing, and somebody is waiting for it.
const LONGEST_DELIVERY_PAUSE: Duration = Duration::from_secs(30);

impl Worker {
    pub(super) async fn conclude(&self, job: &Job, verdict: Verdict) {
        let outcome = match &verdict {
            Verdict::Record(outcome) => Some(outcome.clone()),
            Verdict::Fail(failed) => Some(Outcome::Failed(failed.failure.clone())),
            _ => None,
        };
        let wanted = self.settle(&job.ticket(), verdict).await;
        match outcome {
            Some(outcome) if wanted => self.deliver(job, &outcome, 0).await,
            outcome => self.discard(outcome.iter().flat_map(Outcome::files)).await,
        }
    }

    /// Whether the store took it. What was done for the job must not be lost
    /// because the store was away for a moment.
    pub(super) async fn settle(&self, ticket: &Ticket, verdict: Verdict) -> bool {
        for tries in 1..=STORE_TRIES {
            let now = self.clock.now();
            match self.queue.settle(ticket, verdict.clone(), now).await {
                Ok(()) => return true,
                Err(queue::Error::Store(error)) => {
                    warn!(%error, "the outcome could not be recorded");
                }
                Err(error) => {
                    info!(%error, "the outcome is not wanted any more");
                    return false;
                }
            }
            sleep(Duration::from_millis(100) * 2_u32.pow(tries)).await;
        }
        // Whether it was recorded is unknown: the pictures stay.
        true
    }

    /// The outcome was recorded in an earlier claim.
    pub(super) async fn deliver_again(&self, job: &Job, tries: u32) {
        if let Some(outcome) = &job.outcome {
            self.deliver(job, outcome, tries).await;
        }
    }

    async fn deliver(&self, job: &Job, outcome: &Outcome, tries: u32) {
        let (ticket, now) = (job.ticket(), self.clock.now());
        // Nobody waits for the outcome of a notice, and it has no files.
        if matches!(job.request.task, Task::Notice(_)) {
            if let Err(error) = self.queue.complete(&ticket, now).await {
                warn!(%error, "a notice could not be finished; it is not sent again");
            }
            return;
        }
        if let Err(error) = self.courier.deliver(&ticket, outcome, now).await {
            let pause = backoff::pause(&self.settings, tries + 1, fastrand::f64())
                .min(LONGEST_DELIVERY_PAUSE);
            warn!(%error, ?pause, "the outcome could not be delivered; the call is not repeated");
            self.settle(&ticket, Verdict::Postpone(now + pause)).await;
        }
    }

    pub(super) async fn discard(&self, keys: impl Iterator<Item = &str>) {
        for key in keys {
            if let Err(error) = self.blobs.delete(key).await {
                warn!(%error, key, "an unwanted picture could not be deleted");
            }
        }
    }
}
