//! The state machine drawn in the [crate's documentation](crate).

use atelier_api::Status;

/// What can happen to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A worker claims it, for a call or a delivery.
    Claim,
    /// Its lease runs out.
    Expire,
    /// The attempt failed and another may help.
    Retry,
    /// A worker hands it back unfinished.
    Release,
    /// The call has ended.
    Record,
    /// The delivery failed and is retried.
    Postpone,
    /// The delivery succeeded.
    Complete {
        /// How the job ends.
        succeeded: bool,
    },
    /// Its owner cancels it.
    Cancel,
    /// An operator retries a failed job.
    Requeue,
}

/// The event cannot happen to a job in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen to a job that is {}", status.as_str())]
pub struct Illegal {
    /// The state.
    pub status: Status,
    /// The event.
    pub event: Event,
}

/// Returns the state that an event leads to; every store follows it.
///
/// # Errors
/// If the event cannot happen in this state.
pub const fn transition(status: Status, event: Event) -> Result<Status, Illegal> {
    use Event as E;
    use Status as S;
    match (status, event) {
        (S::Queued, E::Claim) => Ok(S::Running),
        (S::Running, E::Retry | E::Release | E::Expire) => Ok(S::Queued),
        (S::Running, E::Record) => Ok(S::Delivering),
        (S::Delivering, E::Claim | E::Postpone) => Ok(S::Delivering),
        (S::Delivering, E::Complete { succeeded: true }) => Ok(S::Succeeded),
        (S::Delivering, E::Complete { succeeded: false }) => Ok(S::Failed),
        (S::Queued | S::Running, E::Cancel) => Ok(S::Cancelled),
        (S::Failed, E::Requeue) => Ok(S::Queued),
        _ => Err(Illegal { status, event }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 10] = [
        Event::Claim,
        Event::Expire,
        Event::Retry,
        Event::Release,
        Event::Record,
        Event::Postpone,
        Event::Complete { succeeded: true },
        Event::Complete { succeeded: false },
        Event::Cancel,
        Event::Requeue,
    ];

    #[test]
    fn what_has_ended_stays_unless_it_is_revived() {
        for status in [Status::Succeeded, Status::Failed, Status::Cancelled] {
            for event in EVENTS {
                let expected = match (status, event) {
                    (Status::Failed, Event::Requeue) => Ok(Status::Queued),
                    _ => Err(Illegal { status, event }),
                };
                assert_eq!(transition(status, event), expected);
            }
        }
    }

    #[test]
    fn a_recorded_outcome_cannot_be_cancelled_or_called_again() {
        for event in [
            Event::Cancel,
            Event::Retry,
            Event::Release,
            Event::Expire,
            Event::Record,
        ] {
            assert!(transition(Status::Delivering, event).is_err());
        }
    }
}
