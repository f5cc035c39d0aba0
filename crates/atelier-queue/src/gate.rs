//! Gates: what jobs pass before they enter the order of their lane.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The limits of a gate, over all processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Maximum number of jobs that hold a slot; `None` for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<u32>,
    /// Maximum number of calls started in a period; `None` for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// So many calls in a period. A period begins with the first call after the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Number of calls started in a period.
    pub count: u32,
    /// Its length; counted in whole milliseconds, and at least one.
    pub period: Duration,
}

/// A gate that a job has to pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRef {
    /// Chosen by the caller. A gate exists from the first job that names it.
    pub name: String,
    /// Set when the job is added, except for what is pinned; `None` leaves them as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// How long the job holds its slot.
    pub hold: Hold,
}

/// How long a job holds its slot in a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Until its end has been attended to: through all attempts, until the job has ended and
    /// its entry in the outbox is acknowledged. Jobs pass in the order in which they were added.
    End,
    /// During each attempt.
    Attempt,
}

/// The state of a gate.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Its name.
    pub name: String,
    /// Its limits.
    pub terms: Terms,
    /// Whether jobs leave the number at a time as it is.
    pub pinned_parallel: bool,
    /// Whether jobs leave the rate as it is.
    pub pinned_rate: bool,
    /// Whether no job passes.
    pub paused: bool,
    /// Whether it stays although no job names it.
    pub kept: bool,
    /// Number of jobs that hold a slot.
    pub active: u32,
    /// Number of jobs that wait for it.
    pub waiting: u64,
    /// When the present period of the rate began.
    pub window_start: Option<Timestamp>,
    /// Number of calls started in it.
    pub started: u32,
    /// When it came into being.
    pub created_at: Timestamp,
    /// When its limits or switches were changed last.
    pub updated_at: Timestamp,
}

/// What is to be changed of a gate; the default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GateChange {
    /// Sets the number at a time, pinned or not; `Some(None)` removes the limit.
    pub parallel: Option<Option<u32>>,
    /// Sets the rate likewise.
    pub rate: Option<Option<Rate>>,
    /// Pins the number at a time, or unpins it.
    pub pin_parallel: Option<bool>,
    /// Pins the rate, or unpins it.
    pub pin_rate: Option<bool>,
    /// Pauses or resumes it.
    pub paused: Option<bool>,
    /// Keeps it, or leaves it to housekeeping.
    pub kept: Option<bool>,
    /// Ends the present period of the rate, so that another begins with the next call.
    pub reset_rate: bool,
    /// How many gates may stay, if this one does only because of the change.
    pub within: Option<Bound>,
}

/// A bound for the gates that stay although no job names them, as they are kept, paused or
/// pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// What the names of those that are counted begin with.
    pub prefix: String,
    /// Maximum number of them.
    pub most: usize,
}

/// A part of an owner's jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum In {
    /// Queued, running or delivering.
    Unfinished,
    /// Dead letters.
    Failed,
}

/// The gates in the order in which they are passed, each once.
pub(super) fn in_order(refs: &[GateRef]) -> Vec<&GateRef> {
    let mut refs: Vec<&GateRef> = refs.iter().collect();
    refs.sort_by_key(|gate| (gate.hold, &gate.name));
    refs.dedup_by_key(|gate| &gate.name);
    refs
}
