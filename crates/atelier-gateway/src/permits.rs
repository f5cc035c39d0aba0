//! Permits of one upstream: each call in flight holds one.

mod shared;

use std::{fmt, sync::Arc};

use atelier_store::redis::Redis;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::shared::{SharedPermit, SharedPermits};

/// How many calls may be in flight: of this process, and perhaps of all processes on one
/// Redis.
pub(crate) struct Permits {
    /// Also bounds how many calls ask Redis, and all that there is while Redis is away.
    own: Arc<Semaphore>,
    shared: Option<Arc<SharedPermits>>,
}

/// A call may be in flight until this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    // Released first: others on Redis may wait for it.
    _shared: Option<SharedPermit>,
    _own: Option<OwnedSemaphorePermit>,
}

impl Permits {
    /// So many permits of this process.
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            own: Arc::new(Semaphore::new(limit as usize)),
            shared: None,
        }
    }

    /// So many permits of all processes on this Redis.
    pub(crate) fn shared(limit: u32, upstream: &str, redis: Redis) -> Self {
        Self {
            shared: Some(Arc::new(SharedPermits::new(redis, upstream, limit))),
            ..Self::new(limit)
        }
    }

    /// Waits for a permit.
    pub(crate) async fn take(&self) -> Permit {
        // The semaphore is never closed.
        let own = Arc::clone(&self.own).acquire_owned().await.ok();
        let shared = match &self.shared {
            Some(shared) => Some(shared.take().await),
            None => None,
        };
        Permit {
            _shared: shared,
            _own: own,
        }
    }

    /// Takes a permit if it is known at once that one is free; not if Redis must be asked.
    pub(crate) fn take_free(&self) -> Option<Permit> {
        if self.shared.is_some() {
            return None;
        }
        let own = Arc::clone(&self.own).try_acquire_owned().ok()?;
        Some(Permit {
            _shared: None,
            _own: Some(own),
        })
    }

    /// Extends the leases of the permits that this process holds in Redis.
    pub(crate) async fn renew(&self) {
        if let Some(shared) = &self.shared {
            shared.renew().await;
        }
    }
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits").finish_non_exhaustive()
    }
}
