//! Failed attempts at a job.

use std::mem;

use atelier_api::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Cost, Job, Payload};

/// A failed attempt, kept for the operator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedAttempt {
    /// Its number, from 1.
    pub attempt: u32,
    /// The fencing token of its claim; 0 if unknown.
    #[serde(default)]
    pub token: u64,
    /// When it failed.
    pub at: Timestamp,
    /// Why.
    pub failure: Failure,
    /// The provider's id of the call, if it returned one.
    pub request_id: Option<String>,
    /// What the provider presumably charged for it.
    #[serde(default, skip_serializing_if = "Cost::is_nothing")]
    pub cost: Cost,
    /// The cost of an attempt from before an operator retried the job, whose settlement is
    /// in the outbox already.
    #[serde(default, skip_serializing_if = "Cost::is_nothing")]
    pub settled_cost: Cost,
}

impl FailedAttempt {
    /// The present attempt at this job, if it has cost nothing.
    pub fn new<P: Payload>(job: &Job<P>, failure: Failure, at: Timestamp) -> Self {
        Self::numbered(job.attempt, job.token, failure, at)
    }

    /// An attempt that has cost nothing.
    fn numbered(attempt: u32, token: u64, failure: Failure, at: Timestamp) -> Self {
        Self {
            attempt,
            token,
            at,
            failure,
            request_id: None,
            cost: Cost::Nothing,
            settled_cost: Cost::Nothing,
        }
    }

    /// Marks its cost as settled.
    pub(super) fn settle(&mut self) {
        if !self.cost.is_nothing() {
            self.settled_cost = mem::take(&mut self.cost);
        }
    }
}

/// The failure of a job whose record cannot be read.
pub(super) fn unreadable(at: Timestamp) -> FailedAttempt {
    let failure = Failure {
        code: "unreadable".into(),
        message: "The order was damaged and cannot be carried out.".into(),
        retryable: false,
    };
    FailedAttempt::numbered(0, 0, failure, at)
}

/// The failure of an attempt whose lease ran out.
pub(super) fn expired(attempt: u32, token: u64, at: Timestamp) -> FailedAttempt {
    let failure = Failure {
        code: "lease_expired".into(),
        message: "The worker fell silent before the call ended.".into(),
        retryable: true,
    };
    FailedAttempt {
        cost: Cost::Estimate,
        ..FailedAttempt::numbered(attempt, token, failure, at)
    }
}
