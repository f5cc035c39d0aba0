//! Claims of messages. One claim waits for work; others join while there is more.

use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, info_span};

use crate::{
    job::Task,
    queue::{Claim, Lane},
    worker::Worker,
};

/// Claims at a time, which the stores answer together: one after the other they would wait for
/// as many commits.
const CLAIMS: usize = 16;

/// What the claims of one loop share.
struct Shared {
    lanes: Vec<Lane>,
    permits: Arc<Semaphore>,
    /// Another claim may find something.
    more: Notify,
    tasks: TaskTracker,
}

impl Worker {
    /// Delivers messages of these lanes, `size` at a time.
    pub(in crate::worker) async fn deliver_messages(
        self: Arc<Self>,
        lanes: Vec<Lane>,
        size: usize,
        tasks: TaskTracker,
    ) {
        let shared = Arc::new(Shared {
            lanes,
            permits: Arc::new(Semaphore::new(size)),
            more: Notify::new(),
            tasks,
        });
        for _ in 1..CLAIMS {
            let helper = Arc::clone(&self).help(Arc::clone(&shared));
            shared.tasks.spawn(helper);
        }
        while let Some(permit) = self.permit(&shared).await {
            let Some(claim) = self.next(&shared.lanes).await else {
                return;
            };
            self.begin_message(&shared, claim, permit);
        }
    }

    /// Claims whenever another claim has found something, until nothing is left.
    async fn help(self: Arc<Self>, shared: Arc<Shared>) {
        loop {
            tokio::select! {
                () = shared.more.notified() => {}
                () = self.drain.cancelled() => return,
            }
            while let Some(permit) = self.permit(&shared).await {
                if self.blocked(&shared.lanes).await.is_some() {
                    break;
                }
                let (now, lease) = (self.clock.now(), self.settings.lease);
                match self.queue.claim(&shared.lanes, now, lease).await {
                    Ok(Claim::Idle(_)) | Err(_) => break,
                    Ok(claim) => self.begin_message(&shared, claim, permit),
                }
            }
        }
    }

    /// The right to make another call; `None` at shutdown.
    async fn permit(&self, shared: &Shared) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            biased;
            () = self.drain.cancelled() => None,
            permit = Arc::clone(&shared.permits).acquire_owned() => permit.ok(),
        }
    }

    fn begin_message(
        self: &Arc<Self>,
        shared: &Shared,
        claim: Claim,
        permit: OwnedSemaphorePermit,
    ) {
        shared.more.notify_one();
        let worker = Arc::clone(self);
        let (job, recorded) = match claim {
            Claim::Idle(_) => return,
            Claim::Call(job) => (job, false),
            Claim::Deliver(job, _) => (job, true),
        };
        let span = info_span!("message", id = job.id, attempt = job.attempt);
        let delivery = async move {
            match &job.request.task {
                Task::Message(task) if !recorded => worker.deliver_message(&job, task).await,
                _ => worker.deliver_again(&job, 0).await,
            }
            drop(permit);
        };
        shared.tasks.spawn(delivery.instrument(span));
    }
}
