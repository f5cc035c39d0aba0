//! Models in the place of others: whoever is down, out of credit or busy for long is passed over where the
//! operator has named others. Never after a refusal of the content, and never after a call that may have been
//! paid for.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tracing::warn;

use super::{Worker, attempt::missing};
use crate::{
    job::{Cost, MadeBy, Request},
    providers::{Answer, Choice, Error, Models, Progress, Remedy},
    queue::Job,
};

/// A provider that wants to be left alone for less is waited for, once.
const LONG: Duration = Duration::from_secs(10);

/// How long a provider that failed is not asked where another can be.
const REST: Duration = Duration::from_secs(30);

/// The same for one whose account or key has to be seen to.
const LONG_REST: Duration = Duration::from_secs(300);

/// The models of this process, and which of their providers rest.
pub struct Fallbacks {
    models: Models,
    resting: Mutex<HashMap<String, Instant>>,
}

impl Fallbacks {
    /// None of them rests.
    pub fn new(models: Models) -> Self {
        Self {
            models,
            resting: Mutex::default(),
        }
    }

    /// The highest price of a call for the request, by any of its models, in US dollars.
    pub(super) fn highest_estimate(&self, request: &Request) -> f64 {
        let others = self.models.instead_of(request).into_iter();
        let estimates = others.map(|other| other.estimate((&request.task).into()));
        estimates.fold(0.0, f64::max)
    }

    /// How long the provider is not to be asked.
    fn rest_of(&self, provider: &str) -> Option<Duration> {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let until = resting.get(provider)?;
        until.checked_duration_since(Instant::now())
    }

    fn let_rest(&self, provider: &str, error: &Error) {
        let asked = match error.remedy {
            Remedy::Retry(asked) | Remedy::Wait(asked) => asked.unwrap_or(REST),
            Remedy::Nothing if error.code == "provider_failed" => return,
            Remedy::Nothing => LONG_REST,
        };
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + asked.min(LONG_REST);
        resting.insert(provider.to_owned(), until);
    }
}

impl Worker {
    /// Asks the job's own model and, while that cannot answer, those in its place. Returns which of them it
    /// was, if another.
    pub(super) async fn ask(
        &self,
        job: &Job,
        pictures: Vec<Bytes>,
        progress: Progress,
    ) -> Result<(Answer, Option<MadeBy>), Error> {
        let request = &job.request;
        let (own, _) = self.provider(&request.provider).ok_or_else(missing)?;
        let others = self.fallbacks.models.instead_of(request);
        let awake = |other: &Choice| self.fallbacks.rest_of(other.name()).is_none();
        let others: Vec<_> = others.into_iter().filter(|other| awake(other)).collect();
        let rest = self.fallbacks.rest_of(&request.provider);
        let mut failed = match rest.filter(|_| !others.is_empty()) {
            Some(rest) => resting(rest),
            None => {
                let made = own.make(request, pictures.clone(), progress.clone());
                match made.await {
                    Ok(answer) => return Ok((answer, None)),
                    Err(error) => {
                        self.note_failure(&request.provider, &error, job.attempt);
                        error
                    }
                }
            }
        };
        let mut passed_on = passes_on(&failed, job.attempt);
        for other in others {
            if !passed_on {
                break;
            }
            let (name, model) = (other.name(), &other.model);
            warn!(
                code = failed.code,
                instead = name,
                model,
                "another model is asked"
            );
            match self.ask_other(other, request, &pictures, &progress).await {
                Ok(made) => return Ok(made),
                Err(error) => {
                    self.note_failure(name, &error, job.attempt);
                    passed_on = passes_on(&error, job.attempt);
                    failed = more_hopeful(failed, error);
                }
            }
        }
        Err(failed)
    }

    /// Lets a provider rest after a failure for which another may be asked.
    fn note_failure(&self, provider: &str, error: &Error, attempt: u32) {
        if passes_on(error, attempt) {
            self.fallbacks.let_rest(provider, error);
        }
    }

