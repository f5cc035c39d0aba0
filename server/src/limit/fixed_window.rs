//! The fixed window: one counter per window, and windows aligned to multiples
//! of their length since the Unix epoch, so that "a day" renews at midnight
//! UTC. Pure functions of (state, now, cost).

use std::time::Duration;

use super::Policy;
use crate::store::milliseconds;

/// A counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// Unix milliseconds.
    pub start: i64,
    pub used: u64,
}

/// Start of the window that `now` lies in.
pub fn window_start(policy: &Policy, now: i64) -> i64 {
    now - now.rem_euclid(length(policy))
}

/// The state at `now`: as it was, or empty when a new window has begun. A
/// clock that went backwards stays in the window it had reached.
fn at(policy: &Policy, state: Option<Window>, now: i64) -> Window {
    let start = window_start(policy, now);
    match state {
        Some(state) if state.start >= start => state,
        _ => Window { start, used: 0 },
    }
}

/// A window's length in milliseconds.
pub(super) fn length(policy: &Policy) -> i64 {
    milliseconds(policy.window).max(1)
}

/// What is left at `now`, and how long until the window ends.
pub fn standing(policy: &Policy, state: Option<Window>, now: i64) -> (u64, Duration) {
    let window = at(policy, state, now);
    let left = (window.start + length(policy)).saturating_sub(now);
    (
        policy.quota.saturating_sub(window.used),
        Duration::from_millis(u64::try_from(left).unwrap_or(0)),
    )
}

/// The state after `cost` units, or `None` when they do not fit.
pub fn charge(policy: &Policy, state: Option<Window>, now: i64, cost: u64) -> Option<Window> {
    let window = at(policy, state, now);
    let used = window.used.checked_add(cost)?;
    (used <= policy.quota).then_some(Window { used, ..window })
}

/// The state after giving back `cost` units charged in the window that began
/// at `charged`; an earlier window's units are gone with it.
pub fn refund(state: Window, charged: i64, cost: u64) -> Window {
    if state.start == charged {
        Window {
            used: state.used.saturating_sub(cost),
            ..state
        }
    } else {
        state
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limit::{Action, Algorithm, Scope, Unit};

    fn policy(quota: u64, seconds: u64) -> Policy {
        Policy {
            name: "test".into(),
            scope: Scope::Ip,
            unit: Unit::Requests,
            algorithm: Algorithm::FixedWindow,
            quota,
            window: Duration::from_secs(seconds),
            actions: vec![Action::Image],
        }
    }

    proptest! {
        #[test]
        fn never_over_quota_in_any_window(
            quota in 0_u64..20,
            steps in prop::collection::vec((0_i64..90_000, 0_u64..8), 1..200),
        ) {
            let policy = policy(quota, 60);
            let (mut now, mut state) = (1_700_000_000_000, None);
            let mut taken = std::collections::HashMap::<i64, u64>::new();
            for (wait, cost) in steps {
                now += wait;
                if let Some(next) = charge(&policy, state, now, cost) {
                    *taken.entry(now.div_euclid(60_000)).or_default() += cost;
                    state = Some(next);
                }
            }
            prop_assert!(taken.values().all(|used| *used <= quota));
        }

        #[test]
        fn a_refund_restores(quota in 1_u64..50, before in 0_u64..50, cost in 0_u64..50) {
            let policy = policy(quota, 60);
            let state = charge(&policy, None, 5, before.min(quota));
            if let Some(charged) = charge(&policy, state, 5, cost) {
                prop_assert_eq!(Some(refund(charged, charged.start, cost)), state);
            }
        }

        #[test]
        fn a_clock_going_backwards_gives_nothing_away(back in 0_i64..10_000_000) {
            let policy = policy(3, 60);
            let full = charge(&policy, None, 10_000_000, 3);
            prop_assert_eq!(charge(&policy, full, 10_000_000 - back, 1), None);
        }

        #[test]
        fn capacity_is_free_exactly_at_the_reset(now in 0_i64..10_000_000) {
            let policy = policy(1, 60);
            let full = charge(&policy, None, now, 1);
            let (remaining, reset) = standing(&policy, full, now);
            let reset = i64::try_from(reset.as_millis()).unwrap();
            prop_assert_eq!(remaining, 0);
            prop_assert_eq!(charge(&policy, full, now + reset - 1, 1), None);
            prop_assert!(charge(&policy, full, now + reset, 1).is_some());
        }
    }

    #[test]
    fn a_refund_of_an_earlier_window_changes_nothing() {
        let policy = policy(3, 60);
        let earlier = charge(&policy, None, 0, 2).unwrap();
        let later = charge(&policy, Some(earlier), 60_000, 2).unwrap();
        assert_eq!(refund(later, earlier.start, 2), later);
    }
}
