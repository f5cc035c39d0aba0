//! A cache of rejections in the process: who keeps asking while over a limit is rejected
//! without a request to the store.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
#[cfg(feature = "redis")]
use tokio::sync::mpsc::Receiver;
#[cfg(feature = "redis")]
use tokio_util::task::AbortOnDropHandle;

use super::{Decision, Demand, Error, HourlyStats, Limiter, Settlement, Standing};
#[cfg(feature = "redis")]
use atelier_store::redis::Notice;

/// Maximum lifetime of an entry, in case the notification of a refund was lost.
const LONGEST: Duration = Duration::from_secs(1);

/// Maximum number of entries.
const MOST: usize = 10_000;

/// A limiter that caches its rejections until the demand fits again: by time, or after a
/// refund.
pub struct RejectionCache {
    limiter: Arc<dyn Limiter>,
    known: Arc<Mutex<Known>>,
    #[cfg(feature = "redis")]
    _listener: Option<AbortOnDropHandle<()>>,
}

#[derive(Default)]
struct Known {
    /// By the counter that recovers last.
    refusals: HashMap<String, Refusal>,
    /// The number of removals so far: decisions made before a removal may be out of date.
    epoch: u64,
}

struct Refusal {
    /// The request it answers.
    asked: Vec<(String, u64)>,
    standings: Vec<Standing>,
    since: Timestamp,
    until: Timestamp,
}

impl RejectionCache {
    /// Caches the rejections of a limiter that no other process uses.
    pub fn new(limiter: Arc<dyn Limiter>) -> Self {
        Self {
            limiter,
            known: Arc::default(),
            #[cfg(feature = "redis")]
            _listener: None,
        }
    }

    /// Caches the rejections of a limiter that other processes use as well; `freed`
    /// receives the counters that they refund. To be called inside a Tokio runtime.
    #[cfg(feature = "redis")]
    pub fn shared(limiter: Arc<dyn Limiter>, mut freed: Receiver<Notice>) -> Self {
        let memory = Self::new(limiter);
        let known = Arc::clone(&memory.known);
        let listener = tokio::spawn(async move {
            while let Some(notice) = freed.recv().await {
                match notice {
                    Notice::Connected => lock(&known).forget_all(),
                    Notice::Message(keys) => {
                        let keys = String::from_utf8_lossy(&keys);
                        lock(&known).forget(keys.lines());
                    }
                }
            }
        });
        Self {
            _listener: Some(AbortOnDropHandle::new(listener)),
            ..memory
        }
    }
}

#[async_trait]
impl Limiter for RejectionCache {
    async fn charge(&self, demands: Vec<Demand>, now: Timestamp) -> Result<Decision, Error> {
        let (remembered, epoch) = {
            let known = lock(&self.known);
            (known.recall(&demands, now), known.epoch)
        };
        if let Some(standings) = remembered {
            return Ok(Decision {
                standings,
                receipts: None,
            });
        }
        let asked: Vec<_> = demands
            .iter()
            .map(|demand| (demand.key.clone(), demand.cost))
            .collect();
        let decision = self.limiter.charge(demands, now).await?;
        if decision.receipts.is_none() {
            lock(&self.known).note(asked, &decision.standings, now, epoch);
        }
        Ok(decision)
    }

    async fn settle(
        &self,
        id: &str,
        settlements: Vec<Settlement>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let keys: Vec<_> = settlements
            .iter()
            .map(|settlement| settlement.receipt.key.clone())
            .collect();
        let settled = self.limiter.settle(id, settlements, now).await;
        lock(&self.known).forget(keys.iter().map(String::as_str));
        settled
    }

    async fn record(
        &self,
        stats: Vec<HourlyStats>,
        now: Timestamp,
        keep: Duration,
    ) -> Result<(), Error> {
        self.limiter.record(stats, now, keep).await
    }

    async fn stats(&self, since: Timestamp, now: Timestamp) -> Result<Vec<HourlyStats>, Error> {
        self.limiter.stats(since, now).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        self.limiter.sweep(now).await
    }
}

impl Known {
    /// The standings of a request that is still rejected.
    fn recall(&self, demands: &[Demand], now: Timestamp) -> Option<Vec<Standing>> {
        let refusal = demands
            .iter()
            .filter(|demand| demand.cost > 0)
            .find_map(|demand| self.refusals.get(&demand.key))?;
        // Now is before the entry was made: the clock was set back.
        let fresh = refusal.since <= now && now < refusal.until;
        (fresh && refusal.answers(demands)).then(|| refusal.standings_at(now))
    }

