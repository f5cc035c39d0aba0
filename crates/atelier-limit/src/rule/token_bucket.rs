//! A bucket that is refilled evenly. What it lacks is counted in parts times the period,
//! of which `refill` are restored every millisecond: whole numbers, so that the time to
//! the next token is exact.

use super::{Counter, SLACK, replace};

/// If the clock went backwards, nothing is refilled until it has caught up.
pub(super) fn at(size: u64, refill: u64, period: u64, state: Option<Counter>, now: i64) -> Counter {
    let Some(state) = state else {
        return Counter {
            at: now,
            ..Counter::default()
        };
    };
    if state.at - now > window(size, refill, period) + SLACK {
        return Counter { at: now, ..state };
    }
    let elapsed = (now - state.at).max(0).unsigned_abs();
    Counter {
        at: state.at.max(now),
        used: state.used.saturating_sub(elapsed.saturating_mul(refill)),
        before: 0,
    }
}

/// How long an empty bucket takes to fill.
fn window(size: u64, refill: u64, period: u64) -> i64 {
    millis((size * period).div_ceil(refill))
}

pub(super) fn left(size: u64, period: u64, counter: Counter) -> u64 {
    (size * period).saturating_sub(counter.used) / period
}

/// The wait for a cost that does not fit now but fits a full bucket.
pub(super) fn wait(
    size: u64,
    refill: u64,
    period: u64,
    counter: Counter,
    now: i64,
    cost: u64,
) -> i64 {
    let room = (size - cost) * period;
    let missing = counter.used.saturating_sub(room);
    millis(missing.div_ceil(refill)) + (counter.at - now)
}

/// When the bucket is full again.
pub(super) fn full(refill: u64, counter: Counter) -> i64 {
    counter
        .at
        .saturating_add(millis(counter.used.div_ceil(refill)))
}

/// Charges are restored in order, this one by `mark`: its part before `now` has been
/// restored already.
pub(super) fn settle(
    refill: u64,
    period: u64,
    state: Counter,
    now: i64,
    mark: i64,
    cost: u64,
    actual: u64,
) -> Counter {
    let (cost, actual) = (cost.saturating_mul(period), actual.saturating_mul(period));
    let owed = (mark - now).max(0).unsigned_abs().saturating_mul(refill);
    let (less, more) = if actual < cost {
        ((cost - actual).min(owed), 0)
    } else {
        (0, actual - cost)
    };
    Counter {
        used: replace(state.used, less, more),
        ..state
    }
}

fn millis(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
