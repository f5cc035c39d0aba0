//! One attempt at a job: the call, keeping its pictures, and how to go on after a
//! failure.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::{task::spawn_blocking, time::sleep};
use tracing::{info, warn};

use super::{Interrupted, Worker, backoff, conclude::Origin};
use crate::{
    blob::{self, BlobKey},
    job::{Cost, MadeBy, Outcome, PaidAnswer, Picture, Task},
    limit, photo, policies,
    providers::{Answer, Error, Progress, Provider, Remedy},
    queue::{FailedAttempt, Job, Lane, Verdict},
};

/// The first and the longest pause between attempts to keep a picture.
const FIRST_STORE_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_STORE_PAUSE: Duration = Duration::from_secs(2);

/// Maximum time at shutdown for keeping a picture.
const LAST_CHANCE: Duration = Duration::from_secs(2);

impl Worker {
    pub(super) async fn attempt(
        &self,
        job: &Job,
        progress: Progress,
    ) -> Result<(Verdict, Origin), Interrupted> {
        if job.attempt > self.settings.attempts {
            let verdict = Verdict::Fail(failed(job, &lost_too_often(), self.clock.now()));
            return Ok((verdict, Origin::Call));
        }
        let (storage, blocked) = tokio::join!(self.may_call(job), self.is_blocked(job));
        if storage.is_err() {
            return Err(Interrupted::NoStorage);
        }
        let answer = tokio::select! {
            answer = self.call_provider(job, blocked, progress) => answer,
            () = self.hand_back.cancelled() => {
                return Err(Interrupted::HandedBack(Cost::Estimate));
            }
        };
        let made = match answer {
            Ok((answer, made_by)) => made(answer, made_by, &job.request.task).await,
            Err(error) => Err(error),
        };
        match made {
            Ok(made) => self.keep_in_time(job, made).await,
            Err(error) => Ok((self.judge(job, &error).await, Origin::Call)),
        }
    }

    /// Keeps the result. At shutdown, a full disk is retried only for a short time.
    pub(super) async fn keep_in_time(
        &self,
        job: &Job,
        made: Made,
    ) -> Result<(Verdict, Origin), Interrupted> {
        let cost = made.cost();
        let too_late = async {
            self.hand_back.cancelled().await;
            sleep(LAST_CHANCE).await;
        };
        tokio::select! {
            kept = self.keep(job, made) => Ok(kept),
            () = too_late => Err(Interrupted::HandedBack(cost)),
        }
    }

    /// Writes the journal before the files, so that whoever finds the files finds their entry.
    async fn keep(&self, job: &Job, made: Made) -> (Verdict, Origin) {
        let mut origin = self.note(job, &made.outcome).await;
        for (key, bytes) in made.files {
            self.store(&key, bytes).await;
        }
        if origin == Origin::Call {
            // The disk may have been full before.
            origin = self.note(job, &made.outcome).await;
        }
        (Verdict::Record(made.outcome), origin)
    }

    /// Writes an answer that was paid for into the journal.
    async fn note(&self, job: &Job, outcome: &Outcome) -> Origin {
        if !self.costs(job) {
            return Origin::Call;
        }
        let answer = PaidAnswer {
            ticket: job.ticket(),
            outcome: outcome.clone(),
        };
        match self.journal.write(&job.id, &answer).await {
            Ok(()) => Origin::PaidCall,
            Err(error) => {
                warn!(%error, "a paid answer is not in the journal; it is lost if the process ends now");
                Origin::Call
            }
        }
    }

    /// The one step that may cost money.
    async fn call_provider(
        &self,
        job: &Job,
        blocked: bool,
        progress: Progress,
    ) -> Result<(Answer, Option<MadeBy>), Error> {
        if let Task::Notice(notice) = &job.request.task {
            return Ok((self.notify(&job.id, notice).await?, None));
        }
        let mut pictures = Vec::new();
        for picture in job.request.task.beginnings() {
            let bytes = self.blobs.read(&picture.key).await;
            pictures.push(bytes.map_err(|error| lost(&error))?);
        }
        if blocked {
            return Err(blocked_for_refusals());
        }
        self.ask(job, pictures, progress).await
    }

    /// Whether too many of its owner's orders have been refused since it was accepted, and
    /// as many of all those who share its call.
    async fn is_blocked(&self, job: &Job) -> bool {
        let blocked = async {
            if !self.owner_is_blocked(job).await? {
                return Ok(false);
            }
            for follower in self.queue.seclude(&job.id).await? {
                let follower = self.queue.get(&follower).await?;
                if let Some(follower) = follower
                    && !self.owner_is_blocked(&follower).await?
                {
                    return Ok(false);
                }
            }
            anyhow::Ok(true)
        };
        blocked.await.unwrap_or_else(|error| {
            warn!(%error, "cannot check for refusals; the call is made");
            false
        })
    }

    async fn owner_is_blocked(&self, job: &Job) -> Result<bool, limit::Error> {
        let receipts = policies::receipts(&job.charge);
        self.refusals.hold(&receipts, self.clock.now()).await
    }

    pub(super) fn provider(&self, name: &str) -> Option<&(Arc<dyn Provider>, Lane)> {
        self.providers
            .iter()
            .find(|(provider, _)| provider.name() == name)
    }

    /// Retries until the picture is kept: it stays in memory while the disk is full.
    pub(super) async fn store(&self, key: &BlobKey, bytes: Bytes) {
        let mut pause = FIRST_STORE_PAUSE;
        while let Err(error) = self.blobs.keep_as(key, bytes.clone()).await {
            warn!(%error, "a picture could not be kept yet");
            sleep(pause).await;
            pause = (2 * pause).min(LONGEST_STORE_PAUSE);
        }
    }