    fn note(
        &mut self,
        asked: Vec<(String, u64)>,
        standings: &[Standing],
        now: Timestamp,
        epoch: u64,
    ) {
        let violated = standings.iter().zip(&asked).filter(|(one, _)| one.violated);
        let last = violated.max_by_key(|(one, _)| one.reset.unwrap_or(Duration::MAX));
        let Some((standing, (key, _))) = last.filter(|_| self.epoch == epoch) else {
            return;
        };
        let wait = standing.reset.map_or(LONGEST, |reset| reset.min(LONGEST));
        if self.refusals.len() >= MOST {
            self.refusals.retain(|_, refusal| now < refusal.until);
        }
        if self.refusals.len() >= MOST {
            self.refusals.clear();
        }
        let refusal = Refusal {
            standings: standings.to_vec(),
            since: now,
            until: now + wait,
            asked: Vec::new(),
        };
        let key = key.clone();
        self.refusals.insert(key, Refusal { asked, ..refusal });
    }

    fn forget<'a>(&mut self, keys: impl Iterator<Item = &'a str>) {
        self.epoch += 1;
        for key in keys {
            self.refusals.remove(key);
        }
    }

    #[cfg(any(test, feature = "redis"))]
    fn forget_all(&mut self) {
        self.epoch += 1;
        self.refusals.clear();
    }
}

impl Refusal {
    fn answers(&self, demands: &[Demand]) -> bool {
        let asked = self.asked.iter().map(|(key, cost)| (key.as_str(), *cost));
        asked.eq(demands
            .iter()
            .map(|demand| (demand.key.as_str(), demand.cost)))
    }

    fn standings_at(&self, now: Timestamp) -> Vec<Standing> {
        let passed = Duration::try_from(now.duration_since(self.since)).unwrap_or_default();
        let aged = |standing: &Standing| {
            let reset = standing.reset.map(|reset| reset.saturating_sub(passed));
            Standing {
                violated: standing.violated && reset != Some(Duration::ZERO),
                reset,
                ..standing.clone()
            }
        };
        self.standings.iter().map(aged).collect()
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, Policy, Scope, Unit, decide};

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
    }

    fn refused(known: &mut Known, subject: &str, now: Timestamp) -> Vec<Demand> {
        let policy = Policy::new(
            "none",
            Scope::User,
            Unit::Requests,
            Algorithm::FixedWindow,
            0.0,
            Duration::from_hours(24),
        )
        .unwrap();
        let policy = Arc::new(policy);
        let demands = vec![Demand::new(&policy, subject, 1)];
        let (decision, _) = decide(&demands, &[None], now.as_millisecond());
        let asked = vec![(demands[0].key.clone(), 1)];
        known.note(asked, &decision.standings, now, known.epoch);
        demands
    }

    #[test]
    fn what_was_decided_before_something_was_forgotten_is_not_remembered() {
        for forget in [Known::forget_all as fn(&mut Known), |known| {
            known.forget(std::iter::once("another"));
        }] {
            let mut known = Known::default();
            let demands = refused(&mut known, "a", at(0));
            let refusal = known.refusals.remove(&demands[0].key).unwrap();
            let epoch = known.epoch;
            forget(&mut known);
            known.note(refusal.asked, &refusal.standings, at(0), epoch);
            assert!(known.recall(&demands, at(1)).is_none());
        }
    }

    #[test]
    fn what_has_ended_makes_room_for_what_has_not() {
        let mut known = Known::default();
        for number in 0..MOST {
            let since = if number % 2 == 0 { 0 } else { 900 };
            refused(&mut known, &number.to_string(), at(since));
        }
        refused(&mut known, "late", at(1_000));
        assert_eq!(known.refusals.len(), MOST / 2 + 1);
    }

    #[test]
    fn so_many_are_remembered_and_the_latest_among_them() {
        let mut known = Known::default();
        for number in 0..MOST {
            refused(&mut known, &number.to_string(), at(0));
        }
        assert_eq!(known.refusals.len(), MOST);
        // Remove expired entries.
        let late = refused(&mut known, "late", at(1_000));
        assert_eq!(known.refusals.len(), 1);
        assert!(known.recall(&late, at(1_999)).is_some());
        assert!(known.recall(&late, at(2_000)).is_none());
        assert!(known.recall(&late, at(999)).is_none());
        // None has expired, and all are equally useful.
        for number in 0..MOST {
            refused(&mut known, &number.to_string(), at(1_001));
        }
        assert!(known.refusals.len() <= MOST);
        let last = refused(&mut known, "last", at(1_002));
        assert!(known.recall(&last, at(1_003)).is_some());
    }

    #[test]
    fn what_was_given_back_meanwhile_is_not_taken_for_refused() {
        let mut known = Known::default();
        let epoch = known.epoch;
        let demands = refused(&mut known, "a", at(0));
        known.forget([demands[0].key.as_str()].into_iter());
        assert!(known.recall(&demands, at(1)).is_none());
        assert_ne!(known.epoch, epoch);
        refused(&mut known, "a", at(1));
        known.forget_all();
        assert!(known.recall(&demands, at(2)).is_none());
    }
}
