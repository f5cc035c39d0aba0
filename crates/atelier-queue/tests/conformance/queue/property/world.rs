//! Those who act on the queue: who holds which ticket, what time it is.

use std::time::Duration;

use crate::{
    work::{
        GateChange, GateRef, Hold, In, Job, Join, Lane, NewJob, Rate, Report, Terms, Ticket,
        Verdict,
    },
    work::{Outcome, Request},
};
use atelier_api::Status;
use jiff::Timestamp;

use super::{
    super::{super::at, asking, failed, model::Model, success},
    calls::{Call, Seen},
    ops::{Act, Addition, Deed, Op, Pick, Turn},
};

pub(super) const OWNERS: [&str; 3] = ["ada", "bob", "cleo"];

#[derive(Default)]
pub(super) struct World {
    pub(super) model: Model,
    now: i64,
    workers: [Vec<Ticket>; 3],
    added: Vec<NewJob>,
}

/// Terms that matter with a few jobs.
fn terms(which: u8) -> Terms {
    Terms {
        parallel: [Some(1), Some(2), None, Some(1)][usize::from(which)],
        rate: (which > 1).then_some(Rate {
            count: 2,
            period: Duration::from_secs(1),
        }),
    }
}

fn gate(name: u8) -> String {
    ["line", "queue", "flow", "host"][usize::from(name)].into()
}

/// Two gates are held to the end, two during an attempt.
fn gates((which, sort): (u8, u8)) -> Vec<GateRef> {
    let named: &[u8] = match which {
        0 => &[],
        1 => &[1],
        2 => &[2],
        3 => &[2, 3],
        4 => &[3, 1],
        5 => &[1, 2, 3],
        6 => &[0, 1],
        _ => &[0, 3],
    };
    let named = named.iter().map(|name| GateRef {
        name: gate(*name),
        terms: (sort != 3).then(|| terms((sort + name) % 4)),
        hold: if *name < 2 { Hold::End } else { Hold::Attempt },
    });
    named.collect()
}

fn turned(which: u8, turn: &Turn) -> Call {
    let mut change = GateChange::default();
    match turn {
        Turn::Pause(paused) => change.paused = Some(*paused),
        Turn::Pin(sort) => {
            change.parallel = Some(terms(*sort).parallel);
            change.rate = Some(terms(*sort).rate);
            (change.pin_parallel, change.pin_rate) = (Some(true), Some(sort % 2 == 0));
        }
        Turn::Unpin => (change.pin_parallel, change.pin_rate) = (Some(false), Some(false)),
        Turn::Reset => change.reset_rate = true,
        Turn::Keep(kept) => change.kept = Some(*kept),
        Turn::Remove => return Call::RemoveGate(gate(which)),
    }
    Call::SetGate(gate(which), change)
}

/// One lane is bounded in every way, the other in none.
fn lane(index: usize) -> Lane {
    match index {
        0 => Lane::open("open"),
        _ => Lane {
            parallel: Some(3),
            per_second: Some(3.0),
            ..Lane::open("bounded")
        },
    }
}

impl World {
    pub(super) fn now(&self) -> Timestamp {
        at(self.now)
    }

    fn later(&self, by: i64) -> Timestamp {
        at(self.now + by)
    }

    /// The calls that the operation comes to. The jobs seen are the model's.
    pub(super) fn calls(&mut self, op: &Op, seen: &[Job]) -> Vec<Call> {
        match op {
            Op::Wait(time) => {
                self.now += time;
                Vec::new()
            }
            Op::Crash(worker) => {
                self.workers[*worker].clear();
                Vec::new()
            }
            Op::Add(addition) => vec![self.addition(addition)],
            Op::Claim { lanes, times, .. } => {
                let claims = std::iter::repeat_n(lanes, *times);
                claims.filter_map(|lanes| self.claim(*lanes)).collect()
            }
            Op::Throttle { lane: index, hold } => {
                vec![Call::Throttle(lane(*index), self.later(*hold))]
            }
            Op::Gate(gate, turn) => vec![turned(*gate, turn)],
            Op::Act(which, act) => {
                let ticket = self.ticket(*which, act);
                ticket
                    .map(|ticket| self.act(ticket, act))
                    .unwrap_or_default()
            }
            Op::Job(which, deed) => self.deed(*which, deed, seen).into_iter().collect(),
        }
    }

