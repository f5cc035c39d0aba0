//! Keeps a lease alive while a call runs, and carries its progress.

use std::time::Duration;

use axum::body::Bytes;
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Worker, attempt::describe};
use crate::{
    job::Visibility,
    providers,
    queue::{Error, Job, Notified, Report, Ticket},
};

/// Progress is written at most this often.
const PACE: Duration = Duration::from_millis(250);

/// A lease that could not be extended is tried again after this.
const RETRY: Duration = Duration::from_millis(500);

/// What is known of the lease.
enum Beat {
    Ours,
    /// The store did not answer.
    Unheard,
    /// The job was cancelled, or claimed by another.
    Lost,
}

/// The preview that is shown.
struct Shown {
    bytes: Option<Bytes>,
    /// Its blob.
    key: Option<String>,
    visibility: Visibility,
}

impl Worker {
    /// Extends the lease in every third of it, and soon when the job changes or
    /// progresses, until the call has `ended`; says so when the lease is `lost`.
    /// A call that ends at once needs no heartbeat. Returns the blob of the last
    /// preview, which nobody else deletes.
    pub(super) async fn hold(
        &self,
        job: &Job,
        mut reports: watch::Receiver<providers::Report>,
        lost: &CancellationToken,
        ended: &CancellationToken,
    ) -> Option<String> {
        let ticket = job.ticket();
        let mut shown = Shown {
            bytes: None,
            key: None,
            visibility: job.request.task.visibility(),
        };
        // While the store is away nothing is claimed: the lease is to be extended
        // before it is found to have run out.
        let mut unheard = None;
        tokio::select! {
            () = ended.cancelled() => {}
            () = self.pace() => {}
        }
        while !ended.is_cancelled() {
            let ring = self.queue.notifier().listen(&ticket.id);
            let report = reports.borrow_and_update().clone();
            match self.beat(&ticket, report, &mut shown).await {
                Beat::Ours => unheard = None,
                Beat::Unheard => unheard = unheard.or_else(|| Some(self.claims.hold())),
                Beat::Lost => {
                    lost.cancel();
                    break;
                }
            }
            tokio::select! {
                () = ended.cancelled() => {}
                () = sleep(RETRY), if unheard.is_some() => {}
                () = self.pause(ring, &mut reports) => {}
            }
        }
        shown.key
    }

    /// Extends the lease once.
    async fn beat(&self, ticket: &Ticket, report: providers::Report, shown: &mut Shown) -> Beat {
        let outdated = self.show(report.preview, shown).await;
        let report = Report {
            progress: report.progress,
            preview: shown.key.clone(),
        };
        let now = self.clock.now();
        let extended = self.queue.extend(ticket, now, self.settings.lease, report);
        let beat = match extended.await {
            Ok(()) => Beat::Ours,
            Err(Error::Store(error)) => {
                warn!(%error, "the lease could not be extended");
                Beat::Unheard
            }
            Err(_) => Beat::Lost,
        };
        self.discard(outdated.iter().map(String::as_str)).await;
        beat
    }

    /// Keeps a new preview; the blob of the one before it.
    async fn show(&self, preview: Option<Bytes>, shown: &mut Shown) -> Option<String> {
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

    async fn pause(&self, ring: Notified, reports: &mut watch::Receiver<providers::Report>) {
        self.pace().await;
        tokio::select! {
            () = ring => {}
            Ok(()) = reports.changed() => {}
            () = sleep(self.settings.lease / 3) => {}
        }
    }

    async fn pace(&self) {
        sleep(PACE.min(self.settings.lease / 3)).await;
    }
}
