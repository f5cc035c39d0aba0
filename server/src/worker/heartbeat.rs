//! Extends a lease while its call runs, and reports the call's progress.

use std::time::Duration;

use bytes::Bytes;
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Worker, attempt::describe};
use crate::{
    blob::BlobKey,
    job::Visibility,
    providers,
    queue::{Error, Job, Notified, Report, Ticket},
};

/// Minimum interval between writes of progress.
const PACE: Duration = Duration::from_millis(250);

/// Pause after which a failed extension is retried.
pub(super) const RETRY: Duration = Duration::from_millis(500);

/// The result of extending the lease.
pub(super) enum Beat {
    Extended,
    /// The store did not answer.
    Unanswered,
    /// The job was cancelled, or claimed by another worker.
    Lost,
}

/// The current preview.
struct Shown {
    bytes: Option<Bytes>,
    /// Its blob.
    key: Option<BlobKey>,
    visibility: Visibility,
}

impl Worker {
    /// Extends the lease after every third of it, and earlier when the job changes or
    /// progresses, until the call has `ended`; cancels `lost` if the lease is lost.
    /// A short call needs no heartbeat. Returns the blob of the last preview, which
    /// the caller must delete.
    pub(super) async fn hold(
        &self,
        job: &Job,
        mut reports: watch::Receiver<providers::Report>,
        lost: &CancellationToken,
        ended: &CancellationToken,
    ) -> Option<BlobKey> {
        let ticket = job.ticket();
        let mut shown = Shown {
            bytes: None,
            key: None,
            visibility: job.request.task.visibility(),
        };
        // Nothing is claimed while the store is unreachable, so that the lease is extended
        // before a claim finds it expired.
        let mut unanswered = None;
        tokio::select! {
            () = ended.cancelled() => {}
            () = self.pace() => {}
        }
        while !ended.is_cancelled() {
            let notified = self.queue.notifier().listen(&ticket.id);
            let report = reports.borrow_and_update().clone();
            match self.beat(&ticket, report, &mut shown).await {
                Beat::Extended => unanswered = None,
                Beat::Unanswered => unanswered = unanswered.or_else(|| Some(self.claims.hold())),
                Beat::Lost => {
                    lost.cancel();
                    break;
                }
            }
            tokio::select! {
                () = ended.cancelled() => {}
                () = sleep(RETRY), if unanswered.is_some() => {}
                () = self.pause(notified, &mut reports) => {}
            }
        }
        shown.key
    }

    /// Extends the lease once.
    async fn beat(&self, ticket: &Ticket, report: providers::Report, shown: &mut Shown) -> Beat {
        let outdated = self.show(report.preview, shown).await;
        let report = Report {
            progress: report.progress,
            preview: shown.key.clone().map(String::from),
        };
        let beat = self.extend(ticket, report).await;
        self.discard(&outdated).await;
        beat
    }

    /// Extends the lease once, with what is reported of the call.
    pub(super) async fn extend(&self, ticket: &Ticket, report: Report) -> Beat {
        let now = self.clock.now();
        let extended = self.queue.extend(ticket, now, self.settings.lease, report);
        match extended.await {
            Ok(()) => Beat::Extended,
            Err(Error::Store(error)) => {
                warn!(%error, "the lease could not be extended");
                Beat::Unanswered
            }
            Err(_) => Beat::Lost,
        }
    }

    /// Keeps a new preview. Returns the blob of the one it replaces.
    async fn show(&self, preview: Option<Bytes>, shown: &mut Shown) -> Option<BlobKey> {
        let preview = preview.filter(|preview| shown.bytes.as_ref() != Some(preview))?;
        shown.bytes = Some(preview.clone());
        let description = describe(preview.clone()).await?;
        let kept = self
            .blobs
            .keep(preview, description.extension, shown.visibility);
        match kept.await {
            Ok(key) => shown.key.replace(key),
            Err(error) => {
                warn!(%error, "a preview could not be kept");
                None
            }
        }
    }

    async fn pause(&self, notified: Notified, reports: &mut watch::Receiver<providers::Report>) {
        self.pace().await;
        tokio::select! {
            () = notified => {}
            Ok(()) = reports.changed() => {}
            () = sleep(self.settings.lease / 3) => {}
        }
    }

    async fn pace(&self) {
        sleep(PACE.min(self.settings.lease / 3)).await;
    }
}
