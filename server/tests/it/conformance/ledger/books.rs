//! What the calls have cost, by those who made them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use atelier::{
    app::{Caller, Order, Studio, Terms},
    callback::{Data, Message},
    job::{JobId, Owner, PaidAnswer, Request, Task, notice_lanes},
    limit::Unit,
    providers::{Answer, Error, Offers, Progress, Provider, Work},
    queue::{self, Claim, Hooks, Lane, Report, Ticket, Verdict},
};
use atelier_api::{Kind, Status};
use axum::body::Bytes;
use jiff::Timestamp;

use super::{
    ops::{End, Op},
    prices::{ESTIMATE, outcome, priced, verdict},
};
use crate::support::image_task;

const LONG: Duration = Duration::from_secs(600);
const LANE: &str = "test";

/// A provider that is never asked to make anything: the books do.
pub(super) struct Priced;

#[async_trait]
impl Provider for Priced {
    fn name(&self) -> &str {
        LANE
    }

    fn offers(&self, _: &str) -> Offers {
        Offers::default()
    }

    fn typical(&self, _: Kind) -> Duration {
        Duration::from_secs(1)
    }

    fn estimate(&self, _: &str, _: Work<'_>) -> f64 {
        0.1
    }

    async fn make(&self, _: &Request, _: Vec<Bytes>, _: Progress) -> Result<Answer, Error> {
        unreachable!("the books make the calls")
    }
}

/// A call that was begun.
struct Call {
    ticket: Ticket,
    /// In millionths; its answer is lost until it is recorded.
    cost: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Begun,
    /// Its answer is in the journal.
    Written,
    Recorded,
    Over,
}

pub(super) struct Books {
    studio: Arc<Studio>,
    calls: Vec<Call>,
    /// By its job: a paid answer, what it has cost, and which call brought it.
    journal: BTreeMap<String, (PaidAnswer, u64, usize)>,
    /// Whether it is to be told of, and how it ended, as far as is known.
    jobs: BTreeMap<JobId, (bool, Option<Status>)>,
    orders: u64,
    pictures: u64,
}

impl Books {
    pub(super) fn new(studio: Arc<Studio>) -> Self {
        Self {
            studio,
            calls: Vec::new(),
            journal: BTreeMap::new(),
            jobs: BTreeMap::new(),
            orders: 0,
            pictures: 0,
        }
    }

    pub(super) async fn perform(&mut self, op: &Op) {
        match *op {
            Op::Order { words, hook } => self.order(words, hook).await,
            Op::Begin { silent } => {
                let lease = if silent { Duration::ZERO } else { LONG };
                self.begin(lease, Timestamp::now()).await;
            }
            Op::End(which, end) => self.end(which, end).await,
            Op::Write(which, cents) => self.write(which, cents),
            Op::Recover => self.recover().await,
            Op::Deliver { which, dies } => self.deliver(which, dies).await,
            Op::Cancel { which, dies } => self.cancel(which, dies).await,
            Op::Delete(which) => self.delete(which).await,
            Op::Attend => self.studio.process_outbox(Duration::ZERO).await.unwrap(),
        }
    }

    async fn order(&mut self, words: u8, hook: bool) {
        let order = Order::Image(image_task(&format!("boat {words}")));
        let hooks = Hooks {
            callback_url: hook.then(|| "http://example.com/".into()),
            failure_callback_url: None,
        };
        let terms = Terms {
            hooks,
            ..Terms::default()
        };
        let accepted = self.studio.submit(&caller(), order, terms).await.unwrap();
        self.orders += 1;
        // Whoever asks again for what a cache gave them is given the same job.
        let known = self.jobs.entry(accepted.job.id.into()).or_default();
        known.0 |= hook;
    }

    async fn begin(&mut self, lease: Duration, now: Timestamp) -> bool {
        let lanes = [Lane::open(LANE)];
        let claim = self.studio.stores.queue.claim(&lanes, now, lease);
        match claim.await.unwrap() {
            Claim::Call(job) => match self.journal.remove(&job.id) {
                Some((entry, cost, call)) => {
                    let entry = entry.taken_over(job.ticket());
                    assert!(self.record(entry, cost, call).await);
                }
                None => self.calls.push(Call {
                    ticket: job.ticket(),
                    cost: ESTIMATE,
                    state: State::Begun,
                }),
            },
            Claim::Deliver(job, _) => self.bring_home(&job.ticket(), false).await,
            Claim::Idle(_) => return false,
        }
        true
    }

