//! What is left to do when a job has ended: its charge is settled, and whoever
//! asked for it is told. The queue has noted the end; each of the steps may be
//! repeated, and only then is the note forgotten.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use tracing::warn;

use super::{Error, Studio, charging::settlements};
use crate::queue::{Ended, Job};

/// Ends attended to at a time: enough to share the stores' round trips.
const AT_ONCE: usize = 32;

/// Ends read at a time.
const PAGE: usize = 200;

impl Studio {
    /// Attends to ends that were just brought about. What cannot be done now is
    /// done later, from the outbox.
    pub(super) async fn attend(&self, ended: Vec<Ended>) {
        let attended = stream::iter(ended).for_each_concurrent(AT_ONCE, |end| async move {
            if let Err(error) = self.attend_to(&end).await {
                warn!(%error, id = end.job.id, "an end waits in the outbox");
            }
        });
        attended.await;
    }

    /// Attends to the end of a job that was answered when it was added, if anything is left to do; whether
    /// there was. Its charge is settled when this returns, the rest is done behind the answer.
    pub(super) async fn attend_answered(self: &Arc<Self>, job: &Job) -> bool {
        let end = Ended::answered(job);
        if !end.is_noted() {
            return false;
        }
        match self.settle_end(&end).await {
            Ok(()) => drop(tokio::spawn(Arc::clone(self).close_later(end))),
            Err(error) => warn!(%error, id = end.job.id, "an end waits in the outbox"),
        }
        true
    }

    async fn close_later(self: Arc<Self>, end: Ended) {
        if let Err(error) = self.close(&end).await {
            warn!(%error, id = end.job.id, "an end waits in the outbox");
        }
    }

    /// Attends to what has been in the outbox for so long: a process died that
    /// should have, or its stores were away.
    pub async fn attend_outbox(&self, unattended: Duration) -> Result<(), Error> {
        let now = self.clock.now();
        let latest = now.checked_sub(unattended).unwrap_or(now);
        let mut last = None;
        loop {
            let mut page = self.queue.outbox(last.as_deref(), PAGE).await?;
            let Some(end) = page.last() else {
                return Ok(());
            };
            last = Some(end.key.clone());
            page.retain(|end| end.job.finished_at.is_none_or(|at| at <= latest));
            self.attend(page).await;
        }
    }

    async fn attend_to(&self, end: &Ended) -> Result<(), Error> {
        self.settle_end(end).await?;
        self.close(end).await
    }

    async fn settle_end(&self, end: &Ended) -> Result<(), Error> {
        let settlements = settlements(&end.job, &end.bill);
        Ok(self.settle(&end.job.id, settlements).await?)
    }

    /// What is left to do for an end whose charge is settled.
    async fn close(&self, end: &Ended) -> Result<(), Error> {
        self.tell(end).await?;
        Ok(self.queue.acknowledge(&end.key).await?)
    }
}
