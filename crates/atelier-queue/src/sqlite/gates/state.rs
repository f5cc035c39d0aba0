//! A gate's record, and when it opens.

use std::time::Duration;

use atelier_store::{instant, milliseconds};
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};

use super::{
    super::{
        super::{Gate, Rate, Result, Terms},
        scheduler::Opening,
        table::{cached, execute},
    },
    pass::{Pass, Stage},
};

/// A gate's record.
#[derive(Debug)]
pub(super) struct State {
    pub(super) name: String,
    pub(super) terms: Terms,
    pub(super) pinned_parallel: bool,
    pub(super) pinned_rate: bool,
    pub(super) paused: bool,
    pub(super) kept: bool,
    /// It is there only for the jobs that still name it.
    pub(super) removed: bool,
    pub(super) named: i64,
    pub(super) active: i64,
    pub(super) pending: i64,
    pub(super) waiting: i64,
    pub(super) last: i64,
    pub(super) window_start: Option<i64>,
    pub(super) started: i64,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    /// The latest instant seen.
    pub(super) used_at: i64,
}

const COLUMNS: &str =
    "name, parallel, rate, period, pinned_parallel, pinned_rate, paused, kept, removed,
    named, active, pending, waiting, last, window_start, started, created_at, updated_at, used_at";

fn read(row: &SqlRow<'_>) -> rusqlite::Result<State> {
    let period = Duration::from_millis(row.get(3)?);
    let count: Option<u32> = row.get(2)?;
    Ok(State {
        name: row.get(0)?,
        terms: Terms {
            parallel: row.get(1)?,
            rate: count.map(|count| Rate { count, period }),
        },
        pinned_parallel: row.get(4)?,
        pinned_rate: row.get(5)?,
        paused: row.get(6)?,
        kept: row.get(7)?,
        removed: row.get(8)?,
        named: row.get(9)?,
        active: row.get(10)?,
        pending: row.get(11)?,
        waiting: row.get(12)?,
        last: row.get(13)?,
        window_start: row.get(14)?,
        started: row.get(15)?,
        created_at: row.get(16)?,
        updated_at: row.get(17)?,
        used_at: row.get(18)?,
    })
}

/// The gate that a job names, and whether it is new, which it never is unless it was lost.
pub(super) fn of_job(c: &Connection, name: &str, now: i64) -> Result<(State, bool)> {
    let found = find(c, name)?.map(|mut state| {
        state.used_at = state.used_at.max(now);
        (state, false)
    });
    Ok(found.unwrap_or_else(|| (State::new(name, now), true)))
}

/// The gate of that name; one that lets everything pass if there is none. Whether it is new.
pub(super) fn find_or_new(c: &Connection, name: &str, now: i64) -> Result<(State, bool)> {
    let (mut state, new) = of_job(c, name, now)?;
    let revived = state.removed;
    if revived {
        state.removed = false;
        (state.created_at, state.updated_at) = (now, now);
    }
    Ok((state, new || revived))
}

/// The gate of that name.
pub(super) fn find(c: &Connection, name: &str) -> Result<Option<State>> {
    cached(
        c,
        &format!("SELECT {COLUMNS} FROM gates WHERE name = ?1"),
        |query| query.query_row([name], read).optional(),
    )
}

/// A part of the gates whose names begin with `prefix`, except removed ones.
pub(super) fn list(c: &Connection, prefix: &str, after: &str, limit: usize) -> Result<Vec<State>> {
    let end = format!("{prefix}{}", char::MAX);
    cached(
        c,
        &format!(
            "SELECT {COLUMNS} FROM gates WHERE name >= ?1 AND name > ?2 AND name < ?3
             AND removed = 0 ORDER BY name LIMIT ?4"
        ),
        |query| {
            query
                .query_map(params![prefix, after, end, limit], read)?
                .collect()
        },
    )
}

fn length(rate: Rate) -> i64 {
    milliseconds(rate.period).max(1)
}

impl State {
    fn new(name: &str, now: i64) -> Self {
        Self {
            name: name.to_owned(),
            terms: Terms::default(),
            pinned_parallel: false,
            pinned_rate: false,
            paused: false,
            kept: false,
            removed: false,
            named: 0,
            active: 0,
            pending: 0,
            waiting: 0,
            last: 0,
            window_start: None,
            started: 0,
            created_at: now,
            updated_at: now,
            used_at: now,
        }
    }

