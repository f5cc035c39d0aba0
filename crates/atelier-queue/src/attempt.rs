//! What went wrong in the attempts at a job.

use std::mem;

use atelier_api::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Cost, Job, Payload};

/// What went wrong in one attempt, kept for the operator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedAttempt {
    /// Its number, from 1.
    pub attempt: u32,
    /// The fencing token of its claim; 0 if that is not known.
    #[serde(default)]
    pub token: u64,
    /// When it failed.
    pub at: Timestamp,
    /// Why.
    pub failure: Failure,
    /// The provider's id of the call, where it gave one.
    pub request_id: Option<String>,
    /// What the provider is believed to have charged for it.
    #[serde(default, skip_serializing_if = "Cost::is_nothing")]
    pub cost: Cost,
    /// The same, of an attempt before the job was tried again by an operator: its
    /// end then has been noted to be settled.
    #[serde(default, skip_serializing_if = "Cost::is_nothing")]
    pub settled_cost: Cost,
}

impl FailedAttempt {
    /// The present attempt at this job, if it has cost nothing.
    pub fn new<P: Payload>(job: &Job<P>, failure: Failure, at: Timestamp) -> Self {
        Self {
            attempt: job.attempt,
            token: job.token,
            at,
            failure,
            request_id: None,
            cost: Cost::Nothing,
            settled_cost: Cost::Nothing,
        }
    }

    /// What it has cost is settled; of its own cost nothing is left to settle.
    pub(super) fn settle(&mut self) {
        if !self.cost.is_nothing() {
            self.settled_cost = mem::take(&mut self.cost);
        }
    }
}

/// What an attempt ended with whose job cannot be read.
pub(super) fn unreadable(at: Timestamp) -> FailedAttempt {
    let failure = Failure {
        code: "unreadable".into(),
        message: "The order was damaged and cannot be carried out.".into(),
        retryable: false,
    };
    FailedAttempt {
        attempt: 0,
        token: 0,
        at,
        failure,
        request_id: None,
        cost: Cost::Nothing,
        settled_cost: Cost::Nothing,
    }
}

/// What an attempt ended with whose worker fell silent.
pub(super) fn expired(attempt: u32, token: u64, at: Timestamp) -> FailedAttempt {
    let failure = Failure {
        code: "lease_expired".into(),
        message: "The worker fell silent before the call ended.".into(),
        retryable: true,
    };
    FailedAttempt {
        attempt,
        token,
        at,
        failure,
        request_id: None,
        cost: Cost::Estimate,
        settled_cost: Cost::Nothing,
    }
}
