//! How far a job has come through its gates.

use serde::{Deserialize, Serialize};

use super::super::super::{GateRef, Hold, Terms, in_order};

/// The gates of a job, in the order in which it passes them. Stored as JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in super::super) struct Passes {
    /// Whether it has a turn in the order of its lane.
    #[serde(default)]
    pub(in super::super) scheduled: bool,
    pub(super) list: Vec<Pass>,
}

/// One of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Pass {
    pub(super) gate: String,
    pub(super) hold: Hold,
    /// For a gate that is created again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) terms: Option<Terms>,
    #[serde(default)]
    pub(super) stage: Stage,
    #[serde(default)]
    pub(super) slot: bool,
    /// Whether its next call counts towards the rate already.
    #[serde(default)]
    pub(super) permit: bool,
    /// When it came, in the gate's own count; 0 before.
    #[serde(default)]
    pub(super) place: i64,
    /// Whether it only holds the slot, of a job that has ended.
    #[serde(default)]
    pub(super) inherited: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// It has not come to the gate yet.
    #[default]
    Ahead,
    Waiting,
    Passed,
}

/// Jobs that have a slot already go before all others in a line.
const BEFORE_ALL: i64 = 1 << 50;

impl Passes {
    /// None of them passed.
    pub(in super::super) fn new(refs: &[GateRef]) -> Self {
        let list = in_order(refs).into_iter().map(|gate| Pass {
            gate: gate.name.clone(),
            hold: gate.hold,
            terms: gate.terms,
            stage: Stage::Ahead,
            slot: false,
            permit: false,
            place: 0,
            inherited: false,
        });
        Self {
            scheduled: false,
            list: list.collect(),
        }
    }

    /// Adds slots in these gates, of a job that has ended.
    pub(super) fn inherit(&mut self, gates: Vec<String>) {
        let inherited = gates.into_iter().map(|gate| Pass {
            gate,
            hold: Hold::End,
            terms: None,
            stage: Stage::Passed,
            slot: true,
            permit: false,
            place: 0,
            inherited: true,
        });
        let inherited: Vec<Pass> = inherited.collect();
        self.list
            .retain(|own| inherited.iter().all(|pass| pass.gate != own.gate));
        self.list.splice(0..0, inherited);
    }

    /// As before the first gate, without what was inherited.
    pub(super) fn reset(&mut self) {
        self.scheduled = false;
        self.list.retain(|pass| !pass.inherited);
        for pass in &mut self.list {
            (pass.stage, pass.slot, pass.permit, pass.place) = (Stage::Ahead, false, false, 0);
        }
    }

    pub(in super::super) const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The gate in whose line the job waits.
    pub(super) fn waits_for(&self) -> Option<&str> {
        let waiting = self.list.iter().find(|pass| pass.stage == Stage::Waiting);
        waiting.map(|pass| pass.gate.as_str())
    }

    pub(super) fn of(&mut self, gate: &str) -> Option<&mut Pass> {
        self.list.iter_mut().find(|pass| pass.gate == gate)
    }
}

impl Pass {
    /// Its place in the gate's line.
    pub(super) const fn in_line(&self) -> i64 {
        if self.slot {
            self.place - BEFORE_ALL
        } else {
            self.place
        }
    }

    /// Whether the job keeps its slot between its calls. `attempts` have been started.
    pub(super) fn stays(&self, attempts: u32) -> bool {
        self.inherited || (self.hold == Hold::End && attempts > 0)
    }
}
