//! A row of the `jobs` table, and the job in it.

use atelier_api::{Cache, Status};
use serde::{Deserialize, Serialize};

use super::{
    super::{FailedAttempt, Job, NewJob, Payload, Result, Ticket, due},
    gates::Passes,
};
use atelier_store::{self as store, instant};

/// A row as stored. JSON stays text: it is parsed and written outside the writer
/// thread.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) status: Status,
    pub(super) version: u64,
    pub(super) token: u64,
    pub(super) attempt: u32,
    pub(super) deliveries: u32,
    /// The earliest start (queued), or the end of the lease (running, delivering); 0 if it
    /// waits only for its turn. In a gate's line: when that opens, or -1.
    pub(super) due: i64,
    pub(super) created_at: i64,
    pub(super) started_at: Option<i64>,
    pub(super) finished_at: Option<i64>,
    pub(super) progress: Option<f32>,
    pub(super) preview: Option<String>,
    pub(super) lane: String,
    pub(super) band: u8,
    pub(super) vt: i64,
    pub(super) cost: i64,
    pub(super) flight: Option<String>,
    pub(super) leader: Option<String>,
    pub(super) followed: bool,
    pub(super) withdrawn: Withdrawn,
    pub(super) cache: Cache,
    pub(super) request: String,
    pub(super) charge: String,
    pub(super) hooks: String,
    pub(super) failures: String,
    pub(super) outcome: Option<String>,
    /// The number of reports, which followers read here; for a follower, that from before
    /// it joined.
    pub(super) reports: u64,
    /// How far it has come through its gates, as JSON; `None` if it has none.
    pub(super) gates: Option<String>,
    pub(super) tracked: bool,
}

/// Whether the owner has withdrawn a job that continues for its followers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Withdrawn {
    No,
    Cancelled,
    Deleted,
}

impl Row {
    /// A queued row, not yet placed in the order.
    pub(super) fn new<P: Payload>(new: &NewJob<P>, now: i64) -> Result<Self> {
        let gates = (!new.gates.is_empty()).then(|| text(&Passes::new(&new.gates)));
        Ok(Self {
            id: new.id.clone(),
            owner: new.owner.clone(),
            status: Status::Queued,
            version: 1,
            token: 0,
            attempt: 0,
            deliveries: 0,
            due: new.not_before.map_or(0, |time| due(time, now)),
            created_at: now,
            started_at: None,
            finished_at: None,
            progress: None,
            preview: None,
            lane: new.request.lane().to_owned(),
            band: new.priority.band(),
            vt: 0,
            cost: i64::from(new.request.turns()),
            flight: new.join.as_ref().map(|join| join.digest.clone()),
            leader: None,
            followed: false,
            withdrawn: Withdrawn::No,
            cache: Cache::Miss,
            request: text(&new.request)?,
            charge: text(&new.charge)?,
            hooks: text(&new.hooks)?,
            failures: "[]".into(),
            outcome: None,
            reports: 0,
            gates: gates.transpose()?,
            tracked: new.request.is_tracked(),
        })
    }

    /// Its ticket.
    pub(super) fn ticket(&self) -> Ticket {
        Ticket {
            id: self.id.clone(),
            token: self.token,
        }
    }

    pub(super) fn finish_with(&mut self, answer: String, now: i64) {
        self.status = Status::Succeeded;
        self.due = 0;
        self.finished_at = Some(now);
        self.cache = Cache::Exact;
        self.outcome = Some(answer);
        // A copy is not a call, so it must not lead others.
        self.flight = None;
    }

    pub(super) fn follow(&mut self, leader: Self) {
        self.status = leader.status;
        self.attempt = leader.attempt;
        self.started_at = leader.started_at;
        self.reports = leader.reports;
        self.due = 0;
        self.cache = Cache::Joined;
        self.leader = Some(leader.id);
    }

    /// Adds what the leader has reported since its last copy to the followers.
    pub(super) fn share_reports(&mut self, leader: &Self) {
        self.version += leader.reports.saturating_sub(self.reports);
        self.reports = leader.reports;
        self.progress = leader.progress;
        self.preview.clone_from(&leader.preview);
    }

