//! The queue in SQLite.

use std::{marker::PhantomData, ops::Range, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use tracing::error;

use self::{claim::Claimed, outbox::Note, row::Row, table::Found};
use super::{
    Cancellation, Claim, Completion, Ended, Gate, GateChange, In, Job, Lane, NewJob, Notifier,
    Payload, Priority, Queue, Report, Result, Ticket, Verdict, is_open, readable,
};
use atelier_store::{
    instant, milliseconds,
    sqlite::{Database, Schema},
};

mod claim;
mod lifecycle;
mod housekeeping;
mod outbox;
mod removal;
mod row;
mod scheduler;
mod table;
mod unread;

/// Jobs in a SQLite table.
pub struct SqliteQueue<P> {
    database: Database,
    notifier: Notifier,
    payload: PhantomData<fn() -> P>,
}

impl<P: Payload> SqliteQueue<P> {
    /// Its tables.
    pub const SCHEMA: Schema = Schema {
        name: "queue",
        migrations: &[include_str!("sqlite/schema.sql")],
    };

    /// Opens the queue in this database, beside the process that works on it.
    pub fn new(database: Database) -> Self {
        Self {
            database,
            notifier: Notifier::default(),
            payload: PhantomData,
        }
    }

    /// Takes over the queue of an earlier process. Only one process at a time
    /// may work on the database, so every lease found is a dead worker's, and its job is
    /// due at once.
    pub async fn take_over(database: Database, now: Timestamp) -> Result<Self> {
        let now = now.as_millisecond();
        database
            .write(move |c| {
                table::execute(
                    c,
                    "UPDATE jobs SET due_at = ?1
                     WHERE due_at > 0 AND due_at > ?1 AND status IN ('running', 'delivering')",
                    &[&now],
                )
            })
            .await?;
        Ok(Self::new(database))
    }

    /// Runs a write that returns the jobs it changed, and notifies those who wait for them.
    async fn change<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection, &mut Vec<String>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (result, changed) = self
            .database
            .write(move |connection| {
                let mut changed = Vec::new();
                let result = operation(connection, &mut changed)?;
                Ok::<_, super::Error>((result, changed))
            })
            .await?;
        for id in changed {
            self.notifier.notify(&id);
        }
        Ok(result)
    }

    /// Fails an unreadable job.
    async fn set_aside(&self, ticket: Ticket, now: i64) -> Result<()> {
        self.change(move |c, changed| unread::set_aside::<P>(c, changed, &ticket, now))
            .await
    }
}

type Placed = (Row, Option<u64>);

/// The rows as their owners see them.
fn seen(c: &Connection, rows: Vec<Row>) -> Result<Vec<Placed>> {
    let seen = rows.into_iter().filter_map(Row::seen_by_owner);
    seen.map(|row| placed(c, row)).collect()
}

fn placed(c: &Connection, mut row: Row) -> Result<Placed> {
    let leader = lifecycle::leader_of(c, &row)?;
    let position = scheduler::position(c, leader.as_ref().unwrap_or(&row))?;
    if let Some(leader) = &leader {
        row.share_reports(leader);
    }
    Ok((row, position))
}

fn into_job<P: Payload>((row, position): Placed) -> Result<Job<P>> {
    row.into_job(position)
}

/// The readable ones.
fn into_jobs<P: Payload>(rows: Vec<Placed>) -> Result<Vec<Job<P>>> {
    let jobs = rows.into_iter().map(|placed| {
        let id = placed.0.id.clone();
        readable(&id, into_job(placed))
    });
    jobs.filter_map(Result::transpose).collect()
}

/// At most `limit` jobs of a list, newest first, as their owners see them. Unreadable ones
/// are skipped. `part` returns what precedes an id.
fn newest<P: Payload>(
    c: &Connection,
    before: &str,
    limit: usize,
    part: impl Fn(&str, usize) -> Result<Vec<Found>>,
) -> Result<Vec<Job<P>>> {
    let (mut jobs, mut before) = (Vec::new(), before.to_owned());
    loop {
        let wanted = limit - jobs.len();
        let found = part(&before, wanted)?;
        let more = found.len() == wanted;
        if let Some(last) = found.last() {
            before = last
                .as_ref()
                .map_or_else(String::clone, |row| row.id.clone());
        }
        jobs.extend(into_jobs(seen(c, found.into_iter().flatten().collect())?)?);
        if !more || jobs.len() >= limit {
            return Ok(jobs);
        }
    }
}

/// Those of the ends that belong in the outbox.
fn noted<P: Payload>(ended: Vec<Note>) -> Result<Vec<Ended<P>>> {
    let ended = ended.into_iter().map(Note::into_ended);
    let noted = ended.filter(|end| end.as_ref().map_or(true, Ended::is_noted));
    noted.collect()
}

