//! Ready-made workers: they claim jobs, extend the lease during the call, record its
//! result, and process the outbox.

use std::{error::Error as StdError, pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use atelier_store::clock::Clock;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, interval_at, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    Claim, Cost, Ended, Error, FailedAttempt, Failure, Job, Lane, Outcome, Payload, Queue, Report,
    Result, Verdict,
};

/// Maximum time without a notification before looking for work or ended jobs again.
const MAX_IDLE: Duration = Duration::from_secs(1);

/// Outbox entries read at a time.
const PAGE: usize = 100;

/// The work of a queue. After a crash, all of it may be repeated.
#[async_trait]
pub trait Work<P: Payload>: Send + Sync + 'static {
    /// Makes the call. It is dropped if the job is cancelled.
    ///
    /// # Errors
    /// If there is no outcome: what failed, and what that has cost.
    async fn call(&self, job: &Job<P>) -> Result<P::Outcome, CallError>;

    /// The outcome is recorded, and the call is not made again; the job has not ended yet.
    async fn recorded(&self, job: &Job<P>, outcome: &P::Outcome) {
        let _ = (job, outcome);
    }

    /// A job has ended: its charge is to be settled, and its owner to be told. Repeated
    /// every second until it succeeds; what takes longer is better queued as a job of its
    /// own, whose id is the [key](Ended::key) of the end.
    ///
    /// # Errors
    /// If something is left to do.
    async fn ended(&self, end: &Ended<P>) -> Result<(), Box<dyn StdError + Send + Sync>>;
}

/// Why a call has no outcome.
#[derive(Debug, Clone)]
pub struct CallError {
    /// What failed. Another call is made if it is retryable.
    pub failure: Failure,
    /// What it has cost.
    pub cost: Cost,
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        let cost = Cost::Nothing;
        Self { failure, cost }
    }
}

/// Starts [`Workers`].
pub struct Worker<P, W> {
    queue: Arc<dyn Queue<P>>,
    clock: Clock,
    work: W,
    lease: Duration,
    attempts: u32,
    backoff: Duration,
    /// Wakes the task that processes the outbox.
    ended: Notify,
}

/// Running workers. Dropping them ends them at once, as a crash would.
#[must_use]
pub struct Workers {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Workers {
    /// Claims nothing more, and returns once the work in progress has ended.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl<P: Payload, W: Work<P>> Worker<P, W> {
    /// Workers whose leases last for 30 seconds, and which make a call up to ten times,
    /// the second one two seconds after the first, and each other after twice the time.
    /// `clock` is the store's.
    pub fn new(queue: Arc<dyn Queue<P>>, clock: Clock, work: W) -> Self {
        Self {
            queue,
            clock,
            work,
            lease: Duration::from_secs(30),
            attempts: 10,
            backoff: Duration::from_secs(2),
            ended: Notify::new(),
        }
    }

    /// Sets the time after which a silent worker is regarded as dead.
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// Sets the maximum number of calls, and the pause before the second one.
    #[must_use]
    pub fn retries(self, attempts: u32, backoff: Duration) -> Self {
        Self {
            attempts,
            backoff,
            ..self
        }
    }

    /// Starts this number of workers for each lane, and the task that processes the outbox. Must be called
    /// inside a Tokio runtime.
    pub fn start(self, lanes: impl IntoIterator<Item = (Lane, usize)>) -> Workers {
        let (worker, stop, mut tasks) = (Arc::new(self), CancellationToken::new(), JoinSet::new());
        for (lane, count) in lanes {
            for _ in 0..count {
                let (worker, lane) = (Arc::clone(&worker), lane.clone());
                tasks.spawn(worker.claim(lane, stop.clone()));
            }
        }
        tasks.spawn(worker.process_outbox(stop.clone()));
        Workers { stop, tasks }
    }

    /// Carries out one job after the other.
    async fn claim(self: Arc<Self>, lane: Lane, stop: CancellationToken) {
        let lanes = [lane];
        while !stop.is_cancelled() {
            let news = self.queue.notifier().listen_work();
            let done = match self.queue.claim(&lanes, self.clock.now(), self.lease).await {
                Ok(Claim::Call(job)) => self.carry_out(*job).await,
                Ok(Claim::Deliver(job, _)) => self.finish(&job).await,
                Ok(Claim::Idle(_)) => {
                    pause(news, &stop).await;
                    Ok(())
                }
                Err(error) => {
                    pause(std::future::pending(), &stop).await;
                    Err(error)
                }
            };
            if let Err(error) = done {
                warn!(%error, "a job is left to whoever claims it next");
            }
        }
    }

