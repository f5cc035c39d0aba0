//! Claims: what is due, else the next job in the fair order.

use std::time::Duration;

use atelier_api::Status;
use atelier_store::{instant, milliseconds};
use rusqlite::{Connection, params};

use super::{
    super::{Event, Lane, Payload, Result, expired, transition},
    Changes, gates,
    row::Row,
    scheduler::{self, Opening, State},
    table::{self, cached, execute, find, save},
    unread,
};

/// Maximum number of leases and delays that one claim processes.
const DUE: usize = 16;

/// Maximum number of jobs that one claim puts back into the lines of their gates.
const SENT_BACK: usize = 64;

/// Number of turns after which the owners that the lane has overtaken are removed.
const FORGET: i64 = 64;

/// A claim, still as rows.
pub(super) enum Claimed {
    Call(Row),
    Deliver(Row),
    Idle(Option<i64>),
}

pub(super) fn claim<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    lanes: &[Lane],
    now: i64,
    lease: Duration,
) -> Result<Claimed> {
    let end = now + milliseconds(lease);
    if let Some(row) = settle_due::<P>(c, changed, now, end)? {
        return Ok(Claimed::Deliver(row));
    }
    let mut wake = None;
    for lane in lanes {
        match take::<P>(c, changed, lane, now, end)? {
            Taken::Call(row) => return Ok(Claimed::Call(*row)),
            Taken::Later(time) => wake = Some(wake.map_or(time, |wake: i64| wake.min(time))),
            Taken::Nothing => {}
        }
    }
    let due = next_due(c)?;
    Ok(Claimed::Idle(wake.into_iter().chain(due).min()))
}

/// What there is to do in a lane.
enum Taken {
    Call(Box<Row>),
    Later(i64),
    Nothing,
}

/// Starts the next job of the lane.
fn take<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    lane: &Lane,
    now: i64,
    end: i64,
) -> Result<Taken> {
    for _ in 0..SENT_BACK {
        let Some(mut row) = first::<P>(c, changed, &lane.name, now)? else {
            return Ok(Taken::Nothing);
        };
        let state = scheduler::state(c, &lane.name)?;
        let bounded = lane.parallel.is_some() || state.floor.is_some();
        let running = if bounded {
            scheduler::running(c, &lane.name)?
        } else {
            0
        };
        match state.opening(lane, running, now) {
            Opening::Now if row.gates.is_none() || gates::start(c, changed, &mut row, now)? => {
                return begin(c, changed, lane, state, row, now, end)
                    .map(|row| Taken::Call(Box::new(row)));
            }
            Opening::Now => {}
            Opening::At(time) => return Ok(Taken::Later(time)),
            Opening::WhenOneEnds => return Ok(Taken::Nothing),
        }
    }
    Ok(Taken::Later(now))
}

/// Returns delayed jobs and those with expired leases to the order, up to the first
/// delivery that is due.
fn settle_due<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    now: i64,
    end: i64,
) -> Result<Option<Row>> {
    let due = find(
        c,
        "WHERE due_at > 0 AND due_at <= ?1 ORDER BY due_at, id LIMIT ?2",
        params![now, DUE],
    )?;
    for found in due {
        let mut row = match found {
            Ok(row) => row,
            Err(id) => {
                unread::give_up::<P>(c, changed, &id, now)?;
                continue;
            }
        };
        match row.status {
            Status::Delivering => {
                row.status = transition(row.status, Event::Claim)?;
                row.deliveries += 1;
                row.due = end;
                table::set_due(c, &row)?;
                return Ok(Some(row));
            }
            Status::Running => {
                row.status = transition(row.status, Event::Expire)?;
                row.due = 0;
                row.unreport();
                row.fail(&expired(row.attempt, row.token, instant(now)?))?;
                gates::end_attempt(c, changed, &mut row, now)?;
                gates::come_again(c, &mut row, false, now)?;
                save(c, &mut row, changed)?;
            }
            _ if row.gates.is_some() => gates::fall_due(c, changed, &mut row, now)?,
            _ => {
                row.due = 0;
                table::set_due(c, &row)?;
            }
        }
    }
    Ok(None)
}

fn next_due(c: &Connection) -> Result<Option<i64>> {
    cached(
        c,
        "SELECT min(due_at) FROM jobs WHERE due_at > 0",
        |query| query.query_row([], |row| row.get(0)),
    )
}

/// The next job; unreadable ones before it have failed then.
fn first<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    lane: &str,
    now: i64,
) -> Result<Option<Row>> {
    loop {
        let ready = find(
            c,
            "WHERE lane = ?1 AND status = 'queued' AND due_at = 0 AND leader IS NULL
             ORDER BY band, vt, id LIMIT 1",
            &[&lane],
        )?;
        match ready.into_iter().next() {
            Some(Err(id)) => unread::give_up::<P>(c, changed, &id, now)?,
            ready => return Ok(ready.and_then(std::result::Result::ok)),
        }
    }
}

fn begin(
    c: &Connection,
    changed: &mut Changes,
    lane: &Lane,
    mut state: State,
    mut row: Row,
    now: i64,
    end: i64,
) -> Result<Row> {
    row.status = transition(row.status, Event::Claim)?;
    row.token = (row.token + 1).max(u64::try_from(now).unwrap_or(0));
    row.attempt += 1;
    row.started_at.get_or_insert(now);
    row.unreport();
    row.due = end;
    save(c, &mut row, changed)?;
    let overtaken = row.vt / FORGET > state.vt / FORGET;
    let spacing = lane.spacing();
    if row.vt > state.vt || spacing > 0 {
        state.vt = state.vt.max(row.vt);
        state.next_at = state.next_at.max(now) + spacing;
        scheduler::set_state(c, &lane.name, &state)?;
    }
    if overtaken {
        execute(
            c,
            "DELETE FROM owners WHERE lane = ?1 AND finish <= ?2",
            params![lane.name, state.vt],
        )?;
    }
    Ok(row)
}
