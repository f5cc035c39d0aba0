//! Statistics for an operator: per policy and hour, how many requests it let through
//! and rejected, and whom it rejected most. Counted in memory and added to the store
//! periodically, so that no request waits for it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use atelier_store::hour;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{Demand, Scope, Standing};

/// Maximum number of names per policy and hour in memory; later ones are counted without
/// a name.
const NAMES: usize = 1_000;

/// Maximum number of names per policy and hour in the store.
pub(super) const KEPT: usize = 100;

/// Maximum number of policies and hours in memory, if the store is unreachable for long.
const MOST: usize = 10_000;

/// One policy in one hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HourlyStats {
    /// The policy's name.
    pub policy: String,
    /// When the hour began, in Unix milliseconds.
    pub hour: i64,
    /// Requests let through.
    pub allowed: u64,
    /// Requests rejected.
    pub rejected: u64,
    /// The names rejected most, with their number of rejections.
    pub who: Vec<(String, u64)>,
}

/// The decisions since the last write to the store.
pub struct Stats {
    counts: Mutex<Counts>,
    /// The salt of hashed names; `None` for plain names.
    salt: Option<[u8; 32]>,
}

type Counts = HashMap<(String, i64), Count>;

#[derive(Default)]
struct Count {
    allowed: u64,
    rejected: u64,
    who: HashMap<String, u64>,
}

impl Stats {
    /// Counts by names hashed with the salt, or by plain names without one.
    pub fn new(salt: Option<[u8; 32]>) -> Self {
        Self {
            counts: Mutex::default(),
            salt,
        }
    }

    /// Notes a decision on these demands.
    pub fn note(&self, demands: &[Demand], standings: &[Standing], now: Timestamp) {
        let rejected = standings.iter().any(|standing| standing.violated);
        let hour = hour(now);
        for (demand, standing) in demands.iter().zip(standings) {
            let policy = &demand.policy.name;
            let who = standing.violated.then(|| self.name(demand));
            let mut counts = self.lock();
            if counts.len() >= MOST {
                continue;
            }
            let count = counts.entry((policy.clone(), hour)).or_default();
            match who {
                Some(who) => count.reject(who, 1),
                None if !rejected => count.allowed += 1,
                None => {}
            }
        }
    }

    /// Addresses are personal; an API key's id and a provider's name are not.
    fn name(&self, demand: &Demand) -> String {
        let subject = demand.subject();
        match (&self.salt, demand.policy.scope) {
            (Some(salt), Scope::Ip) => {
                let digest = Sha256::new_with_prefix(salt).chain_update(subject);
                format!("{:x}", digest.finalize())[..12].to_owned()
            }
            _ => subject.to_owned(),
        }
    }

    /// Takes everything noted so far.
    pub fn take(&self) -> Vec<HourlyStats> {
        let counts = std::mem::take(&mut *self.lock());
        counts
            .into_iter()
            .filter(|(_, count)| count.allowed + count.rejected > 0)
            .map(|((policy, hour), count)| HourlyStats {
                policy,
                hour,
                allowed: count.allowed,
                rejected: count.rejected,
                who: count.who.into_iter().collect(),
            })
            .collect()
    }

    /// Puts back what could not be written to the store.
    pub fn put_back(&self, counted: Vec<HourlyStats>) {
        let mut counts = self.lock();
        for one in counted {
            let count = counts.entry((one.policy, one.hour)).or_default();
            count.allowed += one.allowed;
            let named: u64 = one.who.iter().map(|(_, times)| times).sum();
            count.rejected += one.rejected.saturating_sub(named);
            for (who, times) in one.who {
                count.reject(who, times);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Count {
    fn reject(&mut self, who: String, times: u64) {
        self.rejected += times;
        if self.who.len() < NAMES || self.who.contains_key(&who) {
            *self.who.entry(who).or_default() += times;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Policy, decide};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn order(stats: &Stats, quota: u64, who: &str) {
        let text = format!(
            "name = 'p'\nscope = 'ip'\nunit = 'requests'\nalgorithm = 'fixed_window'\n\
             quota = {quota}\nwindow = '1d'"
        );
        let policy: Arc<Policy> = Arc::new(toml::from_str(&text).unwrap());
        let demands = [Demand::new(&policy, who, 1)];
        let (decision, _) = decide(&demands, &[None], at(0).as_millisecond());
        stats.note(&demands, &decision.standings, at(0));
    }

    #[test]
    fn what_was_decided_is_counted_once() {
        let stats = Stats::new(None);
        order(&stats, 1, "203.0.113.1");
        order(&stats, 0, "203.0.113.1");
        order(&stats, 0, "203.0.113.1");
        let counted = stats.take();
        assert_eq!((counted[0].allowed, counted[0].rejected), (1, 2));
        assert_eq!(counted[0].who, [("203.0.113.1".to_owned(), 2)]);
        assert_eq!(counted[0].hour % atelier_store::HOUR, 0);
        assert!(stats.take().is_empty());
        stats.put_back(counted.clone());
        assert_eq!(stats.take(), counted);
    }

    /// It neither let the request through nor rejected it.
    #[test]
    fn a_policy_that_would_have_allowed_is_not_counted() {
        let stats = Stats::new(None);
        let policy = |name: &str, quota: u32| -> Arc<Policy> {
            let text = format!(
                "name = '{name}'\nscope = 'ip'\nunit = 'requests'\nalgorithm = 'fixed_window'\n\
                 quota = {quota}\nwindow = '1d'"
            );
            Arc::new(toml::from_str(&text).unwrap())
        };
        let demands = [("wide", 9), ("narrow", 0)]
            .map(|(name, quota)| Demand::new(&policy(name, quota), "a", 1));
        let (decision, _) = decide(&demands, &[None, None], at(0).as_millisecond());
        stats.note(&demands, &decision.standings, at(0));
        let counted = stats.take();
        let counts: Vec<_> = counted
            .iter()
            .map(|one| (one.policy.as_str(), one.allowed, one.rejected))
            .collect();
        assert_eq!(counts, [("narrow", 0, 1)]);
    }

    #[test]
    fn addresses_are_hashed_and_stay_told_apart() {
        let stats = Stats::new(Some([7; 32]));
        order(&stats, 0, "203.0.113.1");
        order(&stats, 0, "203.0.113.2");
        let who = stats.take().remove(0).who;
        assert_eq!(who.len(), 2);
        assert!(
            who.iter()
                .all(|(name, _)| name.len() == 12 && !name.contains('.'))
        );
    }

    #[test]
    fn many_names_do_not_fill_the_memory() {
        let stats = Stats::new(None);
        for number in 0..2 * NAMES {
            order(&stats, 0, &number.to_string());
        }
        let counted = stats.take();
        assert_eq!(counted[0].rejected, 2 * NAMES as u64);
        assert_eq!(counted[0].who.len(), NAMES);
        stats.put_back(counted);
        assert_eq!(stats.take()[0].rejected, 2 * NAMES as u64);
    }

    #[test]
    fn many_policies_do_not_fill_the_memory() {
        let stats = Stats::new(None);
        let counted = (0..MOST as i64).map(|hour| HourlyStats {
            policy: "q".into(),
            hour,
            allowed: 1,
            ..HourlyStats::default()
        });
        stats.put_back(counted.collect());
        order(&stats, 1, "203.0.113.1");
        assert_eq!(stats.take().len(), MOST);
    }
}