    /// A claim gives its worker the right to act.
    pub(super) fn learn(&mut self, op: &Op, seen: &Seen) {
        if let (Op::Claim { worker, .. }, [job]) = (op, seen.jobs.as_slice()) {
            self.workers[*worker].push(job.ticket());
        }
    }

    fn addition(&mut self, addition: &Addition) -> Call {
        // Ids sort by creation.
        let id = format!("{:02}", self.added.len());
        let mut new = asking(&id, OWNERS[addition.owner], addition.pictures);
        let lane = lane(addition.lane).name;
        if let Some(photo) = addition.photo {
            new.request.photo = Some(format!("photo-{photo}"));
        }
        new.join = addition.digest.map(|digest| Join {
            digest: format!("{lane}-{digest}"),
            window: Duration::from_secs(20),
        });
        new.request = Request {
            provider: lane,
            ..new.request
        };
        new.priority = addition.priority;
        new.not_before = addition.delay.map(|delay| self.later(delay));
        new.answer = addition.answer.map(|key| success(&picture(key)));
        new.answered_only = addition.answered_only;
        new.gates = gates(addition.gates);
        new.inherits = addition.inherits.and_then(|back| {
            let ended = self.added.iter().rev().nth(back)?;
            Some(ended.id.clone())
        });
        self.added.push(new.clone());
        Call::Enqueue(Box::new(new))
    }

    fn claim(&self, lanes: usize) -> Option<Call> {
        let lanes: &[usize] = match lanes {
            0 => &[0],
            1 => &[1],
            2 => &[0, 1],
            _ => &[1, 0],
        };
        // A store may leave some of a crowd to the next claim.
        let few = self.model.due(self.now()) <= 16;
        few.then(|| Call::Claim(lanes.iter().copied().map(lane).collect()))
    }

    /// Takes whatever there is, whatever the pace.
    pub(super) fn drain(&mut self, wait: i64) -> Option<Call> {
        self.now += wait;
        let lanes = ["bounded", "open"].map(Lane::open).to_vec();
        let few = self.model.due(self.now()) <= 16;
        few.then_some(Call::Claim(lanes))
    }

    fn ticket(&self, which: Pick, act: &Act) -> Option<Ticket> {
        let status = match act {
            Act::Complete | Act::Postpone(_) => Status::Delivering,
            _ => Status::Running,
        };
        let all: Vec<_> = self.workers.iter().flatten().collect();
        choose(which, &all, |ticket| {
            self.model.holds(ticket) == Some(status)
        })
        .cloned()
    }

    fn act(&self, ticket: Ticket, act: &Act) -> Vec<Call> {
        let (verdict, end) = match act {
            Act::Complete => return vec![Call::Complete(ticket)],
            Act::Report(share, key) => {
                let report = Report {
                    progress: share.map(|share| f32::from(share) / 10.0),
                    preview: key.map(|key| format!("preview-{key}")),
                };
                return vec![Call::Extend(ticket, report)];
            }
            Act::Finish(key) => {
                let outcome = success(&picture(*key));
                return vec![Call::Finish(ticket, Verdict::Record(outcome))];
            }
            Act::Succeed(key, end) => (Verdict::Record(success(&picture(*key))), *end),
            Act::TakeOver(key, end) => (Verdict::Record(self.taken_over(&ticket, *key)), *end),
            Act::Fail(end) => (Verdict::Fail(failed(9)), *end),
            Act::Retry(delay) => (Verdict::Retry(failed(1), self.later(*delay)), false),
            Act::Yield(delay) => (Verdict::Yield(failed(1), self.later(*delay)), false),
            Act::Release(kept) => {
                let dropped = kept.then(|| failed(1));
                (Verdict::Release(dropped), false)
            }
            Act::Postpone(delay) => (Verdict::Postpone(self.later(*delay)), false),
        };
        let mut calls = vec![Call::Settle(ticket.clone(), verdict)];
        calls.extend(end.then_some(Call::Complete(ticket)));
        calls
    }