    /// Writes it; one that was removed and that nothing names any more is deleted.
    pub(super) fn save(&self, c: &Connection) -> Result<()> {
        if self.removed && self.named <= 0 {
            return execute(c, "DELETE FROM gates WHERE name = ?1", &[&self.name]);
        }
        execute(
            c,
            "INSERT OR REPLACE INTO gates (name, parallel, rate, period, pinned_parallel, pinned_rate,
                 paused, kept, removed, named, active, pending, waiting, last, window_start, started,
                 created_at, updated_at, used_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
                 ?19)",
            params![
                self.name,
                self.terms.parallel,
                self.terms.rate.map(|rate| rate.count),
                self.terms.rate.map_or(0, length),
                self.pinned_parallel,
                self.pinned_rate,
                self.paused,
                self.kept,
                self.removed,
                self.named,
                self.active,
                self.pending,
                self.waiting,
                self.last,
                self.window_start,
                self.started,
                self.created_at,
                self.updated_at,
                self.used_at,
            ],
        )
    }

    /// Sets the terms that come with a job, except for what is pinned. Returns whether that
    /// changed anything.
    pub(super) fn agree(&mut self, terms: Terms, now: i64) -> bool {
        let before = self.terms;
        if !self.pinned_parallel {
            self.terms.parallel = terms.parallel;
        }
        if !self.pinned_rate {
            self.terms.rate = terms.rate;
        }
        let changed = self.terms != before;
        if changed {
            self.updated_at = now;
        }
        changed
    }

    /// The end of the present period of the rate.
    fn window_end(&self, now: i64) -> Option<i64> {
        let end = self.window_start? + length(self.terms.rate?);
        Some(end).filter(|end| *end > now)
    }

    /// The calls started in the present period of the rate.
    fn begun(&self, now: i64) -> i64 {
        self.window_end(now).map_or(0, |_| self.started)
    }

    /// When the job may pass.
    pub(super) fn opening(&self, pass: &Pass, now: i64) -> Opening {
        let full = self
            .terms
            .parallel
            .is_some_and(|most| self.active >= i64::from(most));
        if self.paused || (full && !pass.slot) {
            return Opening::WhenOneEnds;
        }
        let used_up = self
            .terms
            .rate
            .is_some_and(|rate| self.begun(now) + self.pending >= i64::from(rate.count));
        if !used_up {
            return Opening::Now;
        }
        self.window_end(now)
            .map_or(Opening::WhenOneEnds, Opening::At)
    }

    /// Lets the job pass.
    pub(super) fn admit(&mut self, pass: &mut Pass) {
        if !pass.slot {
            pass.slot = true;
            self.active += 1;
        }
        if self.terms.rate.is_some() {
            pass.permit = true;
            self.pending += 1;
        }
        pass.stage = Stage::Passed;
    }

    /// Whether a job that has passed may start its call: the gate may have changed since.
    pub(super) fn may_start(&self, pass: &Pass, attempts: u32, now: i64) -> bool {
        let crowded = self
            .terms
            .parallel
            .is_some_and(|most| self.active > i64::from(most));
        let others = if pass.permit { 0 } else { self.pending };
        let used_up = self
            .terms
            .rate
            .is_some_and(|rate| self.begun(now) + others >= i64::from(rate.count));
        let bound = self.paused || used_up || (crowded && !pass.stays(attempts));
        pass.inherited || !bound
    }

    /// A call starts.
    pub(super) fn start(&mut self, pass: &mut Pass, now: i64) {
        self.take_permit(pass);
        if self.terms.rate.is_none() || pass.inherited {
            return;
        }
        if self.window_end(now).is_none() {
            (self.window_start, self.started) = (Some(now), 0);
        }
        self.started += 1;
    }

    pub(super) fn take_permit(&mut self, pass: &mut Pass) {
        self.pending -= i64::from(pass.permit);
        pass.permit = false;
    }

    pub(super) fn take_slot(&mut self, pass: &mut Pass) {
        self.active -= i64::from(pass.slot);
        pass.slot = false;
    }

    pub(super) fn into_gate(self) -> Result<Gate> {
        Ok(Gate {
            name: self.name,
            terms: self.terms,
            pinned_parallel: self.pinned_parallel,
            pinned_rate: self.pinned_rate,
            paused: self.paused,
            kept: self.kept,
            active: u32::try_from(self.active).unwrap_or(0),
            waiting: u64::try_from(self.waiting).unwrap_or(0),
            window_start: self.window_start.map(instant).transpose()?,
            started: u32::try_from(self.started).unwrap_or(0),
            created_at: instant(self.created_at)?,
            updated_at: instant(self.updated_at)?,
        })
    }
}
