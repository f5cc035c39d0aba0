//! One attempt at a call of the gateway.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use atelier_api::Failure;
use bytes::Bytes;
use tracing::{info, warn};

use super::{
    Interrupted, Worker,
    attempt::{Made, failed, lost_too_often, spent_before},
    backoff,
    conclude::Origin,
};
use crate::{
    job::{Answered, CallTask, Content, Cost, Outcome},
    providers::Error,
    queue::{FailedAttempt, Job, Verdict},
};

/// Makes calls, whoever answers them.
#[async_trait]
pub trait Calls: Send + Sync + 'static {
    /// Makes the job's call once, with this body.
    async fn call(self: Arc<Self>, job: &Job, task: &CallTask, body: Bytes) -> Called;
}

/// What makes the calls, and how many at a time.
pub struct Gateway {
    pub calls: Arc<dyn Calls>,
    pub parallel: usize,
}

/// What a client would have been answered.
#[derive(Debug)]
pub struct Called {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub cost: Cost,
    pub images: u64,
    pub tokens: u64,
    pub failed: Option<Failed>,
}

/// Why a call failed.
#[derive(Debug)]
pub struct Failed {
    pub failure: Failure,
    /// After how long it may be repeated, if whoever failed says so.
    pub pause: Option<Duration>,
}

impl Worker {
    pub(super) async fn attempt_call(
        &self,
        job: &Job,
        task: &CallTask,
    ) -> Result<(Verdict, Origin), Interrupted> {
        if job.attempt > self.settings.attempts {
            let given_up = failed(job, &lost_too_often(), self.clock.now());
            return Ok((Verdict::Fail(given_up), Origin::Call));
        }
        if self.may_call(job).await.is_err() {
            return Err(Interrupted::NoStorage);
        }
        // Its lane is claimed by nobody else.
        let Some(gateway) = &self.gateway else {
            return Err(Interrupted::NoStorage);
        };
        let body = match task.body.read(&self.blobs).await {
            Ok(body) => body,
            Err(error) => {
                warn!(%error, "the body of a call could not be read");
                let verdict = self.judge(job, &body_lost(error.is_missing())).await;
                return Ok((verdict, Origin::Call));
            }
        };
        let called = tokio::select! {
            called = Arc::clone(&gateway.calls).call(job, task, body) => called,
            () = self.hand_back.cancelled() => {
                return Err(Interrupted::HandedBack(Cost::Estimate));
            }
        };
        self.judge_call(job, task, called).await
    }

    /// Keeps the answer, or decides when the call is repeated.
    async fn judge_call(
        &self,
        job: &Job,
        task: &CallTask,
        called: Called,
    ) -> Result<(Verdict, Origin), Interrupted> {
        let cost = called.cost;
        let (answered, files, pause) = answered(called);
        let Some(failure) = answered.failure.clone() else {
            let outcome = Outcome::Answered(answered);
            return self.keep_in_time(job, Made { outcome, files }).await;
        };
        info!(
            code = failure.code,
            request_id = task.request,
            ?pause,
            "call failed"
        );
        let spent = !cost.is_nothing() && spent_before(job);
        let again = failure.retryable && job.attempt < self.settings.attempts && !spent;
        let now = self.clock.now();
        let attempt = FailedAttempt {
            cost,
            request_id: Some(task.request.clone()),
            ..FailedAttempt::new(job, failure, now)
        };
        if again {
            let own = || backoff::pause(&self.settings, job.attempt, fastrand::f64());
            let until = now + pause.unwrap_or_else(own);
            return Ok((Verdict::Retry(attempt, until), Origin::Call));
        }
        for (key, bytes) in files {
            self.store(&key, bytes).await;
        }
        let verdict = Verdict::FailWith(attempt, Outcome::Answered(answered));
        Ok((verdict, Origin::Call))
    }
}

type Files = Vec<(crate::blob::BlobKey, Bytes)>;

/// The answer as it is recorded, its blobs, and the pause before a repetition.
fn answered(called: Called) -> (Answered, Files, Option<Duration>) {
    let (body, file) = Content::new(called.body);
    let (failure, pause) = match called.failed {
        Some(Failed { failure, pause }) => (Some(failure), pause),
        None => (None, None),
    };
    let answered = Answered {
        status: called.status,
        headers: called.headers,
        body,
        cost: called.cost,
        images: called.images,
        tokens: called.tokens,
        failure,
        earlier_claims: Vec::new(),
    };
    (answered, file.into_iter().collect(), pause)
}

fn body_lost(for_ever: bool) -> Error {
    if for_ever {
        Error::last(
            "body_lost",
            "The body of the request is not there any more.",
        )
    } else {
        Error::passing("body_lost", "The body of the request could not be read.")
    }
}
