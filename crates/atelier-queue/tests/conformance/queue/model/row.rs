//! What is known of one job.

use std::cmp::Reverse;

use crate::{
    work::Outcome,
    work::{Job, NewJob},
};
use atelier_api::{Cache, Status};
use atelier_queue::{Outcome as _, Payload as _};
use jiff::Timestamp;

use super::{doors::Pass, lanes::Turn};

/// A job with what its owner does not see.
pub(super) struct Row {
    pub(super) job: Job,
    pub(super) turn: Turn,
    /// Waits for this instant; in a worker's hands until it.
    pub(super) due: Option<Timestamp>,
    pub(super) flight: Option<String>,
    pub(super) leader: Option<String>,
    pub(super) withdrawn: Withdrawn,
    pub(super) deliveries: u32,
    pub(super) passes: Vec<Pass>,
    /// Whether it has a turn.
    pub(super) scheduled: bool,
}

/// Whether its owner has left a job that is carried on for its followers.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Withdrawn {
    No,
    Cancelled,
    Deleted,
}

impl Row {
    pub(super) fn new(new: NewJob, now: Timestamp) -> Self {
        let job = Job {
            id: new.id,
            owner: new.owner,
            status: Status::Queued,
            version: 1,
            token: 0,
            attempt: 0,
            created_at: now,
            started_at: None,
            finished_at: None,
            progress: None,
            preview: None,
            leader: None,
            position: None,
            cache: Cache::Miss,
            request: new.request,
            charge: new.charge,
            hooks: new.hooks,
            failures: Vec::new(),
            outcome: None,
        };
        Self {
            job,
            turn: (Reverse(new.priority), 0),
            due: new.not_before.filter(|due| *due > now),
            flight: new.join.map(|join| join.digest),
            leader: None,
            withdrawn: Withdrawn::No,
            deliveries: 0,
            passes: Pass::all(new.gates),
            scheduled: false,
        }
    }

    pub(super) fn leads(&self) -> bool {
        self.leader.is_none()
    }

    pub(super) fn lane(&self) -> &str {
        &self.job.request.provider
    }

    pub(super) fn active(&self) -> bool {
        !self.job.status.is_terminal()
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        let outcome = self.job.outcome.iter().flat_map(Outcome::blobs);
        self.job.request.blobs().into_iter().chain(outcome)
    }

    /// No call is in progress any more.
    pub(super) fn hush(&mut self) {
        self.job.progress = None;
        self.job.preview = None;
    }

    /// What a follower has in common with its leader from the first moment.
    pub(super) fn share(&mut self, leader: &Job) {
        self.job.status = leader.status;
        self.job.attempt = leader.attempt;
        self.job.started_at = leader.started_at;
        self.job.progress = leader.progress;
        self.job.preview.clone_from(&leader.preview);
    }
}
