//! The clock for everything that a store keeps: leases, windows, schedules,
//! expiry.
//!
//! Processes that share a Redis must agree on the time, and their machines'
//! clocks need not. So the store's clock counts: its offset to the monotonic clock of
//! this process is measured whenever a connection is made and every few seconds after
//! that. In a cluster, the node that holds the queue counts. A process without Redis uses
//! its machine's clock, smoothing its jumps.

mod steady;
#[cfg(feature = "redis")]
mod store_time;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use jiff::Timestamp;
use tracing::warn;

use self::steady::Steady;
#[cfg(feature = "redis")]
pub(crate) use self::store_time::{Sample, StoreTime};

/// A clock; clones share its state.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    Machine(Arc<Mutex<Steady>>),
    #[cfg(feature = "redis")]
    Store(Arc<StoreTime>),
}

impl Clock {
    /// The clock of this machine, smoothed: if the machine's is set, it follows by a tenth
    /// of the time that passes, or at once if the difference is hours.
    pub fn system() -> Self {
        let steady = Steady::new(Instant::now(), Timestamp::now().as_microsecond());
        Self(Source::Machine(Arc::new(Mutex::new(steady))))
    }

    /// The clock of a store.
    #[cfg(feature = "redis")]
    pub(crate) const fn of(store: Arc<StoreTime>) -> Self {
        Self(Source::Store(store))
    }

    /// Returns the present time; the machine's until the store's is known.
    pub fn now(&self) -> Timestamp {
        let now = match &self.0 {
            Source::Machine(steady) => steadily(steady),
            #[cfg(feature = "redis")]
            Source::Store(store) => store.now(),
        };
        now.unwrap_or_else(Timestamp::now)
    }
}

fn steadily(steady: &Mutex<Steady>) -> Option<Timestamp> {
    let machine = Timestamp::now().as_microsecond();
    let mut steady = steady.lock().unwrap_or_else(PoisonError::into_inner);
    let (told, leap) = steady.tell(Instant::now(), machine);
    if let Some(leap) = leap {
        let seconds = leap / 1_000_000;
        warn!(
            seconds,
            "this machine's clock was set by hours; its time counts from now on"
        );
    }
    Timestamp::from_microsecond(told).ok()
}
