//! When nothing is to be claimed.

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
    providers::Provider,
    queue::{Job, Lane},
};

/// While the store comes back.
const STORE_PAUSE: Duration = Duration::from_millis(100);

/// While the disk is full.
const STORAGE_PAUSE: Duration = Duration::from_secs(1);

/// What keeps this process from claiming.
#[derive(Debug, Default)]
pub struct Claims {
    held: Arc<AtomicUsize>,
    no_room: AtomicBool,
}

/// Nothing is claimed as long as one of these lives.
#[derive(Debug)]
pub(super) struct Hold(Arc<AtomicUsize>);

impl Claims {
    /// An outcome waits for the store to come back. It goes first: a claim finds that its lease has run
    /// out, and the call would be made again.
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
    /// If nothing may be claimed from these lanes, how long to wait before asking again.
    pub(super) async fn obstacle(&self, lanes: &[Lane]) -> Option<Duration> {
        if self.claims.held.load(Ordering::SeqCst) > 0 {
            return Some(STORE_PAUSE);
        }
        let calls = lanes.iter().any(|lane| !self.notices.contains(lane));
        if calls && self.claims.no_room.load(Ordering::SeqCst) && self.has_room().await.is_err() {
            return Some(STORAGE_PAUSE);
        }
        None
    }

    /// Errors if what the job's call would bring could not be kept, and the call would cost money.
    pub(super) async fn may_call(&self, job: &Job) -> io::Result<()> {
        if self.costs(job) {
            self.has_room().await
        } else {
            Ok(())
        }
    }

    /// Whether the job's call is expected to cost money.
    pub(super) fn costs(&self, job: &Job) -> bool {
        let provider = self.provider(&job.request.provider);
        let estimate = |(provider, _): &(Arc<dyn Provider>, Lane)| {
            provider.estimate((&job.request.task).into())
        };
        provider.map_or(0.0, estimate) > 0.0
    }

    async fn has_room(&self) -> io::Result<()> {
        let room = self.blobs.probe().await;
        let failed_before = self.claims.no_room.swap(room.is_err(), Ordering::SeqCst);
        if let Err(error) = &room
            && !failed_before
        {
            warn!(%error, "pictures cannot be kept; no paid call is made until they can");
        }
        room
    }
}
