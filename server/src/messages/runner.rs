//! Publishes what schedules say, when they are due. Every process that serves does so: what is
//! due is due once, whoever finds it, as [`ScheduleStore`] explains.
//!
//! [`ScheduleStore`]: atelier_messages::ScheduleStore

use std::{sync::Arc, time::Duration};

use atelier_messages::{Due, Fired};
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use tokio::time::sleep;
use tracing::{debug, warn};

use super::{Messages, Result, schedules::next};

/// Schedules that are looked up at a time.
const BATCH: usize = 100;

/// Schedules that are published concurrently.
const CONCURRENCY: usize = 16;

/// Maximum time between two looks: another process may have made a schedule, and the clock may
/// have been set.
const LOOK: Duration = Duration::from_secs(1);

impl Messages {
    /// Publishes what is due, until the process stops.
    pub async fn keep_firing(self: Arc<Self>) {
        let drain = &self.studio.drain;
        loop {
            let pause = match self.fire_all_due().await {
                Ok(next) => self.until(next),
                Err(error) => {
                    warn!(%error, "schedules cannot be read");
                    LOOK
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = drain.cancelled() => return,
            }
        }
    }

    /// Publishes all that is due. Returns when the next is.
    async fn fire_all_due(&self) -> Result<Option<Timestamp>> {
        loop {
            let due = self.store().due(self.now(), BATCH).await?;
            if due.is_empty() {
                return Ok(self.store().next_due().await?);
            }
            let all = stream::iter(due).map(|due| async move { self.fire_one(&due).await });
            let all: Vec<bool> = all.buffer_unordered(CONCURRENCY).collect().await;
            // What could not be published remains due.
            if all.contains(&false) {
                return Ok(None);
            }
        }
    }

    /// Publishes one schedule, and sets when it is due next. Returns false if it must be tried
    /// again.
    async fn fire_one(&self, due: &Due) -> bool {
        let schedule = &due.schedule;
        let fired = async {
            if !self.is_still_due(due).await? {
                return Ok(true);
            }
            let fired = self.fired(due).await?;
            let next = next(schedule, self.now());
            if !self.store().advance(due, &fired, next).await? {
                debug!(id = schedule.given.id, "a schedule was changed meanwhile");
            }
            Ok::<_, super::Error>(true)
        };
        fired.await.unwrap_or_else(|error| {
            warn!(%error, id = schedule.given.id, "a schedule is not published yet");
            false
        })
    }

    /// Whether it has neither been published by another process nor changed since it was found.
    async fn is_still_due(&self, due: &Due) -> Result<bool> {
        let known = &due.schedule;
        let schedule = self.store().schedule(&known.owner, &known.given.id).await?;
        Ok(schedule.is_some_and(|now| {
            now.revision == known.revision && now.given.next == Some(due.at) && !now.paused
        }))
    }

    /// What it published. What can never be published is noted, so that the schedule goes on.
    async fn fired(&self, due: &Due) -> Result<Fired> {
        match self.fire(due).await {
            Err(error) if !error.is_away() && !self.studio.drain.is_cancelled() => Ok(Fired {
                message: None,
                at: due.at,
                error: Some(error.to_string()),
            }),
            fired => fired,
        }
    }

    fn until(&self, next: Option<Timestamp>) -> Duration {
        let wait = next.map(|next| next.duration_since(self.now()));
        let wait = wait.map(|wait| Duration::try_from(wait).unwrap_or_default());
        // One millisecond more, as the store truncates instants to milliseconds.
        wait.map_or(LOOK, |wait| (wait + Duration::from_millis(1)).min(LOOK))
    }
}
