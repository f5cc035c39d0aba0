//! Retention of messages: those that were delivered or cancelled are deleted after a short time,
//! thousands a second if as many are published. Dead letters are kept as other failed jobs are.

use atelier_api::Status;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use tracing::debug;

use super::{super::Error, Studio};
use crate::{job::Task, queue, store};

/// Old jobs looked up at a time.
const BATCH: usize = 500;

/// Jobs deleted concurrently: the stores share the cost of a commit among them.
const CONCURRENCY: usize = 64;

/// Names the mark up to which finished jobs have been searched for messages.
const MESSAGES: &str = "messages";

impl Studio {
    /// Deletes old messages. To be called every few seconds. Every job is read once, by
    /// whichever process comes first: the mark up to which they have been read is kept in the
    /// store.
    pub async fn sweep_messages(&self) -> Result<(), Error> {
        let now = self.stores.clock.now();
        let Ok(before) = now.checked_sub(self.settings.messages_kept) else {
            return Ok(());
        };
        let (queue, files) = (&self.stores.queue, &self.stores.files);
        let mut looked_at = files.mark(MESSAGES).await?;
        let mut limit = BATCH;
        while looked_at < before {
            let old = queue.finished(looked_at..before, limit).await?;
            let all = old.len() < limit;
            let ends =
                stream::iter(old).map(|id| async move { self.delete_message_if_old(&id).await });
            let last = ends
                .buffer_unordered(CONCURRENCY)
                .try_fold(looked_at, |last, end| async move {
                    Ok(end.map_or(last, |end| last.max(end)))
                })
                .await?;
            // More may have finished in the same millisecond.
            limit = if last == looked_at { 2 * limit } else { BATCH };
            looked_at = if all { before } else { last };
            files.advance(MESSAGES, looked_at).await?;
        }
        Ok(())
    }

    /// Deletes the job if it is a message that did not fail. Returns when it had ended.
    async fn delete_message_if_old(&self, id: &str) -> Result<Option<Timestamp>, Error> {
        let job = match self.stores.queue.get(id).await {
            Err(queue::Error::Store(store::Error::Record(_))) => return Ok(None),
            job => job?,
        };
        let Some(job) = job else { return Ok(None) };
        let is_message = matches!(job.request.task, Task::Message(_));
        if !is_message || job.status == Status::Failed {
            return Ok(job.finished_at);
        }
        match self.stores.queue.delete(id).await {
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
