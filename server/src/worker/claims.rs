//! Conditions under which this process claims nothing.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tracing::warn;

use super::Worker;
use crate::{
    job::{MESSAGES, OWN_MESSAGES, Task},
    providers::Provider,
    queue::{Job, Lane},
};

/// Pause while an outcome waits for the store.
const STORE_PAUSE: Duration = Duration::from_millis(100);

/// Pause while the disk is full.
const STORAGE_PAUSE: Duration = Duration::from_secs(1);

/// What prevents this process from claiming.
#[derive(Debug, Default)]
pub struct Claims {
    held: Arc<AtomicUsize>,
    no_storage: AtomicBool,
}

/// Prevents claims until dropped.
#[derive(Debug)]
pub(super) struct Hold(Arc<AtomicUsize>);

impl Claims {
    /// Prevents claims while an outcome waits for the store: a claim would find the job's expired lease and
    /// repeat its call.
    pub(super) fn hold(&self) -> Hold {
        self.held.fetch_add(1, Ordering::SeqCst);
        Hold(Arc::clone(&self.held))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Worker {
    /// If nothing may be claimed from these lanes, returns the pause before the next try.
    pub(super) async fn blocked(&self, lanes: &[Lane]) -> Option<Duration> {
        if self.claims.held.load(Ordering::SeqCst) > 0 {
            return Some(STORE_PAUSE);
        }
        if lanes.iter().any(|lane| self.needs_storage(lane))
            && self.claims.no_storage.load(Ordering::SeqCst)
            && self.check_storage().await.is_err()
        {
            return Some(STORAGE_PAUSE);
        }
        None
    }

    /// Whether calls of the lane are made only if what they bring can be kept. The gateway sees
    /// to that itself.
    fn needs_storage(&self, lane: &Lane) -> bool {
        let is_message = matches!(lane.name.as_str(), MESSAGES | OWN_MESSAGES);
        !is_message && !self.notices.contains(lane)
    }

    /// Errors if the call would cost money and its pictures could not be kept.
    pub(super) async fn may_call(&self, job: &Job) -> io::Result<()> {
        if self.costs(job) {
            self.check_storage().await
        } else {
            Ok(())
        }
    }

    /// Whether the job's call is expected to cost money.
    pub(super) fn costs(&self, job: &Job) -> bool {
        if matches!(job.request.task, Task::Call(_)) {
            return true;
        }
        let request = &job.request;
        let provider = self.provider(&request.provider);
        let estimate = |(provider, _): &(Arc<dyn Provider>, Lane)| {
            provider.estimate(&request.model, (&request.task).into())
        };
        provider.map_or(0.0, estimate) > 0.0 || self.fallbacks.highest_estimate(request) > 0.0
    }

    async fn check_storage(&self) -> io::Result<()> {
        let writable = self.blobs.probe().await;
        let failed_before = self
            .claims
            .no_storage
            .swap(writable.is_err(), Ordering::SeqCst);
        if let Err(error) = &writable
            && !failed_before
        {
            warn!(%error, "pictures cannot be stored; no paid call is made until they can");
        }
        writable
    }
}
