//! Carries jobs out: claim, call, keep the pictures, record the outcome,
//! deliver it. Each step can be repeated without repeating the one before it,
//! and only the call costs money.

mod backoff;
mod heartbeat;

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use jiff::Timestamp;
use tokio::time::sleep;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument as _, info, info_span, warn};

use crate::{
    blob::{self, Blobs},
    callback::Courier,
    config::QueueConfig,
    job::{Outcome, Picture, Task},
    photo,
    provider::{self, Answer, Progress, Provider, Retry},
    queue::{self, Claim, FailedAttempt, Job, Queue, Ticket, Verdict},
};

/// How long an idle worker trusts that it will be woken.
const LONGEST_NAP: Duration = Duration::from_secs(5);

/// How often a store that fails is asked again before a paid picture is given up.
const STORE_TRIES: u32 = 6;

/// What a worker works with.
pub struct Worker {
    pub queue: Arc<dyn Queue>,
    pub provider: Arc<dyn Provider>,
    pub blobs: Blobs,
    pub courier: Courier,
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
    /// The process is about to end.
    HandedBack,
}

impl Worker {
    /// Starts `count` loops; the tracker knows when all have ended.
    pub fn start(self: &Arc<Self>, count: usize) -> TaskTracker {
        let tracker = TaskTracker::new();
        for _ in 0..count {
            tracker.spawn(Arc::clone(self).work());
        }
        tracker.close();
        tracker
    }

