//! One call of the queue as a value, and what comes of it in comparable form.

use std::{
    fmt::{self, Debug, Formatter},
    ops::Range,
    time::Duration,
};

use crate::{
    work::Outcome,
    work::{
        Cancellation, Claim, Completion, DynQueue, Ended, Error, GateChange, In, Job, Lane, NewJob,
        Priority, Report, Ticket, Verdict,
    },
};
use atelier_queue::{Outcome as _, Payload as _};
use jiff::Timestamp;

pub(super) const LEASE: Duration = Duration::from_secs(5);

pub(super) enum Call {
    Enqueue(Box<NewJob>),
    Claim(Vec<Lane>),
    Extend(Ticket, Report),
    Settle(Ticket, Verdict),
    Complete(Ticket),
    Throttle(Lane, Timestamp),
    Cancel(String),
    Delete(String),
    Retry(String, Priority),
    Get(String),
    Wants(String),
    List(String, Option<String>, usize),
    Dead(Option<String>, usize),
    Finished(Range<Timestamp>, usize),
    Outbox,
    Gates,
    SetGate(String, GateChange),
    RemoveGate(String),
    Finish(Ticket, Verdict),
    ListIn(String, In, Option<String>, usize),
    /// All ends of the job.
    Acknowledge(String),
}

/// One line each, without what all jobs have in common.
impl Debug for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enqueue(new) => {
                write!(
                    f,
                    "enqueue {} of {} in {}",
                    new.id, new.owner, new.request.provider
                )?;
                write!(f, ", {} pictures, {:?}", new.request.pictures, new.priority)?;
                let join = new.join.as_ref().map(|join| &join.digest);
                let files: Vec<_> = new.request.blobs();
                let answer = new.answer.iter().flat_map(Outcome::blobs).next();
                write!(f, ", not before {:?}, joins {join:?}", new.not_before)?;
                write!(f, ", files {files:?}, answer {answer:?}")?;
                for gate in &new.gates {
                    write!(f, ", {} {:?} {:?}", gate.name, gate.hold, gate.terms)?;
                }
                write!(f, ", inherits {:?}", new.inherits)?;
                f.write_str(if new.answered_only {
                    ", or not at all"
                } else {
                    ""
                })
            }
            Self::Claim(lanes) => {
                let names = lanes.iter().map(|lane| &lane.name);
                write!(f, "claim {:?}", names.collect::<Vec<_>>())
            }
            Self::Extend(ticket, report) => write!(f, "extend {ticket:?} {report:?}"),
            Self::Settle(ticket, verdict) => write!(f, "settle {ticket:?} {verdict:?}"),
            Self::Complete(ticket) => write!(f, "complete {ticket:?}"),
            Self::Throttle(lane, until) => write!(f, "throttle {} until {until}", lane.name),
            Self::Cancel(id) => write!(f, "cancel {id}"),
            Self::Delete(id) => write!(f, "delete {id}"),
            Self::Retry(id, priority) => write!(f, "retry {id} {priority:?}"),
            Self::Get(id) => write!(f, "get {id}"),
            Self::Wants(id) => write!(f, "does {id} want an answer"),
            Self::List(owner, before, limit) => write!(f, "list {owner} {before:?} {limit}"),
            Self::Dead(before, limit) => write!(f, "dead {before:?} {limit}"),
            Self::Outbox => write!(f, "outbox"),
            Self::Gates => write!(f, "gates"),
            Self::SetGate(name, change) => write!(f, "set {name} {change:?}"),
            Self::RemoveGate(name) => write!(f, "remove {name}"),
            Self::Finish(ticket, verdict) => write!(f, "finish {ticket:?} {verdict:?}"),
            Self::ListIn(owner, state, before, limit) => {
                write!(f, "list {owner} {state:?} {before:?} {limit}")
            }
            Self::Acknowledge(id) => write!(f, "acknowledge {id}"),
            Self::Finished(within, limit) => write!(f, "finished {within:?} {limit}"),
        }
    }
}

/// What a caller sees: the jobs returned, and the rest in words.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) words: String,
    pub(super) jobs: Vec<Job>,
}

impl Seen {
    fn new(words: &str, jobs: Vec<Job>) -> Self {
        Self {
            words: words.into(),
            jobs,
        }
    }

    /// Errors by kind; a store's own can never be what the model says.
    fn from<T>(result: Result<T, Error>, seen: impl FnOnce(T) -> Self) -> Self {
        match result {
            Ok(value) => seen(value),
            Err(error) => Self::said(error),
        }
    }

