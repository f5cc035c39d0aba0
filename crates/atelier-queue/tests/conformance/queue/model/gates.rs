//! Gates: who holds what is counted by looking at every job.

use std::{cmp::Reverse, collections::BTreeMap};

use crate::work::Hold;
use atelier_api::Status;
use jiff::Timestamp;

use super::{
    doors::{Door, Opening, Pass, Stage},
    jobs::Jobs,
    row::Row,
};

impl Row {
    pub(super) fn waits_for(&self) -> Option<&str> {
        let waiting = self.passes.iter().find(|pass| pass.stage == Stage::Waiting);
        waiting.map(|pass| pass.gate.as_str())
    }

    fn pass(&self, gate: &str) -> Option<&Pass> {
        self.passes.iter().find(|pass| pass.gate == gate)
    }
}

impl Jobs {
    fn count(&self, gate: &str, counts: impl Fn(&Pass) -> bool) -> usize {
        let passes = self.rows.values().flat_map(|row| &row.passes);
        passes
            .filter(|pass| pass.gate == gate && counts(pass))
            .count()
    }

    pub(super) fn active(&self, gate: &str) -> usize {
        let barriers = self.barriers.values().flatten();
        self.count(gate, |pass| pass.slot) + barriers.filter(|held| *held == gate).count()
    }

    fn named(&self, gate: &str) -> bool {
        let mut rows = self.rows.values();
        let mut barriers = self.barriers.values().flatten();
        barriers.any(|held| held == gate)
            || rows.any(|row| row.active() && row.leads() && row.pass(gate).is_some())
    }

    /// The jobs that wait for the gate, in order.
    pub(super) fn line(&self, gate: &str) -> Vec<String> {
        let mut line: Vec<_> = self
            .rows
            .iter()
            .filter_map(|(id, row)| Some((id, row.pass(gate)?)))
            .filter(|(_, pass)| pass.stage == Stage::Waiting)
            .map(|(id, pass)| (!pass.slot, pass.place, id.clone()))
            .collect();
        line.sort();
        line.into_iter().map(|(_, _, id)| id).collect()
    }

    fn opening(&self, pass: &Pass, now: Timestamp) -> Opening {
        let door = &self.doors[&pass.gate];
        let full = door.terms.parallel;
        let full = full.is_some_and(|most| self.active(&pass.gate) >= most as usize);
        if door.paused || (full && !pass.slot) {
            return Opening::Unknown;
        }
        let taken = door.begun(now) as usize + self.count(&pass.gate, |pass| pass.permit);
        match door.terms.rate {
            Some(rate) if taken >= rate.count as usize => {
                door.window_end(now).map_or(Opening::Unknown, Opening::At)
            }
            _ => Opening::Now,
        }
    }

    fn may_start(&self, pass: &Pass, attempts: u32, now: Timestamp) -> bool {
        if pass.inherited {
            return true;
        }
        let door = &self.doors[&pass.gate];
        let crowded = door.terms.parallel;
        let crowded = crowded.is_some_and(|most| self.active(&pass.gate) > most as usize);
        let others = if pass.permit {
            0
        } else {
            self.count(&pass.gate, |pass| pass.permit)
        };
        let rate = door.terms.rate;
        let used_up =
            rate.is_some_and(|rate| door.begun(now) as usize + others >= rate.count as usize);
        !door.paused && !used_up && (!crowded || pass.stays(attempts))
    }

    fn door(&mut self, name: &str, now: Timestamp) -> &mut Door {
        let door = self.doors.entry(name.to_owned());
        let door = door.or_insert_with(|| Door::new(now));
        door.latest = door.latest.max(now);
        door
    }

    /// The gate, which somebody asks for by name, and whether it is new to them.
    pub(super) fn known_door(&mut self, name: &str, now: Timestamp) -> (&mut Door, bool) {
        let new = !self.doors.contains_key(name);
        let door = self.door(name, now);
        let revived = std::mem::take(&mut door.removed);
        if revived {
            (door.created_at, door.updated_at) = (now, now);
        }
        (door, new || revived)
    }

