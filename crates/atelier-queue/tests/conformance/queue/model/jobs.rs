//! What clients and operators do to the jobs, and what they see.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use crate::{
    work::{Cancellation, Ended, Error, Event, Illegal, Job, Join, NewJob, Priority, transition},
    work::{Cost, Outcome},
};
use atelier_api::{Cache, Status};
use atelier_queue::Outcome as _;
use jiff::Timestamp;

use super::{
    Result,
    gates::{Barriers, Doors},
    lanes::Pace,
    row::{Row, Withdrawn},
};

/// All of them. What must be found is looked for.
#[derive(Default)]
pub(super) struct Jobs {
    pub(super) rows: BTreeMap<String, Row>,
    pub(super) paces: BTreeMap<String, Pace>,
    /// The pace of a lane that has begun nothing yet.
    pub(super) idle: Pace,
    /// The ends that nobody has acknowledged, by their keys.
    pub(super) outbox: BTreeMap<String, Ended>,
    pub(super) doors: Doors,
    pub(super) barriers: Barriers,
    /// Whose version a store may raise when nothing is to be seen.
    pub(super) loose: BTreeSet<String>,
}

impl Jobs {
    pub(super) fn ids(&self) -> Vec<String> {
        self.rows.keys().cloned().collect()
    }

    /// The job as its owner sees it.
    pub(super) fn seen(&self, id: &str) -> Option<Job> {
        let row = self.rows.get(id)?;
        let mut job = row.job.clone();
        match row.withdrawn {
            Withdrawn::No => {}
            Withdrawn::Deleted => return None,
            Withdrawn::Cancelled => {
                job.status = Status::Cancelled;
                job.outcome = None;
                job.progress = None;
                job.preview = None;
            }
        }
        if !job.status.is_terminal() && !row.leads() {
            job.leader.clone_from(&row.leader);
            job.outcome = None;
        }
        if job.status == Status::Queued {
            let leader = row.leader.as_deref().unwrap_or(id);
            let ready = self.ready(self.rows[leader].lane());
            let ahead = ready.iter().position(|other| other == leader);
            job.position = ahead.map(|ahead| ahead as u64);
        }
        Some(job)
    }

    pub(super) fn newest(
        &self,
        before: Option<&str>,
        limit: usize,
        wanted: impl Fn(&Job) -> bool,
    ) -> Vec<Job> {
        let ids = self.rows.keys().rev();
        ids.filter(|id| before.is_none_or(|before| id.as_str() < before))
            .filter_map(|id| self.seen(id))
            .filter(wanted)
            .take(limit)
            .collect()
    }

    pub(super) fn finished(&self, within: &Range<Timestamp>, limit: usize) -> Vec<String> {
        let rows = self.rows.values().filter(|row| !row.active());
        let mut ended: Vec<_> = rows
            .map(|row| (row.job.finished_at, row.job.id.clone()))
            .filter(|(at, _)| at.is_some_and(|at| within.contains(&at)))
            .collect();
        ended.sort();
        ended.into_iter().map(|(_, id)| id).take(limit).collect()
    }

    pub(super) fn enqueue(&mut self, new: NewJob, now: Timestamp) -> Result<Job> {
        let id = new.id.clone();
        if !self.rows.contains_key(&id) {
            self.add(new, now)?;
        }
        self.seen(&id).ok_or(Error::NotFound)
    }

    fn add(&mut self, new: NewJob, now: Timestamp) -> Result<()> {
        let (id, inherits) = (new.id.clone(), new.inherits.clone());
        let leader = new.join.as_ref().and_then(|join| self.joinable(join, now));
        let kept = |answer: &Outcome| answer.blobs().into_iter().all(|key| self.refers_to(key));
        if new.answer.as_ref().is_some_and(|answer| !kept(answer)) {
            return Err(Error::NoAnswer);
        }
        let shared = leader.as_ref().map(|leader| &self.rows[leader].job);
        let shared = shared.filter(|job| job.status == Status::Succeeded);
        let answer = new.answer.clone();
        let answer = answer.or_else(|| shared.and_then(|job| job.outcome.clone()));
        if new.answered_only && answer.is_none() {
            return Err(Error::NoAnswer);
        }
        self.rows.insert(id.clone(), Row::new(new, now));
        match (answer, leader) {
            (Some(answer), _) => self.answer(&id, answer, now),
            (None, Some(leader)) => self.follow(&id, &leader),
            (None, None) => self.come(&id, true, inherits.as_deref(), now),
        }
        Ok(())
    }

