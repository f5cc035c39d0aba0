//! Finds earlier answers to prompts that mean the same.

use futures::future::join_all;
use jiff::Timestamp;
use tracing::debug;

use super::{
    Caller, Error, Studio,
    reuse::{Answer, answer},
};
use crate::{
    cache::{
        guard::Kind,
        semantic::{self, Candidate, Earlier, Semantic},
    },
    job::{Found, ImageTask, Likeness, Outcome, Owner, Request, Task},
    queue::Job,
};

/// An earlier job whose prompt may mean the same.
struct SimilarJob {
    job: Job,
    prompt: String,
    similarity: f32,
    own: bool,
}

impl SimilarJob {
    /// `None` if the job is not comparable: the index may be stale, so the stored request decides.
    fn of(caller: &Caller, job: Job, similarity: f32, parameters: &str) -> Option<Self> {
        let Task::Image(task) = &job.request.task else {
            return None;
        };
        if job.request.parameters(Some(&Owner::of(&job))) != parameters {
            return None;
        }
        Some(Self {
            prompt: task.prompt.clone(),
            own: caller.owns(&job),
            similarity,
            job,
        })
    }

    fn earlier(&self) -> Earlier {
        Earlier {
            prompt: self.prompt.clone(),
            stranger: !self.own,
        }
    }
}

impl Studio {
    /// An earlier picture to suggest beside the requested one.
    pub(super) async fn suggestion(
        &self,
        caller: &Caller,
        request: &Request,
        now: Timestamp,
    ) -> Option<Found> {
        let Answer { outcome, mut found } = self.similar_answer(caller, request, now).await?;
        if let Outcome::Succeeded { pictures, .. } = outcome {
            found.picture = pictures.into_iter().next();
        }
        Some(found)
    }

    /// Returns the answer to an earlier prompt that means the same. Any error is a miss.
    pub(super) async fn similar_answer(
        &self,
        caller: &Caller,
        request: &Request,
        now: Timestamp,
    ) -> Option<Answer> {
        let (semantic, task) = self.comparable(request)?;
        let asked = semantic::read(Kind::Picture, &task.prompt).await?;
        let parameters = request.parameters(caller.owner.as_ref());
        let candidates = semantic.candidates(&parameters, &asked, now).await;
        let jobs = self.comparable_jobs(caller, candidates, &parameters, now);
        let mut jobs = jobs.await.inspect_err(log_error).ok()?;
        while !jobs.is_empty() {
            let earlier = jobs.iter().map(SimilarJob::earlier).collect();
            let verdicts = semantic::judge(&asked, earlier).await;
            if verdicts.is_empty() {
                return None;
            }
            let rest = jobs.split_off(verdicts.len());
            for (earlier, verdict) in jobs.into_iter().zip(verdicts) {
                // The reason quotes words of prompts: never above debug level.
                debug!(
                    job = earlier.job.id,
                    similarity = earlier.similarity,
                    agree = verdict.agree,
                    reason = verdict.reason,
                    "prompts compared"
                );
                if verdict.agree {
                    let answer = self.answer_of(caller, earlier, verdict.reason, now).await;
                    if let Some(answer) = answer.inspect_err(log_error).ok()? {
                        return Some(answer);
                    }
                }
            }
            jobs = rest;
        }
        None
    }

    /// The candidates' jobs that may be compared.
    async fn comparable_jobs(
        &self,
        caller: &Caller,
        candidates: Vec<Candidate>,
        parameters: &str,
        now: Timestamp,
    ) -> Result<Vec<SimilarJob>, Error> {
        let jobs = candidates.iter().map(|one| self.stores.queue.get(&one.id));
        let jobs = join_all(jobs).await;
        let mut comparable = Vec::with_capacity(jobs.len());
        for (candidate, job) in candidates.into_iter().zip(jobs) {
            match (job?, &self.stores.semantic) {
                (Some(job), _) => {
                    let job = SimilarJob::of(caller, job, candidate.similarity, parameters);
                    comparable.extend(job);
                }
                (None, Some(semantic)) => semantic.forget(&candidate.id, now).await,
                (None, None) => {}
            }
        }
        Ok(comparable)
    }

    /// The similar job's answer, if it may still be given to the caller.
    async fn answer_of(
        &self,
        caller: &Caller,
        similar: SimilarJob,
        reason: String,
        now: Timestamp,
    ) -> Result<Option<Answer>, Error> {
        let Some(semantic) = &self.stores.semantic else {
            return Ok(None);
        };
        let SimilarJob {
            job,
            prompt,
            similarity,
            own,
        } = similar;
        if !semantic.holds(&job.id).await || !self.may_answer(caller, &job).await? {
            return Ok(None);
        }
        let Some(Answer {
            mut outcome,
            mut found,
        }) = answer(job)
        else {
            return Ok(None);
        };
        if let Outcome::Succeeded { left_out, .. } = &mut outcome
            && !own
        {
            // They are a stranger's words.
            left_out.clear();
        }
        if !self.has_files(Some(&outcome)).await {
            return Ok(None);
        }
        semantic.touch(&found.job, now).await;
        found.similar = Some(Likeness { similarity });
        found.own_words = own.then_some(prompt);
        found.reason = Some(reason);
        Ok(Some(Answer { outcome, found }))
    }

    /// The semantic cache and the task, if the request is one whose meaning is compared.
    pub(super) fn comparable<'a>(
        &self,
        request: &'a Request,
    ) -> Option<(&Semantic, &'a ImageTask)> {
        let semantic = self.stores.semantic.as_deref()?;
        match &request.task {
            // An enlarged picture has the words of its source.
            Task::Image(task) if task.enlarge.is_none() => Some((semantic, task)),
            _ => None,
        }
    }
}

fn log_error(error: &Error) {
    debug!(%error, "semantic lookup failed");
}
