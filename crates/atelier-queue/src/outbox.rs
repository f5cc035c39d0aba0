//! The outbox: after a job has ended, its charge is to be settled and its owner
//! notified. Ending a job adds an entry in the same transaction, so that a crash right
//! after neither loses nor doubles this.

use atelier_api::Status;

use super::{Cost, FailedAttempt, Hooks, Job, Outcome, Payload};

/// A job as it ended: it may have been retried or deleted since.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended<P: Payload> {
    /// The key of this entry; a retried job ends again.
    pub key: String,
    /// As its owner sees it, without its failed attempts.
    pub job: Job<P>,
    /// What it owes for the call.
    pub bill: Bill,
}

/// What a job owes for its call. Of the jobs that shared a call only one owes anything: the
/// first whose charge has not been settled before.
#[derive(Debug, Clone, PartialEq)]
pub struct Bill {
    /// US dollars, as far as the provider reported them.
    pub usd: f64,
    /// Number of attempts with unknown cost: each costs its estimate.
    pub estimates: u32,
    /// Number of things made; `None` for as many as were requested.
    pub made: Option<usize>,
}

/// A call as it ended.
struct Call<'a, O> {
    failures: &'a [FailedAttempt],
    outcome: Option<&'a O>,
    /// Whether it was stopped during an attempt.
    interrupted: bool,
}

impl Bill {
    /// Nothing is owed.
    pub const NOTHING: Self = Self {
        usd: 0.0,
        estimates: 0,
        made: Some(0),
    };

    /// What a job owes whose outcome is recorded and whose charge is not settled.
    pub fn delivered<P: Payload>(job: &Job<P>) -> Self {
        Self::of(&Call {
            failures: &job.failures,
            outcome: job.outcome.as_ref(),
            interrupted: false,
        })
    }

    /// Every started attempt is owed once, whatever its result: those under which the
    /// answer was paid are owed with the answer.
    fn of<O: Outcome>(call: &Call<'_, O>) -> Self {
        let mut bill = Self::NOTHING;
        let answered = call.outcome.map_or(&[][..], O::earlier_claims);
        let mut settled = false;
        for attempt in call.failures {
            if answered.contains(&attempt.token) {
                settled |= !attempt.settled_cost.is_nothing();
            } else {
                bill.add(attempt.cost);
            }
        }
        match call.outcome {
            Some(outcome) if outcome.failure().is_none() => {
                // An earlier end has settled the answer that was lost then.
                if !settled {
                    bill.add(outcome.cost());
                }
                bill.made = Some(outcome.made());
            }
            None if call.interrupted => {
                bill.add(Cost::Estimate);
                bill.made = None;
            }
            Some(_) | None => {}
        }
        bill
    }

    fn add(&mut self, cost: Cost) {
        match cost {
            Cost::Nothing => {}
            Cost::Usd(usd) => self.usd += usd,
            Cost::Estimate => self.estimates += 1,
        }
    }
}

impl<P: Payload> Ended<P> {
    /// The end of a job that was answered when it was added.
    pub fn answered(job: &Job<P>) -> Self {
        Self::new(job.clone(), Bill::NOTHING)
    }

    fn new(mut job: Job<P>, bill: Bill) -> Self {
        job.failures.clear();
        Self {
            key: key(&job.id, job.version),
            job,
            bill,
        }
    }

    /// The end of a job from its entry: whether its owner had withdrawn it before, whether it
    /// pays for the call whose failed attempts it has, and whether that was stopped during
    /// an attempt.
    pub(super) fn noted(job: Job<P>, withdrawn: bool, pays: bool, interrupted: bool) -> Self {
        let bill = if pays {
            Bill::of(&Call {
                failures: &job.failures,
                outcome: job.outcome.as_ref(),
                interrupted,
            })
        } else {
            Bill::NOTHING
        };
        Self::left(job, withdrawn, bill)
    }

    fn left(job: Job<P>, withdrawn: bool, bill: Bill) -> Self {
        if withdrawn {
            Self::withdrawn(job, bill)
        } else {
            Self::new(job, bill)
        }
    }

    /// The end of a job whose owner had cancelled or deleted it before.
    fn withdrawn(job: Job<P>, bill: Bill) -> Self {
        let seen = Job {
            status: Status::Cancelled,
            outcome: None,
            progress: None,
            preview: None,
            ..job
        };
        Self::new(seen, bill)
    }

    /// The ends of the jobs that shared a call: the leader, with whether its owner had
    /// withdrawn it, and its followers.
    pub(super) fn together(leader: Job<P>, withdrawn: bool, followers: Vec<Job<P>>) -> Vec<Self> {
        let mut unpaid = Some(Bill::delivered(&leader));
        let mut due = |job: &Job<P>| {
            let pays = is_charged(&job.charge);
            let bill = pays.then(|| unpaid.take()).flatten();
            bill.unwrap_or(Bill::NOTHING)
        };
        let bill = due(&leader);
        let first = Self::left(leader, withdrawn, bill);
        let followers = followers.into_iter().map(|job| {
            let bill = due(&job);
            Self::new(job, bill)
        });
        std::iter::once(first).chain(followers).collect()
    }

    /// Whether it is in the outbox: there is something to settle, or somebody to be
    /// notified.
    pub fn is_noted(&self) -> bool {
        let told = self.job.status != Status::Cancelled && self.job.hooks != Hooks::default();
        told || is_charged(&self.job.charge)
    }
}

/// The key of a job's end with this version; later ends sort after it.
fn key(id: &str, version: u64) -> String {
    format!("{id}-{version:010}")
}

/// Whether the job has a charge that is not settled yet.
pub(super) fn is_charged(charge: &serde_json::Value) -> bool {
    match charge {
        serde_json::Value::Null => false,
        serde_json::Value::Array(receipts) => !receipts.is_empty(),
        _ => true,
    }
}
