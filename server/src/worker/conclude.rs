//! The end of a call: its outcome recorded, then delivered.

use std::{pin::pin, time::Duration};

use tokio::time::sleep;
use tracing::{debug, info, warn};

use super::{Worker, backoff};
use crate::{
    job::{Outcome, Task},
    queue::{self, Job, Report, Ticket, Verdict},
    store,
};

/// A delivery costs nothing, and somebody is waiting for it.
const LONGEST_DELIVERY_PAUSE: Duration = Duration::from_secs(30);

/// Shorter than the pauses of those who claim: what is paid for is to be recorded before its lease is
/// found to have run out.
const LONGEST_STORE_PAUSE: Duration = Duration::from_millis(500);

/// A store that answers takes less. What it has taken may be lost with the machine too, if that fails
/// within seconds; until then nothing is gained by waiting for the disk.
const HESITATION: Duration = Duration::from_millis(200);

/// Whether the store knows of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Taken,
    /// Refused at the first attempt: nothing of it was recorded.
    Refused,
    /// Refused after an attempt whose result is not known: that one may have been taken.
    RefusedLater,
    /// The process ends before the store has answered.
    Unheard,
}

/// Where an outcome comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A call of this claim.
    Call,
    /// The same, and it stands in the journal.
    PaidCall,
    /// A claim before, that could not tell the store: it stands in the journal.
    Journal,
}

impl Worker {
    pub(super) async fn conclude(&self, job: &Job, verdict: Verdict, origin: Origin) {
        let outcome = match &verdict {
            Verdict::Record(outcome) => Some(outcome.clone()),
            Verdict::Fail(failed) => Some(Outcome::Failed(failed.failure.clone())),
            _ => None,
        };
        let ticket = job.ticket();
        let told = self.settle_safely(&ticket, verdict, origin).await;
        let Some(outcome) = outcome else { return };
        match told {
            Told::Taken if matches!(job.request.task, Task::Notice(_)) => {
                self.finish(&ticket).await;
            }
            // Somebody waits for the one, and nobody for the other.
            Told::Taken => {
                tokio::join!(
                    self.deliver(&ticket, &outcome, 0),
                    self.forget(&ticket.id, origin),
                );
            }
            Told::Refused | Told::RefusedLater => {
                self.reconsider(&ticket.id, &outcome, told, origin).await;
            }
            Told::Unheard => {}
        }
    }

    /// Tells the store. If that takes long, the journal's entry is made to survive the machine meanwhile.
    async fn settle_safely(&self, ticket: &Ticket, verdict: Verdict, origin: Origin) -> Told {
        let mut settled = pin!(self.settle(ticket, verdict));
        tokio::select! {
            told = &mut settled => return told,
            () = sleep(HESITATION) => {}
        }
        if origin == Origin::PaidCall {
            self.journal.sync(&ticket.id).await;
        }
        settled.await
    }

    /// Tells the store, however long it is away: what was done for the job must not be lost.
    pub(super) async fn settle(&self, ticket: &Ticket, verdict: Verdict) -> Told {
        let mut refused = Told::Refused;
        let mut hold = None;
        for tries in 1.. {
            let now = self.clock.now();
            match self.queue.settle(ticket, verdict.clone(), now).await {
                Ok(()) => return Told::Taken,
                Err(queue::Error::Store(store::Error::Record(error))) => {
                    warn!(%error, id = ticket.id, "the outcome cannot be recorded");
                    return Told::RefusedLater;
                }
                Err(queue::Error::Store(error)) => {
                    warn!(%error, id = ticket.id, tries, "the outcome is not recorded yet");
                    if error.is_away() && hold.is_none() {
                        hold = Some(self.claims.hold());
                    }
                }
                Err(error) => {
                    info!(%error, "the outcome is not wanted any more");
                    return refused;
                }
            }
            refused = Told::RefusedLater;
            self.keep_lease(ticket).await;
            tokio::select! {
                () = sleep(store_pause(tries)) => {}
                () = self.hand_back.cancelled() => return Told::Unheard,
            }
        }
        refused
    }

    /// A store that refuses the outcome for the moment may well extend the lease.
    async fn keep_lease(&self, ticket: &Ticket) {
        let now = self.clock.now();
        let extended = self
            .queue
            .extend(ticket, now, self.settings.lease, Report::default());
        if let Err(error) = extended.await {
            debug!(%error, id = ticket.id, "the lease could not be extended");
        }
    }

    pub(super) async fn forget(&self, id: &str, origin: Origin) {
        if origin != Origin::Call {
            self.journal.remove(id).await;
        }
    }

    /// The outcome was recorded in an earlier claim.
    pub(super) async fn deliver_again(&self, job: &Job, tries: u32) {
        match &job.outcome {
            Some(_) if matches!(job.request.task, Task::Notice(_)) => {
                self.finish(&job.ticket()).await;
            }
            Some(outcome) => self.deliver(&job.ticket(), outcome, tries).await,
            None => {}
        }
    }

    /// Nobody waits for the outcome of a notice, and it has no files.
    async fn finish(&self, ticket: &Ticket) {
        if let Err(error) = self.queue.complete(ticket, self.clock.now()).await {
            warn!(%error, "a notice could not be finished; it is not sent again");
        }
    }

    pub(super) async fn deliver(&self, ticket: &Ticket, outcome: &Outcome, tries: u32) {
        let now = self.clock.now();
        if let Err(error) = self.deliveries.deliver(ticket, outcome, now).await {
            let pause = backoff::pause(&self.settings, tries + 1, fastrand::f64())
                .min(LONGEST_DELIVERY_PAUSE);
            warn!(%error, ?pause, "the outcome could not be delivered; the call is not repeated");
            self.settle(ticket, Verdict::Postpone(now + pause)).await;
        }
    }

    pub(super) async fn discard(&self, keys: impl IntoIterator<Item = &str>) {
        for key in keys {
            if let Err(error) = self.blobs.delete(key).await {
                warn!(%error, key, "an unwanted picture could not be deleted");
            }
        }
    }
}

fn store_pause(tries: u32) -> Duration {
    let pause = Duration::from_millis(50).saturating_mul(2_u32.saturating_pow(tries));
    pause.min(LONGEST_STORE_PAUSE)
}
