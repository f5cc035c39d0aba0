//! Calls of the gateway as jobs: queued with what was charged for them, and shown.

use std::sync::Arc;

use atelier_api::Status;
use bytes::Bytes;
use tracing::{info, warn};

use super::{Error, Studio, order::new_id, view};
use crate::{
    blob::BlobKey,
    job::{JobId, Outcome, Task},
    limit::Receipt,
    queue::{self, Job, NewJob},
    telemetry::metrics,
};

impl Studio {
    /// An id for a job that is accepted now.
    pub fn new_job_id(&self) -> JobId {
        new_id(self.stores.clock.now())
    }

    /// Queues a call for which these receipts were given, with the blob of its body. If it
    /// was queued before, that job is returned; this one costs nothing.
    pub async fn queue_call(
        self: &Arc<Self>,
        call: NewJob,
        body: Option<(BlobKey, Bytes)>,
        receipts: Vec<Receipt>,
    ) -> Result<Job, Error> {
        let adding = self.enqueue_or_retry(&call, self.stores.clock.now());
        let job = match queue::add_with_body(&self.stores.blobs, body, adding).await {
            Ok(job) => job,
            Err(error) if error.is_uncertain() => {
                self.uncertain_orders.note(call, receipts);
                return Err(error.into());
            }
            Err(error) => {
                self.take_back_charge(receipts).await;
                return Err(error.into());
            }
        };
        if !is_same(&job, &call) {
            self.take_back_charge(receipts).await;
            return Ok(job);
        }
        info!(id = job.id, "call accepted");
        metrics::accepted(&job);
        if job.status == Status::Succeeded {
            self.process_answered(&job).await;
        }
        Ok(job)
    }

    /// The charge may be the first's by its id, so it is given back under another.
    async fn take_back_charge(&self, receipts: Vec<Receipt>) {
        self.refund(&self.new_job_id(), receipts).await;
    }

    /// Returns a call as JSON with its answer; `None` if the job is none.
    pub async fn call_view(&self, job: &Job) -> Option<view::CallJob> {
        let body = match &job.outcome {
            Some(Outcome::Answered(answered)) => {
                let read = answered.body.read(&self.stores.blobs).await;
                read.inspect_err(|error| warn!(%error, id = job.id, "an answer cannot be read"))
                    .ok()
            }
            _ => None,
        };
        view::call_job(job, body.as_ref())
    }
}

/// Whether the job is the one that was to be queued, rather than an earlier one.
fn is_same(job: &Job, call: &NewJob) -> bool {
    match (&job.request.task, &call.request.task) {
        (Task::Call(one), Task::Call(other)) => one.request == other.request,
        _ => false,
    }
}
