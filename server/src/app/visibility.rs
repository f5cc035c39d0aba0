//! Which callers see which jobs.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::{Caller, Error, Studio};
use crate::{
    job::{JobId, Visibility},
    queue::Job,
};

/// A long poll reads its job again after this long, in case a notification was missed.
const REREAD: Duration = Duration::from_secs(5);

impl Studio {
    /// Returns the job, if the caller may see it or is `invited` to. With `after`,
    /// waits until its version exceeds that, at most for `wait`.
    pub async fn status(
        &self,
        caller: &Caller,
        invited: bool,
        id: &JobId,
        after: Option<u64>,
        wait: Duration,
    ) -> Result<Option<Job>, Error> {
        let deadline = Instant::now() + wait;
        let mut leader: Option<String> = None;
        loop {
            let notified = self.stores.queue.notifier().listen(id);
            let leader_notified = self
                .stores
                .queue
                .notifier()
                .listen(leader.as_deref().unwrap_or(id));
            let job = self.stores.queue.get(id).await?;
            let job = self.shown(caller, invited, job).await?;
            let unchanged =
                matches!((&job, after), (Some(job), Some(after)) if job.version <= after);
            if !unchanged || Instant::now() >= deadline || self.drain.is_cancelled() {
                return Ok(job);
            }
            let calls = job.and_then(|job| job.leader);
            if calls != leader {
                // Read again: the leader may have notified before it was listened to.
                leader = calls;
                continue;
            }
            let woken = async {
                tokio::select! {
                    () = notified => {}
                    () = leader_notified => {}
                    () = sleep(REREAD) => {}
                    () = self.drain.cancelled() => {}
                }
            };
            let _ = timeout_at(deadline, woken).await;
        }
    }

    /// Returns the job, if the caller may see it.
    pub(super) async fn shown(
        &self,
        caller: &Caller,
        invited: bool,
        job: Option<Job>,
    ) -> Result<Option<Job>, Error> {
        let Some(mut job) = job else {
            return Ok(None);
        };
        let open = invited || job.request.task.visibility() == Visibility::Everybody;
        let shown = caller.owns(&job) || (open && !self.stores.access.withheld(&job.id).await?);
        if shown {
            self.drop_withdrawn(caller, &mut job).await?;
        }
        Ok(shown.then_some(job))
    }

    /// Shows a job to others again, or withholds it: from those who have a link, and
    /// as an answer to equal requests. A withheld job's call is not shared with
    /// further requests either.
    pub async fn share(&self, job: &Job, shared: bool) -> Result<(), Error> {
        if !shared {
            self.stores.queue.seclude(&job.id).await?;
        }
        Ok(self.stores.access.withhold(&job.id, !shared).await?)
    }

    /// Returns the caller's jobs, newest first, older than the job `before`; none for
    /// a caller with neither session nor API key.
    pub async fn jobs(
        &self,
        caller: &Caller,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Job>, Error> {
        let mut jobs = self.records(caller, before, limit).await?;
        for job in &mut jobs {
            self.drop_withdrawn(caller, job).await?;
        }
        Ok(jobs)
    }

    /// [`Self::jobs`] as they are recorded, without checking what they reveal of others.
    pub(super) async fn records(
        &self,
        caller: &Caller,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Job>, Error> {
        match &caller.owner {
            Some(owner) => Ok(self
                .stores
                .queue
                .list(&owner.to_string(), before, limit)
                .await?),
            None => Ok(Vec::new()),
        }
    }
}
