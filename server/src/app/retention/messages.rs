//! Retention of messages: those that were delivered or cancelled are deleted after a short time,
//! thousands a second if as many are published. Dead letters are kept as other failed jobs are.

use atelier_api::Status;
use jiff::Timestamp;
use tracing::debug;

use super::{super::Error, Pace, Studio};
use crate::{job::Task, queue, store};

/// Old jobs looked up at a time.
const BATCH: usize = 500;

/// Jobs deleted concurrently: the stores share the cost of a commit among them.
const CONCURRENCY: usize = 64;

/// Names the mark up to which finished jobs have been searched for messages.
const MESSAGES: &str = "messages";

impl Studio {
    /// Deletes old messages. To be called every few seconds.
    pub async fn sweep_messages(&self) -> Result<(), Error> {
        let now = self.stores.clock.now();
        let Ok(before) = now.checked_sub(self.settings.messages_kept) else {
            return Ok(());
        };
        let pace = Pace {
            batch: BATCH,
            concurrency: CONCURRENCY,
        };
        let visit = |id| self.delete_message_if_old(id);
        self.visit_finished(MESSAGES, before, pace, visit).await
    }

    /// Deletes the job if it is a message that did not fail. Returns when it had ended.
    async fn delete_message_if_old(&self, id: String) -> Result<Option<Timestamp>, Error> {
        let job = match self.stores.queue.get(&id).await {
            Err(queue::Error::Store(store::Error::Record(_))) => return Ok(None),
            job => job?,
        };
        let Some(job) = job else { return Ok(None) };
        let is_message = matches!(job.request.task, Task::Message(_));
        if !is_message || job.status == Status::Failed {
            return Ok(job.finished_at);
        }
        match self.stores.queue.delete(&id).await {
            Ok(orphans) if orphans.is_empty() => {}
            Ok(orphans) => self.discard_all(orphans).await,
            // Another process was faster.
            Err(queue::Error::NotFound | queue::Error::Illegal(_)) => {}
            Err(error) => return Err(error.into()),
        }
        debug!(id, "message deleted");
        Ok(job.finished_at)
    }
}
