//! Carries out jobs: claim, call, keep the pictures, record the outcome, deliver it.
//! Each step can be repeated without repeating the one before it, and only the call
//! costs money.
//!
//! 1. [`Worker::start`] claims calls of providers, notices to API users, calls of the
//!    gateway and messages in separate loops, so that slow receivers delay nobody's picture.
//! 2. `attempt` makes the call and keeps the pictures; `heartbeat` extends the lease
//!    meanwhile and reports progress.
//! 3. `conclude` records the outcome and delivers it. An answer that was paid for stays in the
//!    [`Journal`] until the store has it; `recover` finds it there
//!    after a crash.

mod attempt;
mod fallback;
mod call;
mod message;
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

use self::{
    attempt::{failed, handed_back},
    conclude::Origin,
};
pub use self::{
    call::{Called, Calls, Failed, Gateway},
    claims::Claims,
    fallback::Fallbacks,
    message::{CallbackQueue, MOST_EVENTS, MessageDelivery, Publisher, SigningKeys},
};
use crate::{
    blob::Blobs,
    callback::DeliveryClient,
    config::QueueConfig,
    job::{CALLS, Cost, Journal, Task},
    policies::Refusals,
    providers::{Progress, Provider},
    queue::{Claim, DynQueue, Housekeeping, Job, Lane, Verdict},
    store::clock::Clock,
};

/// Maximum time that an idle worker waits for a notification before it asks again.
const MAX_IDLE: Duration = Duration::from_secs(5);

/// What a worker works with.
pub struct Worker {
    pub clock: Clock,
    pub queue: Arc<DynQueue>,
    /// The providers that this process can call, each with its lane, in order of
    /// precedence. Jobs for others are left to other processes.
    pub providers: Vec<(Arc<dyn Provider>, Lane)>,
    /// Who is asked where a provider cannot answer.
    pub fallbacks: Fallbacks,
    /// Makes the calls of other applications; `None` in a process without a gateway.
    pub gateway: Option<Gateway>,
    pub blobs: Blobs,
    /// Which files jobs need.
    pub files: Arc<dyn Housekeeping>,
    pub journal: Journal,
    pub claims: Claims,
    pub deliveries: DeliveryClient,
    /// Sends notices to API users.
    pub callbacks: CallbackClient,
    /// The lanes of notices to API users; each has a limit.
    pub notices: Vec<Lane>,
    pub messages: MessageDelivery,
    /// Blocks callers whose orders the provider refuses too often.
    pub refusals: Refusals,
    pub settings: QueueConfig,
    /// When cancelled, nothing more is claimed.
    pub drain: CancellationToken,
    /// When cancelled, running jobs are handed back.
    pub hand_back: CancellationToken,
}

/// Why a call ended without an answer or an error.
enum Interrupted {
    /// The lease is lost: the job was cancelled, or claimed by another worker.
    Lost,
    /// The process is shutting down; with what the call may have cost.
    HandedBack(Cost),
    /// No call was made, as its pictures could not be kept.
    NoStorage,
}