    async fn end(&mut self, which: usize, end: End) {
        let Some(index) = self.pick(which, State::Begun) else {
            return;
        };
        let (verdict, cost) = verdict(end);
        let ticket = self.calls[index].ticket.clone();
        let settled = self
            .studio
            .stores
            .queue
            .settle(&ticket, verdict, Timestamp::now());
        let call = &mut self.calls[index];
        call.state = State::Over;
        if settled.await.is_ok() {
            call.cost = cost;
            if matches!(end, End::Picture(_) | End::Fail(_)) {
                call.state = State::Recorded;
            }
            self.pictures += u64::from(matches!(end, End::Picture(_)));
        }
    }

    fn write(&mut self, which: usize, cents: Option<u8>) {
        let Some(index) = self.pick(which, State::Begun) else {
            return;
        };
        let (usd, cost) = priced(cents);
        let entry = PaidAnswer {
            ticket: self.calls[index].ticket.clone(),
            outcome: outcome(usd),
        };
        self.calls[index].state = State::Written;
        let id = entry.ticket.id.clone();
        if let Some((_, _, before)) = self.journal.insert(id, (entry, cost, index)) {
            self.calls[before].state = State::Over;
        }
    }

    async fn recover(&mut self) {
        for (id, (entry, cost, call)) in std::mem::take(&mut self.journal) {
            let recorded = self.record(entry.clone(), cost, call).await;
            if !recorded && self.studio.stores.queue.wants_answer(&id).await.unwrap() {
                self.journal.insert(id, (entry, cost, call));
            }
        }
    }

    /// Whether the answer could be recorded under the ticket of its entry.
    async fn record(&mut self, entry: PaidAnswer, cost: u64, call: usize) -> bool {
        let PaidAnswer { ticket, outcome } = entry;
        let verdict = Verdict::Record(outcome);
        let settled = self
            .studio
            .stores
            .queue
            .settle(&ticket, verdict, Timestamp::now());
        if settled.await.is_err() {
            return false;
        }
        self.calls[call] = Call {
            ticket,
            cost,
            state: State::Recorded,
        };
        self.pictures += 1;
        true
    }

    async fn deliver(&mut self, which: usize, dies: bool) {
        if let Some(index) = self.pick(which, State::Recorded) {
            self.calls[index].state = State::Over;
            let ticket = self.calls[index].ticket.clone();
            self.bring_home(&ticket, dies).await;
        }
    }

    async fn bring_home(&self, ticket: &Ticket, dies: bool) {
        let now = Timestamp::now();
        if dies {
            let completed = self.studio.stores.queue.complete(ticket, now).await;
            assert!(matches!(completed, Ok(_) | Err(queue::Error::NotFound)));
            return;
        }
        let data = Data {
            ticket: ticket.clone(),
            outcome: outcome(None),
        };
        let message = Message {
            kind: "job.succeeded".into(),
            timestamp: now,
            data,
        };
        self.studio.complete(&message).await.unwrap();
    }

    /// A call that is stopped by it is paid, and its picture is.
    async fn cancel(&mut self, which: usize, dies: bool) {
        let Some(id) = self.job(which) else { return };
        let before = self.alive().await;
        let cancelled = if dies {
            let cancelled = self.studio.stores.queue.cancel(&id, Timestamp::now());
            cancelled.await.map(drop).is_ok()
        } else {
            let caller = caller();
            let cancelled = self.studio.cancel(&caller, &id, true);
            cancelled.await.is_ok()
        };
        let stopped = before - self.alive().await;
        assert!(stopped <= u64::from(cancelled));
        self.pictures += stopped;
    }

