//! What became of an attempt, and how the message goes on.

use std::time::Duration;

use atelier_api::Failure;
use atelier_messages::{State, retry};
use atelier_webhook::{Answer, CallError};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use jiff::Timestamp;
use tracing::{info, warn};

use super::{Attempt, Told};
use crate::{
    job::{Answered, Content, Cost, Outcome},
    queue::{Completion, FailedAttempt, Job, Verdict},
    telemetry::metrics,
    worker::{Worker, conclude::Settled},
};

/// How much of an answer an event tells, in bytes.
const TOLD: usize = 1024;

/// The status that says, with a header field, that a repetition is of no use.
const NOT_RETRYABLE: u16 = 489;
const NON_RETRYABLE_ERROR: &str = "upstash-nonretryable-error";

/// By which the gateway says whether another call may help.
const SHOULD_RETRY: &str = "x-should-retry";

/// Where it does not: what its clients repeat beside errors of servers.
const PASSING: [StatusCode; 3] = [
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::CONFLICT,
    StatusCode::TOO_MANY_REQUESTS,
];

/// What became of a call.
pub(super) struct Made {
    /// 0 if there was no answer.
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    /// Why it has not delivered the message.
    failure: Option<Failure>,
    /// The pause that the answer asks for.
    asked: Option<Duration>,
}

impl Made {
    /// The answer of a receiver, whatever it is.
    pub(super) fn from_call(answer: Result<Answer, CallError>, now: Timestamp) -> Self {
        match answer {
            Ok(answer) => {
                let repeatable = !is_final(answer.status, &answer.headers);
                Self::answered(answer.status, &answer.headers, answer.body, now, repeatable)
            }
            Err(CallError::Refused(why)) => Self::failed("refused", why.to_string(), false),
            Err(error @ CallError::Unwritable(_)) => Self::refused(&error),
            Err(error) if error.is_timeout() => Self::too_slow(),
            Err(error) => Self::failed("unreachable", error.to_string(), true),
        }
    }

    /// An answer of the gateway, which says itself whether another call may help. What passes in
    /// a known time is waited for, however impatient other clients are.
    pub(super) fn from_gateway(
        status: StatusCode,
        headers: &HeaderMap,
        body: Bytes,
        now: Timestamp,
    ) -> Self {
        let said = headers.get(SHOULD_RETRY).map(|said| said == "true");
        let by_status = status.is_server_error() || PASSING.contains(&status);
        let passes = retry::asked_pause(headers, now).is_some();
        let repeatable = passes || said.unwrap_or(by_status);
        Self::answered(status, headers, body, now, repeatable)
    }

    fn answered(
        status: StatusCode,
        headers: &HeaderMap,
        body: Bytes,
        now: Timestamp,
        repeatable: bool,
    ) -> Self {
        let failure = (!status.is_success()).then(|| Failure {
            code: format!("status_{}", status.as_u16()),
            message: format!("The receiver answered {}.", status.as_u16()),
            retryable: repeatable,
        });
        Self {
            status: status.as_u16(),
            headers: told(headers),
            body,
            failure,
            asked: retry::asked_pause(headers, now),
        }
    }

    fn failed(code: &str, message: impl Into<String>, retryable: bool) -> Self {
        Self {
            status: 0,
            headers: Vec::new(),
            body: Bytes::new(),
            failure: Some(Failure {
                code: code.to_owned(),
                message: message.into(),
                retryable,
            }),
            asked: None,
        }
    }

    /// It was interrupted time after time.
    pub(super) fn lost() -> Self {
        let message = "The delivery was interrupted too often.";
        Self::failed("interrupted", message, false)
    }

    pub(super) fn without_body(for_ever: bool) -> Self {
        let message = "The body of the message could not be read.";
        Self::failed("body_lost", message, !for_ever)
    }

    pub(super) fn no_gateway() -> Self {
        let message = "There is no gateway in this process.";
        Self::failed("no_gateway", message, true)
    }

    pub(super) fn unsigned() -> Self {
        let message = "The message could not be signed.";
        Self::failed("unsigned", message, true)
    }

    pub(super) fn too_slow() -> Self {
        let message = "The receiver did not answer in time.";
        Self::failed("timeout", message, true)
    }

    pub(super) fn broken() -> Self {
        let message = "The answer broke off.";
        Self::failed("unreachable", message, true)
    }

    /// No request can be made of it, or none is allowed.
    pub(super) fn refused(error: &impl std::error::Error) -> Self {
        Self::failed("refused", error.to_string(), false)
    }