    /// The newest job that answers, or is about to answer, the same request.
    fn joinable(&self, join: &Join, now: Timestamp) -> Option<String> {
        let joins = |row: &&Row| {
            let fresh = row.job.finished_at > Some(now - join.window);
            row.flight.as_ref() == Some(&join.digest)
                && row.leads()
                && (row.active() || (row.job.status == Status::Succeeded && fresh))
        };
        let row = self.rows.values().rev().find(joins)?;
        Some(row.job.id.clone())
    }

    /// Finishes the new job with another's answer: it made no call, so it
    /// leads nobody.
    fn answer(&mut self, id: &str, answer: Outcome, now: Timestamp) {
        let row = self.row(id);
        row.job.status = Status::Succeeded;
        row.job.finished_at = Some(now);
        row.job.cache = Cache::Exact;
        row.job.outcome = Some(answer);
        row.flight = None;
        row.due = None;
        self.end_free(id);
    }

    fn follow(&mut self, id: &str, leader: &str) {
        let shared = self.rows[leader].job.clone();
        let row = self.row(id);
        row.leader = Some(leader.to_owned());
        row.job.cache = Cache::Joined;
        row.due = None;
        row.share(&shared);
    }

    pub(super) fn cancel(&mut self, id: &str, now: Timestamp) -> Result<Cancellation> {
        let seen = self.seen(id).ok_or(Error::NotFound)?;
        transition(seen.status, Event::Cancel)?;
        let waiting = self.followers(id);
        let row = self.row(id);
        row.job.finished_at = Some(now);
        row.job.version += 1;
        let leader = row.leader.clone();
        let called = seen.status == Status::Running;
        let alone = waiting.is_empty();
        if alone {
            self.stop(id);
        } else {
            row.withdrawn = Withdrawn::Cancelled;
            self.loose.extend(waiting);
        }
        let (ended, orphans) = match leader {
            Some(leader) => self.abandon(&leader, id, now),
            None if alone => {
                let ended = self.end(&[id.to_owned()], called);
                self.leave_gates(id, now);
                (ended, Vec::new())
            }
            // It still owes a call that has begun.
            None if called => (Vec::new(), Vec::new()),
            None => {
                let ended = self.end_free(id);
                self.row(id).job.charge = serde_json::Value::Null;
                (ended, Vec::new())
            }
        };
        Ok(Cancellation {
            job: self.seen(id).ok_or(Error::NotFound)?,
            ended: ended.into_iter().filter(Ended::is_noted).collect(),
            orphans,
        })
    }

    /// Stops a withdrawn leader that nobody waits for any more; what has ended
    /// when this follower left, and the blobs that went with the leader.
    fn abandon(&mut self, id: &str, follower: &str, now: Timestamp) -> (Vec<Ended>, Vec<String>) {
        let (withdrawn, called) = (
            self.rows[id].withdrawn,
            self.rows[id].job.status == Status::Running,
        );
        if withdrawn == Withdrawn::No || !self.followers(id).is_empty() || !self.stop(id) {
            return (self.end_free(follower), Vec::new());
        }
        // Its end is noted with the version that it has then.
        self.row(id).job.version += 1;
        self.loose.insert(id.to_owned());
        let ended = self.end(&[id.to_owned(), follower.to_owned()], called);
        self.leave_gates(id, now);
        if withdrawn == Withdrawn::Deleted {
            return (ended, self.remove(id));
        }
        (ended, Vec::new())
    }

    /// Cancels the job itself, unless its outcome is recorded already.
    fn stop(&mut self, id: &str) -> bool {
        let row = self.row(id);
        let Ok(cancelled) = transition(row.job.status, Event::Cancel) else {
            return false;
        };
        let unbegun = row.job.status == Status::Queued && row.job.attempt == 0;
        row.job.status = cancelled;
        row.due = None;
        row.hush();
        if unbegun && row.leads() && row.scheduled {
            self.unschedule(id);
        }
        true
    }

    pub(super) fn wants_answer(&self, id: &str) -> bool {
        let Some(row) = self.rows.get(id) else {
            return false;
        };
        let job = &row.job;
        if row.active() && !row.leads() {
            return true;
        }
        let succeeded = matches!(job.outcome, Some(Outcome::Succeeded { .. }));
        !succeeded && job.status != Status::Cancelled
    }

