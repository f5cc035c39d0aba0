//! The clock of a remote store.

use std::{
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tracing::warn;

/// No offset is known yet.
const UNKNOWN: i64 = i64::MIN;

/// Differences between clocks over this are logged.
const WORTH_A_WORD: Duration = Duration::from_secs(2);

/// The clock of a remote store.
#[derive(Debug)]
pub(crate) struct StoreTime {
    /// The reference instant of the monotonic clock.
    base: Instant,
    /// Unix microseconds of the store at `base`, or [`UNKNOWN`].
    offset: AtomicI64,
    /// Whether the machine's time was returned before the store's was known.
    guessed: AtomicBool,
    /// Whether the difference has been logged.
    mentioned: AtomicBool,
}

/// One measurement of the store's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) asked: Instant,
    pub(crate) answered: Instant,
    /// In Unix microseconds.
    pub(crate) time: i64,
}

impl Default for StoreTime {
    fn default() -> Self {
        Self {
            base: Instant::now(),
            offset: AtomicI64::new(UNKNOWN),
            guessed: AtomicBool::new(false),
            mentioned: AtomicBool::new(false),
        }
    }
}

impl StoreTime {
    pub(crate) fn is_known(&self) -> bool {
        self.offset.load(Ordering::Relaxed) != UNKNOWN
    }

    /// Whether the time was read before it was known.
    pub(crate) fn was_guessed(&self) -> bool {
        self.guessed.load(Ordering::Relaxed)
    }

    /// The time now, unless it is not known yet.
    pub(super) fn now(&self) -> Option<Timestamp> {
        let offset = self.offset.load(Ordering::Relaxed);
        if offset == UNKNOWN {
            self.guessed.store(true, Ordering::Relaxed);
            return None;
        }
        Timestamp::from_microsecond(offset + self.at(Instant::now())).ok()
    }

    /// The store's time at an instant, in Unix microseconds; `None` until it is known.
    pub(crate) fn told_at(&self, instant: Instant) -> Option<i64> {
        let offset = self.offset.load(Ordering::Relaxed);
        (offset != UNKNOWN).then(|| offset + self.at(instant))
    }

    fn at(&self, instant: Instant) -> i64 {
        let since = instant.saturating_duration_since(self.base);
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX / 2)
    }

    /// Applies a measurement, and logs once if the machine's clock is wrong.
    pub(crate) fn take(&self, sample: Sample) {
        self.follow(sample);
        self.compare(Timestamp::now());
    }

    /// Applies a measurement. The answer was true at some moment between request and
    /// response; the present offset is kept as long as it agrees with that, so that a slow
    /// response does not degrade it.
    pub(crate) fn follow(&self, sample: Sample) {
        let (asked, answered) = (self.at(sample.asked), self.at(sample.answered));
        let present = self.offset.load(Ordering::Relaxed);
        if !(sample.time - answered..=sample.time - asked).contains(&present) {
            let middle = asked + (answered - asked) / 2;
            self.offset.store(sample.time - middle, Ordering::Relaxed);
        }
    }

    /// Logs once if the machine's clock is wrong.
    fn compare(&self, machine: Timestamp) {
        let Some(store) = self.now() else { return };
        let differ = machine.duration_since(store);
        let right = differ.unsigned_abs() < WORTH_A_WORD;
        if !right && !self.mentioned.swap(true, Ordering::Relaxed) {
            warn!(
                ahead_seconds = differ.as_secs(),
                "this machine's clock and Redis' differ; Redis' counts"
            );
        }
        if right {
            self.mentioned.store(false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{super::Clock, *};

    const SECOND: i64 = 1_000_000;

    fn sample(store: &StoreTime, asked: u64, answered: u64, time: i64) -> Sample {
        Sample {
            asked: store.base + Duration::from_millis(asked),
            answered: store.base + Duration::from_millis(answered),
            time,
        }
    }

    fn offset(store: &StoreTime) -> i64 {
        store.offset.load(Ordering::Relaxed)
    }

    #[test]
    fn the_time_is_the_stores_and_not_the_machines() {
        let store = Arc::new(StoreTime::default());
        let now = Instant::now();
        store.take(Sample {
            asked: now,
            answered: now,
            time: 1_000 * SECOND,
        });
        let told = Clock::of(store).now().as_second();
        assert!((1_000..1_060).contains(&told), "{told}");
    }

    #[test]
    fn an_answer_is_true_in_the_middle_of_its_way() {
        let store = StoreTime::default();
        store.take(sample(&store, 1_000, 1_010, 77 * SECOND));
        assert_eq!(offset(&store), 77 * SECOND - 1_005_000);
    }

    #[test]
    fn a_slow_answer_does_not_disturb_a_good_one() {
        let store = StoreTime::default();
        store.take(sample(&store, 0, 0, 100 * SECOND));
        store.take(sample(&store, 1_000, 3_000, 101 * SECOND + 7));
        assert_eq!(offset(&store), 100 * SECOND);
    }

    #[test]
    fn a_store_whose_clock_was_set_is_followed() {
        let store = StoreTime::default();
        store.take(sample(&store, 0, 0, 100 * SECOND));
        store.take(sample(&store, 1_000, 1_002, 41 * SECOND));
        assert_eq!(offset(&store), 40 * SECOND - 1_000);
    }

    #[test]
    fn whoever_asked_too_early_was_told_a_guess() {
        let store = Arc::new(StoreTime::default());
        assert!(!store.was_guessed());
        Clock::of(Arc::clone(&store)).now();
        assert!(store.was_guessed() && !store.is_known());
    }
}
