//! What was paid for and could not be told to the store, found again in the journal.

use tracing::{info, warn};

use super::{
    Worker,
    conclude::{Origin, Told},
};
use crate::{
    blob::journal::Entry,
    job::Outcome,
    queue::{Job, Verdict},
};
use atelier_queue::Outcome as _;

impl Worker {
    /// Tells the store what an earlier process was not able to tell it. To be done before anything is
    /// claimed: a lease that has run out meanwhile is found by a claim.
    pub(super) async fn recover(&self) {
        for entry in self.journal.entries().await {
            let Entry { ticket, outcome } = &entry;
            if !self.is_whole(&entry).await {
                // Or somebody is about to make it whole.
                let _needed = self.clear_entry(&ticket.id).await;
                continue;
            }
            match self.settle(ticket, Verdict::Record(outcome.clone())).await {
                Told::Taken => {
                    info!(id = ticket.id, "an answer paid for before was recorded");
                    self.journal.remove(&ticket.id).await;
                    self.deliver(ticket, outcome, 0).await;
                }
                Told::Unheard => return,
                Told::Refused | Told::RefusedLater => {
                    self.clear_entry(&ticket.id).await;
                }
            }
        }
    }

    /// The answer to the job's call, if it was paid for before.
    pub(super) async fn paid_before(&self, job: &Job) -> Option<Outcome> {
        if !self.costs(job) {
            return None;
        }
        let entry = match self.journal.find(&job.id).await {
            Ok(entry) => entry?,
            Err(error) => {
                warn!(%error, id = job.id, "the journal cannot be asked");
                return None;
            }
        };
        if !self.is_whole(&entry).await {
            self.journal.remove(&job.id).await;
            return None;
        }
        let entry = entry.taken_over(job.ticket());
        // If this claim is lost as well, it has made no call either.
        if let Err(error) = self.journal.write(&entry).await {
            warn!(%error, id = job.id, "who has taken an answer over is not in the journal");
        }
        self.journal.sync(&job.id).await;
        Some(entry.outcome)
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

    /// The store did not take the outcome of a call. Files are discarded only if surely nothing refers to
    /// them; what else is left without a record is swept.
    pub(super) async fn reconsider(&self, id: &str, outcome: &Outcome, told: Told, origin: Origin) {
        let needed = origin != Origin::Call && self.clear_entry(id).await;
        if !needed && told == Told::Refused && origin != Origin::Journal {
            self.discard(outcome.blobs()).await;
        }
    }

    /// Forgets the job's entry, unless its call may be made again, for its owner or for those who share
    /// it: then the entry serves. Whether it is needed.
    pub(super) async fn clear_entry(&self, id: &str) -> bool {
        let needed = match self.queue.wants_answer(id).await {
            Ok(needed) => needed,
            Err(error) => {
                warn!(%error, id, "whether an outcome is still wanted is not known");
                return true;
            }
        };
        if !needed {
            self.journal.remove(id).await;
        }
        needed
    }
}