    pub(super) fn seclude(&mut self, id: &str) -> Vec<String> {
        if let Some(row) = self.rows.get_mut(id) {
            row.flight = None;
        }
        self.followers(id)
    }

    pub(super) fn delete(&mut self, id: &str) -> Result<Vec<String>> {
        let Job { status, .. } = self.seen(id).ok_or(Error::NotFound)?;
        if !status.is_terminal() {
            let event = Event::Cancel;
            return Err(Illegal { status, event }.into());
        }
        if self.rows[id].active() {
            self.loose.extend(self.followers(id));
            self.loose.insert(id.to_owned());
            self.row(id).withdrawn = Withdrawn::Deleted;
            return Ok(Vec::new());
        }
        Ok(self.remove(id))
    }

    /// Makes it a cancelled job without an outcome; the blobs that no job refers
    /// to any more.
    pub(super) fn forget_outcome(&mut self, id: &str) -> Vec<String> {
        let job = &mut self.row(id).job;
        job.status = Status::Cancelled;
        let outcome = job.outcome.take();
        let files: BTreeSet<&str> = outcome.iter().flat_map(Outcome::blobs).collect();
        let freed = files.into_iter().filter(|key| !self.refers_to(key));
        freed.map(ToOwned::to_owned).collect()
    }

    /// Forgets the job; the blobs that no other refers to.
    pub(super) fn remove(&mut self, id: &str) -> Vec<String> {
        let row = self.rows.remove(id).unwrap();
        let freed: BTreeSet<&str> = row.files().filter(|key| !self.refers_to(key)).collect();
        freed.into_iter().map(ToOwned::to_owned).collect()
    }

    pub(super) fn retry(&mut self, id: &str, priority: Priority, now: Timestamp) -> Result<Job> {
        let seen = self.seen(id).ok_or(Error::NotFound)?;
        let status = transition(seen.status, Event::Requeue)?;
        let row = self.row(id);
        row.job = Job {
            status,
            version: seen.version + 1,
            attempt: 0,
            started_at: None,
            finished_at: None,
            cache: Cache::Miss,
            charge: serde_json::Value::Null,
            outcome: None,
            ..seen
        };
        for attempt in &mut row.job.failures {
            if attempt.cost != Cost::Nothing {
                attempt.settled_cost = attempt.cost;
                attempt.cost = Cost::Nothing;
            }
        }
        row.deliveries = 0;
        row.leader = None;
        let flight = row.flight.clone();
        match flight.and_then(|flight| self.flying(&flight, id)) {
            Some(leader) => self.follow(id, &leader),
            None => {
                self.row(id).turn = (Reverse(priority), 0);
                self.row(id).scheduled = false;
                self.come(id, false, None, now);
            }
        }
        self.seen(id).ok_or(Error::NotFound)
    }

    /// Another job that leads the flight and has not landed.
    fn flying(&self, flight: &str, id: &str) -> Option<String> {
        let mut leaders = self.rows.values().filter(|row| row.leads() && row.active());
        let leader =
            leaders.find(|row| row.flight.as_deref() == Some(flight) && row.job.id != id)?;
        Some(leader.job.id.clone())
    }

    pub(super) fn row(&mut self, id: &str) -> &mut Row {
        self.rows.get_mut(id).unwrap()
    }

    /// The jobs that wait for this one's call.
    pub(super) fn followers(&self, id: &str) -> Vec<String> {
        let rows = self.rows.values().filter(|row| row.active());
        rows.filter(|row| row.leader.as_deref() == Some(id))
            .map(|row| row.job.id.clone())
            .collect()
    }

    /// A change that can be seen, and that the followers share.
    pub(super) fn changed(&mut self, id: &str) {
        let row = self.row(id);
        row.job.version += 1;
        let leader = row.job.clone();
        for follower in self.followers(id) {
            let row = self.row(&follower);
            row.share(&leader);
            row.job.version += 1;
            row.job.finished_at = leader.finished_at.filter(|_| leader.status.is_terminal());
            row.job.outcome.clone_from(&leader.outcome);
        }
    }

    fn refers_to(&self, key: &str) -> bool {
        let mut rows = self.rows.values();
        rows.any(|row| row.files().any(|file| file == key))
    }
}