    fn job(result: Result<Job, Error>) -> Self {
        Self::from(result, |job| Self::new("a job", vec![job]))
    }

    fn jobs(result: Result<Vec<Job>, Error>) -> Self {
        Self::from(result, |jobs| Self::new("jobs", jobs))
    }

    fn said(value: impl Debug) -> Self {
        Self::new(&format!("{value:?}"), Vec::new())
    }

    fn claim(claim: Claim) -> Self {
        match claim {
            Claim::Call(job) => Self::new("call", vec![*job]),
            Claim::Deliver(job, before) => {
                Self::new(&format!("deliver, {before} before"), vec![*job])
            }
            Claim::Idle(until) => Self::said(until),
        }
    }

    /// The leader is named first; its followers in any order.
    fn completion(completion: Completion) -> Self {
        match completion {
            Completion::Repeated => Self::new("repeated", Vec::new()),
            Completion::Applied { ended, orphans } => {
                Self::ended(&format!("applied, freed {:?}", sorted(orphans)), ended)
            }
        }
    }

    fn cancellation(done: Cancellation) -> Self {
        let freed = sorted(done.orphans);
        let mut seen = Self::ended(&format!("freed {freed:?}"), done.ended);
        seen.jobs.push(done.job);
        seen
    }

    fn outbox(ended: Vec<Ended>) -> Self {
        Self::ended("noted", ended)
    }

    fn ended(words: &str, ended: Vec<Ended>) -> Self {
        let bills = ended.iter().map(|end| (&end.job.id, &end.bill));
        let words = format!("{words}, {:?}", bills.collect::<Vec<_>>());
        Self::new(&words, ended.into_iter().map(|end| end.job).collect())
    }
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}

pub(super) async fn perform(queue: &DynQueue, call: &Call, now: Timestamp) -> Seen {
    match call {
        Call::Enqueue(new) => Seen::job(queue.enqueue((**new).clone(), now).await),
        Call::Claim(lanes) => Seen::from(queue.claim(lanes, now, LEASE).await, Seen::claim),
        Call::Extend(ticket, report) => {
            Seen::said(queue.extend(ticket, now, LEASE, report.clone()).await)
        }
        Call::Settle(ticket, verdict) => {
            Seen::said(queue.settle(ticket, verdict.clone(), now).await)
        }
        Call::Complete(ticket) => Seen::from(queue.complete(ticket, now).await, Seen::completion),
        Call::Throttle(lane, until) => Seen::said(queue.throttle(lane, *until, now).await),
        Call::Cancel(id) => Seen::from(queue.cancel(id, now).await, Seen::cancellation),
        Call::Delete(id) => Seen::said(queue.delete(id).await.map(sorted)),
        Call::Retry(id, priority) => Seen::job(queue.retry(id, *priority, now).await),
        Call::Get(id) => Seen::jobs(queue.get(id).await.map(Vec::from_iter)),
        Call::Wants(id) => Seen::said(queue.wants_answer(id).await.unwrap()),
        Call::List(owner, before, limit) => {
            Seen::jobs(queue.list(owner, before.as_deref(), *limit).await)
        }
        Call::Dead(before, limit) => Seen::jobs(queue.dead(before.as_deref(), *limit).await),
        Call::Gates => Seen::said(queue.gates("", None, 100).await.unwrap()),
        Call::SetGate(name, change) => {
            Seen::said(queue.set_gate(name, change.clone(), now).await.unwrap())
        }
        Call::RemoveGate(name) => Seen::said(queue.remove_gate(name, now).await.unwrap()),
        Call::Finish(ticket, verdict) => Seen::from(
            queue.finish(ticket, verdict.clone(), now).await,
            Seen::completion,
        ),
        Call::ListIn(owner, state, before, limit) => Seen::jobs(
            queue
                .list_in(owner, *state, before.as_deref(), *limit)
                .await,
        ),
        Call::Outbox => Seen::from(queue.outbox(None, 1000).await, Seen::outbox),
        Call::Acknowledge(id) => {
            let ended = queue.outbox(None, 1000).await.unwrap();
            for end in ended.iter().filter(|end| end.job.id == *id) {
                queue.acknowledge(&end.key).await.unwrap();
            }
            Seen::said(())
        }
        Call::Finished(within, limit) => Seen::said(queue.finished(within.clone(), *limit).await),
    }
}
