//! What was made before, for the same words (for others that mean the same: `alike`).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use atelier_api::{Cache as Source, Status};
use jiff::Timestamp;
use tracing::{info, warn};

use super::{Accepted, Caller, Error, Studio, Terms};
use crate::{
    cache::Saved,
    config::Mode,
    job::{Found, Outcome, Request, Task},
    limit::micros,
    queue::{self, Hooks, Job},
    telemetry::metrics,
};
use atelier_queue::Outcome as _;

/// Which job an owner was given for the same words before: who asks again is not
/// given another copy of the answer.
#[derive(Debug, Default)]
pub struct Given(Mutex<HashMap<(String, String), Handed>>);

/// An answer that was given again.
#[derive(Debug, Clone)]
struct Handed {
    job: String,
    /// The job whose answer it is.
    source: String,
}

impl Given {
    /// So many are remembered; then they are forgotten.
    const MOST: usize = 10_000;

    /// The job was finished with an earlier answer.
    pub(super) fn note(&self, job: &Job) {
        let found = job.request.found.as_ref();
        let Some(found) = found.filter(|found| found.similar.is_none()) else {
            return;
        };
        if job.owns_itself() {
            // Nobody asks again in its name.
            return;
        }
        let handed = Handed {
            job: job.id.clone(),
            source: found.job.clone(),
        };
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if given.len() >= Self::MOST {
            given.clear();
        }
        given.insert((job.owner.clone(), job.request.digest(&job.owner)), handed);
    }

    fn get(&self, owner: &str, digest: &str) -> Option<Handed> {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.get(&(owner.to_owned(), digest.to_owned())).cloned()
    }
}

/// An earlier outcome that serves again.
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    pub(super) found: Found,
}

impl Studio {
    /// The job that the caller was given for the same words before, if it still
    /// is the answer to them.
    pub(super) async fn again(
        &self,
        caller: &Caller,
        request: &Request,
        terms: &Terms,
        now: Timestamp,
    ) -> Result<Option<Accepted>, Error> {
        if terms.fresh || terms.hooks != Hooks::default() {
            return Ok(None);
        }
        let Some(kind) = request.task.kind() else {
            return Ok(None);
        };
        let Some(owner) = &caller.owner else {
            return Ok(None);
        };
        let digest = request.digest(owner);
        let Some(handed) = self.given.get(owner, &digest) else {
            return Ok(None);
        };
        let entry = self.cache.get(&digest, now).await?;
        if entry.is_none_or(|entry| entry.value != handed.source) {
            return Ok(None);
        }
        if !self.still_serves(caller, &handed.source).await? {
            return Ok(None);
        }
        let Some(job) = self.queue.get(&handed.job).await? else {
            return Ok(None);
        };
        if !self.has_files(job.outcome.as_ref()).await {
            return Ok(None);
        }
        let standings = self.charge_request(caller, kind, terms, now).await?;
        self.note_accepted(&job, now);
        Ok(Some(Accepted { job, standings }))
    }

    /// The answer given to the same request before, or to one that means the
    /// same.
    pub(super) async fn answer(
        &self,
        caller: &Caller,
        request: &Request,
        now: Timestamp,
    ) -> Result<Option<Answer>, Error> {
        match self.same(caller, request, now).await? {
            None if self.mode == Mode::Answer => Ok(self.similar(caller, request, now).await),
            answer => Ok(answer),
        }
    }

    /// Whether the caller may be answered with the job: one that is withheld
    /// answers its owner alone. That is looked up where it is kept, so that every
    /// process knows of it at once.
    pub(super) async fn serves(&self, caller: &Caller, job: &Job) -> Result<bool, Error> {
        Ok(caller.owns(job) || !self.register.withheld(&job.id).await?)
    }

    /// The same of the job with this id, if there is one.
    pub(super) async fn still_serves(&self, caller: &Caller, id: &str) -> Result<bool, Error> {
        match self.queue.get(id).await? {
            Some(job) => self.serves(caller, &job).await,
            None => Ok(false),
        }
    }

