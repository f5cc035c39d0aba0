//! One counter per window. "A day" renews at midnight UTC.

use super::{Counter, SLACK, replace};

/// The beginning of the window that contains `now`.
pub(super) fn start(length: i64, now: i64) -> i64 {
    now - now.rem_euclid(length)
}

pub(super) fn at(length: i64, state: Option<Counter>, now: i64) -> Counter {
    since(start(length, now), length, state, now)
}

/// The counter of the window that begins at `start`. If the clock went backwards, the
/// window already reached still counts.
pub(super) fn since(start: i64, length: i64, state: Option<Counter>, now: i64) -> Counter {
    match state {
        Some(state) if state.at >= start && state.at - now <= length + SLACK => state,
        _ => Counter {
            at: start,
            ..Counter::default()
        },
    }
}

/// A past window is neither refunded nor charged.
pub(super) fn settle(state: Counter, mark: i64, cost: u64, actual: u64) -> Counter {
    if state.at == mark {
        Counter {
            used: replace(state.used, cost, actual),
            ..state
        }
    } else {
        state
    }
}
