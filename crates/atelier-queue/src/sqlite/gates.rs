//! The way of jobs through their gates: `Ahead`, perhaps `Waiting` in a line, `Passed`.

mod list;
mod line;
mod pass;
mod state;

use rusqlite::{Connection, params};

use self::{line::admit, pass::Stage, state::State};
pub(super) use self::{
    list::{change, find, list, removable, remove, remove_idle},
    pass::Passes,
};
use super::{
    super::{Hold, Result},
    Changes,
    row::{self, Row},
    scheduler::{self, Opening},
    table::{self, execute},
};

/// Takes slots as well in the gates that this job, which has ended, still holds.
pub(super) fn inherit(c: &Connection, row: &mut Row, from: &str) -> Result<()> {
    let held: Vec<(String, String)> = table::cached(
        c,
        "SELECT key, gate FROM barriers WHERE key > ?1 || '-' AND key < ?1 || '.'",
        |query| {
            query
                .query_map([from], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        },
    )?;
    // A key is the id, a dash and ten digits.
    let own = held
        .into_iter()
        .filter(|(key, _)| key.len() == from.len() + 11);
    let gates: Vec<String> = own.map(|(_, gate)| gate).collect();
    if !gates.is_empty() || row.gates.is_some() {
        let mut passes = row.passes();
        passes.inherit(gates);
        row.set_passes(&passes)?;
    }
    Ok(())
}

/// A job that is added (`anew`) or retried comes to its gates; without any it is queued in
/// the order.
pub(super) fn enter(
    c: &Connection,
    changed: &mut Changes,
    row: &mut Row,
    anew: bool,
    now: i64,
) -> Result<()> {
    if row.gates.is_none() {
        return scheduler::schedule(c, row);
    }
    let mut passes = row.passes();
    if !anew {
        passes.reset();
    }
    for pass in &mut passes.list {
        let (mut gate, new) = state::find_or_new(c, &pass.gate, now)?;
        let terms = pass.terms.filter(|_| anew || new);
        gate.named += 1;
        let opened = terms.is_some_and(|terms| gate.agree(terms, now)) && gate.waiting > 0;
        if pass.inherited {
            gate.active += 1;
        } else if pass.hold == Hold::End {
            gate.last += 1;
            pass.place = gate.last;
        }
        gate.save(c)?;
        if opened {
            admit(c, changed, &pass.gate, now)?;
        }
    }
    if row.due == 0 {
        advance(c, row, &mut passes, now)?;
    }
    row.set_passes(&passes)
}

/// Moves the job on to the first gate that is closed, or into the order of its lane.
fn advance(c: &Connection, row: &mut Row, passes: &mut Passes, now: i64) -> Result<()> {
    for pass in &mut passes.list {
        if pass.stage == Stage::Passed {
            continue;
        }
        let (mut gate, new) = state::of_job(c, &pass.gate, now)?;
        gate.named += i64::from(new);
        if pass.place == 0 {
            gate.last += 1;
            pass.place = gate.last;
        }
        let open = matches!(gate.opening(pass, now), Opening::Now);
        if open && !line::is_behind(c, &gate, pass)? {
            gate.admit(pass);
            gate.save(c)?;
            continue;
        }
        row.due = line::join(c, &mut gate, pass, &row.id, now)?;
        return gate.save(c);
    }
    row.due = 0;
    if !passes.scheduled {
        scheduler::schedule(c, row)?;
        passes.scheduled = true;
    }
    Ok(())
}

/// A delayed job is due, or the gate that the job waits for opens.
pub(super) fn fall_due(
    c: &Connection,
    changed: &mut Changes,
    row: &mut Row,
    now: i64,
) -> Result<()> {
    let mut passes = row.passes();
    if let Some(gate) = passes.waits_for() {
        // Another that fell due before may have let it pass.
        if table::is_due(c, &row.id, now)? {
            row.due = line::WAITING;
            table::set_due(c, row)?;
            admit(c, changed, gate, now)?;
        }
        return Ok(());
    }
    advance(c, row, &mut passes, now)?;
    table::set_gates(c, row, &passes)
}

/// Whether the job may start a call now; if so, that is counted. Otherwise it waits again for
/// a gate that has changed since it passed.
pub(super) fn start(
    c: &Connection,
    changed: &mut Changes,
    row: &mut Row,
    now: i64,
) -> Result<bool> {
    let mut passes = row.passes();
    let mut gates = Vec::new();
    for (index, pass) in passes.list.iter().enumerate() {
        let (gate, _) = state::of_job(c, &pass.gate, now)?;
        if pass.stage != Stage::Passed || !gate.may_start(pass, row.attempt, now) {
            send_back(c, changed, row, passes, index, now)?;
            return Ok(false);
        }
        gates.push(gate);
    }
    let mut rated = Vec::new();
    for (pass, mut gate) in passes.list.iter_mut().zip(gates) {
        if pass.permit || gate.terms.rate.is_some() {
            gate.start(pass, now);
            gate.save(c)?;
            rated.extend(Some(gate.name).filter(|_| gate.waiting > 0));
        }
    }
    row.set_passes(&passes)?;
    table::set_gates(c, row, &passes)?;
    for gate in rated {
        admit(c, changed, &gate, now)?;
    }
    Ok(true)
}

/// Puts the job back into the line of one of its gates, at the place that it had there.
fn send_back(
    c: &Connection,
    changed: &mut Changes,
    row: &mut Row,
    mut passes: Passes,
    index: usize,
    now: i64,
) -> Result<()> {
    let attempts = row.attempt;
    for pass in passes.list.iter_mut().skip(index) {
        let (mut gate, _) = state::of_job(c, &pass.gate, now)?;
        if !pass.inherited {
            pass.stage = Stage::Ahead;
        }
        gate.take_permit(pass);
        if !pass.stays(attempts) {
            gate.take_slot(pass);
        }
        gate.save(c)?;
    }
    advance(c, row, &mut passes, now)?;
    table::set_gates(c, row, &passes)?;
    for pass in passes.list.iter().skip(index) {
        admit(c, changed, &pass.gate, now)?;
    }
    Ok(())
}

/// An attempt has ended: frees the slots that are held only during one.
pub(super) fn end_attempt(
    c: &Connection,
    changed: &mut Changes,
    row: &mut Row,
    now: i64,
) -> Result<()> {
    if row.gates.is_none() {
        return Ok(());
    }
    let mut passes = row.passes();
    let mut freed = Vec::new();
    for pass in &mut passes.list {
        if pass.inherited {
            continue;
        }
        pass.stage = Stage::Ahead;
        if pass.hold == Hold::Attempt {
            pass.place = 0;
            let (mut gate, _) = state::of_job(c, &pass.gate, now)?;
            gate.take_permit(pass);
            gate.take_slot(pass);
            gate.save(c)?;
            freed.extend(Some(gate.name).filter(|_| gate.waiting > 0));
        }
    }
    table::set_gates(c, row, &passes)?;
    for gate in freed {
        admit(c, changed, &gate, now)?;
    }
    Ok(())
}

/// A queued job comes to its gates again, unless it is delayed.
pub(super) fn come_again(c: &Connection, row: &mut Row, yields: bool, now: i64) -> Result<()> {
    if row.gates.is_none() {
        return Ok(());
    }
    let mut passes = row.passes();
    passes.scheduled &= !yields;
    if row.due == 0 {
        advance(c, row, &mut passes, now)?;
    }
    table::set_gates(c, row, &passes)
}

/// The job has ended: frees everything, except that its entry in the outbox, if it has one,
/// holds the slots that are held to the end.
pub(super) fn leave(
    c: &Connection,
    changed: &mut Changes,
    row: &mut Row,
    noted: bool,
    now: i64,
) -> Result<()> {
    if row.gates.is_none() {
        return Ok(());
    }
    let mut passes = row.passes();
    let gates = free(c, &row.id, &mut passes, noted, now)?;
    passes.reset();
    table::set_gates(c, row, &passes)?;
    admit_all(c, changed, &gates, now)
}

/// The same for a job whose row cannot be read.
pub(super) fn leave_unread(
    c: &Connection,
    changed: &mut Changes,
    id: &str,
    now: i64,
) -> Result<()> {
    let found = table::texts(
        c,
        "SELECT gates FROM jobs WHERE id = ?1 AND gates IS NOT NULL",
        &[&id],
    )?;
    let Some(mut passes) = found.first().and_then(|text| row::parse(text).ok()) else {
        return Ok(());
    };
    let gates = free(c, id, &mut passes, false, now)?;
    execute(c, "UPDATE jobs SET gates = NULL WHERE id = ?1", &[&id])?;
    admit_all(c, changed, &gates, now)
}

/// Frees everything that the job has in its gates. Returns those.
fn free(
    c: &Connection,
    id: &str,
    passes: &mut Passes,
    noted: bool,
    now: i64,
) -> Result<Vec<State>> {
    let mut gates = Vec::new();
    for pass in &mut passes.list {
        let (mut gate, _) = state::of_job(c, &pass.gate, now)?;
        if pass.stage == Stage::Waiting {
            line::leave(c, &mut gate, pass, id)?;
        }
        gate.take_permit(pass);
        if noted && pass.slot && pass.hold == Hold::End {
            execute(
                c,
                "INSERT OR IGNORE INTO barriers (key, gate)
                 SELECT id || '-' || printf('%010d', version), ?2 FROM jobs WHERE id = ?1",
                params![id, pass.gate],
            )?;
        } else {
            gate.take_slot(pass);
            gate.named -= 1;
        }
        gate.save(c)?;
        gates.push(gate);
    }
    Ok(gates)
}

fn admit_all(c: &Connection, changed: &mut Changes, gates: &[State], now: i64) -> Result<()> {
    for gate in gates.iter().filter(|gate| gate.waiting > 0) {
        admit(c, changed, &gate.name, now)?;
    }
    Ok(())
}

/// The end of a job has been attended to.
pub(super) fn lift_barrier(c: &Connection, changed: &mut Changes, key: &str) -> Result<()> {
    let freed = table::texts(
        c,
        "DELETE FROM barriers WHERE key = ?1 RETURNING gate",
        &[&key],
    )?;
    for name in freed {
        let Some(mut gate) = state::find(c, &name)? else {
            continue;
        };
        gate.active -= 1;
        gate.named -= 1;
        gate.save(c)?;
        // Without the time, what a rate allows later is due at once.
        admit(c, changed, &name, gate.used_at)?;
    }
    Ok(())
}
