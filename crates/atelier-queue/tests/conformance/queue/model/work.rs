//! What workers do to the jobs.

use std::{cmp::Reverse, time::Duration};

use crate::{
    work::{
        Claim, Completion, Error, Event, FailedAttempt, Illegal, Lane, Report, Ticket, Verdict,
        transition,
    },
    work::{Cost, Outcome},
};
use atelier_api::{Failure, Status};
use jiff::Timestamp;

use super::{
    Result,
    jobs::Jobs,
    row::{Row, Withdrawn},
};

impl Jobs {
    pub(super) fn claim(
        &mut self,
        lanes: &[Lane],
        now: Timestamp,
        lease: Duration,
    ) -> Result<Claim> {
        for id in self.due(now) {
            if let Some(delivery) = self.fall_due(&id, now, lease)? {
                return Ok(delivery);
            }
        }
        let mut wake: Vec<Timestamp> = Vec::new();
        for lane in lanes {
            while let Some(first) = self.ready(&lane.name).first() {
                match self.may_begin(lane, now) {
                    Ok(()) if self.start(first, now) => return self.begin(first, lane, now, lease),
                    Ok(()) => {}
                    Err(later) => {
                        wake.extend(later);
                        break;
                    }
                }
            }
        }
        wake.extend(self.rows.values().filter_map(|row| row.due));
        Ok(Claim::Idle(wake.into_iter().min()))
    }

    /// The jobs whose time has come, the longest due first.
    pub(super) fn due(&self, now: Timestamp) -> Vec<String> {
        let due = |(id, row): (&String, &Row)| Some((row.due?, id.clone()));
        let mut due: Vec<_> = self.rows.iter().filter_map(due).collect();
        due.retain(|(due, _)| *due <= now);
        due.sort();
        due.into_iter().map(|(_, id)| id).collect()
    }

    fn fall_due(&mut self, id: &str, now: Timestamp, lease: Duration) -> Result<Option<Claim>> {
        let row = self.row(id);
        match row.job.status {
            Status::Running => {
                row.job.status = transition(row.job.status, Event::Expire)?;
                row.job
                    .failures
                    .push(expired(row.job.attempt, row.job.token, now));
                row.due = None;
                row.hush();
                self.end_attempt(id, now);
                self.come_again(id, now);
                self.changed(id);
                Ok(None)
            }
            Status::Delivering => {
                row.deliveries += 1;
                row.due = Some(now + lease);
                let job = Box::new(row.job.clone());
                Ok(Some(Claim::Deliver(job, row.deliveries - 1)))
            }
            _ if !row.passes.is_empty() => {
                self.fall_due_at_gates(id, now);
                Ok(None)
            }
            _ => {
                row.due = None;
                Ok(None)
            }
        }
    }

    fn begin(&mut self, id: &str, lane: &Lane, now: Timestamp, lease: Duration) -> Result<Claim> {
        self.advance(id, lane, now);
        let row = self.row(id);
        row.job.status = transition(row.job.status, Event::Claim)?;
        row.job.token = (row.job.token + 1).max(now.as_millisecond() as u64);
        row.job.attempt += 1;
        row.job.started_at.get_or_insert(now);
        row.due = Some(now + lease);
        row.hush();
        self.changed(id);
        Ok(Claim::Call(Box::new(self.rows[id].job.clone())))
    }

    pub(super) fn extend(
        &mut self,
        ticket: &Ticket,
        until: Timestamp,
        report: Report,
    ) -> Result<()> {
        let row = self.held(ticket)?;
        row.due = row.due.max(Some(until));
        let progress = report.progress.or(row.job.progress);
        let preview = report.preview.or_else(|| row.job.preview.clone());
        if (progress, &preview) != (row.job.progress, &row.job.preview) {
            row.job.progress = progress;
            row.job.preview = preview;
            self.changed(&ticket.id);
        }
        Ok(())
    }