impl Worker {
    /// Starts to work on up to `count` calls at a time, once the journal's answers are in
    /// the store. The tracker waits for all tasks.
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
        // Notices mostly wait for their receivers. With permits for all that the lanes
        // admit, a lane full of silent receivers does not hold up the others.
        let notices: u32 = self.notices.iter().filter_map(|lane| lane.parallel).sum();
        let mut loops = vec![
            (calls.collect(), count),
            (self.notices.clone(), notices as usize),
        ];
        // They mostly wait for their upstreams.
        let gateway = self.gateway.iter();
        loops.extend(gateway.map(|gateway| (vec![Lane::open(CALLS)], gateway.parallel)));
        for (lanes, size) in loops {
            tasks.spawn(Arc::clone(self).work(lanes, size, tasks.clone()));
        }
        for (lane, size) in self.messages.lanes() {
            tasks.spawn(Arc::clone(self).deliver_messages(vec![lane], size, tasks.clone()));
        }
        // Not waited for: at shutdown there is a last time.
        drop(tokio::spawn(Arc::clone(self).keep_recording_events()));
    }

    /// Claims while a permit is free.
    async fn work(self: Arc<Self>, lanes: Vec<Lane>, size: usize, tasks: TaskTracker) {
        let permits = Arc::new(Semaphore::new(size));
        loop {
            let permit = tokio::select! {
                Ok(permit) = Arc::clone(&permits).acquire_owned() => permit,
                () = self.drain.cancelled() => return,
            };
            let Some(claim) = self.next(&lanes).await else {
                return;
            };
            tasks.spawn(Arc::clone(&self).carry_out(claim, permit));
        }
    }

    /// Waits for the next claim. Returns `None` at shutdown.
    async fn next(&self, lanes: &[Lane]) -> Option<Claim> {
        while !self.drain.is_cancelled() {
            if let Some(pause) = self.blocked(lanes).await {
                tokio::select! {
                    () = sleep(pause) => {}
                    () = self.drain.cancelled() => {}
                }
                continue;
            }
            let notified = self.queue.notifier().listen_work();
            let claim = self
                .queue
                .claim(lanes, self.clock.now(), self.settings.lease);
            let idle = match claim.await {
                Ok(Claim::Idle(due)) => self.until(due),
                Ok(claim) => return Some(claim),
                Err(error) => {
                    warn!(%error, "claiming a job failed");
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                () = notified => {}
                () = sleep(idle) => {}
                () = self.drain.cancelled() => {}
            }
        }
        None
    }

    fn until(&self, due: Option<Timestamp>) -> Duration {
        let wait = due.map(|due| due.duration_since(self.clock.now()));
        // One millisecond more, as the store truncates instants to milliseconds.
        wait.map_or(MAX_IDLE, |wait| {
            let wait = Duration::try_from(wait).unwrap_or_default();
            (wait + Duration::from_millis(1)).min(MAX_IDLE)
        })
    }

    /// Runs the claim in a task of its own, so that a panic costs one attempt and not the permit.
    async fn carry_out(self: Arc<Self>, claim: Claim, _permit: OwnedSemaphorePermit) {
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
            warn!(%error, "a worker task panicked; the job is claimed again after its lease");
        }
    }

    async fn one_attempt(
        &self,
        job: &Job,
        progress: Progress,
    ) -> Result<(Verdict, Origin), Interrupted> {
        match &job.request.task {
            Task::Call(task) => self.attempt_call(job, task).await,
            _ => self.attempt(job, progress).await,
        }
    }

    async fn call(&self, job: &Job) {
        if let Some(outcome) = self.paid_before(job).await {
            info!("the call has been paid for already; its answer is reused");
            let verdict = Verdict::Record(outcome);
            return self.conclude(job, verdict, Origin::Journal).await;
        }
        let (progress, reports) = Progress::channel();
        let (lost, ended) = (CancellationToken::new(), CancellationToken::new());
        let attempt = async {
            let result = tokio::select! {
                result = self.one_attempt(job, progress) => result,
                () = lost.cancelled() => Err(Interrupted::Lost),
            };
            ended.cancel();
            result
        };
        // Both run to their end: a preview being kept must not be left behind.
        let hold = self.hold(job, reports, &lost, &ended);
        let (result, preview) = tokio::join!(attempt, hold);
        match result {
            Ok((verdict, origin)) => self.conclude(job, verdict, origin).await,
            Err(Interrupted::Lost) => {
                info!("call stopped: the job was cancelled or claimed by another worker");
                self.clear_entry(&job.id).await;
            }
            Err(Interrupted::NoStorage) => {
                self.settle(&job.ticket(), Verdict::Release(None)).await;
            }
            Err(Interrupted::HandedBack(cost)) => {
                info!("job handed back");
                let dropped = failed(job, &handed_back(cost), self.clock.now());
                let verdict = Verdict::Release(Some(dropped));
                self.settle(&job.ticket(), verdict).await;
            }
        }
        self.discard(&preview).await;
    }
}
