//! What was made before for words that mean the same.

use futures::future::join_all;
use jiff::Timestamp;
use tracing::debug;

use super::{
    Caller, Error, Studio,
    reuse::{Answer, answer},
};
use crate::{
    cache::semantic::{self, Candidate, Earlier, Semantic},
    job::{Found, ImageTask, Likeness, Outcome, Request, Task},
    queue::Job,
};

/// A job whose words may mean the same.
struct Known {
    job: Job,
    prompt: String,
    similarity: f32,
    own: bool,
}

impl Known {
    /// The index may lag behind; the request has the last word.
    fn of(caller: &Caller, job: Job, similarity: f32, parameters: &str) -> Option<Self> {
        let Task::Image(task) = &job.request.task else {
            return None;
        };
        if job.request.parameters(&job.owner) != parameters {
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
    /// An earlier picture to be shown beside the one that is asked for.
    pub(super) async fn suggestion(
        &self,
        caller: &Caller,
        request: &Request,
        now: Timestamp,
    ) -> Option<Found> {
        let Answer { outcome, mut found } = self.similar(caller, request, now).await?;
        if let Outcome::Succeeded { pictures, .. } = outcome {
            found.picture = pictures.into_iter().next();
        }
        Some(found)
    }

    /// Whatever goes wrong is a miss.
    pub(super) async fn similar(
        &self,
        caller: &Caller,
        request: &Request,
        now: Timestamp,
    ) -> Option<Answer> {
        let (semantic, task) = self.comparable(request)?;
        let asked = semantic::read(&task.prompt).await?;
        let parameters = request.parameters(caller.owner.as_deref().unwrap_or_default());
        let candidates = semantic.candidates(&parameters, &asked, now).await;
        let known = self.known(caller, candidates, &parameters, now).await;
        let mut known = known.inspect_err(unasked).ok()?;
        while !known.is_empty() {
            let earlier = known.iter().map(Known::earlier).collect();
            let verdicts = semantic::judge(&asked, earlier).await;
            if verdicts.is_empty() {
                return None;
            }
            let rest = known.split_off(verdicts.len());
            for (known, verdict) in known.into_iter().zip(verdicts) {
                // The reason tells words of prompts.
                debug!(
                    job = known.job.id,
                    similarity = known.similarity,
                    agree = verdict.agree,
                    reason = verdict.reason,
                    "compared"
                );
                if verdict.agree {
                    let answer = self.alike(caller, known, verdict.reason, now).await;
                    if let Some(answer) = answer.inspect_err(unasked).ok()? {
                        return Some(answer);
                    }
                }
            }
            known = rest;
        }
        None
    }

    /// The jobs of the candidates that may be compared.
    async fn known(
        &self,
        caller: &Caller,
        candidates: Vec<Candidate>,
        parameters: &str,
        now: Timestamp,
    ) -> Result<Vec<Known>, Error> {
        let jobs = candidates.iter().map(|one| self.queue.get(&one.id));
        let jobs = join_all(jobs).await;
        let mut known = Vec::with_capacity(jobs.len());
        for (candidate, job) in candidates.into_iter().zip(jobs) {
            match (job?, &self.semantic) {
                (Some(job), _) => {
                    known.extend(Known::of(caller, job, candidate.similarity, parameters));
                }
                (None, Some(semantic)) => semantic.forget(&candidate.id, now).await,
                (None, None) => {}
            }
        }
        Ok(known)
    }

    /// The answer that the job is to the same words in others, if it may still be given.
    async fn alike(
        &self,
        caller: &Caller,
        known: Known,
        reason: String,
        now: Timestamp,
    ) -> Result<Option<Answer>, Error> {
        let Some(semantic) = &self.semantic else {
            return Ok(None);
        };
        let Known {
            job,
            prompt,
            similarity,
            own,
        } = known;
        if !semantic.holds(&job.id).await || !self.serves(caller, &job).await? {
            return Ok(None);
        }
        let Some(Answer { outcome, mut found }) = answer(job) else {
            return Ok(None);
        };
        if !self.has_files(Some(&outcome)).await {
            return Ok(None);
        }
        semantic.touch(&found.job, now).await;
        found.similar = Some(Likeness { similarity });
        found.own_words = own.then_some(prompt);
        found.reason = Some(reason);
        Ok(Some(Answer { outcome, found }))
    }

    /// A picture from words, where meanings are compared.
    pub(super) fn comparable<'a>(
        &self,
        request: &'a Request,
    ) -> Option<(&Semantic, &'a ImageTask)> {
        let semantic = self.semantic.as_deref()?;
        match &request.task {
            Task::Image(task) => Some((semantic, task)),
            _ => None,
        }
    }
}

fn unasked(error: &Error) {
    debug!(%error, "what means the same cannot be asked for");
}
