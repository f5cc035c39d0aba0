//! The lines before gates.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    super::{
        super::{Result, readable},
        row::Row,
        scheduler::Opening,
        table::{self, cached, execute, load},
    },
    Changes, advance,
    pass::{Pass, Stage},
    state::{self, State},
};

/// Jobs that a gate admits at a time: if it has opened for more, the first of the others is
/// due at once.
const MOST: usize = 64;

/// The `due_at` of a job in a line for which nothing can be said.
pub(super) const WAITING: i64 = -1;

/// The job at the head of the line.
pub(super) fn first(c: &Connection, gate: &str) -> Result<Option<(i64, String)>> {
    cached(
        c,
        "SELECT place, job FROM lines WHERE gate = ?1 ORDER BY place, job LIMIT 1",
        |query| {
            query
                .query_row([gate], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        },
    )
}

/// Whether another job waits that came before.
pub(super) fn is_behind(c: &Connection, gate: &State, pass: &Pass) -> Result<bool> {
    if gate.waiting <= 0 {
        return Ok(false);
    }
    let first = first(c, &gate.name)?;
    Ok(first.is_some_and(|(place, _)| place < pass.in_line()))
}

/// Adds the job to the line. Returns its `due_at`.
pub(super) fn join(
    c: &Connection,
    gate: &mut State,
    pass: &mut Pass,
    id: &str,
    now: i64,
) -> Result<i64> {
    let behind = is_behind(c, gate, pass)?;
    pass.stage = Stage::Waiting;
    gate.waiting += 1;
    execute(
        c,
        "INSERT OR IGNORE INTO lines (gate, place, job) VALUES (?1, ?2, ?3)",
        params![gate.name, pass.in_line(), id],
    )?;
    Ok(if behind {
        WAITING
    } else {
        due(&gate.opening(pass, now))
    })
}

/// Removes the job from the line.
pub(super) fn leave(c: &Connection, gate: &mut State, pass: &Pass, id: &str) -> Result<()> {
    let left = cached(
        c,
        "DELETE FROM lines WHERE gate = ?1 AND place = ?2 AND job = ?3",
        |statement| statement.execute(params![gate.name, pass.in_line(), id]),
    )?;
    gate.waiting -= i64::from(left > 0);
    Ok(())
}

const fn due(opening: &Opening) -> i64 {
    match opening {
        Opening::At(instant) => *instant,
        Opening::Now | Opening::WhenOneEnds => WAITING,
    }
}

/// Admits as many jobs as may pass, and notes when the next one may.
pub(super) fn admit(c: &Connection, changed: &mut Changes, name: &str, now: i64) -> Result<()> {
    for _ in 0..MOST {
        let Some(mut gate) = waited_for(c, name)? else {
            return Ok(());
        };
        let Some((_, id)) = first(c, name)? else {
            return Ok(());
        };
        let Some(mut row) = readable(&id, load(c, &id))?.flatten() else {
            drop_unreadable(c, &mut gate, &id)?;
            continue;
        };
        let mut passes = row.passes();
        let Some(pass) = passes.of(name) else {
            drop_unreadable(c, &mut gate, &id)?;
            continue;
        };
        match gate.opening(pass, now) {
            Opening::Now => {}
            closed => return arm(c, &mut row, due(&closed)),
        }
        leave(c, &mut gate, pass, &id)?;
        gate.admit(pass);
        gate.save(c)?;
        advance(c, &mut row, &mut passes, now)?;
        table::set_gates(c, &mut row, &passes)?;
        changed.work();
    }
    go_on_later(c, changed, name, now)
}

fn waited_for(c: &Connection, name: &str) -> Result<Option<State>> {
    Ok(state::find(c, name)?.filter(|gate| gate.waiting > 0))
}

fn go_on_later(c: &Connection, changed: &mut Changes, name: &str, now: i64) -> Result<()> {
    let Some((_, id)) = first(c, name)? else {
        return Ok(());
    };
    changed.work();
    match readable(&id, load(c, &id))?.flatten() {
        Some(mut row) => arm(c, &mut row, now.max(1)),
        None => Ok(()),
    }
}

fn arm(c: &Connection, row: &mut Row, due: i64) -> Result<()> {
    if row.due == due {
        return Ok(());
    }
    row.due = due;
    table::set_due(c, row)
}

/// Removes a job whose record cannot be read from the line; it is due at once, to be failed.
fn drop_unreadable(c: &Connection, gate: &mut State, id: &str) -> Result<()> {
    gate.waiting -= 1;
    gate.save(c)?;
    execute(
        c,
        "DELETE FROM lines WHERE gate = ?1 AND job = ?2",
        &[&gate.name, &id],
    )?;
    execute(c, "UPDATE jobs SET due_at = 1 WHERE id = ?1", &[&id])
}
