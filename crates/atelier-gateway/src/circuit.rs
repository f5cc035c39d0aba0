//! A circuit breaker: after repeated failures an upstream is left alone for a while, then
//! probed with one call.
//!
//! ```mermaid
//! stateDiagram-v2
//!     closed --> open: the last of several failures in a row
//!     open --> probing: its time is over, and a call is let through
//!     probing --> closed: the call succeeded
//!     probing --> open: the call failed, for twice as long
//! ```

use std::time::{Duration, Instant};

/// Failures in a row that open the circuit.
const TOLERATED: u32 = 5;

/// How long it is open at first; doubled by every probe that fails, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(5);

/// The longest time between two probes.
const LONGEST: Duration = Duration::from_secs(120);

/// How long a probe may take before another is let through: its caller may have gone.
const PROBE: Duration = Duration::from_secs(60);

/// The state of one upstream's circuit. Instants are passed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Circuit {
    /// Calls go through; so many failed in a row.
    #[default]
    Closed,
    /// Some calls in a row have failed.
    Failing(u32),
    /// No call goes through before the instant.
    Open {
        /// When it may be probed.
        until: Instant,
        /// How long it was opened for.
        time: Duration,
    },
    /// One call is under way that decides.
    Probing {
        /// When the probe counts as lost.
        until: Instant,
        /// How long the circuit had been open.
        time: Duration,
    },
}

impl Circuit {
    /// Returns the instant before which no call goes through; `None` if one may now.
    pub(crate) fn closed_until(self, now: Instant) -> Option<Instant> {
        match self {
            Self::Closed | Self::Failing(_) => None,
            Self::Open { until, .. } | Self::Probing { until, .. } => {
                Some(until).filter(|until| *until > now)
            }
        }
    }

    /// A call begins.
    #[must_use]
    pub(crate) fn begin(self, now: Instant) -> Self {
        match self {
            Self::Open { time, .. } | Self::Probing { time, .. } => Self::Probing {
                until: now + PROBE,
                time,
            },
            closed => closed,
        }
    }

    /// A call succeeded, or failed for a reason that is the caller's.
    #[must_use]
    pub(crate) const fn succeed(self) -> Self {
        Self::Closed
    }

    /// A call failed. Those that were begun before it opened do not open it again.
    #[must_use]
    pub(crate) fn fail(self, now: Instant) -> Self {
        match self {
            Self::Closed => Self::Failing(1),
            Self::Failing(failures) if failures + 1 < TOLERATED => Self::Failing(failures + 1),
            Self::Failing(_) => Self::open(FIRST, now),
            Self::Probing { time, .. } => Self::open((time * 2).min(LONGEST), now),
            open @ Self::Open { .. } => open,
        }
    }

    fn open(time: Duration, now: Instant) -> Self {
        Self::Open {
            until: now + time,
            time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(failures: u32, now: Instant) -> Circuit {
        (0..failures).fold(Circuit::default(), |circuit, _| circuit.fail(now))
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let now = Instant::now();
        assert_eq!(after(TOLERATED - 1, now).closed_until(now), None);
        assert_eq!(after(TOLERATED, now).closed_until(now), Some(now + FIRST));
        let interrupted = after(TOLERATED - 1, now).succeed().fail(now);
        assert_eq!(interrupted, Circuit::Failing(1));
    }

    #[test]
    fn one_call_probes_and_decides() {
        let now = Instant::now();
        let later = now + FIRST;
        let probing = after(TOLERATED, now).begin(later);
        assert_eq!(probing.closed_until(later), Some(later + PROBE));
        assert_eq!(probing.succeed().closed_until(later), None);
        assert_eq!(
            probing.fail(later).closed_until(later),
            Some(later + 2 * FIRST)
        );
        // A probe whose caller has gone is followed by another.
        assert_eq!(probing.closed_until(later + PROBE), None);
    }

    #[test]
    fn it_is_never_open_for_longer_than_the_longest_time() {
        let mut now = Instant::now();
        let mut circuit = after(TOLERATED, now);
        for _ in 0..20 {
            now = circuit.closed_until(now).unwrap();
            circuit = circuit.begin(now).fail(now);
        }
        assert_eq!(circuit.closed_until(now), Some(now + LONGEST));
    }
}
