//! A gate, what a job has of it, and what operators do to it.

use crate::work::{Gate, GateChange, GateRef, Hold, Terms};
use jiff::Timestamp;

use super::jobs::Jobs;

/// What a gate remembers.
pub(super) struct Door {
    pub(super) terms: Terms,
    pub(super) pinned: (bool, bool),
    pub(super) paused: bool,
    pub(super) kept: bool,
    pub(super) removed: bool,
    pub(super) last: i64,
    pub(super) window_start: Option<Timestamp>,
    pub(super) started: u32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) latest: Timestamp,
}

/// A job's way through one of its gates.
#[derive(Clone)]
pub(super) struct Pass {
    pub(super) gate: String,
    pub(super) hold: Hold,
    pub(super) terms: Option<Terms>,
    pub(super) stage: Stage,
    pub(super) slot: bool,
    pub(super) permit: bool,
    pub(super) place: i64,
    pub(super) inherited: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stage {
    Ahead,
    Waiting,
    Passed,
}

pub(super) enum Opening {
    Now,
    At(Timestamp),
    Unknown,
}

impl Door {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            terms: Terms::default(),
            pinned: (false, false),
            paused: false,
            kept: false,
            removed: false,
            last: 0,
            window_start: None,
            started: 0,
            created_at: now,
            updated_at: now,
            latest: now,
        }
    }

    pub(super) fn window_end(&self, now: Timestamp) -> Option<Timestamp> {
        let end = self.window_start? + self.terms.rate?.period;
        Some(end).filter(|end| *end > now)
    }

    pub(super) fn begun(&self, now: Timestamp) -> u32 {
        self.window_end(now).map_or(0, |_| self.started)
    }

    pub(super) fn change(&mut self, change: &GateChange) {
        self.terms.parallel = change.parallel.unwrap_or(self.terms.parallel);
        self.terms.rate = change.rate.unwrap_or(self.terms.rate);
        self.pinned.0 = change.pin_parallel.unwrap_or(self.pinned.0);
        self.pinned.1 = change.pin_rate.unwrap_or(self.pinned.1);
        self.paused = change.paused.unwrap_or(self.paused);
        self.kept = change.kept.unwrap_or(self.kept);
        if change.reset_rate {
            (self.window_start, self.started) = (None, 0);
        }
    }
}

impl Pass {
    pub(super) fn all(mut refs: Vec<GateRef>) -> Vec<Self> {
        refs.sort_by(|a, b| (a.hold, &a.name).cmp(&(b.hold, &b.name)));
        let passes = refs.into_iter().map(|gate| Self {
            gate: gate.name,
            hold: gate.hold,
            terms: gate.terms,
            stage: Stage::Ahead,
            slot: false,
            permit: false,
            place: 0,
            inherited: false,
        });
        passes.collect()
    }

    pub(super) fn stays(&self, attempts: u32) -> bool {
        self.inherited || (self.hold == Hold::End && attempts > 0)
    }
}

impl Jobs {
    pub(super) fn gate(&self, name: &str) -> Option<Gate> {
        let door = self.doors.get(name).filter(|door| !door.removed)?;
        Some(Gate {
            name: name.to_owned(),
            terms: door.terms,
            pinned_parallel: door.pinned.0,
            pinned_rate: door.pinned.1,
            paused: door.paused,
            kept: door.kept,
            active: u32::try_from(self.active(name)).unwrap(),
            waiting: self.line(name).len() as u64,
            window_start: door.window_start,
            started: door.started,
            created_at: door.created_at,
            updated_at: door.updated_at,
        })
    }

    pub(super) fn set_gate(&mut self, name: &str, change: &GateChange, now: Timestamp) -> Gate {
        let (door, _) = self.known_door(name, now);
        door.change(change);
        door.updated_at = now;
        self.admit(name, now);
        self.gate(name).unwrap()
    }

    pub(super) fn remove_gate(&mut self, name: &str, now: Timestamp) -> bool {
        if self.gate(name).is_none() {
            return false;
        }
        let door = self.doors.get_mut(name).unwrap();
        door.removed = true;
        (door.terms, door.pinned) = (Terms::default(), (false, false));
        (door.paused, door.kept) = (false, false);
        (door.window_start, door.started) = (None, 0);
        self.admit(name, now);
        self.forget_doors();
        true
    }
}
