//! Dead letters: messages whose last call failed.

use atelier_messages::{
    filter::{Facts, Filter},
    ids,
};
use atelier_queue::{In, Outcome as Ended};
use bytes::Bytes;
use jiff::Timestamp;

use super::{Error, Found, Messages, Page, Result, Sender, pages::page, task_of};
use crate::{
    app,
    job::{JobId, Outcome},
    queue::Job,
};

/// Bytes of bodies in one part of a list: a part that would have more is shorter.
const LARGEST_PAGE: usize = 8_000_000;

/// Dead letters read at a time to be deleted or retried.
const BATCH: usize = 100;

/// A message whose last call failed.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    pub id: String,
    pub found: Found,
    /// The status of the last answer; 0 if there was none.
    pub status: u16,
    /// Its header fields.
    pub headers: Vec<(String, String)>,
    /// Its body; without an answer, why there is none.
    pub answer: Bytes,
}

/// What is done with dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Delete,
    Retry,
}

impl Messages {
    /// The owner's dead letters that the filter wants, the newest first: as many as it says,
    /// from its cursor on.
    pub async fn dead_letters(&self, sender: &Sender, filter: &Filter) -> Result<Page<DeadLetter>> {
        let (cursor, most) = (filter.cursor.clone(), filter.count());
        let found = self.dead_jobs(sender, filter, cursor, most).await?;
        let (mut letters, mut bytes, mut last) = (Vec::new(), 0, None);
        for job in &found.items {
            let letter = self.letter(job).await?;
            bytes += letter.found.body.len() + letter.answer.len();
            if bytes > LARGEST_PAGE && last.is_some() {
                let (items, cursor) = (letters, last);
                return Ok(Page { items, cursor });
            }
            last = Some(job.id.clone());
            letters.push(letter);
        }
        Ok(found.with(letters))
    }

    /// The owner's dead letter with that id.
    pub async fn dead_letter(&self, sender: &Sender, id: &str) -> Result<DeadLetter> {
        let job = self.dead_job(sender, id).await?;
        self.letter(&job).await
    }

    /// Deletes or retries the owner's dead letter. Returns its message.
    pub async fn settle_dead(&self, sender: &Sender, id: &str, action: Action) -> Result<String> {
        let job = self.dead_job(sender, id).await?;
        if self.act(&job, action).await? {
            return Ok(job.id);
        }
        Err(Error::unknown("dead letter", id))
    }

    /// Deletes or retries at most so many of the owner's dead letters that the filter wants.
    /// Returns their messages, and where the next ones begin.
    pub async fn settle_dead_wanted(
        &self,
        sender: &Sender,
        filter: &Filter,
        most: usize,
        action: Action,
    ) -> Result<Page<String>> {
        let (mut settled, mut cursor) = (Vec::new(), filter.cursor.clone());
        loop {
            let limit = BATCH.min(most - settled.len());
            let found = self.dead_jobs(sender, filter, cursor, limit).await?;
            for job in &found.items {
                if self.act(job, action).await? {
                    settled.push(job.id.clone());
                }
            }
            cursor = found.cursor;
            let ends = settled.len() >= most || found.items.len() < limit;
            if cursor.is_none() || ends {
                let items = settled;
                return Ok(Page { items, cursor });
            }
        }
    }

    async fn dead_jobs(
        &self,
        sender: &Sender,
        filter: &Filter,
        cursor: Option<String>,
        most: usize,
    ) -> Result<Page<Job>> {
        if let Some(ids) = &filter.dead_letters {
            let (items, cursor) = (self.dead_named(sender, filter, ids).await?, None);
            return Ok(Page { items, cursor });
        }
        let owner = sender.queue_owner();
        let wanted = |job: &Job| wants(filter, job);
        page(&self.studio, &owner, In::Failed, cursor, most, wanted).await
    }

    /// Those with these ids, if the filter wants them otherwise.
    async fn dead_named(
        &self,
        sender: &Sender,
        filter: &Filter,
        ids: &[String],
    ) -> Result<Vec<Job>> {
        let mut jobs = Vec::new();
        for id in ids {
            match self.dead_job(sender, id).await {
                Ok(job) if wants(filter, &job) => jobs.push(job),
                Ok(_) | Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(jobs)
    }

    async fn act(&self, job: &Job, action: Action) -> Result<bool> {
        Ok(match action {
            Action::Delete => {
                let id = JobId::from(job.id.as_str());
                self.studio.delete_message(&id).await?
            }
            Action::Retry => self.studio.retry_message(&job.id).await?,
        })
    }

    async fn dead_job(&self, sender: &Sender, id: &str) -> Result<Job> {
        let unknown = || Error::unknown("dead letter", id);
        let (ended, message) = ids::read_dead_letter(id).ok_or_else(unknown)?;
        let job = self
            .job(sender, message)
            .await
            .map_err(|error| match error {
                Error::NotFound(_) => unknown(),
                error => error,
            })?;
        let is_it = job.status == atelier_api::Status::Failed
            && ended_at(&job).as_millisecond() == ended.as_millisecond();
        if is_it { Ok(job) } else { Err(unknown()) }
    }

    async fn letter(&self, job: &Job) -> Result<DeadLetter> {
        let blobs = &self.studio.stores.blobs;
        let task = task_of(job).ok_or_else(|| Error::unknown("message", &job.id))?;
        let body = task.body.read(blobs).await.map_err(app::Error::from)?;
        let (status, headers, answer) = match &job.outcome {
            Some(Outcome::Answered(answered)) => {
                let body = answered.body.read(blobs).await.map_err(app::Error::from)?;
                (answered.status, answered.headers.clone(), body)
            }
            outcome => {
                let failure = outcome.as_ref().and_then(Ended::failure);
                let reason = failure.map(|failure| failure.message.clone());
                (0, Vec::new(), reason.unwrap_or_default().into())
            }
        };
        Ok(DeadLetter {
            id: ids::dead_letter(ended_at(job), &job.id),
            found: Found {
                id: job.id.clone(),
                task: task.clone(),
                body,
            },
            status,
            headers,
            answer,
        })
    }
}

fn wants(filter: &Filter, job: &Job) -> bool {
    let status = match &job.outcome {
        Some(Outcome::Answered(answered)) => answered.status,
        _ => 0,
    };
    let ended = ended_at(job);
    task_of(job).is_some_and(|task| {
        filter.matches(&Facts {
            id: &job.id,
            dead_letter: Some(&ids::dead_letter(ended, &job.id)),
            message: &task.message,
            state: None,
            status: Some(status),
            time: ended.as_millisecond(),
        })
    })
}

fn ended_at(job: &Job) -> Timestamp {
    job.finished_at.unwrap_or(job.created_at)
}