    async fn ask_other(
        &self,
        other: &Choice,
        request: &Request,
        pictures: &[Bytes],
        progress: &Progress,
    ) -> Result<(Answer, Option<MadeBy>), Error> {
        let estimate = other.estimate((&request.task).into());
        let made_by = MadeBy {
            provider: other.name().to_owned(),
            model: other.model.clone(),
            estimate_usd: estimate,
        };
        let request = Request {
            provider: made_by.provider.clone(),
            model: made_by.model.clone(),
            ..request.clone()
        };
        let made = other
            .provider
            .make(&request, pictures.to_vec(), progress.clone());
        match made.await {
            Ok(answer) => Ok((answer, Some(made_by))),
            Err(error) => Err(Error {
                // What was reserved is the estimate of the job's own model.
                cost: match error.cost {
                    Cost::Estimate => Cost::Usd(estimate),
                    cost => cost,
                },
                ..error
            }),
        }
    }
}

/// Whether another model may be asked after this failure.
fn passes_on(error: &Error, attempt: u32) -> bool {
    if !error.cost.is_nothing() {
        return false;
    }
    match error.code {
        "provider_unreachable" | "provider_failed" | "provider_missing" => true,
        "provider_credit_exhausted" | "provider_key_refused" => true,
        "provider_busy" => match error.remedy {
            Remedy::Wait(asked) | Remedy::Retry(asked) => {
                attempt > 1 || asked.is_some_and(|pause| pause >= LONG)
            }
            Remedy::Nothing => true,
        },
        _ => false,
    }
}

/// Of two failures the one after which another attempt makes sense, the sooner the better. Refusals and what
/// was paid for are told in any case.
fn more_hopeful(before: Error, other: Error) -> Error {
    if !passes_on(&other, u32::MAX) {
        return other;
    }
    let pause = |error: &Error| match error.remedy {
        Remedy::Nothing => None,
        Remedy::Retry(pause) | Remedy::Wait(pause) => Some(pause.unwrap_or_default()),
    };
    match (pause(&before), pause(&other)) {
        (Some(own), Some(pause)) if pause < own => Error {
            // The lane is that of the job's own provider, which did not ask for it.
            remedy: Remedy::Retry(Some(pause)),
            ..other
        },
        (None, Some(pause)) => Error {
            remedy: Remedy::Retry(Some(pause)),
            ..other
        },
        _ => before,
    }
}

/// The failure in the place of a call to a provider that rests.
fn resting(rest: Duration) -> Error {
    Error {
        remedy: Remedy::Retry(Some(rest.max(LONG))),
        ..Error::passing("provider_busy", "The image service is busy.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_not_paid_for_and_not_refused_is_passed_on() {
        let wait = |seconds| Error {
            remedy: Remedy::Wait(Some(Duration::from_secs(seconds))),
            ..Error::passing("provider_busy", "")
        };
        let passing = |code| Error::passing(code, "");
        let last = |code| Error::last(code, "");
        for (error, attempt, passed) in [
            (passing("provider_unreachable"), 1, true),
            (passing("provider_failed"), 1, true),
            (passing("provider_failed").lost(), 1, false),
            (passing("answer_lost").lost(), 1, false),
            (passing("bad_answer").lost(), 1, false),
            (passing("bad_answer"), 1, false),
            (last("provider_credit_exhausted"), 1, true),
            (last("provider_key_refused"), 1, true),
            (last("content_refused"), 1, false),
            (last("provider_refused"), 1, false),
            (last("photo_lost"), 1, false),
            (wait(2), 1, false),
            (wait(2), 2, true),
            (wait(60), 1, true),
        ] {
            assert_eq!(passes_on(&error, attempt), passed, "{error:?}");
        }
    }

    #[test]
    fn the_failure_that_is_told_is_the_one_with_a_future() {
        let spent = Error::last("provider_credit_exhausted", "");
        let down = Error::passing("provider_failed", "");
        let refused = Error::last("content_refused", "");
        for (before, other, code) in [
            (&spent, &down, "provider_failed"),
            (&down, &spent, "provider_failed"),
            (&down, &refused, "content_refused"),
            (&spent, &spent, "provider_credit_exhausted"),
        ] {
            assert_eq!(more_hopeful(before.clone(), other.clone()).code, code);
        }
    }
}
