//! Recovers from the journal answers that were paid for and could not be recorded in the store.

use tracing::{info, warn};

use super::{
    Worker,
    conclude::{Origin, Settled},
};
use crate::{
    blob::BlobKey,
    job::{Outcome, PaidAnswer, unreferenced},
    queue::{Job, Verdict},
};

impl Worker {
    /// Records the answers in the journal that an earlier process could not record. To be called before
    /// anything is claimed, as a claim finds expired leases.
    pub(super) async fn recover(&self) {
        for entry in self.journal.entries().await {
            let PaidAnswer { ticket, outcome } = &entry;
            if !self.is_whole(&entry).await {
                // It may be incomplete, or another process is about to complete it.
                let _needed = self.clear_entry(&ticket.id).await;
                continue;
            }
            match self.settle(ticket, Verdict::Record(outcome.clone())).await {
                Settled::Recorded => {
                    info!(id = ticket.id, "an answer paid for before was recorded");
                    self.journal.remove(&ticket.id).await;
                    self.deliver(ticket, outcome, 0).await;
                }
                Settled::Unanswered => return,
                Settled::Refused | Settled::RefusedLater => {
                    self.clear_entry(&ticket.id).await;
                }
            }
        }
    }

    /// Returns the answer to the job's call, if it has been paid for already.
    pub(super) async fn paid_before(&self, job: &Job) -> Option<Outcome> {
        if !self.costs(job) {
            return None;
        }
        let entry = match self.journal.find(&job.id).await {
            Ok(entry) => entry?,
            Err(error) => {
                warn!(%error, id = job.id, "the journal cannot be read");
                return None;
            }
        };
        if !self.is_whole(&entry).await {
            self.journal.remove(&job.id).await;
            return None;
        }
        let entry = entry.taken_over(job.ticket());
        // If this claim is lost as well, the next one must not count it as a call.
        if let Err(error) = self.journal.write(&job.id, &entry).await {
            warn!(%error, id = job.id, "the journal could not be updated with the new claim");
        }
        self.journal.sync(&job.id).await;
        Some(entry.outcome)
    }

    /// Whether all its files exist, as far as the blob store can tell.
    async fn is_whole(&self, entry: &PaidAnswer) -> bool {
        for (key, bytes) in entry.files() {
            match self.blobs.size(key).await {
                Ok(size) if size == Some(bytes) => {}
                Ok(size) => {
                    warn!(id = entry.ticket.id, ?size, "a file in the journal is lost");
                    return false;
                }
                Err(error) => warn!(%error, "cannot check whether a file in the journal exists"),
            }
        }
        true
    }

    /// Cleans up after an outcome that the store refused. Files are deleted only if certainly nothing refers
    /// to them: another claim may have recorded them by the journal. Other orphans are found later.
    pub(super) async fn clean_up(
        &self,
        id: &str,
        outcome: &Outcome,
        settled: Settled,
        origin: Origin,
    ) {
        let needed = origin != Origin::Call && self.clear_entry(id).await;
        if !needed && settled == Settled::Refused && origin != Origin::Journal {
            let keys: Vec<_> = outcome.files().map(|(key, _)| key.to_string()).collect();
            match unreferenced(&self.journal, &*self.files, &keys).await {
                Ok(free) => {
                    let free: Vec<_> = free.into_iter().map(BlobKey::from).collect();
                    self.discard(&free).await;
                }
                Err(error) => warn!(%error, id, "cannot check whether files are still needed"),
            }
        }
    }

    /// Removes the job's entry, unless its call may be made again, for its owner or for those who share it:
    /// then the entry answers it. Returns whether it is needed.
    pub(super) async fn clear_entry(&self, id: &str) -> bool {
        let needed = match self.queue.wants_answer(id).await {
            Ok(needed) => needed,
            Err(error) => {
                warn!(%error, id, "cannot check whether an outcome is still wanted");
                return true;
            }
        };
        if !needed {
            self.journal.remove(id).await;
        }
        needed
    }
}
