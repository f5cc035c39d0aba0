//! Messages that were published: looked at, and cancelled.

use atelier_api::Status;
use atelier_messages::{
    Message, State,
    filter::{Facts, Filter},
};
use atelier_queue::In;
use bytes::Bytes;

use super::{Error, Messages, Page, Result, Sender, pages::page, task_of};
use crate::{job::MessageTask, queue::Job};

/// Cancellations between two looks at the list.
const BATCH: usize = 200;

/// A message, with its body.
#[derive(Debug, Clone)]
pub struct Found {
    pub id: String,
    pub task: MessageTask,
    pub body: Bytes,
}

impl Messages {
    /// The owner's message, also when it has been delivered or has failed.
    pub async fn message(&self, sender: &Sender, id: &str) -> Result<Found> {
        let job = self.job(sender, id).await?;
        let task = task_of(&job).filter(|_| job.status != Status::Cancelled);
        let task = task.ok_or_else(|| Error::unknown("message", id))?;
        let body = task.body.read(&self.studio.stores.blobs).await;
        Ok(Found {
            id: job.id.clone(),
            body: body.map_err(crate::app::Error::from)?,
            task: task.clone(),
        })
    }

    /// Cancels the owner's message. Returns how many were still to be delivered.
    pub async fn cancel(&self, sender: &Sender, id: &str) -> Result<usize> {
        let job = self.job(sender, id).await?;
        Ok(self.cancel_job(sender, &job).await?.into())
    }

    /// Cancels at most so many of the owner's messages that the filter wants, the newest
    /// first. Callbacks are cancelled by their ids alone. Returns how many there were, and
    /// where the next ones begin.
    pub async fn cancel_wanted(
        &self,
        sender: &Sender,
        filter: &Filter,
        most: usize,
    ) -> Result<(usize, Option<String>)> {
        if let Some(ids) = &filter.messages {
            return Ok((self.cancel_named(sender, filter, ids).await?, None));
        }
        let wanted = |job: &Job| {
            let task = task_of(job).filter(|task| task.message.about.is_none());
            task.is_some_and(|task| wants(filter, job, &task.message))
        };
        let (mut cursor, mut count) = (filter.cursor.clone(), 0);
        let owner = sender.queue_owner();
        loop {
            let limit = BATCH.min(most - count);
            let read = page(&self.studio, &owner, In::Unfinished, cursor, limit, wanted);
            let Page {
                items,
                cursor: rest,
            } = read.await?;
            for job in &items {
                count += usize::from(self.cancel_job(sender, job).await?);
            }
            if rest.is_none() || count >= most || items.len() < limit {
                return Ok((count, rest));
            }
            cursor = rest;
        }
    }

    /// Cancels those with these ids, if the filter wants them otherwise. Those that are not
    /// there do not count.
    async fn cancel_named(
        &self,
        sender: &Sender,
        filter: &Filter,
        ids: &[String],
    ) -> Result<usize> {
        let mut count = 0;
        for id in ids {
            let job = match self.job(sender, id).await {
                Err(Error::NotFound(_)) => continue,
                job => job?,
            };
            if task_of(&job).is_some_and(|task| wants(filter, &job, &task.message)) {
                count += usize::from(self.cancel_job(sender, &job).await?);
            }
        }
        Ok(count)
    }

    /// Cancels a message. Returns whether it was still to be delivered.
    pub(super) async fn cancel_job(&self, sender: &Sender, job: &Job) -> Result<bool> {
        let Some(task) = task_of(job) else {
            return Ok(false);
        };
        if job.status.is_terminal() || !self.studio.cancel_message(&job.id).await? {
            return Ok(false);
        }
        let (owner, about, now) = (&sender.owner, task.message.without_headers(), self.now());
        if job.status == Status::Running {
            let requested = State::CancelRequested;
            self.note(owner, &job.id, requested, about.clone(), now);
        }
        self.note(owner, &job.id, State::Canceled, about, now);
        Ok(true)
    }

    /// The owner's message as a job.
    pub(super) async fn job(&self, sender: &Sender, id: &str) -> Result<Job> {
        let job = self.studio.stores.queue.get(id).await?;
        let job = job.filter(|job| job.owner == sender.queue_owner() && task_of(job).is_some());
        job.ok_or_else(|| Error::unknown("message", id))
    }
}

fn wants(filter: &Filter, job: &Job, message: &Message) -> bool {
    filter.matches(&Facts {
        id: &job.id,
        dead_letter: None,
        message,
        state: None,
        status: None,
        time: message.created_at,
    })
}
