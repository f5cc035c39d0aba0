//! The queue in the embedded store.

use std::time::Duration;

use async_trait::async_trait;
use atelier_app::wire::{Cache, Status};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use self::row::{Row, Withdrawn, active_followers, followers, insert, load, save};
use super::{
    Bell, Cancellation, Claim, Completion, Error, Event, Job, NewJob, Queue, Result, Ticket,
    Verdict, transition,
};
use crate::{
    job::Outcome,
    sqlite::{Database, Error as StoreError},
};

mod row;

/// Jobs in a SQLite table.
pub struct SqliteQueue {
    database: Database,
    bell: Bell,
}

impl SqliteQueue {
    /// Takes over the queue of an earlier process. Only one process at a time
    /// may own the database, so every lease found is a dead worker's, and its
    /// job falls due at once.
    pub async fn take_over(database: Database, now: Timestamp) -> Result<Self> {
        database
            .write(move |c| {
                c.execute(
                    "UPDATE jobs SET due_at = ?1 WHERE due_at > ?1 AND status IN ('running', 'delivering')",
                    [now.as_millisecond()],
                )
                .map_err(StoreError::from)
            })
            .await
            .map_err(Error::Store)?;
        Ok(Self {
            database,
            bell: Bell::default(),
        })
    }

    /// Runs a write that names the jobs it changed, and rings for them.
    async fn change<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection, &mut Vec<String>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (result, changed) = self
            .database
            .write(move |connection| {
                let mut changed = Vec::new();
                let result = operation(connection, &mut changed)?;
                Ok::<_, Error>((result, changed))
            })
            .await?;
        for id in changed {
            self.bell.ring(&id);
        }
        Ok(result)
    }
}

#[async_trait]
impl Queue for SqliteQueue {
    async fn enqueue(&self, job: NewJob, now: Timestamp) -> Result<Job> {
        let job = self.change(move |c, _| enqueue(c, job, now)).await?;
        self.bell.ring_work();
        Ok(job)
    }

    async fn get(&self, id: &str) -> Result<Option<Job>> {
        let id = id.to_owned();
        self.database
            .read(move |c| {
                load(c, &id)?
                    .and_then(Row::seen_by_owner)
                    .map(|job| place(c, job))
                    .transpose()
            })
            .await
    }

    async fn list(&self, owner: &str, before: Option<&str>, limit: usize) -> Result<Vec<Job>> {
        let (owner, before) = (owner.to_owned(), before.map(ToOwned::to_owned));
        self.database
            .read(move |c| list(c, &owner, before.as_deref(), limit))
            .await
    }

    async fn claim(&self, now: Timestamp, lease: Duration) -> Result<Claim> {
        self.change(move |c, changed| claim(c, changed, now, lease))
            .await
    }

    async fn extend(
        &self,
        ticket: &Ticket,
        now: Timestamp,
        lease: Duration,
        progress: Option<f32>,
    ) -> Result<()> {
        let ticket = ticket.clone();
        self.change(move |c, changed| {
            let mut row = held(c, &ticket)?;
            row.due_at = now + lease;
            if progress.is_none() || progress == row.job.progress {
                return row::extend(c, &row);
            }
            row.job.progress = progress;
            save(c, &mut row, changed)
        })
        .await
    }

    async fn settle(&self, ticket: &Ticket, verdict: Verdict, now: Timestamp) -> Result<()> {
        let ticket = ticket.clone();
        self.change(move |c, changed| settle(c, changed, &ticket, verdict, now))
            .await?;
        self.bell.ring_work();
        Ok(())
    }

    async fn complete(&self, ticket: &Ticket, now: Timestamp) -> Result<Completion> {
        let ticket = ticket.clone();
        self.change(move |c, changed| complete(c, changed, &ticket, now))
            .await
    }

    async fn cancel(&self, id: &str, now: Timestamp) -> Result<Cancellation> {
        let id = id.to_owned();
        self.change(move |c, changed| cancel(c, changed, &id, now))
            .await
    }

    async fn delete(&self, id: &str) -> Result<Vec<String>> {
        let id = id.to_owned();
        self.change(move |c, changed| delete(c, changed, &id)).await
    }

    fn bell(&self) -> &Bell {
        &self.bell
    }
}

fn enqueue(c: &Connection, new: NewJob, now: Timestamp) -> Result<Job> {
    let mut row = Row::new(new.id, new.owner, new.request, new.charge, now);
    row.flight = new.join.as_ref().map(|join| join.digest.clone());
    match new.answer {
        Some(answer) if row::still_kept(c, &answer)? => row.finish_with(answer, Cache::Exact, now),
        _ => {
            if let Some(leader) = new
                .join
                .map(|join| joinable(c, &join.digest, now, join.window))
                .transpose()?
                .flatten()
            {
                join(&mut row, leader, now);
            }
        }
    }
    insert(c, &row)?;
    place(c, row.job)
}

