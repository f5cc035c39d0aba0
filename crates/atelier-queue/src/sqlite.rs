//! The queue in SQLite.

use std::{marker::PhantomData, ops::Range, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use tracing::error;

use self::{
    changes::Changes,
    claim::Claimed,
    lists::{into_job, into_jobs, newest, placed, seen},
    outbox::{Note, completion, noted},
    row::Row,
};
use super::{
    Cancellation, Claim, Completion, Ended, Gate, GateChange, In, Job, Lane, NewJob, Notifier,
    Payload, Priority, Queue, Report, Result, Ticket, Verdict, collection::Indexed, is_open,
    readable,
};
use atelier_store::{
    instant, milliseconds,
    sqlite::{Database, Schema},
};

mod cancel;
mod changes;
mod claim;
mod collection;
mod lifecycle;
mod gates;
mod lists;
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
        migrations: &[
            include_str!("sqlite/schema.sql"),
            include_str!("sqlite/gates.sql"),
            include_str!("sqlite/outbox.sql"),
            include_str!("sqlite/collection.sql"),
            include_str!("sqlite/marks.sql"),
        ],
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
        collection::add_missing::<P>(&database).await?;
        Ok(Self::new(database))
    }

    /// Runs a write that returns the jobs it changed, and notifies those who wait for them.
    async fn change<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection, &mut Changes) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (result, changed) = self
            .database
            .write(move |connection| {
                let mut changed = Changes::default();
                let result = operation(connection, &mut changed)?;
                Ok::<_, super::Error>((result, changed))
            })
            .await?;
        for id in changed.jobs {
            self.notifier.notify(&id);
        }
        if changed.work {
            self.notifier.notify_work();
        }
        Ok(result)
    }

    /// Fails an unreadable job.
    async fn set_aside(&self, ticket: Ticket, now: i64) -> Result<()> {
        self.change(move |c, changed| unread::set_aside::<P>(c, changed, &ticket, now))
            .await
    }
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
        let entry = Indexed::of(&job.owner, &job.request);
        let placed = self
            .change(move |c, changed| {
                let row = lifecycle::enqueue(c, changed, row, &job, now)?;
                collection::add(c, &row.id, &row.owner, entry.as_ref())?;
                placed(c, row)
            })
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
        let before = before.unwrap_or(LAST);
        if limit <= FEW {
            let list = |c: &Connection| lists::of_owner(c, owner, before, limit);
            return self.database.read_inline(list);
        }
        let (owner, before) = (owner.to_owned(), before.to_owned());
        let list = move |c: &Connection| lists::of_owner(c, &owner, &before, limit);
        self.database.read(list).await
    }

    async fn list_in(
        &self,
        owner: &str,
        state: In,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Job<P>>> {
        let (owner, before) = (owner.to_owned(), before.unwrap_or(LAST).to_owned());
        let list = move |c: &Connection| lists::in_state(c, &owner, state, &before, limit);
        self.database.read(list).await
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
            .change(move |c, changed| cancel::cancel(c, changed, &id, now))
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

    async fn seclude(&self, id: &str) -> Result<Vec<String>> {
        let id = id.to_owned();
        self.database
            .write(move |c| {
                table::execute(c, "UPDATE jobs SET flight = NULL WHERE id = ?1", &[&id])?;
                table::followers(c, &id)
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
        self.change(move |c, changed| outbox::acknowledge(c, changed, &key))
            .await
    }

    async fn gate(&self, name: &str) -> Result<Option<Gate>> {
        self.database.read_inline(|c| gates::find(c, name))
    }

    async fn gates(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Gate>> {
        let (prefix, after) = (prefix.to_owned(), after.unwrap_or_default().to_owned());
        let list = move |c: &Connection| gates::list(c, &prefix, &after, limit);
        self.database.read(list).await
    }

    async fn set_gate(&self, name: &str, change: GateChange, now: Timestamp) -> Result<Gate> {
        let (name, now) = (name.to_owned(), now.as_millisecond());
        let set = self.change(move |c, changed| gates::change(c, changed, &name, &change, now));
        set.await?.ok_or(super::Error::NotFound)
    }

    async fn remove_gate(&self, name: &str, now: Timestamp) -> Result<bool> {
        let (name, now) = (name.to_owned(), now.as_millisecond());
        self.change(move |c, changed| gates::remove(c, changed, &name, now))
            .await
    }

    fn notifier(&self) -> &Notifier {
        &self.notifier
    }
}
