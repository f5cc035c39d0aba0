//! Orders that their clients named (`Idempotency-Key`): sent again, as after a lost connection, they are answered with
//! the same job. Two at one moment are joined by the queue, as all that are the same.

use std::time::Duration;

use atelier_api::Kind;
use tracing::warn;

use super::{Accepted, Caller, Error, Studio};
use crate::{cache, queue::Job};

/// How long a name stands for its order.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

impl Studio {
    /// The job that the caller named so, if it still exists. Charges nothing.
    pub async fn taken_before(
        &self,
        caller: &Caller,
        name: &str,
        kind: Kind,
    ) -> Result<Option<Accepted>, Error> {
        let Some(digest) = digest(caller, name) else {
            return Ok(None);
        };
        let now = self.stores.clock.now();
        let Some(entry) = self.stores.cache.get(&digest, now).await? else {
            return Ok(None);
        };
        let job = self.stores.queue.get(&entry.value).await?;
        let Some(job) = job.filter(|job| caller.owns(job)) else {
            return Ok(None);
        };
        let standings = self.standings(caller, kind).await?;
        Ok(Some(Accepted { job, standings }))
    }

    /// Notes what the caller named an order.
    pub async fn note_name(&self, caller: &Caller, name: &str, job: &Job) {
        let Some(digest) = digest(caller, name) else {
            return;
        };
        let now = self.stores.clock.now();
        if let Err(error) = self.stores.cache.put(&digest, &job.id, now, KEPT).await {
            // The order has been taken all the same.
            warn!(%error, id = job.id, "an order's name could not be kept");
        }
    }
}

/// Callers who own nothing cannot ask again.
fn digest(caller: &Caller, name: &str) -> Option<String> {
    let owner = caller.owner.as_ref()?.to_string();
    Some(cache::digest(&["order", &owner, name]))
}