    /// An answer that was paid for under all earlier claims of the job.
    fn taken_over(&self, ticket: &Ticket, key: u8) -> Outcome {
        let tickets = self.workers.iter().flatten();
        let earlier = tickets.filter(|other| other.id == ticket.id && other.token != ticket.token);
        earlier.fold(success(&picture(key)), |outcome, other| {
            outcome.paid_under(other.token)
        })
    }

    fn deed(&self, which: Pick, deed: &Deed, seen: &[Job]) -> Option<Call> {
        if matches!(deed, Deed::AddAgain) {
            let known = |new: &&NewJob| seen.iter().any(|job| job.id == new.id);
            let known: Vec<_> = self.added.iter().filter(known).collect();
            let new = choose(which, &known, |_| which.fitting)?;
            return Some(Call::Enqueue(Box::new(new.clone())));
        }
        let fits = |new: &NewJob| {
            let job = seen.iter().find(|job| job.id == new.id);
            job.is_some_and(|job| fits(deed, job.status))
        };
        let all: Vec<_> = self.added.iter().collect();
        let id = choose(which, &all, |new| fits(new))?.id.clone();
        Some(match deed {
            Deed::AddAgain | Deed::Get => Call::Get(id),
            Deed::Acknowledge => Call::Acknowledge(id),
            Deed::Cancel => Call::Cancel(id),
            Deed::Delete => Call::Delete(id),
            Deed::Retry(priority) => Call::Retry(id, *priority),
        })
    }

    /// Every way to look at the jobs.
    pub(super) fn looks(&self, seen: &[Job]) -> Vec<Call> {
        let mut calls = vec![Call::Outbox];
        let ids = self.added.iter().map(|new| new.id.clone());
        calls.extend(ids.flat_map(|id| [Call::Get(id.clone()), Call::Wants(id)]));
        let pages = || {
            [None]
                .into_iter()
                .chain(seen.iter().map(|job| Some(job.id.clone())))
        };
        for before in pages() {
            calls.push(Call::Dead(before, 3));
        }
        for owner in OWNERS {
            calls.extend(pages().map(|before| Call::List(owner.into(), before, 4)));
            for state in [In::Unfinished, In::Failed] {
                let part = |before| Call::ListIn(owner.into(), state, before, 2);
                calls.extend(pages().map(part));
            }
        }
        for (from, before, limit) in [
            (-1_000_000, 1, 100),
            (-1_000_000, 0, 4),
            (-3000, -2000, 100),
            (-2000, 1, 3),
        ] {
            let within = self.later(from)..self.later(before);
            calls.push(Call::Finished(within, limit));
        }
        calls
    }
}

fn fits(deed: &Deed, status: Status) -> bool {
    match deed {
        Deed::AddAgain | Deed::Get => true,
        Deed::Cancel => matches!(status, Status::Queued | Status::Running),
        Deed::Delete | Deed::Acknowledge => status.is_terminal(),
        Deed::Retry(_) => status == Status::Failed,
    }
}

fn choose<'a, T>(which: Pick, all: &[&'a T], fits: impl Fn(&T) -> bool) -> Option<&'a T> {
    let chosen: Vec<_> = all
        .iter()
        .filter(|item| which.fitting == fits(item))
        .collect();
    // The latest are the most interesting, and what a small index stands for.
    let index = which.index % chosen.len().max(1);
    chosen.into_iter().rev().nth(index).copied()
}

/// Few keys, so that jobs refer to the same blobs.
fn picture(key: u8) -> String {
    format!("picture-{key}")
}