/// The newest job that answers, or is about to answer, the same request.
fn joinable(c: &Connection, digest: &str, now: Timestamp, window: Duration) -> Result<Option<Row>> {
    let id: Option<String> = c
        .prepare_cached(
            "SELECT id FROM jobs WHERE flight = ?1 AND leader IS NULL AND
             (status IN ('queued', 'running', 'delivering') OR (status = 'succeeded' AND finished_at > ?2))
             ORDER BY id DESC LIMIT 1",
        )
        .and_then(|mut query| query.query_row(params![digest, (now - window).as_millisecond()], |row| row.get(0)).optional())
        .map_err(StoreError::from)?;
    id.map(|id| load(c, &id)).transpose().map(Option::flatten)
}

fn join(row: &mut Row, leader: Row, now: Timestamp) {
    match leader.job.outcome {
        Some(answer) if leader.job.status == Status::Succeeded => {
            row.finish_with(answer, Cache::Exact, now);
        }
        _ => {
            row.job.status = leader.job.status;
            row.job.attempt = leader.job.attempt;
            row.job.started_at = leader.job.started_at;
            row.job.progress = leader.job.progress;
            row.job.cache = Cache::Joined;
            row.leader = Some(leader.job.id);
        }
    }
}

fn list(c: &Connection, owner: &str, before: Option<&str>, limit: usize) -> Result<Vec<Job>> {
    let ids: Vec<String> = c
        .prepare_cached("SELECT id FROM jobs WHERE owner = ?1 AND id < ?2 AND withdrawn < 2 ORDER BY id DESC LIMIT ?3")
        .and_then(|mut query| {
            // '~' sorts after every character of an id.
            query.query_map(params![owner, before.unwrap_or("~"), limit], |row| row.get(0))?.collect()
        })
        .map_err(StoreError::from)?;
    let rows = ids
        .iter()
        .map(|id| load(c, id))
        .filter_map(Result::transpose);
    rows.filter_map(|row| row.map(Row::seen_by_owner).transpose())
        .map(|job| place(c, job?))
        .collect()
}

fn claim(
    c: &Connection,
    changed: &mut Vec<String>,
    now: Timestamp,
    lease: Duration,
) -> Result<Claim> {
    let Some(mut row) = due(c, now)? else {
        return next_due(c).map(Claim::Idle);
    };
    row.job.status = transition(row.job.status, Event::Claim)?;
    row.due_at = now + lease;
    if row.job.status == Status::Delivering {
        row.deliveries += 1;
        row::extend(c, &row)?;
        return Ok(Claim::Deliver(Box::new(row.job), row.deliveries - 1));
    }
    row.job.token += 1;
    row.job.attempt += 1;
    row.job.started_at.get_or_insert(now);
    row.job.progress = None;
    save(c, &mut row, changed)?;
    Ok(Claim::Call(Box::new(row.job)))
}

fn due(c: &Connection, now: Timestamp) -> Result<Option<Row>> {
    let id: Option<String> = c
        .prepare_cached(
            "SELECT id FROM jobs WHERE leader IS NULL AND status IN ('queued', 'running', 'delivering') AND due_at <= ?1
             ORDER BY id LIMIT 1",
        )
        .and_then(|mut query| query.query_row([now.as_millisecond()], |row| row.get(0)).optional())
        .map_err(StoreError::from)?;
    id.map(|id| load(c, &id)).transpose().map(Option::flatten)
}

fn next_due(c: &Connection) -> Result<Option<Timestamp>> {
    let due: Option<i64> = c
        .prepare_cached(
            "SELECT min(due_at) FROM jobs WHERE leader IS NULL AND status IN ('queued', 'running', 'delivering')",
        )
        .and_then(|mut query| query.query_row([], |row| row.get(0)))
        .map_err(StoreError::from)?;
    Ok(due.and_then(|due| Timestamp::from_millisecond(due).ok()))
}

/// The job, if the ticket is still the right to act on it.
fn held(c: &Connection, ticket: &Ticket) -> Result<Row> {
    let row = load(c, &ticket.id)?.ok_or(Error::NotFound)?;
    let active = matches!(row.job.status, Status::Running | Status::Delivering);
    if active && row.job.token == ticket.token {
        Ok(row)
    } else {
        Err(Error::Stale)
    }
}

