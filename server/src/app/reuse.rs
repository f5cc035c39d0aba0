//! Reuses earlier answers to the same request. (`similar` finds those to requests that mean the same.)

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use atelier_api::{Cache as Source, Status};
use jiff::Timestamp;
use tracing::{info, warn};

use super::{Accepted, Caller, Error, Studio, Terms};
use crate::{
    cache::{Saved, guard::Kind},
    config::Mode,
    job::{Found, JobId, Outcome, Owner, Picture, Request, Task},
    limit::micros,
    queue::{self, Hooks, Job},
    telemetry::metrics,
};

/// The job that each owner was last given for a request, so that repeating the
/// request returns that job rather than another copy of its answer.
#[derive(Debug, Default)]
pub struct RecentOrders(Mutex<HashMap<(Owner, String), RecentOrder>>);

/// An order that an earlier answer was reused for.
#[derive(Debug, Clone)]
struct RecentOrder {
    job: JobId,
    /// The job whose answer it is.
    source: JobId,
}

impl RecentOrders {
    /// Maximum number of entries; reaching it clears them all.
    const MAX: usize = 10_000;

    /// Notes a job that was finished with an earlier answer.
    pub(super) fn note(&self, job: &Job) {
        let found = job.request.found.as_ref();
        let Some(found) = found.filter(|found| found.similar.is_none()) else {
            return;
        };
        if job.owns_itself() {
            // Its owner is the job itself, and cannot ask again.
            return;
        }
        let order = RecentOrder {
            job: JobId::from(job.id.as_str()),
            source: found.job.clone(),
        };
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if orders.len() >= Self::MAX {
            orders.clear();
        }
        let owner = Owner::of(job);
        let digest = job.request.digest(Some(&owner));
        orders.insert((owner, digest), order);
    }

    fn get(&self, owner: &Owner, digest: &str) -> Option<RecentOrder> {
        let orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        orders.get(&(owner.clone(), digest.to_owned())).cloned()
    }
}

/// An earlier outcome that is reused.
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    pub(super) found: Found,
}

impl Studio {
    /// Returns the job that the caller was given for the same request before, if
    /// its answer is still valid.
    pub(super) async fn reuse_recent(
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
        let digest = request.digest(Some(owner));
        let Some(recent) = self.recent_orders.get(owner, &digest) else {
            return Ok(None);
        };
        let entry = self.stores.cache.get(&digest, now).await?;
        if entry.is_none_or(|entry| entry.value != *recent.source) {
            return Ok(None);
        }
        if !self.may_still_answer(caller, &recent.source).await? {
            return Ok(None);
        }
        let Some(job) = self.stores.queue.get(&recent.job).await? else {
            return Ok(None);
        };
        if !self.has_files(job.outcome.as_ref()).await {
            return Ok(None);
        }
        let standings = self.charge_request(caller, kind, terms, now).await?;
        self.note_accepted(&job, now);
        Ok(Some(Accepted { job, standings }))
    }

    /// Returns the answer to an earlier request that is the same or, if the
    /// settings allow it, means the same.
    pub(super) async fn find_answer(
        &self,
        caller: &Caller,
        request: &Request,
        now: Timestamp,
    ) -> Result<Option<Answer>, Error> {
        match self.exact_answer(caller, request, now).await? {
            None if self.settings.mode == Mode::Answer => {
                Ok(self.similar_answer(caller, request, now).await)
            }
            answer => Ok(answer),
        }
    }

    /// Whether the job's answer may be given to the caller. A withheld job answers
    /// its owner alone; that is read from the store each time, so that it takes
    /// effect in every process at once.
    pub(super) async fn may_answer(&self, caller: &Caller, job: &Job) -> Result<bool, Error> {
        Ok(caller.owns(job) || !self.stores.access.withheld(&job.id).await?)
    }

    /// [`Self::may_answer`] for the job with this id; false if there is none.
    pub(super) async fn may_still_answer(
        &self,
        caller: &Caller,
        id: &JobId,
    ) -> Result<bool, Error> {
        match self.stores.queue.get(id).await? {
            Some(job) => self.may_answer(caller, &job).await,
            None => Ok(false),
        }
    }

    async fn exact_answer(
        &self,
        caller: &Caller,
        request: &Request,
        now: Timestamp,
    ) -> Result<Option<Answer>, Error> {
        // The digest of an anonymous caller equals nobody else's.
        let digest = request.digest(caller.owner.as_ref());
        let Some(entry) = self.stores.cache.get(&digest, now).await? else {
            return Ok(None);
        };
        let Some(job) = self.stores.queue.get(&entry.value).await? else {
            self.stores.cache.remove(&digest, &entry.value).await?;
            return Ok(None);
        };
        if !self.may_answer(caller, &job).await? {
            return Ok(None);
        }
        if let Some(answer) = answer(job)
            && self.has_files(Some(&answer.outcome)).await
        {
            return Ok(Some(answer));
        }
        self.stores.cache.remove(&digest, &entry.value).await?;
        Ok(None)
    }