    /// Clears the progress.
    pub(super) fn unreport(&mut self) {
        self.progress = None;
        self.preview = None;
    }

    /// How far it has come through its gates.
    pub(super) fn passes(&self) -> Passes {
        let read = self.gates.as_deref().map(parse).transpose();
        read.ok().flatten().unwrap_or_default()
    }

    pub(super) fn set_passes(&mut self, passes: &Passes) -> Result<()> {
        let text = (!passes.is_empty()).then(|| text(passes));
        self.gates = text.transpose()?;
        Ok(())
    }

    /// Whether it has taken a turn in the order of its lane.
    pub(super) fn has_turn(&self) -> bool {
        self.gates.is_none() || self.passes().scheduled
    }

    /// Whether its end is in the outbox.
    pub(super) fn is_noted(&self) -> bool {
        self.is_charged() || self.is_to_be_told()
    }

    /// Adds a failed attempt.
    pub(super) fn fail(&mut self, failed: &FailedAttempt) -> Result<()> {
        // An unreadable list must not prevent the job from ending.
        let mut failures: Vec<FailedAttempt> = parse(&self.failures).unwrap_or_default();
        failures.push(failed.clone());
        self.failures = text(&failures)?;
        Ok(())
    }

    /// Marks the cost of the attempts so far as settled.
    pub(super) fn settle_failures(&mut self) -> Result<()> {
        let mut failures: Vec<FailedAttempt> = parse(&self.failures)?;
        for attempt in &mut failures {
            attempt.settle();
        }
        self.failures = text(&failures)?;
        Ok(())
    }

    /// Whether it has a charge that is not settled yet.
    pub(super) fn is_charged(&self) -> bool {
        !matches!(self.charge.as_str(), "null" | "[]")
    }

    /// Whether anybody is to be notified of its end.
    pub(super) fn is_to_be_told(&self) -> bool {
        const NOBODY: &str = r#"{"callback_url":null,"failure_callback_url":null}"#;
        self.withdrawn == Withdrawn::No
            && self.status != Status::Cancelled
            && !matches!(self.hooks.as_str(), NOBODY | "{}")
    }

    /// How it ended. A follower has the outcome of its leader only once both have ended,
    /// whenever it joined.
    pub(super) fn ending(&self) -> Option<&str> {
        let follows = self.leader.is_some() && !self.status.is_terminal();
        self.outcome.as_deref().filter(|_| !follows)
    }

    pub(super) fn waits_for_its_turn(&self) -> bool {
        self.status == Status::Queued && self.due == 0
    }

    /// The row as its owner sees it; `None` if they deleted it.
    pub(super) fn seen_by_owner(mut self) -> Option<Self> {
        match self.withdrawn {
            Withdrawn::No => {}
            Withdrawn::Deleted => return None,
            Withdrawn::Cancelled => {
                self.status = Status::Cancelled;
                self.outcome = None;
                self.unreport();
            }
        }
        Some(self)
    }

    pub(super) fn into_job<P: Payload>(self, position: Option<u64>) -> Result<Job<P>> {
        let outcome = self.ending().map(parse).transpose()?;
        Ok(Job {
            id: self.id,
            owner: self.owner,
            status: self.status,
            version: self.version,
            token: self.token,
            attempt: self.attempt,
            created_at: instant(self.created_at)?,
            started_at: self.started_at.map(instant).transpose()?,
            finished_at: self.finished_at.map(instant).transpose()?,
            progress: self.progress,
            preview: self.preview,
            leader: self.leader.filter(|_| !self.status.is_terminal()),
            position,
            cache: self.cache,
            request: parse(&self.request)?,
            charge: parse(&self.charge)?,
            hooks: parse(&self.hooks)?,
            failures: parse(&self.failures)?,
            outcome,
        })
    }
}

pub(super) fn text(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(value).map_err(store::Error::from)?)
}

pub(super) fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    Ok(serde_json::from_str(text).map_err(store::Error::from)?)
}