    async fn same(
        &self,
        caller: &Caller,
        request: &Request,
        now: Timestamp,
    ) -> Result<Option<Answer>, Error> {
        // The digest of a caller without a name is not that of any other's.
        let digest = request.digest(caller.owner.as_deref().unwrap_or_default());
        let Some(entry) = self.cache.get(&digest, now).await? else {
            return Ok(None);
        };
        let Some(job) = self.queue.get(&entry.value).await? else {
            self.cache.remove(&digest, &entry.value).await?;
            return Ok(None);
        };
        if !self.serves(caller, &job).await? {
            return Ok(None);
        }
        if let Some(answer) = answer(job)
            && self.has_files(Some(&answer.outcome)).await
        {
            return Ok(Some(answer));
        }
        self.cache.remove(&digest, &entry.value).await?;
        Ok(None)
    }

    /// Whether the outcome's pictures are there. A store that cannot tell is believed to have them: they
    /// are not to be paid for again.
    pub(super) async fn has_files(&self, outcome: Option<&Outcome>) -> bool {
        for key in outcome.into_iter().flat_map(Outcome::blobs) {
            match self.blobs.size(key).await {
                Ok(Some(_)) => {}
                Ok(None) => {
                    warn!(key, "a picture that was to be given again is gone");
                    return false;
                }
                Err(error) => warn!(%error, key, "a picture could not be looked for"),
            }
        }
        true
    }

    /// Fills the exact cache before the job is finished: whoever asks the same
    /// in between finds it in flight, whoever asks later finds it here.
    pub(super) async fn remember(&self, job: &Job, now: Timestamp) -> Result<(), Error> {
        if matches!(job.outcome, Some(Outcome::Succeeded { .. })) {
            let digest = job.request.digest(&job.owner);
            let put = self.cache.put(&digest, &job.id, now, self.cache_ttl);
            match put.await {
                // It is no reason to keep the answer from whoever waits for it.
                Err(error) if error.is_out_of_memory() => {
                    warn!(%error, "an answer is not remembered");
                }
                put => put?,
            }
        }
        Ok(())
    }

    /// Fills the semantic cache; nobody waits for that.
    pub(super) fn remember_meaning(&self, job: &Job, now: Timestamp) {
        let Some(semantic) = self.semantic.clone() else {
            return;
        };
        if let Task::Image(task) = &job.request.task
            && job.status == Status::Succeeded
            && let Ok(until) = now.checked_add(self.cache_ttl)
        {
            let (parameters, prompt, id) = (
                job.request.parameters(&job.owner),
                task.prompt.clone(),
                job.id.clone(),
            );
            tokio::spawn(async move {
                semantic
                    .remember(&parameters, &prompt, &id, now, until)
                    .await;
            });
        }
    }

    /// Nobody is to be answered with the job any more.
    pub async fn forget_answer(&self, job: &Job) -> Result<(), Error> {
        if job.cache != Source::Miss || job.status != Status::Succeeded {
            return Ok(());
        }
        self.cache
            .remove(&job.request.digest(&job.owner), &job.id)
            .await?;
        if let Some((semantic, _)) = self.comparable(&job.request) {
            semantic.forget(&job.id, self.clock.now()).await;
        }
        Ok(())
    }

    /// Tells and counts where an accepted order's answer comes from, and what
    /// that saved.
    pub(super) fn note_accepted(&self, job: &Job, now: Timestamp) {
        let source = queue::source(job);
        info!(id = job.id, kind = ?job.request.task.kind(), cache = source.as_str(), "accepted");
        metrics::accepted(job);
        self.savings.note(Saved::Orders(source), 1, now);
        if source != Source::Miss {
            let charged = match &job.outcome {
                Some(Outcome::Succeeded { cost_usd, .. }) => *cost_usd,
                _ => None,
            };
            let usd = charged.unwrap_or_else(|| self.provider.estimate((&job.request.task).into()));
            self.savings.note(Saved::Usd, micros(usd), now);
        }
    }

    /// Takes to the store what was saved.
    pub async fn record_savings(&self) {
        let savings = self.savings.take();
        if savings.is_empty() {
            return;
        }
        if let Err(error) = self.cache.record(&savings).await {
            warn!(%error, "figures of the caches wait for the store");
            self.savings.put_back(savings);
        }
    }
}

/// A job that can serve as an answer: a success that was called for.
pub(super) fn answer(job: Job) -> Option<Answer> {
    if job.status != Status::Succeeded {
        return None;
    }
    let found = Found {
        painted_at: job.finished_at.unwrap_or(job.created_at),
        job: job.id,
        similar: None,
        own_words: None,
        reason: None,
        picture: None,
    };
    let outcome = job.outcome?;
    Some(Answer { outcome, found })
}
