//! What comes of a call or a delivery.

use jiff::Timestamp;

use crate::{Event, FailedAttempt, Payload};

/// A report of a call's progress.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// 0 to 1; `None` leaves it as it is.
    pub progress: Option<f32>,
    /// A blob; `None` leaves it as it is.
    pub preview: Option<String>,
}

/// The result of a call or a delivery.
#[derive(Debug, Clone)]
pub enum Verdict<P: Payload> {
    /// The call ended; its outcome is delivered next, under the same lease.
    Record(P::Outcome),
    /// The call failed and is retried, not before the instant, in its present turn.
    Retry(FailedAttempt, Timestamp),
    /// The same, but after its owner's other jobs: each attempt counts as another job, so
    /// that long attempts give no owner more than the others.
    Yield(FailedAttempt, Timestamp),
    /// The call failed permanently: as `Record`, keeping the attempt.
    Fail(FailedAttempt),
    /// The same, with an outcome that tells more than the failure.
    FailWith(FailedAttempt, P::Outcome),
    /// The call was not finished; another worker may start it again at once. It does not
    /// count as an attempt, but is kept if it may have been paid for.
    Release(Option<FailedAttempt>),
    /// The delivery failed and is retried, not before the instant.
    Postpone(Timestamp),
}

impl<P: Payload> Verdict<P> {
    /// The event that it causes.
    pub const fn event(&self) -> Event {
        match self {
            Self::Record(_) | Self::Fail(_) | Self::FailWith(..) => Event::Record,
            Self::Retry(..) | Self::Yield(..) => Event::Retry,
            Self::Release(_) => Event::Release,
            Self::Postpone(_) => Event::Postpone,
        }
    }
}