    async fn work(self: Arc<Self>) {
        while !self.drain.is_cancelled() {
            let ring = self.queue.bell().listen_work();
            let nap = match self
                .queue
                .claim(Timestamp::now(), self.settings.lease)
                .await
            {
                Ok(Claim::Idle(due)) => until(due),
                Ok(claim) => {
                    self.carry_out(claim).await;
                    continue;
                }
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
    }

    /// A task of its own, so that a panic costs one attempt and not the loop.
    async fn carry_out(self: &Arc<Self>, claim: Claim) {
        let worker = Arc::clone(self);
        let task = match claim {
            Claim::Idle(_) => return,
            Claim::Call(job) => {
                let span = info_span!("job", id = job.id, attempt = job.attempt);
                tokio::spawn(async move { worker.call(&job).await }.instrument(span))
            }
            Claim::Deliver(job, tries) => {
                let span = info_span!("delivery", id = job.id, tries);
                tokio::spawn(
                    async move {
                        worker
                            .deliver(&job.ticket(), job.outcome.as_ref(), tries)
                            .await;
                    }
                    .instrument(span),
                )
            }
        };
        if let Err(error) = task.await {
            warn!(%error, "a worker's task panicked; the job will be taken up again after its lease");
        }
    }

    async fn call(&self, job: &Job) {
        let ticket = job.ticket();
        let (progress, reports) = Progress::channel();
        let verdict = tokio::select! {
            verdict = self.attempt(job, progress) => verdict,
            () = heartbeat::keep(&*self.queue, &ticket, self.settings.lease, reports) => Err(Interrupted::Lost),
        };
        match verdict {
            Ok(verdict) => self.conclude(&ticket, verdict).await,
            Err(Interrupted::Lost) => info!("stopped: the job was cancelled or taken over"),
            Err(Interrupted::HandedBack) => {
                info!("handed back");
                self.settle(&ticket, Verdict::Release).await;
            }
        }
    }

    async fn attempt(&self, job: &Job, progress: Progress) -> Result<Verdict, Interrupted> {
        if job.attempt > self.settings.attempts {
            return Ok(Verdict::Fail(failed(job, &lost_too_often())));
        }
        let answer = tokio::select! {
            answer = self.ask(job, progress) => answer,
            () = self.hand_back.cancelled() => return Err(Interrupted::HandedBack),
        };
        let kept = match answer {
            Ok(answer) => self.keep(answer).await,
            Err(error) => Err(error),
        };
        Ok(match kept {
            Ok(outcome) => Verdict::Record(outcome),
            Err(error) => self.judge(job, &error),
        })
    }

    /// The one step that may cost money.
    async fn ask(&self, job: &Job, progress: Progress) -> Result<Answer, provider::Error> {
        let original = match &job.request.task {
            Task::Image(_) => None,
            Task::Restoration(task) => Some(
                self.blobs
                    .read(&task.original.key)
                    .await
                    .map_err(|error| lost(&error))?,
            ),
        };
        self.provider.make(&job.request, original, progress).await
    }

    async fn keep(&self, answer: Answer) -> Result<Outcome, provider::Error> {
        let mut pictures = Vec::with_capacity(answer.pictures.len());
        for bytes in answer.pictures {
            pictures.push(self.keep_picture(bytes).await?);
        }
        Ok(Outcome::Succeeded {
            pictures,
            cost_usd: answer.cost_usd,
        })
    }

    async fn keep_picture(&self, bytes: Bytes) -> Result<Picture, provider::Error> {
        let copy = bytes.clone();
        let unreadable = || {
            provider::Error::passing(
                "bad_answer",
                "The image service's answer was not a picture that can be read.",
            )
        };
        let described = tokio::task::spawn_blocking(move || photo::describe(&copy))
            .await
            .map_err(|_| unreadable())?;
        let described = described.map_err(|_| unreadable())?;
        let size = bytes.len() as u64;
        Ok(Picture {
            key: self.store(bytes, described.extension).await?,
            width: described.width,
            height: described.height,
            media_type: described.media_type.into(),
            bytes: size,
            thumbhash: described.thumbhash,
        })
    }

    /// The picture is paid for: a full or sluggish disk gets several chances.
    async fn store(&self, bytes: Bytes, extension: &str) -> Result<String, provider::Error> {
        for tries in 1.. {
            match self.blobs.keep(bytes.clone(), extension).await {
                Ok(key) => return Ok(key),
                Err(error) => warn!(%error, "a picture could not be kept"),
            }
            if tries == STORE_TRIES {
                break;
            }
            sleep(Duration::from_millis(100) * 2_u32.pow(tries)).await;
        }
        Err(provider::Error::last(
            "storage_failed",
            "The picture was made but could not be stored.",
        ))
    }

    /// Again, or for good?
    fn judge(&self, job: &Job, error: &provider::Error) -> Verdict {
        let failed = failed(job, error);
        let last = job.attempt >= self.settings.attempts;
        let pause = match error.retry {
            Retry::Never => None,
            _ if last => None,
            Retry::After(pause) => Some(pause),
            Retry::Later => Some(backoff::pause(&self.settings, job.attempt, fastrand::f64())),
        };
        info!(
            code = error.code,
            request_id = error.request_id,
            ?pause,
            "the attempt failed"
        );
        match pause {
            Some(pause) => Verdict::Retry(failed, Timestamp::now() + pause),
            None => Verdict::Fail(failed),
        }
    }

    async fn conclude(&self, ticket: &Ticket, verdict: Verdict) {
        let outcome = match &verdict {
            Verdict::Record(outcome) => Some(outcome.clone()),
            Verdict::Fail(failed) => Some(Outcome::Failed(failed.failure.clone())),
            _ => None,
        };
        if self.settle(ticket, verdict).await {
            if outcome.is_some() {
                self.deliver(ticket, outcome.as_ref(), 0).await;
            }
        } else {
            self.discard(outcome.iter().flat_map(Outcome::files)).await;
        }
    }

    /// Whether the store took it. What was done for the job must not be lost
    /// because the store was away for a moment.
    async fn settle(&self, ticket: &Ticket, verdict: Verdict) -> bool {
        for tries in 1..=STORE_TRIES {
            match self
                .queue
                .settle(ticket, verdict.clone(), Timestamp::now())
                .await
            {
                Ok(()) => return true,
                Err(queue::Error::Store(error)) => {
                    warn!(%error, "the outcome could not be recorded");
                }
                Err(error) => {
                    info!(%error, "the outcome is not wanted any more");
                    return false;
                }
            }
            sleep(Duration::from_millis(100) * 2_u32.pow(tries)).await;
        }
        // Whether it was recorded is unknown: the pictures stay.
        true
    }

    async fn deliver(&self, ticket: &Ticket, outcome: Option<&Outcome>, tries: u32) {
        let Some(outcome) = outcome else {
            return;
        };
        let now = Timestamp::now();
        if let Err(error) = self.courier.deliver(ticket, outcome, now).await {
            let pause = backoff::pause(&self.settings, tries + 1, fastrand::f64())
                .min(LONGEST_DELIVERY_PAUSE);
            warn!(%error, ?pause, "the outcome could not be delivered; the call is not repeated");
            self.settle(ticket, Verdict::Postpone(now + pause)).await;
        }
    }

    async fn discard(&self, keys: impl Iterator<Item = &str>) {
        for key in keys {
            if let Err(error) = self.blobs.delete(key).await {
                warn!(%error, key, "an unwanted picture could not be deleted");
            }
        }
    }
}

/// A delivery costs nothing, and somebody is waiting for it.
const LONGEST_DELIVERY_PAUSE: Duration = Duration::from_secs(30);

fn until(due: Option<Timestamp>) -> Duration {
    let wait =
        due.map(|due| Duration::try_from(due.duration_since(Timestamp::now())).unwrap_or_default());
    // A millisecond more, since instants in the store are whole milliseconds.
    wait.map_or(LONGEST_NAP, |wait| {
        (wait + Duration::from_millis(1)).min(LONGEST_NAP)
    })
}

fn failed(job: &Job, error: &provider::Error) -> FailedAttempt {
    FailedAttempt {
        attempt: job.attempt,
        at: Timestamp::now(),
        failure: error.failure(),
        request_id: error.request_id.clone(),
    }
}

fn lost_too_often() -> provider::Error {
    provider::Error::last(
        "interrupted",
        "The work was interrupted too often. Please try again.",
    )
}

fn lost(error: &blob::Error) -> provider::Error {
    warn!(%error, "the photo of a job could not be read");
    provider::Error::passing("photo_lost", "The uploaded photo could not be read.")
}
