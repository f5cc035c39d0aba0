//! Orders that the queue may or may not have: the store became unreachable while they were being added.
//! The client got an error, so they must not be carried out and charged once the store is back.

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

/// How long a request waits for a store that has become unreachable.
const PATIENCE: Duration = Duration::from_secs(8);

const PAUSE: Duration = Duration::from_millis(200);

/// Orders that the queue may or may not have.
#[derive(Debug, Default)]
pub struct UncertainOrders(Mutex<Vec<UncertainOrder>>);

#[derive(Debug)]
struct UncertainOrder {
    job: NewJob,
    receipts: Vec<Receipt>,
}

impl UncertainOrders {
    pub(super) fn note(&self, job: NewJob, receipts: Vec<Receipt>) {
        self.put(UncertainOrder { job, receipts });
    }

    fn put(&self, order: UncertainOrder) {
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        orders.push(order);
    }

    fn take(&self) -> Vec<UncertainOrder> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Studio {
    /// Adds the job. A store that becomes unreachable meanwhile may have added it, so adding is retried with
    /// the same id.
    pub(super) async fn enqueue_or_retry(
        &self,
        job: &NewJob,
        now: Timestamp,
    ) -> Result<Job, queue::Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.stores.queue.enqueue(job.clone(), now).await {
                Err(queue::Error::Store(error)) if error.is_away() && Instant::now() < deadline => {
                    debug!(%error, id = job.id, "it is not known yet whether an order was queued; retrying");
                    sleep(PAUSE).await;
                }
                result => return result,
            }
        }
    }

    /// Takes back the uncertain orders, if the store answers again.
    pub async fn resolve_uncertain(self: &Arc<Self>) {
        for order in self.uncertain_orders.take() {
            if let Err(error) = self.take_back(&order).await {
                debug!(%error, id = order.job.id, "an order is still uncertain");
                self.uncertain_orders.put(order);
            }
        }
    }

    /// Adds the job for certain first, so that an earlier request still on its way to the store changes
    /// nothing, and then cancels it. A job that has started meanwhile is carried out; an equal order joins it.
    async fn take_back(self: &Arc<Self>, order: &UncertainOrder) -> Result<(), Error> {
        let now = self.stores.clock.now();
        let job = match self.stores.queue.enqueue(order.job.clone(), now).await {
            Ok(job) => job,
            Err(queue::Error::NotFound) => return Ok(()),
            Err(queue::Error::NoAnswer) => {
                self.refund(&order.job.id, order.receipts.clone()).await;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        match job.status {
            Status::Queued => match self.stores.queue.cancel(&job.id, now).await {
                Ok(Cancellation { ended, .. }) => {
                    if ended.iter().all(|end| end.bill == Bill::NOTHING) {
                        self.refund(&job.id, order.receipts.clone()).await;
                    }
                    self.process_ended(ended).await;
                    info!(
                        id = job.id,
                        "an order that was answered with an error was taken back"
                    );
                    Ok(())
                }
                Err(queue::Error::NotFound | queue::Error::Illegal(_)) => Ok(()),
                Err(error) => Err(error.into()),
            },
            Status::Succeeded => {
                self.refund(&job.id, order.receipts.clone()).await;
                self.process_answered(&job).await;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
