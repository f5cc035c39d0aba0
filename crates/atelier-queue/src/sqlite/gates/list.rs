//! What operators see of gates, and change.

use rusqlite::{Connection, params};

use super::{
    super::{
        super::{Bound, Error, Gate, GateChange, Result},
        Changes,
        table::{cached, execute},
    },
    line::admit,
    state::{self, State},
};

/// The gate of that name, unless it was removed.
pub(in super::super) fn find(c: &Connection, name: &str) -> Result<Option<Gate>> {
    let found = state::find(c, name)?.filter(|gate| !gate.removed);
    found.map(State::into_gate).transpose()
}

/// A part of the gates whose names begin with `prefix`.
pub(in super::super) fn list(
    c: &Connection,
    prefix: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<Gate>> {
    let found = state::list(c, prefix, after, limit)?;
    found.into_iter().map(State::into_gate).collect()
}

/// Changes the gate, which is created if there is none.
pub(in super::super) fn change(
    c: &Connection,
    changed: &mut Changes,
    name: &str,
    change: &GateChange,
    now: i64,
) -> Result<Option<Gate>> {
    let (mut gate, _) = state::find_or_new(c, name, now)?;
    let stayed = gate.stays();
    gate.change(change);
    if let Some(bound) = &change.within
        && gate.stays()
        && !stayed
        && staying(c, bound)? >= bound.most
    {
        return Err(Error::Crowded);
    }
    gate.updated_at = now;
    gate.save(c)?;
    admit(c, changed, name, now)?;
    changed.work();
    find(c, name)
}

/// The number of gates that the bound counts; no more than it allows.
fn staying(c: &Connection, bound: &Bound) -> Result<usize> {
    let end = format!("{}{}", bound.prefix, char::MAX);
    cached(
        c,
        "SELECT count(*) FROM (SELECT 1 FROM gates WHERE name >= ?1 AND name < ?2
             AND (kept = 1 OR paused = 1 OR pinned_parallel = 1 OR pinned_rate = 1) LIMIT ?3)",
        |query| query.query_row(params![bound.prefix, end, bound.most], |row| row.get(0)),
    )
}

/// Removes the gate; the jobs in its line pass. Returns whether there was one.
pub(in super::super) fn remove(
    c: &Connection,
    changed: &mut Changes,
    name: &str,
    now: i64,
) -> Result<bool> {
    let Some(mut gate) = state::find(c, name)?.filter(|gate| !gate.removed) else {
        return Ok(false);
    };
    gate.remove();
    gate.save(c)?;
    admit(c, changed, name, now)?;
    Ok(true)
}

/// A part of the names of gates that seem removable, and the last name looked at.
pub(in super::super) fn removable(
    c: &Connection,
    after: &str,
    before: i64,
    limit: usize,
) -> Result<(Vec<String>, Option<String>)> {
    let found: Vec<(String, bool)> = cached(
        c,
        "SELECT name, named = 0 AND kept = 0 AND paused = 0 AND pinned_parallel = 0 AND pinned_rate = 0
             AND used_at < ?2 AND coalesce(window_start, 0) + period < ?2
         FROM gates WHERE name > ?1 ORDER BY name LIMIT ?3",
        |query| {
            query
                .query_map(params![after, before, limit], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?
                .collect()
        },
    )?;
    let last = found.last().map(|(name, _)| name.clone());
    let idle = found.into_iter().filter(|(_, idle)| *idle);
    Ok((idle.map(|(name, _)| name).collect(), last))
}

/// Removes the gate if nothing has named it since then.
pub(in super::super) fn remove_idle(c: &Connection, name: &str, before: i64) -> Result<()> {
    execute(
        c,
        "DELETE FROM gates WHERE name = ?1 AND named = 0 AND kept = 0 AND paused = 0
         AND pinned_parallel = 0 AND pinned_rate = 0 AND used_at < ?2",
        params![name, before],
    )
}

impl State {
    /// Whether it stays although no job names it.
    const fn stays(&self) -> bool {
        self.kept || self.paused || self.pinned_parallel || self.pinned_rate
    }

    fn change(&mut self, change: &GateChange) {
        self.terms.parallel = change.parallel.unwrap_or(self.terms.parallel);
        self.terms.rate = change.rate.unwrap_or(self.terms.rate);
        self.pinned_parallel = change.pin_parallel.unwrap_or(self.pinned_parallel);
        self.pinned_rate = change.pin_rate.unwrap_or(self.pinned_rate);
        self.paused = change.paused.unwrap_or(self.paused);
        self.kept = change.kept.unwrap_or(self.kept);
        if change.reset_rate {
            (self.window_start, self.started) = (None, 0);
        }
    }

    /// Makes it let everything pass, for the jobs that still name it.
    fn remove(&mut self) {
        self.change(&GateChange {
            parallel: Some(None),
            rate: Some(None),
            pin_parallel: Some(false),
            pin_rate: Some(false),
            paused: Some(false),
            kept: Some(false),
            reset_rate: true,
            within: None,
        });
        self.removed = true;
    }
}