    /// Whether the outcome's pictures exist. If the blob store fails, they are assumed to, so that they are not
    /// paid for again.
    pub(super) async fn has_files(&self, outcome: Option<&Outcome>) -> bool {
        for Picture { key, .. } in outcome.into_iter().flat_map(Outcome::pictures) {
            match self.stores.blobs.size(key).await {
                Ok(Some(_)) => {}
                Ok(None) => {
                    warn!(key = &**key, "a reusable picture is missing");
                    return false;
                }
                Err(error) => warn!(%error, key = &**key, "cannot check whether a picture exists"),
            }
        }
        true
    }

    /// Adds the job to the exact cache. This happens before the job is finished, so
    /// that an equal request finds it either in flight or here.
    pub(super) async fn cache_answer(&self, job: &Job, now: Timestamp) -> Result<(), Error> {
        if matches!(job.outcome, Some(Outcome::Succeeded { .. })) {
            let request = job.request.as_made(job.outcome.as_ref());
            let digest = request.digest(Some(&Owner::of(job)));
            let put = self
                .stores
                .cache
                .put(&digest, &job.id, now, self.settings.cache_ttl);
            match put.await {
                // The client still gets its answer.
                Err(error) if error.is_out_of_memory() => {
                    warn!(%error, "an answer could not be cached: the store is out of memory");
                }
                put => put?,
            }
        }
        Ok(())
    }

    /// Adds the job to the semantic cache in the background.
    pub(super) fn cache_meaning(&self, job: &Job, now: Timestamp) {
        let Some(semantic) = self.stores.semantic.clone() else {
            return;
        };
        if let Task::Image(task) = &job.request.task
            && job.status == Status::Succeeded
            && let Ok(until) = now.checked_add(self.settings.cache_ttl)
        {
            let request = job.request.as_made(job.outcome.as_ref());
            let (parameters, prompt, id) = (
                request.parameters(Some(&Owner::of(job))),
                task.prompt.clone(),
                job.id.clone(),
            );
            tokio::spawn(async move {
                semantic
                    .remember(Kind::Picture, &parameters, &prompt, &id, now, until)
                    .await;
            });
        }
    }

    /// Removes the job from both caches, so that it answers nobody else.
    pub async fn forget_answer(&self, job: &Job) -> Result<(), Error> {
        if job.cache != Source::Miss || job.status != Status::Succeeded {
            return Ok(());
        }
        let request = job.request.as_made(job.outcome.as_ref());
        let digest = request.digest(Some(&Owner::of(job)));
        self.stores.cache.remove(&digest, &job.id).await?;
        if let Some((semantic, _)) = self.comparable(&job.request) {
            semantic.forget(&job.id, self.stores.clock.now()).await;
        }
        Ok(())
    }

    /// Logs and counts an accepted order: where its answer comes from, and what
    /// that saved.
    pub(super) fn note_accepted(&self, job: &Job, now: Timestamp) {
        let source = queue::source(job);
        info!(id = job.id, kind = ?job.request.task.kind(), cache = source.as_str(), "job accepted");
        metrics::accepted(job);
        self.recorders.savings.note(Saved::Orders(source), 1, now);
        if source != Source::Miss {
            let charged = match &job.outcome {
                Some(Outcome::Succeeded { cost_usd, .. }) => *cost_usd,
                _ => None,
            };
            let usd = charged.unwrap_or_else(|| self.models.estimate(&job.request));
            self.recorders.savings.note(Saved::Usd, micros(usd), now);
        }
    }

    /// Writes the savings to the store.
    pub async fn record_savings(&self) {
        let savings = self.recorders.savings.take();
        if savings.is_empty() {
            return;
        }
        if let Err(error) = self.stores.cache.record(&savings).await {
            warn!(%error, "cache savings could not be recorded; retrying later");
            self.recorders.savings.put_back(savings);
        }
    }
}

/// The job as an answer to others, if it succeeded.
pub(super) fn answer(job: Job) -> Option<Answer> {
    if job.status != Status::Succeeded {
        return None;
    }
    let found = Found {
        painted_at: job.finished_at.unwrap_or(job.created_at),
        job: job.id.into(),
        similar: None,
        own_words: None,
        reason: None,
        picture: None,
    };
    let outcome = job.outcome?;
    Some(Answer { outcome, found })
}
