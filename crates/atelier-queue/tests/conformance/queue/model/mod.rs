//! The queue once more, as plainly as it can be said: everything in memory,
//! everything found by looking at every job. The stores must do what it does.

mod row;
mod jobs;
mod outbox;
mod doors;
mod gates;
mod work;
mod lanes;

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use crate::{
    work::Request,
    work::{
        Cancellation, Claim, Completion, Ended, Error, Gate, GateChange, In, Job, Lane, NewJob,
        Notifier, Priority, Queue, Report, Ticket, Verdict,
    },
};
use async_trait::async_trait;
use atelier_api::Status;
use jiff::Timestamp;

use self::jobs::Jobs;

type Result<T> = std::result::Result<T, Error>;

/// A queue that forgets everything when it is dropped.
#[derive(Default)]
pub(crate) struct Model {
    jobs: Mutex<Jobs>,
    notifier: Notifier,
}

impl Model {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap()
    }

    /// Changes the jobs and notifies of all: a notification too many does no harm.
    fn change<T>(&self, operation: impl FnOnce(&mut Jobs) -> T) -> T {
        let mut jobs = self.jobs();
        let ids = jobs.ids();
        let result = operation(&mut jobs);
        for id in ids {
            self.notifier.notify(&id);
        }
        self.notifier.notify_work();
        result
    }

    /// The jobs whose version a store may raise when nothing is to be seen.
    pub(super) fn loose(&self) -> BTreeSet<String> {
        self.jobs().loose.clone()
    }

    /// The job's status, if the ticket is the right to act on it.
    pub(super) fn holds(&self, ticket: &Ticket) -> Option<Status> {
        let mut jobs = self.jobs();
        let row = jobs.held(ticket).ok()?;
        Some(row.job.status)
    }

    /// How many jobs fall due by `now`.
    pub(super) fn due(&self, now: Timestamp) -> usize {
        self.jobs().due(now).len()
    }
}

#[async_trait]
impl Queue<Request> for Model {
    async fn enqueue(&self, job: NewJob, now: Timestamp) -> Result<Job> {
        self.change(|jobs| jobs.enqueue(job, now))
    }

    async fn get(&self, id: &str) -> Result<Option<Job>> {
        Ok(self.jobs().seen(id))
    }

    async fn list(&self, owner: &str, before: Option<&str>, limit: usize) -> Result<Vec<Job>> {
        Ok(self.jobs().newest(before, limit, |job| job.owner == owner))
    }

    async fn list_in(
        &self,
        owner: &str,
        state: In,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Job>> {
        let wanted = |job: &Job| job.owner == owner && includes(state, job.status);
        Ok(self.jobs().newest(before, limit, wanted))
    }

    async fn claim(&self, lanes: &[Lane], now: Timestamp, lease: Duration) -> Result<Claim> {
        self.change(|jobs| jobs.claim(lanes, now, lease))
    }

    async fn extend(
        &self,
        ticket: &Ticket,
        now: Timestamp,
        lease: Duration,
        report: Report,
    ) -> Result<()> {
        self.change(|jobs| jobs.extend(ticket, now + lease, report))
    }

    async fn settle(&self, ticket: &Ticket, verdict: Verdict, now: Timestamp) -> Result<()> {
        self.change(|jobs| jobs.settle(ticket, verdict, now))
    }

    async fn complete(&self, ticket: &Ticket, now: Timestamp) -> Result<Completion> {
        self.change(|jobs| jobs.complete(ticket, now))
    }

    async fn finish(
        &self,
        ticket: &Ticket,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<Completion> {
        self.change(|jobs| jobs.finish(ticket, verdict, now))
    }

    async fn throttle(&self, lane: &Lane, until: Timestamp, now: Timestamp) -> Result<()> {
        self.change(|jobs| jobs.throttle(lane, until, now));
        Ok(())
    }

    async fn cancel(&self, id: &str, now: Timestamp) -> Result<Cancellation> {
        self.change(|jobs| jobs.cancel(id, now))
    }

    async fn delete(&self, id: &str) -> Result<Vec<String>> {
        self.change(|jobs| jobs.delete(id))
    }

    async fn wants_answer(&self, id: &str) -> Result<bool> {
        Ok(self.jobs().wants_answer(id))
    }

    async fn seclude(&self, id: &str) -> Result<Vec<String>> {
        Ok(self.change(|jobs| jobs.seclude(id)))
    }

    async fn dead(&self, before: Option<&str>, limit: usize) -> Result<Vec<Job>> {
        let failed = |job: &Job| job.status == Status::Failed;
        Ok(self.jobs().newest(before, limit, failed))
    }

    async fn retry(&self, id: &str, priority: Priority, now: Timestamp) -> Result<Job> {
        self.change(|jobs| jobs.retry(id, priority, now))
    }

    async fn finished(&self, within: Range<Timestamp>, limit: usize) -> Result<Vec<String>> {
        Ok(self.jobs().finished(&within, limit))
    }

    async fn ready(&self) -> Result<()> {
        Ok(())
    }

    async fn outbox(&self, after: Option<&str>, limit: usize) -> Result<Vec<Ended>> {
        let jobs = self.jobs();
        let later = jobs.outbox.iter();
        let later = later.filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
        Ok(later.map(|(_, end)| end.clone()).take(limit).collect())
    }

    async fn acknowledge(&self, key: &str) -> Result<()> {
        self.change(|jobs| jobs.acknowledge(key));
        Ok(())
    }

    async fn gate(&self, name: &str) -> Result<Option<Gate>> {
        Ok(self.jobs().gate(name))
    }

    async fn gates(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Gate>> {
        let jobs = self.jobs();
        let names = jobs.doors.keys().filter(|name| name.starts_with(prefix));
        let names = names.filter(|name| after.is_none_or(|after| name.as_str() > after));
        let gates = names.filter_map(|name| jobs.gate(name));
        Ok(gates.take(limit).collect())
    }

    async fn set_gate(&self, name: &str, change: GateChange, now: Timestamp) -> Result<Gate> {
        Ok(self.change(|jobs| jobs.set_gate(name, &change, now)))
    }

    async fn remove_gate(&self, name: &str, now: Timestamp) -> Result<bool> {
        Ok(self.change(|jobs| jobs.remove_gate(name, now)))
    }

    fn notifier(&self) -> &Notifier {
        &self.notifier
    }
}

fn includes(state: In, status: Status) -> bool {
    match state {
        In::Unfinished => !status.is_terminal(),
        In::Failed => status == Status::Failed,
    }
}
