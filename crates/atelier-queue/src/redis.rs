//! The queue in Redis, shared by any number of processes.
//!
//! Every operation is one Lua script and one round trip. Calls of the same operation that arrive during a round trip are
//! batched into the next ([`atelier_store::batcher`]), so that one script serves up to [`batcher::BATCH`] of them; each has
//! its own result.
//!
//! # Keys
//! All have the hash tag `{queue}`, so that they are on one node of a cluster, and begin
//! with the prefix of the connection: `atelier:{queue}:`.
//!
//! | key | type | what it holds |
//! |---|---|---|
//! | `head` | hash | by id: the part of a job that changes often, packed ([`record`]) |
//! | `body` | hash | by id: the part that never changes: lane, cost, owner, blobs of the request; then JSON: request, charge, hooks |
//! | `links` | hash | by id, if there are any: leader, flight, progress, preview, reports, the way through gates |
//! | `outcome` | hash | by id: the outcome's blobs, then JSON |
//! | `failures` | hash | by id: the failed attempts, each a comma and JSON |
//! | `followers:ID` | set | the jobs that share this leader's call and have not ended |
//! | `flights` | hash | by digest: the leaders of a request, one per line; by the empty digest: until when to look for `flight:` |
//! | `flight:DIGEST` | sorted set | the same, as written by the previous version |
//! | `ready:LANE` | sorted set | jobs that wait for nothing but their turn, by band and virtual start |
//! | `due` | sorted set | delayed jobs, leases, and the first in the line of a gate that opens with time, by the instant they are due |
//! | `lane:LANE` | hash | `v`, `next`, `held`, `floor` of the lane, and `running`: calls in progress |
//! | `finish:LANE` | sorted set | where each owner's last job ends in virtual time, if later than `v` |
//! | `gates` | hash | by name: a gate, packed (`gate.lua`) |
//! | `gates:names` | sorted set | the names of gates, except those that are there only for the jobs that still name them |
//! | `gates:staying` | sorted set | the names of gates that stay although no job names them |
//! | `line:GATE` | sorted set | jobs that wait for the gate, by their place |
//! | `barriers` | hash | by the key of an entry of the outbox: the gates in which the job that has ended still has slots |
//! | `unfinished:OWNER`, `dead:OWNER` | sorted set | an owner's unfinished and failed jobs, if they are tracked, in the order of their ids |
//! | `owned:OWNER` | sorted set | an owner's jobs, in the order of their ids; for no owner with a [`PART`](super::PART) |
//! | `words:OWNER` | hash | by id, once they were searched: what the owner's jobs are found by ([`collection`]) |
//! | `marks:OWNER` | hash | by id, if there are any: `y` for a favourite or `n`, and the folder |
//! | `folders:OWNER` | hash | by name: the number of jobs in a folder |
//! | `finished` | sorted set | jobs that have ended, by the instant |
//! | `dead` | sorted set | failed jobs, in the order of their ids |
//! | `outbox` | sorted set | the outbox's entries, by key |
//! | `outbox:notes` | hash | by the entry's key: the job as it ended, packed |
//! | `files` | hash | the number of jobs that refer to a blob |
//! | `discards` | set | blobs that no job refers to any more, until they are gone |
//! | `photos` | string | the mark up to which finished jobs have been searched for photos |
//!
//! # The scripts
//! They are in `lua/`. Redis runs one at a time, so their cost limits the queue's
//! throughput. Most jobs are *simple*: nobody has joined them, nothing has failed,
//! nothing is reported. The most frequent operations ([`scripts`]) process simple jobs
//! directly from their heads, with one command of each kind for the whole batch; only for other jobs do they build rows
//! and take the slow path, which can do everything. Jobs whose only gate has no rate are added, claimed and finished like
//! that, too (`single.lua`); those that wait are admitted once all others of the batch have left.
//!
//! # Notifications
//! A script that changed jobs publishes one message on the channel `atelier:{queue}:bell`: `w` if there may be work, else
//! `-`, and the jobs' ids, one per line. Every process listens and forwards to its [`Notifier`]; after a lost connection
//! it notifies of all jobs.