    async fn delete(&mut self, which: usize) {
        let Some(id) = self.job(which) else { return };
        let Some(job) = self.studio.stores.queue.get(&id).await.unwrap() else {
            return;
        };
        if job.status.is_terminal() {
            self.jobs.get_mut(&id).unwrap().1 = Some(job.status);
            let deleted = self.studio.cancel(&caller(), &id, false).await;
            assert!(deleted.unwrap().is_none());
        }
    }

    /// How many calls are held, which are held for long from here on.
    async fn alive(&self) -> u64 {
        let mut alive = 0;
        // Also one whose journal has the answer of an earlier call by now: its lease has not run out.
        let held = |call: &&Call| call.state != State::Recorded;
        for call in self.calls.iter().filter(held) {
            let now = Timestamp::now();
            let extended =
                self.studio
                    .stores
                    .queue
                    .extend(&call.ticket, now, LONG, Report::default());
            alive += u64::from(extended.await.is_ok());
        }
        alive
    }

    fn job(&self, which: usize) -> Option<JobId> {
        let index = which % self.jobs.len().max(1);
        self.jobs.keys().rev().nth(index).cloned()
    }

    fn pick(&self, which: usize, state: State) -> Option<usize> {
        let mut fitting: Vec<usize> = (0..self.calls.len()).collect();
        fitting.retain(|index| self.calls[*index].state == state);
        fitting.get(which % fitting.len().max(1)).copied()
    }

    /// Lets everything come to its end, and compares.
    pub(super) async fn close(mut self) -> Result<(), String> {
        loop {
            while self.pick(0, State::Begun).is_some() {
                self.end(0, End::Picture(Some(4))).await;
            }
            self.recover().await;
            while self.pick(0, State::Recorded).is_some() {
                self.deliver(0, false).await;
            }
            // A lease that nobody extends any more runs out.
            let (now, later) = (Timestamp::now(), Timestamp::now() + 2 * LONG);
            if !self.begin(LONG, now).await && !self.begin(LONG, later).await {
                break;
            }
        }
        self.studio.process_outbox(Duration::ZERO).await.unwrap();
        // Tasks that follow deliveries do the same, at the same time.
        while !self
            .studio
            .stores
            .queue
            .outbox(None, 1)
            .await
            .unwrap()
            .is_empty()
        {
            tokio::task::yield_now().await;
        }
        let paid: u64 = self.calls.iter().map(|call| call.cost).sum();
        let expected = [
            (Unit::Usd, paid),
            (Unit::Images, self.pictures),
            (Unit::Requests, self.orders),
        ];
        let booked = self.booked().await;
        if booked != expected {
            return Err(format!("booked {booked:?}, spent {expected:?}"));
        }
        self.compare_notices().await
    }

    async fn booked(&self) -> [(Unit, u64); 3] {
        let standings = self.studio.limits(&caller()).await.unwrap();
        let used = |unit: Unit| {
            let mut of_unit = standings.iter().filter(|one| one.policy.unit == unit);
            let standing = of_unit.next().unwrap();
            (unit, standing.policy.quota - standing.remaining)
        };
        [Unit::Usd, Unit::Images, Unit::Requests].map(used)
    }

    async fn compare_notices(&self) -> Result<(), String> {
        let mut expected = Vec::new();
        for (id, (hook, known)) in &self.jobs {
            let job = self.studio.stores.queue.get(id).await.unwrap();
            let status = known.or(job.map(|job| job.status)).unwrap();
            if *hook && status != Status::Cancelled {
                expected.push(id.clone());
            }
        }
        let mut told = Vec::new();
        let lanes: Vec<_> = notice_lanes().map(Lane::open).collect();
        while let Claim::Call(notice) = self
            .studio
            .stores
            .queue
            .claim(&lanes, Timestamp::now(), LONG)
            .await
            .unwrap()
        {
            if let Task::Notice(task) = notice.request.task {
                told.push(task.job);
            }
        }
        told.sort();
        if told == expected {
            Ok(())
        } else {
            Err(format!("told of {told:?}, expected {expected:?}"))
        }
    }
}

fn caller() -> Caller {
    Caller {
        ip: "203.0.113.1".into(),
        owner: Some(Owner::Session("somebody".into())),
        held: None,
        holder: None,
    }
}
