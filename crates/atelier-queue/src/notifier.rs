//! Notifies tasks that wait for a job to change, or for work.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    pin::Pin,
    sync::Arc,
};

use tokio::sync::{Notify, futures::OwnedNotified};

/// Jobs share this number of conditions, so that memory is constant however many tasks
/// wait. A task may thus be woken although its job has not changed; it reads the record
/// and waits again.
const SLOTS: usize = 256;

/// Notifies tasks that wait for jobs or for work.
#[derive(Debug, Clone)]
pub struct Notifier {
    jobs: Arc<[Arc<Notify>]>,
    work: Arc<Notify>,
}

/// Completes at the next notification after its creation, even one before its first poll.
pub type Notified = Pin<Box<OwnedNotified>>;

impl Default for Notifier {
    fn default() -> Self {
        Self {
            jobs: (0..SLOTS).map(|_| Arc::default()).collect(),
            work: Arc::default(),
        }
    }
}

impl Notifier {
    /// Notifies that the job has changed.
    pub fn notify(&self, id: &str) {
        self.job(id).notify_waiters();
    }

    /// Notifies that anything may have changed.
    pub(super) fn notify_all(&self) {
        for slot in &*self.jobs {
            slot.notify_waiters();
        }
        self.notify_work();
    }

    /// Notifies that there may be something to claim.
    pub fn notify_work(&self) {
        self.work.notify_waiters();
    }

    /// Waits for a change of the job. Call this before reading the record, so that no change
    /// in between is missed.
    pub fn listen(&self, id: &str) -> Notified {
        enabled(self.job(id))
    }

    /// Waits for work, likewise.
    pub fn listen_work(&self) -> Notified {
        enabled(&self.work)
    }

    fn job(&self, id: &str) -> &Arc<Notify> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % SLOTS as u64).unwrap_or(0);
        &self.jobs[index]
    }
}

fn enabled(notify: &Arc<Notify>) -> Notified {
    let mut notified = Box::pin(Arc::clone(notify).notified_owned());
    notified.as_mut().enable();
    notified
}