fn completion<P: Payload>(ended: Vec<Note>, orphans: Vec<String>) -> Result<Completion<P>> {
    if ended.is_empty() {
        return Ok(Completion::Repeated);
    }
    let ended = ended.into_iter().map(Note::into_ended);
    Ok(Completion::Applied {
        ended: ended.collect::<Result<_>>()?,
        orphans,
    })
}

/// This number of rows is read in less time than it takes to wake a reader thread.
const FEW: usize = 50;

/// Sorts after every id.
const LAST: &str = "~";

#[async_trait]
impl<P: Payload> Queue<P> for SqliteQueue<P> {
    async fn enqueue(&self, job: NewJob<P>, now: Timestamp) -> Result<Job<P>> {
        let now = now.as_millisecond();
        let row = Row::new(&job, now)?;
        let placed = self
            .change(move |c, _| placed(c, lifecycle::enqueue(c, row, &job, now)?))
            .await?;
        self.notifier.notify_work();
        into_job(placed)
    }

    async fn get(&self, id: &str) -> Result<Option<Job<P>>> {
        let found = self
            .database
            .read_inline(|c| seen(c, table::load(c, id)?.into_iter().collect()));
        let found = readable(id, found)?.unwrap_or_default();
        Ok(into_jobs(found)?.pop())
    }

    async fn list(&self, owner: &str, before: Option<&str>, limit: usize) -> Result<Vec<Job<P>>> {
        const OF_OWNER: &str =
            "WHERE owner = ?1 AND id < ?2 AND withdrawn < 2 ORDER BY id DESC LIMIT ?3";
        let before = before.unwrap_or(LAST);
        let part = move |c: &Connection, owner: &str, before: &str| {
            newest(c, before, limit, |before, limit| {
                table::find(c, OF_OWNER, params![owner, before, limit])
            })
        };
        if limit <= FEW {
            return self.database.read_inline(|c| part(c, owner, before));
        }
        let (owner, before) = (owner.to_owned(), before.to_owned());
        let list = move |c: &Connection| part(c, &owner, &before);
        self.database.read(list).await
    }

