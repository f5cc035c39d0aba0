//! One attempt at a job: the call, the pictures kept, and, when it failed,
//! what is to be done about it.

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use jiff::Timestamp;
use tokio::{task::spawn_blocking, time::sleep};
use tracing::{info, warn};

use super::{Interrupted, STORE_TRIES, Worker, backoff};
use crate::{
    blob,
    job::{Cost, Outcome, Picture, Task, Visibility},
    limit::Receipt,
    photo,
    provider::{Answer, Error, Progress, Provider, Remedy},
    queue::{FailedAttempt, Job, Lane, Verdict},
};

impl Worker {
    pub(super) async fn attempt(
        &self,
        job: &Job,
        progress: Progress,
    ) -> Result<Verdict, Interrupted> {
        if job.attempt > self.settings.attempts {
            return Ok(Verdict::Fail(failed(
                job,
                &lost_too_often(),
                self.clock.now(),
            )));
        }
        let answer = tokio::select! {
            answer = self.ask(job, progress) => answer,
            () = self.hand_back.cancelled() => return Err(Interrupted::HandedBack),
        };
        let kept = match answer {
            Ok(answer) => self.keep(answer, job.request.task.visibility()).await,
            Err(error) => Err(error),
        };
        Ok(match kept {
            Ok(outcome) => Verdict::Record(outcome),
            Err(error) => self.judge(job, &error).await,
        })
    }

    /// The one step that may cost money.
    async fn ask(&self, job: &Job, progress: Progress) -> Result<Answer, Error> {
        if let Task::Notice(notice) = &job.request.task {
            return self.notify(&job.id, notice).await;
        }
        let original = match job.request.task.original() {
            Some(picture) => {
                let bytes = self.blobs.read(&picture.key).await;
                Some(bytes.map_err(|error| lost(&error))?)
            }
            None => None,
        };
        if self.is_held(job).await {
            return Err(held());
        }
        let (provider, _) = self.provider(&job.request.provider).ok_or_else(missing)?;
        provider.make(&job.request, original, progress).await
    }

    /// Whether its owner has had too much refused since the order was taken.
    async fn is_held(&self, job: &Job) -> bool {
        let receipts = Receipt::all_in(&job.charge);
        let held = self.refusals.hold(&receipts, self.clock.now()).await;
        held.unwrap_or_else(|error| {
            warn!(%error, "refusals cannot be looked up; the call is made");
            false
        })
    }

    fn provider(&self, name: &str) -> Option<&(Arc<dyn Provider>, Lane)> {
        self.providers
            .iter()
            .find(|(provider, _)| provider.name() == name)
    }

    async fn keep(&self, answer: Answer, visibility: Visibility) -> Result<Outcome, Error> {
        let mut pictures = Vec::with_capacity(answer.pictures.len());
        for bytes in answer.pictures {
            pictures.push(self.keep_picture(bytes, visibility).await?);
        }
        Ok(Outcome::Succeeded {
            pictures,
            cost_usd: answer.cost_usd,
        })
    }

    async fn keep_picture(&self, bytes: Bytes, visibility: Visibility) -> Result<Picture, Error> {
        let description = describe(bytes.clone()).await.ok_or_else(unreadable)?;
        let size = bytes.len() as u64;
        let key = self.store(bytes, description.extension, visibility).await?;
        Ok(description.kept(key, size))
    }

    /// The picture is paid for: a full or sluggish disk gets several chances.
    async fn store(
        &self,
        bytes: Bytes,
        extension: &str,
        visibility: Visibility,
    ) -> Result<String, Error> {
        for tries in 1.. {
            match self.blobs.keep(bytes.clone(), extension, visibility).await {
                Ok(key) => return Ok(key),
                Err(error) => warn!(%error, "a picture could not be kept"),
            }
            if tries == STORE_TRIES {
                break;
            }
            sleep(Duration::from_millis(100) * 2_u32.pow(tries)).await;
        }
        Err(Error::last(
            "storage_failed",
            "The picture was made but could not be stored.",
        ))
    }

    /// Again, or for good? And does everybody have to slow down?
    async fn judge(&self, job: &Job, error: &Error) -> Verdict {
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
            "the attempt failed"
        );
        if let (Remedy::Wait(_), Some(until)) = (error.remedy, until) {
            self.slow_down(job, until).await;
        }
        let failed = failed(job, error, now);
        match until.filter(|_| job.attempt < self.settings.attempts) {
            Some(until) => Verdict::Retry(failed, until),
            None => Verdict::Fail(failed),
        }
    }

    /// Failing to only means that the next call hears the same from the provider.
    async fn slow_down(&self, job: &Job, until: Timestamp) {
        let Some((_, lane)) = self.provider(&job.request.provider) else {
            return;
        };
        if let Err(error) = self.queue.throttle(lane, until, self.clock.now()).await {
            warn!(%error, lane = lane.name, "the lane could not be slowed down");
        }
    }
}

/// What there is to know about the picture; `None` if it is none.
pub(super) async fn describe(bytes: Bytes) -> Option<photo::Description> {
    spawn_blocking(move || photo::describe(&bytes))
        .await
        .ok()?
        .ok()
}

pub(super) fn failed(job: &Job, error: &Error, at: Timestamp) -> FailedAttempt {
    FailedAttempt {
        attempt: job.attempt,
        at,
        failure: error.failure(),
        request_id: error.request_id.clone(),
        cost: error.cost,
    }
}

fn unreadable() -> Error {
    Error::passing(
        "bad_answer",
        "The image service's answer was not a picture that can be read.",
    )
}

fn lost_too_often() -> Error {
    Error::last(
        "interrupted",
        "The work was interrupted too often. Please try again.",
    )
}

/// Whoever drops a call does not learn what it cost.
pub(super) fn handed_back() -> Error {
    Error {
        cost: Cost::Estimate,
        ..Error::passing("handed_back", "The server stopped before the call ended.")
    }
}

fn lost(error: &blob::Error) -> Error {
    warn!(%error, "the picture that a job begins with could not be read");
    if error.is_missing() {
        Error::photo_lost()
    } else {
        Error::passing("photo_lost", "The picture to begin with could not be read.")
    }
}

fn held() -> Error {
    Error::last(
        "held",
        "The image service was not asked: it has just refused too much that was asked for in the same \
         place. Please try again later.",
    )
}

/// Jobs are claimed from the lanes of our providers only.
fn missing() -> Error {
    Error::passing(
        "provider_missing",
        "The image service is not connected any more.",
    )
}
