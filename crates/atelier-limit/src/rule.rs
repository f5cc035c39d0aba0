//! How counters move: pure functions of (state, now, cost), the same for every
//! store. Time is in Unix milliseconds.

mod fixed_window;
mod sliding_window;
mod token_bucket;

use serde::{Deserialize, Serialize};

use super::policy::MAX_PARTS;

/// A counter may lie ahead of the clock by its window and this much: clocks of
/// several machines differ, and a clock can be set back. What lies further
/// ahead was written by a clock that was wrong, and is not believed.
pub(super) const SLACK: i64 = 60_000;

/// An algorithm with its numbers. No product of them exceeds 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// So many parts in every window; windows are aligned to multiples of
    /// their length since the Unix epoch.
    FixedWindow {
        /// Parts per window.
        quota: u64,
        /// Milliseconds.
        length: i64,
    },
    /// The same, counting also the share of the window before that still lies
    /// within one length of now.
    SlidingWindow {
        /// Parts per length.
        quota: u64,
        /// Milliseconds.
        length: i64,
    },
    /// A bucket of `size` parts into which `refill` parts flow every `period`
    /// milliseconds, evenly.
    TokenBucket {
        /// Parts.
        size: u64,
        /// Parts per period.
        refill: u64,
        /// Milliseconds.
        period: u64,
    },
}

/// A counter's state; what the fields mean is the algorithm's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counter {
    /// When the window began, or up to when the bucket was refilled.
    pub at: i64,
    /// Parts taken in the window, or what the bucket lacks, in parts times its period.
    pub used: u64,
    /// Parts taken in the window before.
    pub before: u64,
}

impl Rule {
    /// The state as time alone has made it.
    pub fn at(&self, state: Option<Counter>, now: i64) -> Counter {
        match *self {
            Self::FixedWindow { length, .. } => fixed_window::at(length, state, now),
            Self::SlidingWindow { length, .. } => sliding_window::at(length, state, now),
            Self::TokenBucket {
                size,
                refill,
                period,
            } => token_bucket::at(size, refill, period, state, now),
        }
    }

    /// The state after `cost` parts, or `None` when they do not fit.
    pub fn charge(&self, state: Option<Counter>, now: i64, cost: u64) -> Option<Counter> {
        let counter = self.at(state, now);
        (cost <= self.left(counter, now)).then(|| self.take(counter, cost))
    }

    /// Parts left at `now`.
    pub fn remaining(&self, state: Option<Counter>, now: i64) -> u64 {
        self.left(self.at(state, now), now)
    }

    /// How long until `cost` parts fit if nobody else takes any; `None` when
    /// they never do.
    pub fn wait(&self, state: Option<Counter>, now: i64, cost: u64) -> Option<i64> {
        let counter = self.at(state, now);
        if cost <= self.left(counter, now) {
            return Some(0);
        }
        match *self {
            Self::FixedWindow { quota, length } => {
                (cost <= quota).then(|| counter.at + length - now)
            }
            Self::SlidingWindow { quota, length } => {
                (cost <= quota).then(|| sliding_window::wait(quota, length, counter, now, cost))
            }
            Self::TokenBucket {
                size,
                refill,
                period,
            } => {
                (cost <= size).then(|| token_bucket::wait(size, refill, period, counter, now, cost))
            }
        }
    }

    /// How long until everything is there again if nobody takes any.
    pub fn renewal(&self, state: Option<Counter>, now: i64) -> i64 {
        let counter = self.at(state, now);
        self.end(counter).saturating_sub(now).max(0)
    }

    /// When the counter says nothing any more.
    pub fn end(&self, counter: Counter) -> i64 {
        match *self {
            Self::FixedWindow { length, .. } => counter.at + length,
            Self::SlidingWindow { length, .. } => sliding_window::end(length, counter),
            Self::TokenBucket { refill, .. } => token_bucket::full(refill, counter),
        }
    }

    /// What a receipt of a charge says about when: it tells [`Rule::settle`]
    /// what of the charge is still there.
    pub fn mark(&self, charged: Counter) -> i64 {
        match *self {
            Self::FixedWindow { .. } | Self::SlidingWindow { .. } => charged.at,
            Self::TokenBucket { refill, .. } => token_bucket::full(refill, charged),
        }
    }

    /// The state after a charge of `cost` parts turned out to be `actual`.
    /// What time has renewed meanwhile is not given back a second time; what
    /// was taken beyond the quota is owed.
    pub fn settle(&self, state: Counter, now: i64, mark: i64, cost: u64, actual: u64) -> Counter {
        match *self {
            Self::FixedWindow { .. } => fixed_window::settle(state, mark, cost, actual),
            Self::SlidingWindow { length, .. } => {
                sliding_window::settle(length, state, mark, cost, actual)
            }
            Self::TokenBucket { refill, period, .. } => {
                token_bucket::settle(refill, period, state, now, mark, cost, actual)
            }
        }
    }

    fn left(&self, counter: Counter, now: i64) -> u64 {
        match *self {
            Self::FixedWindow { quota, .. } => quota.saturating_sub(counter.used),
            Self::SlidingWindow { quota, length } => {
                sliding_window::left(quota, length, counter, now)
            }
            Self::TokenBucket { size, period, .. } => token_bucket::left(size, period, counter),
        }
    }

    fn take(&self, counter: Counter, cost: u64) -> Counter {
        let taken = match *self {
            Self::FixedWindow { .. } | Self::SlidingWindow { .. } => cost,
            Self::TokenBucket { period, .. } => cost * period,
        };
        Counter {
            used: counter.used + taken,
            ..counter
        }
    }
}

/// `used` with `less` replaced by `more`, within what can be counted.
fn replace(used: u64, less: u64, more: u64) -> u64 {
    used.saturating_sub(less)
        .saturating_add(more)
        .min(MAX_PARTS)
}

#[cfg(test)]
pub(super) mod tests;
