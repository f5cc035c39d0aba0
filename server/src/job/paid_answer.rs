//! Answers that are paid for and not yet in the store. The journal has one entry for each,
//! written before the pictures are, and before the outcome is recorded. It is removed once
//! the store has the outcome or no longer wants it, and is ignored without its pictures. So
//! neither an unreachable store nor a crash makes a call be paid for twice.

use atelier_queue::Ticket;
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
