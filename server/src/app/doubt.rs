//! Orders of which nobody knows whether the queue has them: the store went away while they were added.
//! They were answered with an error, so they must not be carried out and charged behind the visitor's
//! back once the store has returned.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use atelier_api::Status;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};
use tracing::{debug, info};

use super::{Error, Studio};
use crate::{
    limit::Receipt,
    queue::{self, Bill, Cancellation, Job, NewJob},
};

/// How long a visitor waits for a store that has gone away.
const PATIENCE: Duration = Duration::from_secs(8);

const PAUSE: Duration = Duration::from_millis(200);

/// The orders in doubt.
#[derive(Debug, Default)]
pub struct Doubts(Mutex<Vec<Doubt>>);

#[derive(Debug)]
struct Doubt {
    job: NewJob,
    receipts: Vec<Receipt>,
}

impl Doubts {
    pub(super) fn note(&self, job: NewJob, receipts: Vec<Receipt>) {
        self.put(Doubt { job, receipts });
    }

    fn put(&self, doubt: Doubt) {
        let mut doubts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        doubts.push(doubt);
    }

    fn take(&self) -> Vec<Doubt> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Studio {
    /// Adds the job. A store that goes away meanwhile may have taken it: it is asked again, for the same
    /// id.
    pub(super) async fn put(&self, job: &NewJob, now: Timestamp) -> Result<Job, queue::Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.queue.enqueue(job.clone(), now).await {
                Err(queue::Error::Store(error)) if error.is_away() && Instant::now() < deadline => {
                    debug!(%error, id = job.id, "whether an order was taken is not known yet");
                    sleep(PAUSE).await;
                }
                result => return result,
            }
        }
    }

    /// Takes back the orders in doubt, if the store answers again.
    pub async fn resolve_doubts(self: &Arc<Self>) {
        for doubt in self.doubts.take() {
            if let Err(error) = self.take_back(&doubt).await {
                debug!(%error, id = doubt.job.id, "an order is still in doubt");
                self.doubts.put(doubt);
            }
        }
    }

    /// The job is added for certain first: what of it may still be on its way to the store then changes
    /// nothing. One that has been begun meanwhile is carried out, and whoever orders the same again joins it.
    async fn take_back(self: &Arc<Self>, doubt: &Doubt) -> Result<(), Error> {
        let now = self.clock.now();
        let job = match self.queue.enqueue(doubt.job.clone(), now).await {
            Ok(job) => job,
            Err(queue::Error::NotFound) => return Ok(()),
            Err(queue::Error::NoAnswer) => {
                self.refund(&doubt.job.id, doubt.receipts.clone()).await;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        match job.status {
            Status::Queued => match self.queue.cancel(&job.id, now).await {
                Ok(Cancellation { ended, .. }) => {
                    if ended.iter().all(|end| end.bill == Bill::NOTHING) {
                        self.refund(&job.id, doubt.receipts.clone()).await;
                    }
                    self.attend(ended).await;
                    info!(
                        id = job.id,
                        "an order that was answered with an error is taken back"
                    );
                    Ok(())
                }
                Err(queue::Error::NotFound | queue::Error::Illegal(_)) => Ok(()),
                Err(error) => Err(error.into()),
            },
            Status::Succeeded => {
                self.refund(&job.id, doubt.receipts.clone()).await;
                self.attend_answered(&job).await;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
