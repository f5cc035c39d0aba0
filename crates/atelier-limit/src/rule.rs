//! The arithmetic of counters: pure functions of (state, now, cost), the same for every
//! store. Time is in Unix milliseconds.

pub(super) mod calendar_month;
mod fixed_window;
mod sliding_window;
mod token_bucket;

use serde::{Deserialize, Serialize};

use super::policy::MAX_PARTS;

/// A counter may be ahead of the clock by its window plus this tolerance: clocks of several
/// machines differ, and a clock can be set back. A counter further ahead was written by a
/// wrong clock, and is ignored.
pub(super) const SLACK: i64 = 60_000;

/// An algorithm with its parameters. No product of them exceeds 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A quota per window; windows are aligned to multiples of their length since the Unix
    /// epoch.
    FixedWindow {
        /// Parts per window.
        quota: u64,
        /// Milliseconds.
        length: i64,
    },
    /// A quota per calendar month in UTC.
    CalendarMonth {
        /// Parts per month.
        quota: u64,
    },
    /// As [`FixedWindow`](Self::FixedWindow), also counting the share of the previous window that lies within one length
    /// of now.
    SlidingWindow {
        /// Parts per length.
        quota: u64,
        /// Milliseconds.
        length: i64,
    },
    /// A bucket of `size` parts that is refilled evenly by `refill` parts every `period`
    /// milliseconds.
    TokenBucket {
        /// Parts.
        size: u64,
        /// Parts per period.
        refill: u64,
        /// Milliseconds.
        period: u64,
    },
}

/// A counter's state; the meaning of the fields depends on the algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counter {
    /// The window's beginning, or the instant up to which the bucket was refilled.
    pub at: i64,
    /// Parts taken in the window, or what the bucket lacks, in parts times its period.
    pub used: u64,
    /// Parts taken in the previous window.
    pub before: u64,
}

impl Rule {
    /// The state at `now` without a charge.
    pub fn at(&self, state: Option<Counter>, now: i64) -> Counter {
        match *self {
            Self::FixedWindow { length, .. } => fixed_window::at(length, state, now),
            Self::CalendarMonth { .. } => calendar_month::at(state, now),
            Self::SlidingWindow { length, .. } => sliding_window::at(length, state, now),
            Self::TokenBucket {
                size,
                refill,
                period,
            } => token_bucket::at(size, refill, period, state, now),
        }
    }

    /// The state after charging `cost` parts, or `None` if they do not fit.
    pub fn charge(&self, state: Option<Counter>, now: i64, cost: u64) -> Option<Counter> {
        let counter = self.at(state, now);
        (cost <= self.left(counter, now)).then(|| self.take(counter, cost))
    }

    /// Parts left at `now`.
    pub fn remaining(&self, state: Option<Counter>, now: i64) -> u64 {
        self.left(self.at(state, now), now)
    }

    /// The time until `cost` parts fit if nobody else takes any; `None` if they never will.
    pub fn wait(&self, state: Option<Counter>, now: i64, cost: u64) -> Option<i64> {
        let counter = self.at(state, now);
        if cost <= self.left(counter, now) {
            return Some(0);
        }
        match *self {
            Self::FixedWindow { quota, .. } | Self::CalendarMonth { quota } => {
                (cost <= quota).then(|| self.end(counter) - now)
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

    /// The time until the full quota is available if nobody takes any.
    pub fn renewal(&self, state: Option<Counter>, now: i64) -> i64 {
        let counter = self.at(state, now);
        self.end(counter).saturating_sub(now).max(0)
    }

    /// When the counter no longer matters.
    pub fn end(&self, counter: Counter) -> i64 {
        match *self {
            Self::FixedWindow { length, .. } => counter.at + length,
            Self::CalendarMonth { .. } => calendar_month::end(counter.at),
            Self::SlidingWindow { length, .. } => sliding_window::end(length, counter),
            Self::TokenBucket { refill, .. } => token_bucket::full(refill, counter),
        }
    }

    /// The mark in a receipt that tells [`Rule::settle`] how much of the charge still
    /// counts.
    pub fn mark(&self, charged: Counter) -> i64 {
        match *self {
            Self::FixedWindow { .. } | Self::CalendarMonth { .. } | Self::SlidingWindow { .. } => {
                charged.at
            }
            Self::TokenBucket { refill, .. } => token_bucket::full(refill, charged),
        }
    }

    /// The state after a charge of `cost` parts turned out to be `actual`. What has been
    /// renewed by time meanwhile is not refunded a second time; what exceeds the quota is
    /// owed.
    pub fn settle(&self, state: Counter, now: i64, mark: i64, cost: u64, actual: u64) -> Counter {
        match *self {
            Self::FixedWindow { .. } | Self::CalendarMonth { .. } => {
                fixed_window::settle(state, mark, cost, actual)
            }
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
            Self::FixedWindow { quota, .. } | Self::CalendarMonth { quota } => {
                quota.saturating_sub(counter.used)
            }
            Self::SlidingWindow { quota, length } => {
                sliding_window::left(quota, length, counter, now)
            }
            Self::TokenBucket { size, period, .. } => token_bucket::left(size, period, counter),
        }
    }

    fn take(&self, counter: Counter, cost: u64) -> Counter {
        let taken = match *self {
            Self::FixedWindow { .. } | Self::CalendarMonth { .. } | Self::SlidingWindow { .. } => {
                cost
            }
            Self::TokenBucket { period, .. } => cost * period,
        };
        Counter {
            used: counter.used + taken,
            ..counter
        }
    }
}

/// `used` with `less` replaced by `more`, saturating.
fn replace(used: u64, less: u64, more: u64) -> u64 {
    used.saturating_sub(less)
        .saturating_add(more)
        .min(MAX_PARTS)
}

#[cfg(test)]
pub(super) mod tests;