    pub(super) fn settle(
        &mut self,
        ticket: &Ticket,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<()> {
        let row = self.held(ticket)?;
        let event = match verdict {
            Verdict::Record(_) | Verdict::Fail(_) | Verdict::FailWith(..) => Event::Record,
            Verdict::Retry(..) | Verdict::Yield(..) => Event::Retry,
            Verdict::Release(_) => Event::Release,
            Verdict::Postpone(_) => Event::Postpone,
        };
        if event == Event::Record && row.job.status == Status::Delivering {
            return Ok(());
        }
        let called = row.job.status == Status::Running;
        row.job.status = transition(row.job.status, event)?;
        row.job.preview = None;
        match verdict {
            Verdict::Record(outcome) => row.job.outcome = Some(outcome),
            Verdict::Fail(failed) => {
                row.job.outcome = Some(Outcome::Failed(failed.failure.clone()));
                row.job.failures.push(failed);
            }
            Verdict::FailWith(failed, outcome) => {
                row.job.outcome = Some(outcome);
                row.job.failures.push(failed);
            }
            Verdict::Retry(failed, until) => {
                row.job.failures.push(failed);
                row.job.progress = None;
                row.due = Some(until).filter(|until| *until > now);
            }
            Verdict::Yield(failed, until) => {
                row.job.failures.push(failed);
                row.job.progress = None;
                row.due = Some(until).filter(|until| *until > now);
                if row.passes.is_empty() {
                    let (Reverse(priority), _) = row.turn;
                    self.schedule(&ticket.id, priority);
                } else {
                    row.scheduled = false;
                }
            }
            Verdict::Release(dropped) => {
                row.job.failures.extend(dropped);
                row.job.attempt = row.job.attempt.saturating_sub(1);
                row.job.progress = None;
                row.due = None;
            }
            Verdict::Postpone(until) => row.due = Some(until.max(now)),
        }
        if called {
            self.end_attempt(&ticket.id, now);
        }
        if self.rows[&ticket.id].job.status == Status::Queued {
            self.come_again(&ticket.id, now);
        }
        self.changed(&ticket.id);
        Ok(())
    }

    pub(super) fn complete(&mut self, ticket: &Ticket, now: Timestamp) -> Result<Completion> {
        let id = &ticket.id;
        if !self.rows.get(id).ok_or(Error::NotFound)?.active() {
            return Ok(Completion::Repeated);
        }
        let row = self.held(ticket)?;
        let succeeded = matches!(row.job.outcome, Some(Outcome::Succeeded { .. }));
        row.job.status = transition(row.job.status, Event::Complete { succeeded })?;
        row.job.finished_at = Some(now);
        row.due = None;
        row.hush();
        let mut done = vec![id.clone()];
        done.extend(self.followers(id));
        self.changed(id);
        let ended = self.end(&done, false);
        self.leave_gates(id, now);
        let mut orphans = Vec::new();
        match self.rows[id].withdrawn {
            Withdrawn::No => {}
            Withdrawn::Cancelled => orphans = self.forget_outcome(id),
            Withdrawn::Deleted => orphans = self.remove(id),
        }
        Ok(Completion::Applied { ended, orphans })
    }

    pub(super) fn finish(
        &mut self,
        ticket: &Ticket,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<Completion> {
        let row = self.rows.get(&ticket.id).ok_or(Error::NotFound)?;
        if !row.active() {
            return Ok(Completion::Repeated);
        }
        let event = verdict.event();
        if event != Event::Record {
            let status = row.job.status;
            return Err(Illegal { status, event }.into());
        }
        self.settle(ticket, verdict, now)?;
        self.complete(ticket, now)
    }

    /// The job, if the ticket is still the right to act on it.
    pub(super) fn held(&mut self, ticket: &Ticket) -> Result<&mut Row> {
        let row = self.rows.get_mut(&ticket.id).ok_or(Error::NotFound)?;
        let worked_on = matches!(row.job.status, Status::Running | Status::Delivering);
        if worked_on && row.leads() && row.job.token == ticket.token {
            Ok(row)
        } else {
            Err(Error::Stale)
        }
    }
}

/// The attempt of a worker that fell silent.
fn expired(attempt: u32, token: u64, at: Timestamp) -> FailedAttempt {
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