mod batch;
mod collection;
mod gates;
mod housekeeping;
mod record;
mod reply;
mod scripts;
mod unreadable;

use std::{marker::PhantomData, ops::Range, time::Duration};

use ::redis::Value;
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tracing::error;

use self::{
    batch::{Added, Addition, Completed, Extension, Settlement, Taken, Wanted},
    record::{Note, Record},
};
use super::{
    Cancellation, Claim, Completion, Ended, Error, Event, Gate, GateChange, Illegal, In, Job, Lane,
    NewJob, Notifier, Payload, Priority, Queue, Report, Result, Ticket, Verdict, is_open, readable,
    unreadable,
};
use atelier_store::{
    batcher,
    redis::{Call, Notice, PATIENCE, Redis, Script},
};

type Batcher<I, O> = batcher::Batcher<I, O, Error>;

/// The hash tag, and the prefix of every key's name.
const TAG: &str = "{queue}:";

/// Jobs in Redis.
pub struct RedisQueue<P> {
    redis: Redis,
    notifier: Notifier,
    _listener: AbortOnDropHandle<()>,
    additions: Batcher<Addition, Added>,
    reads: Batcher<String, Option<Record>>,
    claims: Batcher<Wanted, Taken>,
    extensions: Batcher<Extension, ()>,
    settlements: Batcher<Settlement, ()>,
    completions: Batcher<batch::Finish, Completed>,
    finishes: Batcher<Settlement, Completed>,
    acknowledgements: Batcher<String, ()>,
    payload: PhantomData<fn() -> P>,
}

impl<P: Payload> RedisQueue<P> {
    /// Opens the queue in this Redis. To be called inside a Tokio runtime; Redis need not be
    /// reachable yet.
    pub fn new(redis: Redis) -> Self {
        let notifier = Notifier::default();
        let notices = redis.subscribe(&format!("{TAG}bell"));
        Self {
            _listener: AbortOnDropHandle::new(tokio::spawn(listen(notices, notifier.clone()))),
            additions: Batcher::start(&redis, PATIENCE, batch::enqueue),
            reads: Batcher::start(&redis, PATIENCE, batch::get),
            claims: Batcher::start(&redis, PATIENCE, batch::claim::<P>),
            extensions: Batcher::start(&redis, PATIENCE, batch::extend),
            settlements: Batcher::start(&redis, PATIENCE, batch::settle),
            completions: Batcher::start(&redis, PATIENCE, batch::complete),
            finishes: Batcher::start(&redis, PATIENCE, batch::finish),
            acknowledgements: Batcher::start(&redis, PATIENCE, batch::acknowledge),
            redis,
            notifier,
            payload: PhantomData,
        }
    }

    fn script<'a>(&'a self, script: &'a Script) -> Call<'a> {
        self.redis.script(script).key(TAG)
    }

    /// Fails an unreadable job; its answer cannot be read either.
    async fn set_aside(&self, ticket: &Ticket, now: Timestamp) -> Result<()> {
        let failed = self.settle(ticket, Verdict::Fail(unreadable(now)), now);
        let failed = failed.await;
        readable(&ticket.id, self.complete(ticket, now).await)?;
        failed
    }

    /// A part of a list, with the jobs as their owners see them. Unreadable ones are
    /// skipped.
    async fn newest(&self, list: &str, before: Option<&str>, limit: usize) -> Result<Vec<Job<P>>> {
        let mut before = before.map_or_else(|| "+".into(), |id| format!("({id}"));
        let mut jobs = Vec::new();
        loop {
            let call = self.script(&scripts::NEWEST).arg(list).arg(&before);
            let answer: Value = call.arg(most(limit - jobs.len())).run().await?;
            let [last, records] = reply::array(answer)?;
            for record in reply::records(records)? {
                jobs.extend(seen(record)?);
            }
            let last = String::from_utf8_lossy(&reply::bytes(last)?).into_owned();
            if last.is_empty() || jobs.len() >= limit {
                return Ok(jobs);
            }
            before = format!("({last}");
        }
    }
}

/// The job as its owner sees it, if it can be read.
fn seen<P: Payload>(record: Record) -> Result<Option<Job<P>>> {
    let id = String::from_utf8_lossy(&record.id).into_owned();
    Ok(readable(&id, record.seen().map_err(Error::from))?.flatten())
}

