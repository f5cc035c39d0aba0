//! Wakes those who wait for a job to change, or for work.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    pin::Pin,
    sync::Arc,
};

use tokio::sync::{Notify, futures::OwnedNotified};

/// How many jobs share a bell. A ring may wake a waiter whose job did not
/// change (it reads the record again and waits on), so memory stays constant
/// however many wait.
const BELLS: usize = 256;

/// A fixed set of bells, one of them for each job id and one for work.
#[derive(Debug, Clone)]
pub struct Bell {
    jobs: Arc<[Arc<Notify>]>,
    work: Arc<Notify>,
}

/// Completes at the next ring after it was made, even one before the first poll.
pub type Ring = Pin<Box<OwnedNotified>>;

impl Default for Bell {
    fn default() -> Self {
        Self {
            jobs: (0..BELLS).map(|_| Arc::default()).collect(),
            work: Arc::default(),
        }
    }
}

impl Bell {
    /// The job has changed.
    pub fn ring(&self, id: &str) {
        self.job(id).notify_waiters();
    }

    /// Anything may have changed.
    pub(super) fn ring_all(&self) {
        for bell in &*self.jobs {
            bell.notify_waiters();
        }
        self.ring_work();
    }

    /// There may be something to claim.
    pub fn ring_work(&self) {
        self.work.notify_waiters();
    }

    /// Waits for a change of the job. Take the ring first, then read the
    /// record: a change in between is not missed.
    pub fn listen(&self, id: &str) -> Ring {
        enabled(self.job(id))
    }

    /// Waits for work, likewise.
    pub fn listen_work(&self) -> Ring {
        enabled(&self.work)
    }

    fn job(&self, id: &str) -> &Arc<Notify> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % BELLS as u64).unwrap_or(0);
        &self.jobs[index]
    }
}

fn enabled(notify: &Arc<Notify>) -> Ring {
    let mut ring = Box::pin(Arc::clone(notify).notified_owned());
    ring.as_mut().enable();
    ring
}
