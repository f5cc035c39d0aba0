//! What the processes on one store tell each other of the upstreams: a pause that one of them
//! was asked for holds for all, and calls in flight are counted together.

use std::time::{Duration, Instant};

use atelier_gateway::upstream::Upstream;
use futures::future::join_all;
use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval};
use tracing::debug;

use super::Gateway;
use crate::cache::digest;

/// How often they look.
const LOOK: Duration = Duration::from_millis(500);

/// Shorter pauses are over before anybody has looked.
const WORTH_TELLING: Duration = Duration::from_secs(1);

impl Gateway {
    /// Tells the others of pauses, and learns of theirs, for ever.
    pub async fn keep_sharing(&self) {
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = vec![Timestamp::UNIX_EPOCH; self.routes.upstreams().len()];
        loop {
            tick.tick().await;
            for (upstream, told) in self.routes.upstreams().iter().zip(&mut told) {
                let own = upstream.rest_asked_for(Instant::now());
                let own = own.filter(|pause| *pause > WORTH_TELLING);
                if let Err(error) = self.share(upstream.name(), own, told).await {
                    debug!(%error, "the pauses of upstreams cannot be shared");
                }
            }
        }
    }

    /// Shows the others that the calls in flight still are, for ever.
    pub async fn keep_permits(&self) {
        let mut tick = interval(Upstream::RENEWAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let upstreams = self.routes.upstreams().iter();
            join_all(upstreams.map(|upstream| upstream.renew())).await;
        }
    }

    /// Takes the later of both ends, ours and that in the store.
    async fn share(
        &self,
        name: &str,
        own: Option<Duration>,
        told: &mut Timestamp,
    ) -> Result<(), crate::cache::Error> {
        let stores = &self.studio.stores;
        let (key, now) = (digest(&["pause", name]), stores.clock.now());
        let entry = stores.cache.get(&key, now).await?;
        let theirs: Option<Timestamp> = entry.and_then(|entry| entry.value.parse().ok());
        let ours = own.and_then(|pause| now.checked_add(pause).ok());
        if let (Some(ours), Some(pause)) = (ours, own)
            && theirs.is_none_or(|theirs| theirs < ours)
            && ours.duration_since(*told).unsigned_abs() > WORTH_TELLING
        {
            *told = ours;
            return stores.cache.put(&key, &ours.to_string(), now, pause).await;
        }
        let pause = theirs.and_then(|until| Duration::try_from(until.duration_since(now)).ok());
        if let Some(pause) = pause
            && let Some(upstream) = self
                .routes
                .upstreams()
                .iter()
                .find(|one| one.name() == name)
        {
            upstream.pause(Instant::now(), pause);
        }
        Ok(())
    }
}