/// Forwards the changes by any process, this one included.
async fn listen(mut notices: mpsc::Receiver<Notice>, notifier: Notifier) {
    while let Some(notice) = notices.recv().await {
        match notice {
            Notice::Connected => notifier.notify_all(),
            Notice::Message(text) => notify(&notifier, &text),
        }
    }
}

fn notify(notifier: &Notifier, message: &[u8]) {
    let Some((kind, ids)) = message.split_first() else {
        return;
    };
    for id in ids.split(|byte| *byte == b'\n') {
        if let Ok(id) = str::from_utf8(id) {
            notifier.notify(id);
        }
    }
    if *kind == b'w' {
        notifier.notify_work();
    }
}

#[async_trait]
impl<P: Payload> Queue<P> for RedisQueue<P> {
    async fn enqueue(&self, job: NewJob<P>, now: Timestamp) -> Result<Job<P>> {
        match self.additions.call(Addition::new(&job, now)?).await? {
            Added::Alone(place) => Ok(record::fresh(job, now, place)?),
            Added::Record(record) => record.seen()?.ok_or(Error::NotFound),
        }
    }

    async fn get(&self, id: &str) -> Result<Option<Job<P>>> {
        let record = self.reads.call(id.to_owned()).await?;
        Ok(record.map(seen).transpose()?.flatten())
    }

    async fn list(&self, owner: &str, before: Option<&str>, limit: usize) -> Result<Vec<Job<P>>> {
        self.newest(&format!("owned:{owner}"), before, limit).await
    }

