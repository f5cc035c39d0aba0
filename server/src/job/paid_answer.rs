//! Answers that are paid for and not yet in the store. The journal has one entry for each,
//! written before the pictures are, and before the outcome is recorded. It is removed once
//! the store has the outcome or no longer wants it, and is ignored without its pictures. So
//! neither an unreachable store nor a crash makes a call be paid for twice.

use std::collections::HashSet;

use atelier_queue::{Error, Housekeeping, Ticket};
use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::blob::BlobKey;

/// An answer, with the claim under which it was paid for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaidAnswer {
    #[serde(flatten)]
    pub ticket: Ticket,
    pub outcome: Outcome,
}

/// The journal of such answers, by the ids of their jobs.
pub type Journal = atelier_blob::Journal<PaidAnswer>;

/// Returns those of the blobs that nothing refers to: the only place that decides
/// whether a file is still needed. The journal is read before the store: its
/// entries are removed only after their outcome is in the store.
///
/// # Errors
/// If the store does not answer.
pub async fn unreferenced(
    journal: &Journal,
    files: &dyn Housekeeping,
    keys: &[String],
) -> Result<Vec<String>, Error> {
    let entries = journal.entries().await;
    let paid: HashSet<&str> = (entries.iter().flat_map(PaidAnswer::files))
        .map(|(key, _)| &**key)
        .collect();
    let mut free = files.unreferenced(keys).await?;
    free.retain(|key| !paid.contains(&**key));
    Ok(free)
}

impl PaidAnswer {
    /// The same answer, to be recorded under this later claim.
    pub fn taken_over(self, ticket: Ticket) -> Self {
        Self {
            outcome: self.outcome.paid_under(self.ticket.token),
            ticket,
        }
    }

    /// Its blobs, with their sizes in bytes.
    pub fn files(&self) -> impl Iterator<Item = (&BlobKey, u64)> {
        self.outcome.files()
    }
}