    /// Decides whether to retry, and whether the whole lane has to slow down.
    pub(super) async fn judge(&self, job: &Job, error: &Error) -> Verdict {
        let own = || backoff::pause(&self.settings, job.attempt, fastrand::f64());
        let pause = match error.remedy {
            Remedy::Nothing => None,
            Remedy::Retry(asked) | Remedy::Wait(asked) => Some(asked.unwrap_or_else(own)),
        };
        let now = self.clock.now();
        let until = pause.map(|pause| now + pause);
        info!(
            code = error.code,
            request_id = error.request_id,
            remedy = ?error.remedy,
            ?pause,
            "attempt failed"
        );
        if let (Remedy::Wait(_), Some(until)) = (error.remedy, until) {
            self.slow_down(job, until).await;
        }
        let failed = failed(job, error, now);
        let spent = !error.cost.is_nothing() && spent_before(job);
        match until.filter(|_| job.attempt < self.settings.attempts && !spent) {
            // Attempts at a notice may take long, and do not count for its owner in the fair order.
            Some(until) if matches!(job.request.task, Task::Notice(_)) => {
                Verdict::Yield(failed, until)
            }
            Some(until) => Verdict::Retry(failed, until),
            None => Verdict::Fail(failed),
        }
    }

    /// Slows the lane down. If that fails, the provider will answer the next call the same way.
    async fn slow_down(&self, job: &Job, until: Timestamp) {
        let Some((_, lane)) = self.provider(&job.request.provider) else {
            return;
        };
        if let Err(error) = self.queue.throttle(lane, until, self.clock.now()).await {
            warn!(%error, lane = lane.name, "the lane could not be slowed down");
        }
    }
}

/// An answer whose files are not kept yet.
pub(super) struct Made {
    pub(super) outcome: Outcome,
    /// By their keys.
    pub(super) files: Vec<(BlobKey, Bytes)>,
}

impl Made {
    fn cost(&self) -> Cost {
        match &self.outcome {
            Outcome::Failed(_) => Cost::Estimate,
            outcome => atelier_queue::Outcome::cost(outcome),
        }
    }
}

/// Checks an answer. Its readable pictures are used even if others cannot be read: they are paid for.
async fn made(answer: Answer, made_by: Option<MadeBy>, task: &Task) -> Result<Made, Error> {
    let (mut pictures, mut files) = (Vec::new(), Vec::new());
    let nothing_expected = answer.pictures.is_empty();
    for bytes in answer.pictures {
        let Some(description) = describe(bytes.clone()).await else {
            warn!("a picture of the answer cannot be read");
            continue;
        };
        let key = BlobKey::new(description.extension, task.visibility());
        pictures.push(Picture::kept(description, key.clone(), bytes.len() as u64));
        files.push((key, bytes));
    }
    if pictures.is_empty() && !nothing_expected {
        let expected = made_by.map(|made_by| made_by.estimate_usd);
        return Err(unreadable().lost().charged(answer.cost_usd.or(expected)));
    }
    let enlarged = match task {
        Task::Image(task) => task.source.as_ref().filter(|_| task.enlarge.is_some()),
        _ => None,
    };
    let outcome = Outcome::Succeeded {
        pictures,
        cost_usd: answer.cost_usd,
        left_out: enlarged.map_or(answer.left_out, |source| source.left_out.clone()),
        earlier_claims: Vec::new(),
        made_by,
    };
    Ok(Made { outcome, files })
}

/// Describes the picture; `None` if it cannot be read.
pub(super) async fn describe(bytes: Bytes) -> Option<photo::Description> {
    spawn_blocking(move || photo::describe(&bytes))
        .await
        .ok()?
        .ok()
}

/// Whether an earlier call was paid for in vain. Such a call is repeated only once, unlike one that costs
/// nothing. Interruptions on our side do not count.
pub(super) fn spent_before(job: &Job) -> bool {
    let ours = |failed: &&FailedAttempt| {
        matches!(
            failed.failure.code.as_str(),
            "lease_expired" | "handed_back"
        )
    };
    let mut last = job.attempt;
    let failures = job.failures.iter().rev().filter(|failed| !ours(failed));
    // A job retried by an operator starts counting anew.
    failures
        .take_while(|failed| {
            let same_run = failed.attempt < last;
            last = failed.attempt;
            same_run
        })
        .any(|failed| !failed.cost.is_nothing())
}

pub(super) fn failed(job: &Job, error: &Error, at: Timestamp) -> FailedAttempt {
    FailedAttempt {
        request_id: error.request_id.clone(),
        cost: error.cost,
        ..FailedAttempt::new(job, error.failure(), at)
    }
}

fn unreadable() -> Error {
    Error::passing(
        "bad_answer",
        "The image service's answer was not a picture that can be read.",
    )
}

pub(super) fn lost_too_often() -> Error {
    Error::last(
        "interrupted",
        "The work was interrupted too often. Please try again.",
    )
}

/// The cost of a dropped call is unknown, unless given.
pub(super) fn handed_back(cost: Cost) -> Error {
    Error {
        cost,
        ..Error::passing("handed_back", "The server stopped before the call ended.")
    }
}

fn lost(error: &blob::Error) -> Error {
    warn!(%error, "the source picture of a job could not be read");
    if error.is_missing() {
        Error::photo_lost()
    } else {
        Error::passing("photo_lost", "The picture to begin with could not be read.")
    }
}

fn blocked_for_refusals() -> Error {
    Error::last(
        "held",
        "The image service was not asked: it has just refused too much that was asked for in the same \
         place. Please try again later.",
    )
}

/// Cannot happen as long as jobs are claimed from the lanes of configured providers only.
pub(super) fn missing() -> Error {
    Error::passing(
        "provider_missing",
        "The image service is not connected any more.",
    )
}