fn settle(
    c: &Connection,
    changed: &mut Vec<String>,
    ticket: &Ticket,
    verdict: Verdict,
    now: Timestamp,
) -> Result<()> {
    let mut row = held(c, ticket)?;
    let event = match verdict {
        Verdict::Record(_) | Verdict::Fail(_) => Event::Record,
        Verdict::Retry(..) => Event::Retry,
        Verdict::Release => Event::Release,
        Verdict::Postpone(_) => Event::Postpone,
    };
    row.job.status = transition(row.job.status, event)?;
    match verdict {
        Verdict::Record(outcome) => row.job.outcome = Some(outcome),
        Verdict::Fail(failed) => {
            row.job.outcome = Some(Outcome::Failed(failed.failure.clone()));
            row.job.failures.push(failed);
        }
        Verdict::Retry(failed, not_before) => {
            row.job.failures.push(failed);
            row.due_at = not_before;
        }
        Verdict::Release => {
            row.job.attempt -= 1;
            row.due_at = now;
        }
        Verdict::Postpone(not_before) => row.due_at = not_before,
    }
    if row.job.status == Status::Queued {
        row.job.progress = None;
    }
    save(c, &mut row, changed)
}

fn complete(
    c: &Connection,
    changed: &mut Vec<String>,
    ticket: &Ticket,
    now: Timestamp,
) -> Result<Completion> {
    let row = load(c, &ticket.id)?.ok_or(Error::NotFound)?;
    if row.job.status.is_terminal() {
        return Ok(Completion::Repeated);
    }
    let mut row = held(c, ticket)?;
    let succeeded = matches!(row.job.outcome, Some(Outcome::Succeeded { .. }));
    row.job.status = transition(row.job.status, Event::Complete { succeeded })?;
    row.job.finished_at = Some(now);
    row.job.progress = None;
    let shared = followers(c, &row.job.id)?;
    save(c, &mut row, changed)?;
    match row.withdrawn {
        Withdrawn::No => {}
        Withdrawn::Cancelled => row::set_status(c, &row.job.id, Status::Cancelled)?,
        Withdrawn::Deleted => row::remove(c, &row.job.id)?,
    }
    let mut jobs = vec![row.job];
    for id in shared {
        jobs.extend(load(c, &id)?.map(|row| row.job));
    }
    Ok(Completion::Applied(jobs))
}

fn cancel(
    c: &Connection,
    changed: &mut Vec<String>,
    id: &str,
    now: Timestamp,
) -> Result<Cancellation> {
    let mut row = load(c, id)?.ok_or(Error::NotFound)?;
    let before = row.clone().seen_by_owner().ok_or(Error::NotFound)?;
    let cancelled = transition(before.status, Event::Cancel)?;
    row.job.finished_at = Some(now);
    if row.leader.is_none() && active_followers(c, id)? {
        row.withdrawn = Withdrawn::Cancelled;
    } else {
        row.job.status = cancelled;
    }
    save(c, &mut row, changed)?;
    abandon(c, changed, row.leader.as_deref(), now)?;
    let job = row.seen_by_owner().ok_or(Error::NotFound)?;
    Ok(Cancellation {
        job,
        before_call: before.status == Status::Queued || before.cache == Cache::Joined,
    })
}

/// Ends a withdrawn leader that nobody waits for any more.
fn abandon(
    c: &Connection,
    changed: &mut Vec<String>,
    leader: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let Some(mut row) = leader.map(|id| load(c, id)).transpose()?.flatten() else {
        return Ok(());
    };
    if row.withdrawn == Withdrawn::No || active_followers(c, &row.job.id)? {
        return Ok(());
    }
    // An outcome that is recorded already is delivered all the same.
    if let Ok(status) = transition(row.job.status, Event::Cancel) {
        row.job.status = status;
        row.job.finished_at.get_or_insert(now);
        save(c, &mut row, changed)?;
        if row.withdrawn == Withdrawn::Deleted {
            row::remove(c, &row.job.id)?;
        }
    }
    Ok(())
}

fn delete(c: &Connection, changed: &mut Vec<String>, id: &str) -> Result<Vec<String>> {
    let mut row = load(c, id)?.ok_or(Error::NotFound)?;
    let seen = row.clone().seen_by_owner().ok_or(Error::NotFound)?;
    if !seen.status.is_terminal() {
        return Err(super::Illegal {
            status: seen.status,
            event: Event::Cancel,
        }
        .into());
    }
    if !row.job.status.is_terminal() {
        row.withdrawn = Withdrawn::Deleted;
        save(c, &mut row, changed)?;
        return Ok(Vec::new());
    }
    changed.push(id.to_owned());
    let orphans = row::orphans(c, id)?;
    row::remove(c, id)?;
    Ok(orphans)
}

/// Counts the jobs ahead of a queued one.
fn place(c: &Connection, mut job: Job) -> Result<Job> {
    if job.status == Status::Queued {
        let ahead: i64 = c
            .prepare_cached(
                "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE leader IS NULL AND status = 'queued'
                 AND status IN ('queued', 'running', 'delivering') AND id < ?1 LIMIT 10000)",
            )
            .and_then(|mut query| query.query_row([&job.id], |row| row.get(0)))
            .map_err(StoreError::from)?;
        job.position = u64::try_from(ahead).ok();
    }
    Ok(job)
}
