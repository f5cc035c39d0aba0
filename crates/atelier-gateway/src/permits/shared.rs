//! Permits of all processes on one Redis. Each is held under a lease, which its process
//! extends as long as the call is in flight: those of a process that has died are free again
//! when their leases have ended, by Redis' clock.
//!
//! While Redis is away each process counts its own calls only. Those that began meanwhile are
//! counted with the next renewal.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use atelier_store::{
    Error as StoreError,
    redis::{Call, Redis, Script},
};
use tokio::{
    runtime::Handle,
    sync::{Mutex as AsyncMutex, Notify},
    time::timeout,
};
use tracing::{debug, info, warn};

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::always(include_str!("shared/take.lua")));
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::always(include_str!("shared/renew.lua")));
static RELEASE: LazyLock<Script> =
    LazyLock::new(|| Script::finishing(include_str!("shared/release.lua")));

/// How long a permit is held without a renewal.
const LEASE: Duration = Duration::from_secs(10);

/// How often a call that waits asks again.
const PAUSE: Duration = Duration::from_millis(25);

/// A process that has not asked for so long does not wait any more.
const SILENCE: Duration = Duration::from_secs(1);

/// How long Redis is not asked again once it has failed, so that no call waits for it.
const AWAY: Duration = Duration::from_secs(1);

/// Maximum number of permits of one script.
const BATCH: usize = 500;

/// The permits of one upstream.
pub(super) struct SharedPermits {
    redis: Redis,
    upstream: String,
    limit: u32,
    /// Tells the processes apart.
    process: String,
    state: Mutex<State>,
    /// Held by the one call of this process that asks again and again.
    turn: AsyncMutex<()>,
    /// A call of this process has ended.
    freed: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    held: HashSet<u64>,
    /// Set while Redis is away: when it is asked again.
    away: Option<Instant>,
}

/// A permit, which is released when this is dropped.
pub(super) struct SharedPermit {
    permits: Arc<SharedPermits>,
    number: u64,
}

impl SharedPermits {
    pub(super) fn new(redis: Redis, upstream: &str, limit: u32) -> Self {
        Self {
            redis,
            upstream: upstream.to_owned(),
            limit,
            process: format!("{:032x}", fastrand::u128(..)),
            state: Mutex::default(),
            turn: AsyncMutex::new(()),
            freed: Notify::new(),
        }
    }

    /// Waits for a permit. Calls of one process get them in their order, and processes that
    /// wait in turn.
    pub(super) async fn take(self: &Arc<Self>) -> SharedPermit {
        let nobody_waits = self.turn.try_lock().is_ok();
        if nobody_waits && let Some(permit) = self.ask().await {
            return permit;
        }
        let _turn = self.turn.lock().await;
        loop {
            let freed = self.freed.notified();
            if let Some(permit) = self.ask().await {
                return permit;
            }
            // Other processes tell nobody: hence the pause.
            let _ = timeout(PAUSE, freed).await;
        }
    }

    /// Asks for a permit. Returns one if Redis is away.
    async fn ask(self: &Arc<Self>) -> Option<SharedPermit> {
        let permit = self.hold();
        if self.is_away() {
            return Some(permit);
        }
        let take = self
            .call(&TAKE)
            .arg(&self.process)
            .arg(self.name(permit.number));
        let take = take.arg(self.limit).arg(LEASE.as_millis() as u64);
        match take.arg(SILENCE.as_millis() as u64).run::<bool>().await {
            Ok(taken) => {
                self.back();
                if !taken {
                    self.lock().held.remove(&permit.number);
                }
                taken.then_some(permit)
            }
            Err(error) => {
                self.away(&error);
                Some(permit)
            }
        }
    }

    /// Extends all leases, and takes what has not been counted yet.
    pub(super) async fn renew(&self) {
        let held: Vec<_> = self.lock().held.iter().copied().collect();
        for some in held.chunks(BATCH) {
            let names: Vec<_> = some.iter().map(|number| self.name(*number)).collect();
            let renew = self.call(&RENEW).arg(LEASE.as_millis() as u64).arg(names);
            match renew.run::<()>().await {
                Ok(()) => self.back(),
                Err(error) => return self.away(&error),
            }
            // What was released meanwhile may have been taken again.
            let released = {
                let state = self.lock();
                let released = some.iter().filter(|number| !state.held.contains(number));
                released.copied().collect::<Vec<_>>()
            };
            if !released.is_empty() {
                self.release(&released).await;
            }
        }
    }

    async fn release(&self, numbers: &[u64]) {
        let names: Vec<_> = numbers.iter().map(|number| self.name(*number)).collect();
        if let Err(error) = self.call(&RELEASE).arg(names).run::<()>().await {
            // It ends with its lease.
            debug!(%error, upstream = self.upstream, "a permit could not be released");
        }
        self.freed.notify_waiters();
    }

    fn hold(self: &Arc<Self>) -> SharedPermit {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.held.insert(number);
        SharedPermit {
            permits: Arc::clone(self),
            number,
        }
    }

    fn call(&self, script: &'static Script) -> Call<'_> {
        let tag = format!("{{parallel:{}}}", self.upstream);
        let call = self.redis.script(script).key(format!("{tag}:held"));
        call.key(format!("{tag}:waiting"))
            .key(format!("{tag}:asked"))
    }

    fn name(&self, number: u64) -> String {
        format!("{}:{number}", self.process)
    }

    fn is_away(&self) -> bool {
        self.lock().away.is_some_and(|until| until > Instant::now())
    }

    fn away(&self, error: &StoreError) {
        let before = self.lock().away.replace(Instant::now() + AWAY);
        if before.is_none() {
            warn!(%error, upstream = self.upstream, "calls in flight cannot be counted over all processes: each counts its own");
        }
    }

    fn back(&self) {
        if self.lock().away.take().is_some() {
            info!(
                upstream = self.upstream,
                "calls in flight are counted over all processes again"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SharedPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedPermit").field(&self.number).finish()
    }
}

impl Drop for SharedPermit {
    fn drop(&mut self) {
        let was_held = self.permits.lock().held.remove(&self.number);
        // Without a runtime its lease ends it.
        if let (true, Ok(runtime)) = (was_held, Handle::try_current()) {
            let (permits, number) = (Arc::clone(&self.permits), self.number);
            runtime.spawn(async move { permits.release(&[number]).await });
        }
    }
}

#[cfg(test)]
mod tests;