    async fn list_in(
        &self,
        owner: &str,
        state: In,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Job<P>>> {
        let jobs = self.list(owner, before, usize::MAX).await?;
        let jobs = jobs.into_iter().filter(|job| state.includes(job.status));
        Ok(jobs.take(limit).collect())
    }

    async fn claim(&self, lanes: &[Lane], now: Timestamp, lease: Duration) -> Result<Claim<P>> {
        let (lanes, now) = (lanes.to_vec(), now.as_millisecond());
        loop {
            let lanes = lanes.clone();
            let claimed = self
                .change(move |c, changed| claim::claim::<P>(c, changed, &lanes, now, lease))
                .await?;
            let (row, tried) = match claimed {
                Claimed::Call(row) => (row, None),
                Claimed::Deliver(row) => {
                    let tried = row.deliveries - 1;
                    (row, Some(tried))
                }
                Claimed::Idle(due) => return Ok(Claim::Idle(due.map(instant).transpose()?)),
            };
            let ticket = row.ticket();
            match (readable(&ticket.id, row.into_job(None))?, tried) {
                (Some(job), None) => return Ok(Claim::Call(Box::new(job))),
                (Some(job), Some(tried)) => return Ok(Claim::Deliver(Box::new(job), tried)),
                (None, _) => self.set_aside(ticket, now).await?,
            }
        }
    }

    async fn extend(
        &self,
        ticket: &Ticket,
        now: Timestamp,
        lease: Duration,
        report: Report,
    ) -> Result<()> {
        let ticket = ticket.clone();
        self.change(move |c, changed| {
            let mut row = lifecycle::held(c, &ticket)?;
            // A late extension does not shorten a newer one.
            row.due = row.due.max(now.as_millisecond() + milliseconds(lease));
            let progress = report.progress.or(row.progress);
            let preview = report.preview.or_else(|| row.preview.clone());
            if progress == row.progress && preview == row.preview {
                return table::set_due(c, &row);
            }
            row.progress = progress;
            row.preview = preview;
            changed.push(row.id.clone());
            table::report(c, &row)
        })
        .await
    }

    async fn settle(&self, ticket: &Ticket, verdict: Verdict<P>, now: Timestamp) -> Result<()> {
        let (ticket, now) = (ticket.clone(), now.as_millisecond());
        let frees = !matches!(verdict, Verdict::Postpone(_));
        self.change(move |c, changed| lifecycle::settle(c, changed, &ticket, verdict, now))
            .await?;
        if frees {
            self.notifier.notify_work();
        }
        Ok(())
    }

    async fn complete(&self, ticket: &Ticket, now: Timestamp) -> Result<Completion<P>> {
        let (ticket, now) = (ticket.clone(), now.as_millisecond());
        let (ended, orphans) = self
            .change(move |c, changed| lifecycle::complete::<P>(c, changed, &ticket, now))
            .await?;
        completion(ended, orphans)
    }

    async fn finish(
        &self,
        ticket: &Ticket,
        verdict: Verdict<P>,
        now: Timestamp,
    ) -> Result<Completion<P>> {
        let (ticket, now) = (ticket.clone(), now.as_millisecond());
        let (ended, orphans) = self
            .change(move |c, changed| {
                lifecycle::settle_and_complete(c, changed, &ticket, verdict, now)
            })
            .await?;
        self.notifier.notify_work();
        completion(ended, orphans)
    }

    async fn throttle(&self, lane: &Lane, until: Timestamp, now: Timestamp) -> Result<()> {
        let (lane, until, now) = (lane.clone(), until.as_millisecond(), now.as_millisecond());
        self.change(move |c, _| scheduler::throttle(c, &lane, until, now))
            .await?;
        self.notifier.notify_work();
        Ok(())
    }

    async fn cancel(&self, id: &str, now: Timestamp) -> Result<Cancellation<P>> {
        let (id, now) = (id.to_owned(), now.as_millisecond());
        let cancelled = self
            .change(move |c, changed| lifecycle::cancel(c, changed, &id, now))
            .await?;
        self.notifier.notify_work();
        Ok(Cancellation {
            job: cancelled.row.into_job(None)?,
            ended: noted(cancelled.ended)?,
            orphans: cancelled.orphans,
        })
    }

    async fn delete(&self, id: &str) -> Result<Vec<String>> {
        let id = id.to_owned();
        self.change(move |c, changed| removal::delete::<P>(c, changed, &id))
            .await
    }

    async fn wants_answer(&self, id: &str) -> Result<bool> {
        let Some(row) = self.database.read_inline(|c| table::load(c, id))? else {
            return Ok(false);
        };
        let outcome = row.ending().map(row::parse::<P::Outcome>);
        let outcome = outcome.transpose()?;
        Ok(is_open(row.status, outcome.as_ref()))
    }

    async fn seclude(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.database
            .write(move |c| {
                table::execute(c, "UPDATE jobs SET flight = NULL WHERE id = ?1", &[&id])
            })
            .await
    }

    async fn dead(&self, before: Option<&str>, limit: usize) -> Result<Vec<Job<P>>> {
        const DEAD: &str = "WHERE status = 'failed' AND id < ?1 ORDER BY id DESC LIMIT ?2";
        let before = before.unwrap_or(LAST).to_owned();
        let list = move |c: &Connection| {
            newest(c, &before, limit, |before, limit| {
                table::find(c, DEAD, params![before, limit])
            })
        };
        self.database.read(list).await
    }

    async fn retry(&self, id: &str, priority: Priority, now: Timestamp) -> Result<Job<P>> {
        let (id, now) = (id.to_owned(), now.as_millisecond());
        let retried = self
            .change(move |c, changed| placed(c, lifecycle::retry(c, changed, &id, priority, now)?))
            .await?;
        self.notifier.notify_work();
        into_job(retried)
    }

    async fn finished(&self, within: Range<Timestamp>, limit: usize) -> Result<Vec<String>> {
        let (from, before) = (within.start.as_millisecond(), within.end.as_millisecond());
        self.database
            .read(move |c| {
                table::texts(
                    c,
                    "SELECT id FROM jobs WHERE finished_at >= ?1 AND finished_at < ?2
                     AND status NOT IN ('queued', 'running', 'delivering')
                     ORDER BY finished_at, id LIMIT ?3",
                    params![from, before, limit],
                )
            })
            .await
    }

    async fn ready(&self) -> Result<()> {
        Ok(self.database.ready().await?)
    }

    async fn outbox(&self, after: Option<&str>, limit: usize) -> Result<Vec<Ended<P>>> {
        let after = after.unwrap_or_default().to_owned();
        let notes = self
            .database
            .read(move |c| outbox::list(c, &after, limit))
            .await?;
        let mut ended = Vec::with_capacity(notes.len());
        for (key, note) in notes {
            let read = note.map(Note::into_ended).transpose();
            if let Some(end) = readable(&key, read)?.flatten() {
                ended.push(end);
            } else {
                error!(key, "an outbox entry cannot be read; it is not settled");
                self.acknowledge(&key).await?;
            }
        }
        Ok(ended)
    }

    async fn acknowledge(&self, key: &str) -> Result<()> {
        let key = key.to_owned();
        self.database
            .write(move |c| outbox::acknowledge(c, &key))
            .await
    }

    async fn gate(&self, _name: &str) -> Result<Option<Gate>> {
        Ok(None)
    }

    async fn gates(&self, _prefix: &str, _after: Option<&str>, _limit: usize) -> Result<Vec<Gate>> {
        Ok(Vec::new())
    }

    async fn set_gate(&self, name: &str, change: GateChange, now: Timestamp) -> Result<Gate> {
        let mut gate = Gate::new(name, now);
        gate.change(&change);
        Ok(gate)
    }

    async fn remove_gate(&self, _name: &str, _now: Timestamp) -> Result<bool> {
        Ok(false)
    }

    fn notifier(&self) -> &Notifier {
        &self.notifier
    }
}
