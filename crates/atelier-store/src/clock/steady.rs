//! The machine's clock without its jumps, for a process without Redis.

use std::time::{Duration, Instant};

/// A larger difference means that the clock was corrected, or the machine was suspended:
/// the new time applies at once.
const CORRECTION: Duration = Duration::from_secs(60 * 60);

/// The fraction of elapsed time that is added or left out until both clocks agree.
const SHARE: i64 = 10;

/// Advances at the rate of the monotonic clock, so that leases and windows last as long
/// as they should even if somebody sets the machine's clock.
#[derive(Debug)]
pub(super) struct Steady {
    looked: Instant,
    /// In Unix microseconds.
    told: i64,
}

impl Steady {
    pub(super) const fn new(looked: Instant, machine: i64) -> Self {
        Self {
            looked,
            told: machine,
        }
    }

    /// Returns the time at this instant, given the machine's, and the difference that was
    /// applied at once, if any.
    pub(super) fn tell(&mut self, at: Instant, machine: i64) -> (i64, Option<i64>) {
        let passed = micros(at.saturating_duration_since(self.looked));
        self.looked = self.looked.max(at);
        let expected = self.told.saturating_add(passed);
        let apart = machine.saturating_sub(expected);
        if apart.saturating_abs() > micros(CORRECTION) {
            self.told = machine;
            return (self.told, Some(apart));
        }
        let share = passed / SHARE;
        self.told = expected + apart.clamp(-share, share);
        (self.told, None)
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;
    const START: i64 = 1_800_000_000 * SECOND;

    /// The time returned in each second, on a machine whose clock is this far ahead.
    fn told(ahead: i64, seconds: u64) -> Vec<i64> {
        let start = Instant::now();
        let mut clock = Steady::new(start, START);
        let told = (1..=seconds).map(|second| {
            let machine = START + ahead + second.cast_signed() * SECOND;
            let at = start + Duration::from_secs(second);
            clock.tell(at, machine).0 - START
        });
        told.collect()
    }

    #[test]
    fn a_clock_that_is_set_by_minutes_is_followed_slowly_and_never_backwards() {
        for minutes in [-59, -15, -1, 1, 15, 59] {
            let ahead = minutes * 60 * SECOND;
            let mut before = 0;
            for now in told(ahead, 3600) {
                let passed = now - before;
                assert!(
                    (900_000..=1_100_000).contains(&passed),
                    "{minutes}: {passed}"
                );
                before = now;
            }
        }
    }

    #[test]
    fn in_the_end_both_agree() {
        for minutes in [-15, 15] {
            let ahead = minutes * 60 * SECOND;
            let last = told(ahead, 9_001).pop();
            assert_eq!(last, Some(ahead + 9_001 * SECOND));
        }
    }

    #[test]
    fn a_clock_that_was_wrong_by_hours_is_believed() {
        for hours in [-50_000, -2, 2, 50_000] {
            let ahead = hours * 3600 * SECOND;
            assert_eq!(told(ahead, 1), [ahead + SECOND]);
        }
    }

    #[test]
    fn whoever_looks_too_early_is_told_the_same() {
        let start = Instant::now() + Duration::from_secs(1);
        let mut clock = Steady::new(start, START);
        let early = start - Duration::from_secs(1);
        assert_eq!(clock.tell(early, START - SECOND).0, START);
    }
}
