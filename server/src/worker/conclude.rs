//! The end of a call: its outcome recorded, then delivered.

use std::{pin::pin, time::Duration};

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::sleep;
use tracing::{debug, info, warn};

use super::{Worker, backoff};
use crate::{
    blob::BlobKey,
    job::{Outcome, Task},
    queue::{self, Job, Report, Ticket, Verdict},
    store,
};

/// A delivery costs nothing and somebody waits for it, so its pauses are short.
const LONGEST_DELIVERY_PAUSE: Duration = Duration::from_secs(30);

/// Shorter than the pauses of claims: a paid answer must be recorded before its expired lease is found.
const LONGEST_STORE_PAUSE: Duration = Duration::from_millis(500);

/// Time for the store before the journal is synced to disk. A working store takes less, and syncing would gain
/// nothing: what it has recorded may be lost with the machine within seconds as well.
const SYNC_AFTER: Duration = Duration::from_millis(200);

/// Whether the store has recorded a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    Recorded,
    /// Refused at the first attempt: nothing was recorded.
    Refused,
    /// Refused after an attempt whose result is unknown: that one may have been recorded.
    RefusedLater,
    /// The process ends before the store has answered.
    Unanswered,
}

/// Where an outcome comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A call of this claim.
    Call,
    /// A call of this claim, whose answer is in the journal.
    PaidCall,
    /// An earlier claim that could not reach the store; the answer is in the journal.
    Journal,
}

impl Worker {
    pub(super) async fn conclude(&self, job: &Job, verdict: Verdict, origin: Origin) {
        let outcome = match &verdict {
            Verdict::Record(outcome) | Verdict::FailWith(_, outcome) => Some(outcome.clone()),
            Verdict::Fail(failed) => Some(Outcome::Failed(failed.failure.clone())),
            _ => None,
        };
        let ticket = job.ticket();
        let settled = self.settle_safely(&ticket, verdict, origin).await;
        let Some(outcome) = outcome else { return };
        match settled {
            Settled::Recorded if matches!(job.request.task, Task::Notice(_)) => {
                self.finish(&ticket).await;
            }
            // Concurrently: a client waits for the delivery.
            Settled::Recorded => {
                tokio::join!(
                    self.deliver(&ticket, &outcome, 0),
                    self.forget(&ticket.id, origin),
                );
            }
            Settled::Refused | Settled::RefusedLater => {
                self.clean_up(&ticket.id, &outcome, settled, origin).await;
            }
            Settled::Unanswered => {}
        }
    }

    /// Records the verdict in the store. If that takes long, the journal is synced to disk meanwhile.
    async fn settle_safely(&self, ticket: &Ticket, verdict: Verdict, origin: Origin) -> Settled {
        let mut settled = pin!(self.settle(ticket, verdict));
        tokio::select! {
            result = &mut settled => return result,
            () = sleep(SYNC_AFTER) => {}
        }
        if origin == Origin::PaidCall {
            self.journal.sync(&ticket.id).await;
        }
        settled.await
    }

    /// Records the verdict in the store, however long that is unreachable: the result must not be lost.
    pub(super) async fn settle(&self, ticket: &Ticket, verdict: Verdict) -> Settled {
        let settle = |now| self.queue.settle(ticket, verdict.clone(), now);
        match self.persist(ticket, settle).await {
            Ok(()) => Settled::Recorded,
            Err(settled) => settled,
        }
    }

    /// Writes to the store until it has answered, however long it is unreachable.
    pub(super) async fn persist<'a, T>(
        &'a self,
        ticket: &'a Ticket,
        write: impl Fn(Timestamp) -> BoxFuture<'a, Result<T, queue::Error>>,
    ) -> Result<T, Settled> {
        let mut refused = Settled::Refused;
        let mut hold = None;
        for tries in 1.. {
            match write(self.clock.now()).await {
                Ok(written) => return Ok(written),
                Err(queue::Error::Store(store::Error::Record(error))) => {
                    warn!(%error, id = ticket.id, "the outcome cannot be recorded");
                    return Err(Settled::RefusedLater);
                }
                Err(queue::Error::Store(error)) => {
                    warn!(%error, id = ticket.id, tries, "the outcome is not recorded yet");
                    if error.is_away() && hold.is_none() {
                        hold = Some(self.claims.hold());
                    }
                }
                Err(error) => {
                    info!(%error, "the outcome is no longer wanted");
                    return Err(refused);
                }
            }
            refused = Settled::RefusedLater;
            self.keep_lease(ticket).await;
            tokio::select! {
                () = sleep(store_pause(tries)) => {}
                () = self.hand_back.cancelled() => return Err(Settled::Unanswered),
            }
        }
        Err(refused)
    }

    /// Extends the lease, which a store that refuses the outcome for the moment may still do.
    pub(super) async fn keep_lease(&self, ticket: &Ticket) {
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

    /// Delivers an outcome that was recorded in an earlier claim.
    pub(super) async fn deliver_again(&self, job: &Job, tries: u32) {
        match &job.outcome {
            Some(_) if matches!(job.request.task, Task::Notice(_)) => {
                self.finish(&job.ticket()).await;
            }
            Some(_) if matches!(job.request.task, Task::Message(_)) => {
                self.finish_message(job).await;
            }
            Some(outcome) => self.deliver(&job.ticket(), outcome, tries).await,
            None => {}
        }
    }

    /// Completes a notice without a delivery: nobody waits for its outcome, and it has no files.
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

    pub(super) async fn discard(&self, keys: impl IntoIterator<Item = &BlobKey>) {
        for key in keys {
            if let Err(error) = self.blobs.delete(key).await {
                warn!(%error, key = &**key, "an unwanted picture could not be deleted");
            }
        }
    }
}

pub(super) fn store_pause(tries: u32) -> Duration {
    let pause = Duration::from_millis(50).saturating_mul(2_u32.saturating_pow(tries));
    pause.min(LONGEST_STORE_PAUSE)
}
