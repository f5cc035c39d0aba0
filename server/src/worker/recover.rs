//! What was paid for and could not be told to the store, found again in the journal.

use atelier_app::wire::Status;
use tracing::{info, warn};

use super::{
    Worker,
    conclude::{Origin, Told},
    journal::Entry,
};
use crate::{
    job::Outcome,
    queue::{Job, Verdict},
};

impl Worker {
    /// Tells the store what an earlier process was not able to tell it. To be done before anything is
    /// claimed: a lease that has run out meanwhile is found by a claim.
    pub(super) async fn recover(&self) {
        for entry in self.journal.entries().await {
            if !self.is_whole(&entry).await {
                self.journal.remove(&entry.ticket.id).await;
                continue;
            }
            let Entry { ticket, outcome } = &entry;
            match self.settle(ticket, Verdict::Record(outcome.clone())).await {
                Told::Taken => {
                    info!(id = ticket.id, "an answer paid for before was recorded");
                    self.journal.remove(&ticket.id).await;
                    self.deliver(ticket, outcome, 0).await;
                }
                Told::Unheard => return,
                told => {
                    self.reconsider(&ticket.id, outcome, told, Origin::Journal)
                        .await;
                }
            }
        }
    }

    /// The answer to the job's call, if it was paid for before.
    pub(super) async fn paid_before(&self, job: &Job) -> Option<Outcome> {
        let entry = match self.journal.find(&job.id).await {
            Ok(entry) => entry?,
            Err(error) => {
                warn!(%error, id = job.id, "the journal cannot be asked");
                return None;
            }
        };
        if self.is_whole(&entry).await {
            return Some(entry.outcome);
        }
        self.journal.remove(&job.id).await;
        None
    }

    /// Whether all its pictures are there, as far as the blob store can tell.
    async fn is_whole(&self, entry: &Entry) -> bool {
        for picture in entry.pictures() {
            match self.blobs.size(&picture.key).await {
                Ok(size) if size == Some(picture.bytes) => {}
                Ok(size) => {
                    warn!(
                        id = entry.ticket.id,
                        ?size,
                        "a picture in the journal is lost"
                    );
                    return false;
                }
                Err(error) => warn!(%error, "a picture in the journal could not be looked for"),
            }
        }
        true
    }

    /// The store did not take the outcome of a paid call. It stays in the journal as long as the job may
    /// be called for again, and serves then. Files are discarded only if surely nothing refers to them;
    /// what else is left without a record is swept.
    pub(super) async fn reconsider(&self, id: &str, outcome: &Outcome, told: Told, origin: Origin) {
        let may_be_called = match self.queue.get(id).await {
            Ok(job) => job.is_some_and(|job| {
                matches!(
                    job.status,
                    Status::Queued | Status::Running | Status::Failed
                )
            }),
            Err(error) => {
                warn!(%error, id, "whether an outcome is still wanted is not known");
                true
            }
        };
        if may_be_called && origin != Origin::Call {
            return;
        }
        self.forget(id, origin).await;
        if told == Told::Refused && origin != Origin::Journal {
            self.discard(outcome.files()).await;
        }
    }
}