    /// The job comes to its gates, or into the order if it has none.
    pub(super) fn come(&mut self, id: &str, anew: bool, inherits: Option<&str>, now: Timestamp) {
        if let Some(from) = inherits {
            self.inherit(id, from);
        }
        let mut passes = self.rows[id].passes.clone();
        if passes.is_empty() {
            let (Reverse(priority), _) = self.rows[id].turn;
            self.schedule(id, priority);
            self.row(id).scheduled = true;
            return;
        }
        for pass in &mut passes {
            let gate = pass.gate.clone();
            let (door, new) = self.known_door(&gate, now);
            let terms = pass.terms.filter(|_| anew || new);
            let before = door.terms;
            if let Some(terms) = terms {
                if !door.pinned.0 {
                    door.terms.parallel = terms.parallel;
                }
                if !door.pinned.1 {
                    door.terms.rate = terms.rate;
                }
                if door.terms != before {
                    door.updated_at = now;
                }
            }
            if !pass.inherited && pass.hold == Hold::End {
                door.last += 1;
                pass.place = door.last;
            }
            if self.doors[&gate].terms != before {
                self.admit(&gate, now);
            }
        }
        self.row(id).passes = passes;
        if self.rows[id].due.is_none() {
            self.move_on(id, now);
        }
    }

    fn inherit(&mut self, id: &str, from: &str) {
        let held: Vec<String> = self
            .barriers
            .iter()
            .filter(|(key, _)| key.len() == from.len() + 11 && key.starts_with(&format!("{from}-")))
            .flat_map(|(_, gates)| gates.clone())
            .collect();
        let passes = &mut self.row(id).passes;
        passes.retain(|pass| !held.contains(&pass.gate));
        for gate in held.into_iter().rev() {
            let inherited = Pass {
                gate,
                hold: Hold::End,
                terms: None,
                stage: Stage::Passed,
                slot: true,
                permit: false,
                place: 0,
                inherited: true,
            };
            passes.insert(0, inherited);
        }
    }

    /// Moves the job on to the first closed gate, or into the order.
    fn move_on(&mut self, id: &str, now: Timestamp) {
        for index in 0..self.rows[id].passes.len() {
            let mut pass = self.rows[id].passes[index].clone();
            if pass.stage == Stage::Passed {
                continue;
            }
            let gate = pass.gate.clone();
            let door = self.door(&gate, now);
            if pass.place == 0 {
                door.last += 1;
                pass.place = door.last;
            }
            let opening = self.opening(&pass, now);
            let ahead = self.line(&gate);
            let rank = |pass: &Pass| (!pass.slot, pass.place);
            let behind = ahead
                .first()
                .is_some_and(|first| rank(self.rows[first].pass(&gate).unwrap()) < rank(&pass));
            if matches!(opening, Opening::Now) && !behind {
                self.row(id).passes[index] = pass;
                self.let_in(id, &gate);
                continue;
            }
            pass.stage = Stage::Waiting;
            let row = self.row(id);
            row.passes[index] = pass;
            row.due = match opening {
                Opening::At(time) if !behind => Some(time),
                _ => None,
            };
            return;
        }
        self.row(id).due = None;
        if !self.rows[id].scheduled {
            let (Reverse(priority), _) = self.rows[id].turn;
            self.schedule(id, priority);
            self.row(id).scheduled = true;
        }
    }

    fn let_in(&mut self, id: &str, gate: &str) {
        let rated = self.doors[gate].terms.rate.is_some();
        let passes = &mut self.row(id).passes;
        let pass = passes.iter_mut().find(|pass| pass.gate == gate).unwrap();
        pass.slot = true;
        pass.permit = rated;
        pass.stage = Stage::Passed;
    }

    /// Admits as many of the line as may pass.
    pub(super) fn admit(&mut self, gate: &str, now: Timestamp) {
        while let Some(id) = self.line(gate).first().cloned() {
            let pass = self.rows[&id].pass(gate).unwrap();
            match self.opening(pass, now) {
                Opening::Now => {
                    self.let_in(&id, gate);
                    self.move_on(&id, now);
                }
                Opening::At(time) => return self.row(&id).due = Some(time),
                Opening::Unknown => return self.row(&id).due = None,
            }
        }
    }

    /// A delay is over, or a gate opens.
    pub(super) fn fall_due_at_gates(&mut self, id: &str, now: Timestamp) {
        let row = self.row(id);
        let Some(gate) = row.waits_for().map(ToOwned::to_owned) else {
            if row.due.is_some() {
                self.move_on(id, now);
            }
            return;
        };
        if row.due.is_some_and(|due| due <= now) {
            row.due = None;
            self.admit(&gate, now);
        }
    }

