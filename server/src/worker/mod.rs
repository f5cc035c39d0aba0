//! Carries jobs out: claim, call, keep the pictures, record the outcome,
//! deliver it. Each step can be repeated without repeating the one before it,
//! and only the call costs money.
//!
//! 1. [`Worker::start`] lets one crew claim calls, and another the notices to
//!    API users, so that strangers who answer slowly hold up nobody's picture.
//! 2. `attempt` makes the call and keeps the pictures; `heartbeat` holds the
//!    lease meanwhile and shows how far the call is.
//! 3. `conclude` records what became of it and delivers the outcome. What was
//!    paid for stands in the [`journal`](crate::blob::journal) until the store has it, and `recover`
//!    finds it there.

mod attempt;
mod heartbeat;
mod notice;
mod conclude;
mod recover;
mod claims;
mod backoff;

use std::{sync::Arc, time::Duration};

use atelier_webhook::CallbackClient;
use jiff::Timestamp;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument as _, info, info_span, warn};

pub use self::claims::Claims;
use self::{
    attempt::{failed, handed_back},
    conclude::Origin,
};
use crate::{
    blob::{Blobs, journal::Journal},
    callback::DeliveryClient,
    config::QueueConfig,
    job::Cost,
    policies::Refusals,
    providers::{Progress, Provider},
    queue::{Claim, DynQueue, Job, Lane, Verdict},
    store::clock::Clock,
};

/// How long an idle worker trusts that it will be woken.
const LONGEST_NAP: Duration = Duration::from_secs(5);

/// What a worker works with.
pub struct Worker {
    pub clock: Clock,
    pub queue: Arc<DynQueue>,
    /// Whom this process can call, each with its lane; the first that has work
    /// goes first. Jobs for others are left to other processes.
    pub providers: Vec<(Arc<dyn Provider>, Lane)>,
    pub blobs: Blobs,
    pub journal: Journal,
    pub claims: Claims,
    pub deliveries: DeliveryClient,
    /// Sends notices to API users.
    pub callbacks: CallbackClient,
    /// Where notices to API users wait; each is bounded.
    pub notices: Vec<Lane>,
    /// Tells for whom nothing is asked of a provider at the moment.
    pub refusals: Refusals,
    pub settings: QueueConfig,
    /// Cancelled: claim no more.
    pub drain: CancellationToken,
    /// Cancelled: hand back what is running.
    pub hand_back: CancellationToken,
}

/// Why a call ended without an answer or an error.
enum Interrupted {
    /// The lease is lost: cancelled, or claimed by another.
    Lost,
    /// The process is about to end; what the call may have cost.
    HandedBack(Cost),
    /// What would be made could not be kept: no call was made.
    NoRoom,
}