    async fn carry_out(&self, mut job: Job<P>) -> Result<()> {
        let call = async {
            if job.attempt > self.attempts {
                return Err(interrupted().into());
            }
            self.work.call(&job).await
        };
        // Else the job is cancelled, or another worker's.
        let Some(result) = self.while_held(&job, call).await else {
            return Ok(());
        };
        match result {
            Ok(outcome) => {
                job.outcome = Some(outcome.clone());
                self.record(&job, Verdict::Record(outcome)).await?;
            }
            Err(error) => {
                let again = error.failure.retryable && job.attempt < self.attempts;
                let outcome = P::Outcome::failed(error.failure.clone());
                let failed = FailedAttempt {
                    cost: error.cost,
                    ..FailedAttempt::new(&job, error.failure, self.clock.now())
                };
                if again {
                    let wait = self.backoff * 2_u32.saturating_pow(job.attempt.saturating_sub(1));
                    let due = self.clock.now() + wait;
                    return self.record(&job, Verdict::Retry(failed, due)).await;
                }
                self.record(&job, Verdict::Fail(failed)).await?;
                job.outcome = Some(outcome);
            }
        }
        self.finish(&job).await
    }

    /// Extends the lease until the call has ended; nothing if the lease is lost.
    async fn while_held<T>(&self, job: &Job<P>, call: impl Future<Output = T>) -> Option<T> {
        let (mut call, period) = (pin!(call), self.lease / 3);
        let mut beat = interval_at(Instant::now() + period, period);
        loop {
            tokio::select! {
                biased;
                done = &mut call => return Some(done),
                _ = beat.tick() => {
                    let (ticket, report) = (job.ticket(), Report::default());
                    let now = self.clock.now();
                    let held = self.queue.extend(&ticket, now, self.lease, report).await;
                    // A store that is away gives the job to nobody else.
                    if !matches!(held, Ok(()) | Err(Error::Store(_))) {
                        return None;
                    }
                }
            }
        }
    }

    /// Records what became of a call. A store that is away is told when it is back: an
    /// outcome that is not recorded would be paid for twice.
    async fn record(&self, job: &Job<P>, verdict: Verdict<P>) -> Result<()> {
        loop {
            let (ticket, now) = (job.ticket(), self.clock.now());
            match self.queue.settle(&ticket, verdict.clone(), now).await {
                Err(Error::Store(error)) if error.is_away() => sleep(MAX_IDLE).await,
                recorded => return recorded,
            }
        }
    }

    async fn finish(&self, job: &Job<P>) -> Result<()> {
        if let Some(outcome) = &job.outcome {
            self.work.recorded(job, outcome).await;
        }
        self.queue.complete(&job.ticket(), self.clock.now()).await?;
        self.ended.notify_one();
        Ok(())
    }

    async fn process_outbox(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let news = self.ended.notified();
            if let Err(error) = self.process_all().await {
                warn!(%error, "the outbox cannot be read");
            }
            pause(news, &stop).await;
        }
    }

    /// Processes all entries. A failed one is retried later and does not hold up the others.
    async fn process_all(&self) -> Result<()> {
        let mut last = None;
        loop {
            let ends = self.queue.outbox(last.as_deref(), PAGE).await?;
            let Some(end) = ends.last() else {
                return Ok(());
            };
            last = Some(end.key.clone());
            for end in ends {
                match self.work.ended(&end).await {
                    Ok(()) => self.queue.acknowledge(&end.key).await?,
                    Err(error) => {
                        warn!(%error, id = end.job.id, "an ended job stays in the outbox");
                    }
                }
            }
        }
    }
}

/// Waits for a notification, at most for [`MAX_IDLE`].
async fn pause(news: impl Future<Output = ()>, stop: &CancellationToken) {
    tokio::select! {
        () = news => {}
        () = sleep(MAX_IDLE) => {}
        () = stop.cancelled() => {}
    }
}

/// Whoever made this call has died, time after time.
fn interrupted() -> Failure {
    Failure {
        code: "interrupted".into(),
        message: "The work was interrupted too often.".into(),
        retryable: false,
    }
}