    /// Whether the call may start; if not, the job waits again.
    pub(super) fn start(&mut self, id: &str, now: Timestamp) -> bool {
        let (passes, attempts) = (self.rows[id].passes.clone(), self.rows[id].job.attempt);
        let closed = passes
            .iter()
            .position(|pass| !self.may_start(pass, attempts, now));
        if let Some(index) = closed {
            for pass in self.row(id).passes.iter_mut().skip(index) {
                if !pass.inherited {
                    pass.stage = Stage::Ahead;
                }
                pass.permit = false;
                pass.slot &= pass.stays(attempts);
            }
            self.move_on(id, now);
            for pass in passes.iter().skip(index) {
                self.admit(&pass.gate, now);
            }
            return false;
        }
        let mut rated = Vec::new();
        for index in 0..passes.len() {
            let pass = &mut self.row(id).passes[index];
            let permit = std::mem::take(&mut pass.permit);
            let (gate, inherited) = (pass.gate.clone(), pass.inherited);
            if !permit && self.doors[&gate].terms.rate.is_none() {
                continue;
            }
            let door = self.door(&gate, now);
            if door.terms.rate.is_some() && !inherited {
                if door.window_end(now).is_none() {
                    (door.window_start, door.started) = (Some(now), 0);
                }
                door.started += 1;
            }
            rated.push(gate);
        }
        for gate in rated {
            self.admit(&gate, now);
        }
        true
    }

    /// A call has ended.
    pub(super) fn end_attempt(&mut self, id: &str, now: Timestamp) {
        let mut freed = Vec::new();
        for pass in &mut self.row(id).passes {
            if pass.inherited {
                continue;
            }
            pass.stage = Stage::Ahead;
            if pass.hold == Hold::Attempt {
                (pass.place, pass.permit, pass.slot) = (0, false, false);
                freed.push(pass.gate.clone());
            }
        }
        for gate in freed {
            self.door(&gate, now);
            self.admit(&gate, now);
        }
    }

    /// The job waits again, unless it is delayed.
    pub(super) fn come_again(&mut self, id: &str, now: Timestamp) {
        if self.rows[id].due.is_none() && !self.rows[id].passes.is_empty() {
            self.move_on(id, now);
        }
    }

    /// The job has ended; its end was noted, perhaps.
    pub(super) fn leave_gates(&mut self, id: &str, now: Timestamp) {
        let passes = std::mem::take(&mut self.row(id).passes);
        let key = format!("{id}-{:010}", self.rows[id].job.version);
        let held = passes.iter().filter(|pass| pass.slot);
        let held: Vec<String> = held
            .filter(|pass| pass.hold == Hold::End)
            .map(|pass| pass.gate.clone())
            .collect();
        if self.outbox.contains_key(&key) && !held.is_empty() {
            self.barriers.insert(key, held);
        }
        let row = self.row(id);
        row.scheduled = false;
        let own = passes.iter().filter(|pass| !pass.inherited);
        row.passes = own
            .map(|pass| Pass {
                stage: Stage::Ahead,
                slot: false,
                permit: false,
                place: 0,
                ..pass.clone()
            })
            .collect();
        for pass in &passes {
            self.door(&pass.gate, now);
            self.admit(&pass.gate, now);
        }
        self.forget_doors();
    }

    pub(super) fn acknowledge(&mut self, key: &str) {
        self.outbox.remove(key);
        for gate in self.barriers.remove(key).unwrap_or_default() {
            let latest = self.doors[&gate].latest;
            self.admit(&gate, latest);
        }
        self.forget_doors();
    }

    pub(super) fn forget_doors(&mut self) {
        let gone = self.doors.iter().filter(|(_, door)| door.removed);
        let gone: Vec<String> = gone.map(|(name, _)| name.clone()).collect();
        for name in gone {
            if !self.named(&name) {
                self.doors.remove(&name);
            }
        }
    }
}

/// The gates by name, and the slots of jobs that have ended by the keys of their ends.
pub(super) type Doors = BTreeMap<String, Door>;
pub(super) type Barriers = BTreeMap<String, Vec<String>>;

/// Whether a job in this state waits in no line and for no instant.
pub(super) fn in_order(row: &Row) -> bool {
    row.leads()
        && row.job.status == Status::Queued
        && row.due.is_none()
        && row.waits_for().is_none()
}