    async fn list_in(
        &self,
        owner: &str,
        state: In,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Job<P>>> {
        let list = match state {
            In::Unfinished => "unfinished",
            In::Failed => "dead",
        };
        self.newest(&format!("{list}:{owner}"), before, limit).await
    }

    async fn claim(&self, lanes: &[Lane], now: Timestamp, lease: Duration) -> Result<Claim<P>> {
        loop {
            let taken = self.claims.call(Wanted::new(lanes, now, lease)).await?;
            let ticket = taken.ticket();
            let claim = taken.into_claim().map_err(Error::from);
            match readable(&ticket.id, claim)? {
                Some(claim) => return Ok(claim),
                None => self.set_aside(&ticket, now).await?,
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
        let extension = Extension::new(ticket, now, lease, report);
        self.extensions.call(extension).await
    }

    async fn settle(&self, ticket: &Ticket, verdict: Verdict<P>, now: Timestamp) -> Result<()> {
        let settlement = Settlement::new(ticket, verdict, now)?;
        self.settlements.call(settlement).await
    }

    async fn complete(&self, ticket: &Ticket, now: Timestamp) -> Result<Completion<P>> {
        let done = self.completions.call((ticket.clone(), now)).await?;
        done.into_completion()
    }

    async fn finish(
        &self,
        ticket: &Ticket,
        verdict: Verdict<P>,
        now: Timestamp,
    ) -> Result<Completion<P>> {
        let event = verdict.event();
        if event != Event::Record {
            let job = self.reads.call(ticket.id.clone()).await?;
            let status = job.ok_or(Error::NotFound)?.into_job::<P>()?.status;
            if status.is_terminal() {
                return Ok(Completion::Repeated);
            }
            return Err(Illegal { status, event }.into());
        }
        let settlement = Settlement::new(ticket, verdict, now)?;
        self.finishes.call(settlement).await?.into_completion()
    }

    async fn throttle(&self, lane: &Lane, until: Timestamp, now: Timestamp) -> Result<()> {
        let call = self
            .script(&scripts::THROTTLE)
            .arg(&lane.name)
            .arg(batch::bound(lane))
            .arg(until.as_millisecond())
            .arg(now.as_millisecond());
        Ok(call.run().await?)
    }

    async fn cancel(&self, id: &str, now: Timestamp) -> Result<Cancellation<P>> {
        let call = self.script(&scripts::CANCEL).arg(id);
        let answer: Value = call.arg(now.as_millisecond()).run().await?;
        let answer = reply::unless_refused(answer, Event::Cancel)?;
        let [records, orphans, notes] = reply::array(answer)?;
        let notes = reply::list(notes)?.into_iter();
        let ended = notes.map(|note| Note::read(&reply::bytes(note)?)?.into_ended());
        Ok(Cancellation {
            job: one(records)?,
            ended: ended.collect::<Result<_, _>>()?,
            orphans: reply::texts(orphans)?,
        })
    }

    async fn delete(&self, id: &str) -> Result<Vec<String>> {
        let answer: Value = self.script(&scripts::DELETE).arg(id).run().await?;
        let answer = reply::unless_refused(answer, Event::Cancel)?;
        Ok(reply::texts(answer)?)
    }

    async fn wants_answer(&self, id: &str) -> Result<bool> {
        let Some(record) = self.reads.call(id.to_owned()).await? else {
            return Ok(false);
        };
        let job: Job<P> = record.into_job()?;
        Ok(is_open(job.status, job.outcome.as_ref()))
    }

    async fn seclude(&self, id: &str) -> Result<Vec<String>> {
        let answer: Value = self.script(&scripts::SECLUDE).arg(id).run().await?;
        Ok(reply::texts(answer)?)
    }

    async fn dead(&self, before: Option<&str>, limit: usize) -> Result<Vec<Job<P>>> {
        self.newest("dead", before, limit).await
    }

    async fn retry(&self, id: &str, priority: Priority, now: Timestamp) -> Result<Job<P>> {
        let call = self.script(&scripts::RETRY).arg(id).arg(priority.band());
        let answer: Value = call.arg(now.as_millisecond()).run().await?;
        one(reply::unless_refused(answer, Event::Requeue)?)
    }

    async fn finished(&self, within: Range<Timestamp>, limit: usize) -> Result<Vec<String>> {
        let call = self.script(&scripts::FINISHED);
        Ok(call
            .arg(within.start.as_millisecond())
            .arg(within.end.as_millisecond())
            .arg(most(limit))
            .run()
            .await?)
    }

    async fn ready(&self) -> Result<()> {
        self.get("-").await.map(drop)
    }

    async fn outbox(&self, after: Option<&str>, limit: usize) -> Result<Vec<Ended<P>>> {
        let after = after.map_or_else(|| "-".into(), |key| format!("({key}"));
        let call = self.script(&scripts::OUTBOX_PAGE).arg(after);
        let [keys, notes] = reply::array(call.arg(most(limit)).run().await?)?;
        let keys = reply::texts(keys)?;
        let mut ended = Vec::with_capacity(keys.len());
        for (key, note) in keys.iter().zip(reply::list(notes)?) {
            let read = reply::bytes(note).and_then(|note| Note::read(&note)?.into_ended());
            match read {
                Ok(end) => ended.push(end),
                Err(error) => {
                    error!(%error, key, "an outbox entry cannot be read; it is not settled");
                    self.acknowledge(key).await?;
                }
            }
        }
        Ok(ended)
    }

    async fn acknowledge(&self, key: &str) -> Result<()> {
        self.acknowledgements.call(key.to_owned()).await
    }

    async fn gate(&self, name: &str) -> Result<Option<Gate>> {
        self.read_gate(name).await
    }

    async fn gates(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Gate>> {
        let names = self.gate_names(prefix, after, limit).await?;
        self.read_gates(&names).await
    }

    async fn set_gate(&self, name: &str, change: GateChange, now: Timestamp) -> Result<Gate> {
        self.change_gate(name, &change, now).await
    }

    async fn remove_gate(&self, name: &str, now: Timestamp) -> Result<bool> {
        let call = self.script(&scripts::REMOVE_GATE).arg(name);
        Ok(call.arg(now.as_millisecond()).run().await?)
    }

    fn notifier(&self) -> &Notifier {
        &self.notifier
    }
}

/// The limit in Redis' format.
fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The only record, as its owner sees it.
fn one<P: Payload>(records: Value) -> Result<Job<P>> {
    let record = reply::records(records)?.pop().ok_or(Error::NotFound)?;
    record.seen()?.ok_or(Error::NotFound)
}
