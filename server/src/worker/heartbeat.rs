//! Keeps a lease alive while a call runs, and carries its progress.

use std::time::Duration;

use jiff::Timestamp;
use tokio::{sync::watch, time::sleep};
use tracing::warn;

use crate::queue::{Error, Queue, Ticket};

/// Progress is written at most this often.
const PACE: Duration = Duration::from_millis(250);

/// Extends the lease in every third of it, and at once when the job changes or
/// progresses. Returns when the lease is lost.
pub(super) async fn keep(
    queue: &dyn Queue,
    ticket: &Ticket,
    lease: Duration,
    mut reports: watch::Receiver<Option<f32>>,
) {
    loop {
        let ring = queue.bell().listen(&ticket.id);
        let progress = *reports.borrow_and_update();
        match queue
            .extend(ticket, Timestamp::now(), lease, progress)
            .await
        {
            Ok(()) => {}
            Err(Error::Store(error)) => warn!(%error, "the lease could not be extended"),
            Err(_) => return,
        }
        sleep(PACE.min(lease / 3)).await;
        tokio::select! {
            () = ring => {}
            Ok(()) = reports.changed() => {}
            () = sleep(lease / 3) => {}
        }
    }
}
