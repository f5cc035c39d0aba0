//! What the queue carries in these tests.

use atelier_api::Failure;
use atelier_queue::Payload;
pub(crate) use atelier_queue::{
    Bill, Bound, Cost, Error, Event, FailedAttempt, Gate, GateChange, GateRef, Hold, Hooks,
    Illegal, In, Join, Lane, Notified, Notifier, PART, Priority, Queue, Rate, Report, Terms,
    Ticket, transition,
};
pub(crate) use atelier_queue::{Entry, Folder, MOST_FOLDERS, Marking, Marks, Search};
use serde::{Deserialize, Serialize};

pub(crate) type Job = atelier_queue::Job<Request>;
pub(crate) type NewJob = atelier_queue::NewJob<Request>;
pub(crate) type Claim = atelier_queue::Claim<Request>;
pub(crate) type Verdict = atelier_queue::Verdict<Request>;
pub(crate) type Completion = atelier_queue::Completion<Request>;
pub(crate) type Cancellation = atelier_queue::Cancellation<Request>;
pub(crate) type Ended = atelier_queue::Ended<Request>;
pub(crate) type DynQueue = dyn Queue<Request>;
pub(crate) type DynCollection = dyn atelier_queue::Collection<Request>;

/// Pictures of a text, made from a photo perhaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) provider: String,
    pub(crate) text: String,
    pub(crate) pictures: u32,
    pub(crate) seed: u64,
    /// A blob.
    pub(crate) photo: Option<String>,
}

impl Payload for Request {
    type Outcome = Outcome;

    fn lane(&self) -> &str {
        &self.provider
    }

    fn turns(&self) -> u32 {
        self.pictures
    }

    fn blobs(&self) -> Vec<&str> {
        self.photo.as_deref().into_iter().collect()
    }

    fn is_tracked(&self) -> bool {
        true
    }

    fn entry(&self) -> Option<Entry> {
        let (kind, text) = (self.provider.clone(), self.text.clone());
        Some(Entry { kind, text }).filter(|entry| entry.kind != "hidden")
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Succeeded {
        /// Blobs.
        pictures: Vec<String>,
        cost_usd: Option<f64>,
        earlier_claims: Vec<u64>,
    },
    Failed(Failure),
}

impl Outcome {
    /// The same, recorded under a later claim than the one with this token.
    pub(crate) fn paid_under(mut self, token: u64) -> Self {
        if let Self::Succeeded { earlier_claims, .. } = &mut self {
            earlier_claims.push(token);
        }
        self
    }
}

impl atelier_queue::Outcome for Outcome {
    fn failed(failure: Failure) -> Self {
        Self::Failed(failure)
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Succeeded { .. } => None,
            Self::Failed(failure) => Some(failure),
        }
    }

    fn blobs(&self) -> Vec<&str> {
        match self {
            Self::Succeeded { pictures, .. } => pictures.iter().map(String::as_str).collect(),
            Self::Failed(_) => Vec::new(),
        }
    }

    fn cost(&self) -> Cost {
        match self {
            Self::Succeeded { cost_usd, .. } => cost_usd.map_or(Cost::Estimate, Cost::Usd),
            Self::Failed(_) => Cost::Nothing,
        }
    }

    fn made(&self) -> usize {
        self.blobs().len()
    }

    fn earlier_claims(&self) -> &[u64] {
        match self {
            Self::Succeeded { earlier_claims, .. } => earlier_claims,
            Self::Failed(_) => &[],
        }
    }
}
