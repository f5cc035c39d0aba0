//! The outbox: after a job has ended, its charge is settled and its callback is
//! queued. The queue has recorded the end in the same transaction; the steps are
//! idempotent, and the entry is acknowledged only after them.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use tracing::warn;

use super::{Error, Studio, charging::settlements};
use crate::queue::{Ended, Job};

/// Entries processed concurrently: enough to share the stores' round trips.
const CONCURRENCY: usize = 32;

/// Entries read at a time.
const PAGE: usize = 200;

impl Studio {
    /// Processes jobs that have just ended. What fails now is retried later, from
    /// the outbox.
    pub(super) async fn process_ended(&self, ended: Vec<Ended>) {
        let processed = stream::iter(ended).for_each_concurrent(CONCURRENCY, |end| async move {
            if let Err(error) = self.process(&end).await {
                warn!(%error, id = end.job.id, "an ended job stays in the outbox");
            }
        });
        processed.await;
    }

    /// Processes a job that was answered when it was added. Returns whether there was anything to do. Its
    /// charge is settled on return; the rest runs in the background.
    pub(super) async fn process_answered(self: &Arc<Self>, job: &Job) -> bool {
        let end = Ended::answered(job);
        if !end.is_noted() {
            return false;
        }
        match self.settle_end(&end).await {
            Ok(()) => drop(tokio::spawn(Arc::clone(self).notify_later(end))),
            Err(error) => warn!(%error, id = end.job.id, "an ended job stays in the outbox"),
        }
        true
    }

    async fn notify_later(self: Arc<Self>, end: Ended) {
        if let Err(error) = self.notify(&end).await {
            warn!(%error, id = end.job.id, "an ended job stays in the outbox");
        }
    }

    /// Processes the entries older than `min_age`: the process responsible for them
    /// died, or its stores were unreachable.
    pub async fn process_outbox(&self, min_age: Duration) -> Result<(), Error> {
        let now = self.stores.clock.now();
        let latest = now.checked_sub(min_age).unwrap_or(now);
        let mut last = None;
        loop {
            let mut page = self.stores.queue.outbox(last.as_deref(), PAGE).await?;
            let Some(end) = page.last() else {
                return Ok(());
            };
            last = Some(end.key.clone());
            page.retain(|end| end.job.finished_at.is_none_or(|at| at <= latest));
            self.process_ended(page).await;
        }
    }

    async fn process(&self, end: &Ended) -> Result<(), Error> {
        self.settle_end(end).await?;
        self.notify(end).await
    }

    async fn settle_end(&self, end: &Ended) -> Result<(), Error> {
        let settlements = settlements(&end.job, &end.bill);
        Ok(self.settle(&end.job.id, settlements).await?)
    }

    /// Queues the notice and acknowledges the entry, whose charge is settled.
    async fn notify(&self, end: &Ended) -> Result<(), Error> {
        self.queue_notice(end).await?;
        Ok(self.stores.queue.acknowledge(&end.key).await?)
    }
}