    /// How attempts are counted apart.
    pub(super) const fn class(&self) -> &'static str {
        match self.status {
            0 => "none",
            1..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        }
    }

    /// The answer as it is recorded. What does not fit into a record is kept as a blob.
    async fn outcome(self, worker: &Worker) -> Outcome {
        let (body, file) = Content::new(self.body);
        if let Some((key, bytes)) = file {
            worker.store(&key, bytes).await;
        }
        Outcome::Answered(Answered {
            status: self.status,
            headers: self.headers,
            body,
            cost: Cost::Nothing,
            images: 0,
            tokens: 0,
            failure: self.failure,
            earlier_claims: Vec::new(),
        })
    }

    fn told(&self) -> Told {
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(TOLD)]);
        Told {
            status: (self.status > 0).then_some(self.status),
            headers: self.headers.clone(),
            body: (!body.is_empty()).then(|| body.into_owned()),
            error: self.failure.as_ref().map(|why| why.message.clone()),
            next: None,
        }
    }
}

impl Worker {
    /// Records what became of an attempt: the message is delivered, repeated or a dead letter.
    pub(super) async fn conclude_message(&self, attempt: &Attempt<'_>, made: Made) {
        let Some(failure) = made.failure.clone() else {
            return self.delivered(attempt, made).await;
        };
        let message = &attempt.task.message;
        info!(
            code = failure.code,
            retried = attempt.retried,
            retries = message.retries,
            "attempt failed"
        );
        if failure.retryable && attempt.retried < message.retries {
            self.repeat(attempt, made, failure).await;
        } else {
            self.give_up(attempt, made, failure).await;
        }
    }

    async fn delivered(&self, attempt: &Attempt<'_>, made: Made) {
        let (class, told) = (made.class(), made.told());
        let verdict = Verdict::Record(made.outcome(self).await);
        if self.end_message(attempt, verdict).await {
            metrics::delivered(class);
            self.note_event(attempt, State::Delivered, told);
        }
    }

    async fn give_up(&self, attempt: &Attempt<'_>, made: Made, failure: Failure) {
        let (class, told) = (made.class(), made.told());
        let failed = FailedAttempt::new(attempt.job, failure, self.clock.now());
        let verdict = Verdict::FailWith(failed, made.outcome(self).await);
        if self.end_message(attempt, verdict).await {
            metrics::gave_up(class);
            self.note_event(attempt, State::Error, told.clone());
            self.note_event(attempt, State::Failed, told);
        }
    }

    async fn repeat(&self, attempt: &Attempt<'_>, made: Made, failure: Failure) {
        let now = self.clock.now();
        let pause = retry::pause(&attempt.task.message, attempt.retried, made.asked);
        let until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        let (class, told) = (made.class(), made.told());
        // Before the attempt is settled: whoever makes it again after a crash tells of it anew.
        if !self.tell_of_attempt(attempt, made).await {
            return;
        }
        let failed = FailedAttempt::new(attempt.job, failure, now);
        let verdict = Verdict::Yield(failed, until);
        if self.settle(&attempt.job.ticket(), verdict).await == Settled::Recorded {
            metrics::repeated(class);
            self.note_event(attempt, State::Error, told.clone());
            let next = Some(until.as_millisecond());
            self.note_event(attempt, State::Retry, Told { next, ..told });
        }
    }

    /// Ends the message with this verdict, and tells whoever is to be told. Returns whether it
    /// was still to be ended.
    async fn end_message(&self, attempt: &Attempt<'_>, verdict: Verdict) -> bool {
        let ticket = attempt.job.ticket();
        let finish = |now| self.queue.finish(&ticket, verdict.clone(), now);
        let Ok(completion) = self.persist(&ticket, finish).await else {
            return false;
        };
        let Completion::Applied { ended, .. } = completion else {
            return false;
        };
        self.tell_of_end(ended, attempt.retried).await;
        true
    }

    /// Finishes a message whose outcome was recorded in an earlier claim.
    pub(in crate::worker) async fn finish_message(&self, job: &Job) {
        match self.queue.complete(&job.ticket(), self.clock.now()).await {
            Ok(Completion::Applied { ended, .. }) => self.tell_of_end(ended, answered(job)).await,
            Ok(Completion::Repeated) => {}
            Err(error) => warn!(%error, "a message could not be finished; it is not sent again"),
        }
    }
}

/// How many attempts at the message have been answered before, since an operator retried it
/// last. Attempts that were lost with their process have not.
pub(super) fn answered(job: &Job) -> u32 {
    let mut last = job.attempt;
    let earlier = job.failures.iter().rev();
    // The present attempt may have failed already.
    let earlier = earlier.skip_while(|failed| failed.attempt >= job.attempt);
    let this_run = earlier.take_while(|failed| {
        let same = failed.attempt < last;
        last = failed.attempt;
        same
    });
    let count = this_run.filter(|failed| was_answered(failed)).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn was_answered(failed: &FailedAttempt) -> bool {
    let code = failed.failure.code.as_str();
    !matches!(code, "lease_expired" | "handed_back")
}

fn is_final(status: StatusCode, headers: &HeaderMap) -> bool {
    let says_so = headers.get(NON_RETRYABLE_ERROR);
    let says_so = says_so.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
    status.as_u16() == NOT_RETRYABLE && says_so
}

/// The header fields as text.
fn told(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.to_string(), value.into_owned())
    });
    text.collect()
}
