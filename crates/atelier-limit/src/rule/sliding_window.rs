//! The weighted two-bucket estimate: what was taken in this window, plus the share of the
//! previous window that lies within one length of now, as if it had been taken evenly. As
//! the estimate counts all of this window, no aligned window admits more than the quota.

use super::{Counter, SLACK, fixed_window::start, replace};

/// If the clock went backwards, the window already reached still counts.
pub(super) fn at(length: i64, state: Option<Counter>, now: i64) -> Counter {
    let start = start(length, now);
    match state {
        Some(state) if state.at >= start && state.at - now <= length + SLACK => state,
        Some(state) if state.at == start - length => Counter {
            at: start,
            used: 0,
            before: state.used,
        },
        _ => Counter {
            at: start,
            ..Counter::default()
        },
    }
}

/// The share of the previous window. In floating point, so that a Lua script can compute
/// exactly the same; despite rounding, it never grows with time.
fn share(length: i64, counter: Counter, now: i64) -> u64 {
    let elapsed = (now - counter.at).clamp(0, length);
    (counter.before as f64 * (length - elapsed) as f64 / length as f64).ceil() as u64
}

pub(super) fn left(quota: u64, length: i64, counter: Counter, now: i64) -> u64 {
    quota
        .saturating_sub(counter.used)
        .saturating_sub(share(length, counter, now))
}

/// The wait for a cost that does not fit now but fits an empty window.
pub(super) fn wait(quota: u64, length: i64, counter: Counter, now: i64, cost: u64) -> i64 {
    let next = Counter {
        at: counter.at + length,
        used: 0,
        before: counter.used,
    };
    let fits = |counter: Counter, now: i64| cost <= left(quota, length, counter, now);
    let last = next.at - 1;
    let moment = if fits(counter, last) {
        earliest(now, last, |now| fits(counter, now))
    } else {
        earliest(last, next.at + length, |now| fits(next, now))
    };
    moment - now
}

/// The first moment after `no` at which it holds; it holds from `yes` on.
fn earliest(mut no: i64, mut yes: i64, holds: impl Fn(i64) -> bool) -> i64 {
    while yes - no > 1 {
        let middle = no + (yes - no) / 2;
        if holds(middle) {
            yes = middle;
        } else {
            no = middle;
        }
    }
    yes
}

pub(super) fn end(length: i64, counter: Counter) -> i64 {
    match counter {
        Counter { used: 1.., .. } => counter.at + 2 * length,
        Counter { before: 1.., .. } => counter.at + length,
        // Nothing is to be renewed.
        _ => counter.at,
    }
}

pub(super) fn settle(length: i64, state: Counter, mark: i64, cost: u64, actual: u64) -> Counter {
    if state.at == mark {
        Counter {
            used: replace(state.used, cost, actual),
            ..state
        }
    } else if state.at == mark + length {
        Counter {
            before: replace(state.before, cost, actual),
            ..state
        }
    } else {
        state
    }
}