impl Worker {
    /// Starts to work on `count` calls at a time, once what was paid for before
    /// is in the store; the tracker knows when all have ended.
    pub fn start(self: &Arc<Self>, count: usize) -> TaskTracker {
        let tasks = TaskTracker::new();
        let (worker, tracker) = (Arc::clone(self), tasks.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = worker.recover() => worker.begin(count, &tracker),
                () = worker.drain.cancelled() => {}
            }
        });
        tasks.close();
        tasks
    }

    fn begin(self: &Arc<Self>, count: usize, tasks: &TaskTracker) {
        let calls = self.providers.iter().map(|(_, lane)| lane.clone());
        // Notices mostly wait. With a place for all that the lanes let through
        // at once, a lane that is full of silent receivers takes no other's.
        let places: u32 = self.notices.iter().filter_map(|lane| lane.parallel).sum();
        let crews = [
            (calls.collect(), count),
            (self.notices.clone(), places as usize),
        ];
        for (lanes, size) in crews {
            tasks.spawn(Arc::clone(self).work(lanes, size, tasks.clone()));
        }
    }

    /// Claims while there is a free place.
    async fn work(self: Arc<Self>, lanes: Vec<Lane>, size: usize, tasks: TaskTracker) {
        let places = Arc::new(Semaphore::new(size));
        loop {
            let place = tokio::select! {
                Ok(place) = Arc::clone(&places).acquire_owned() => place,
                () = self.drain.cancelled() => return,
            };
            let Some(claim) = self.next(&lanes).await else {
                return;
            };
            tasks.spawn(Arc::clone(&self).carry_out(claim, place));
        }
    }

    /// What there is to do, as soon as there is something; `None` when the
    /// process is about to end.
    async fn next(&self, lanes: &[Lane]) -> Option<Claim> {
        while !self.drain.is_cancelled() {
            if let Some(pause) = self.obstacle(lanes).await {
                tokio::select! {
                    () = sleep(pause) => {}
                    () = self.drain.cancelled() => {}
                }
                continue;
            }
            let ring = self.queue.notifier().listen_work();
            let claim = self
                .queue
                .claim(lanes, self.clock.now(), self.settings.lease);
            let nap = match claim.await {
                Ok(Claim::Idle(due)) => self.until(due),
                Ok(claim) => return Some(claim),
                Err(error) => {
                    warn!(%error, "no job could be claimed");
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                () = ring => {}
                () = sleep(nap) => {}
                () = self.drain.cancelled() => {}
            }
        }
        None
    }

    fn until(&self, due: Option<Timestamp>) -> Duration {
        let wait = due.map(|due| due.duration_since(self.clock.now()));
        // A millisecond more, since instants in the store are whole milliseconds.
        wait.map_or(LONGEST_NAP, |wait| {
            let wait = Duration::try_from(wait).unwrap_or_default();
            (wait + Duration::from_millis(1)).min(LONGEST_NAP)
        })
    }

    /// A task of its own, so that a panic costs one attempt and not the place.
    async fn carry_out(self: Arc<Self>, claim: Claim, _place: OwnedSemaphorePermit) {
        let task = match claim {
            Claim::Idle(_) => return,
            Claim::Call(job) => {
                let span = info_span!("job", id = job.id, attempt = job.attempt);
                tokio::spawn(async move { self.call(&job).await }.instrument(span))
            }
            Claim::Deliver(job, tries) => {
                let span = info_span!("delivery", id = job.id, tries);
                tokio::spawn(async move { self.deliver_again(&job, tries).await }.instrument(span))
            }
        };
        if let Err(error) = task.await {
            warn!(%error, "a worker's task panicked; the job will be taken up again after its lease");
        }
    }

    async fn call(&self, job: &Job) {
        if let Some(outcome) = self.paid_before(job).await {
            info!("the call was paid for before; its answer is taken");
            let verdict = Verdict::Record(outcome);
            return self.conclude(job, verdict, Origin::Journal).await;
        }
        let (progress, reports) = Progress::channel();
        let (lost, ended) = (CancellationToken::new(), CancellationToken::new());
        let attempt = async {
            let result = tokio::select! {
                result = self.attempt(job, progress) => result,
                () = lost.cancelled() => Err(Interrupted::Lost),
            };
            ended.cancel();
            result
        };
        // Both to their end: a preview being kept must not be forgotten.
        let hold = self.hold(job, reports, &lost, &ended);
        let (result, preview) = tokio::join!(attempt, hold);
        match result {
            Ok((verdict, origin)) => self.conclude(job, verdict, origin).await,
            Err(Interrupted::Lost) => {
                info!("stopped: the job was cancelled or taken over");
                self.clear_entry(&job.id).await;
            }
            Err(Interrupted::NoRoom) => {
                self.settle(&job.ticket(), Verdict::Release(None)).await;
            }
            Err(Interrupted::HandedBack(cost)) => {
                info!("handed back");
                let dropped = failed(job, &handed_back(cost), self.clock.now());
                let verdict = Verdict::Release(Some(dropped));
                self.settle(&job.ticket(), verdict).await;
            }
        }
        self.discard(preview.iter().map(String::as_str)).await;
    }
}
