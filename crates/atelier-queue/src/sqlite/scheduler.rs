//! Whose turn it is: lanes, fair order, flow control.

use std::time::Duration;

use atelier_api::Status;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    super::{Event, Lane, MOST_AHEAD, Payload, Result, expired, place_of, transition},
    row::Row,
    table::{self, cached, execute, find, save},
    unread,
};
use atelier_store::{instant, milliseconds};

/// How many leases and delays one claim looks after.
const DUE: usize = 16;

/// The owners that the lane has overtaken are forgotten at every so many turns.
const FORGET: i64 = 64;

/// A lane's record.
#[derive(Debug, Default)]
struct State {
    vt: i64,
    next_at: i64,
    held_until: i64,
    floor: Option<i64>,
}

/// A claim, still as rows.
pub(super) enum Claimed {
    Call(Row),
    Deliver(Row),
    Idle(Option<i64>),
}

/// Gives the row its place behind its owner's other jobs.
pub(super) fn schedule(c: &Connection, row: &mut Row) -> Result<()> {
    row.vt = state(c, &row.lane)?.vt.max(finish(c, row)?.unwrap_or(0));
    set_finish(c, row, row.vt + row.cost)
}

/// Gives back the virtual time of a job that is never begun.
pub(super) fn unschedule(c: &Connection, row: &Row) -> Result<()> {
    match finish(c, row)? {
        Some(finish) => {
            let vt = state(c, &row.lane)?.vt;
            set_finish(c, row, vt.max(finish - row.cost))
        }
        None => Ok(()),
    }
}

fn finish(c: &Connection, row: &Row) -> Result<Option<i64>> {
    cached(
        c,
        "SELECT finish FROM owners WHERE lane = ?1 AND owner = ?2",
        |query| {
            query
                .query_row([&row.lane, place_of(&row.owner)], |row| row.get(0))
                .optional()
        },
    )
}

fn set_finish(c: &Connection, row: &Row, finish: i64) -> Result<()> {
    execute(
        c,
        "INSERT OR REPLACE INTO owners (lane, owner, finish) VALUES (?1, ?2, ?3)",
        params![row.lane, place_of(&row.owner), finish],
    )
}

fn state(c: &Connection, lane: &str) -> Result<State> {
    let found = cached(
        c,
        "SELECT vt, next_at, held_until, floor FROM lanes WHERE name = ?1",
        |query| {
            query
                .query_row([lane], |row| {
                    Ok(State {
                        vt: row.get(0)?,
                        next_at: row.get(1)?,
                        held_until: row.get(2)?,
                        floor: row.get(3)?,
                    })
                })
                .optional()
        },
    )?;
    Ok(found.unwrap_or_default())
}

fn set_state(c: &Connection, lane: &str, state: &State) -> Result<()> {
    execute(
        c,
        "INSERT OR REPLACE INTO lanes (name, vt, next_at, held_until, floor) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![lane, state.vt, state.next_at, state.held_until, state.floor],
    )
}

fn running(c: &Connection, lane: &str) -> Result<i64> {
    cached(
        c,
        "SELECT count(*) FROM jobs WHERE lane = ?1 AND status = 'running' AND leader IS NULL",
        |query| query.query_row([lane], |row| row.get(0)),
    )
}

impl State {
    /// Calls that may be in progress at `now`.
    fn allowed(&self, lane: &Lane, now: i64) -> i64 {
        let parallel = lane.parallel.map_or(i64::MAX, i64::from);
        self.floor.map_or(parallel, |floor| {
            let seconds = (now - self.held_until).max(0) / 1000;
            parallel.min(floor + seconds)
        })
    }

    /// When the next call may begin: now, at an instant, or when one ends.
    fn opening(&self, lane: &Lane, running: i64, now: i64) -> Opening {
        if now < self.held_until {
            return Opening::At(self.held_until);
        }
        if running >= self.allowed(lane, now) {
            return match (self.floor, lane.parallel) {
                (_, Some(parallel)) if running >= i64::from(parallel) => Opening::WhenOneEnds,
                (Some(floor), _) => Opening::At(self.held_until + 1000 * (running - floor + 1)),
                (None, _) => Opening::WhenOneEnds,
            };
        }
        if lane.spacing() > 0 && now < self.next_at {
            return Opening::At(self.next_at);
        }
        Opening::Now
    }
}

enum Opening {
    Now,
    At(i64),
    WhenOneEnds,
}

/// Lets no call begin in the lane before `until`, and fewer at once for a while.
pub(super) fn throttle(c: &Connection, lane: &Lane, until: i64, now: i64) -> Result<()> {
    let mut state = state(c, &lane.name)?;
    if now >= state.held_until {
        let most = state.allowed(lane, now).min(running(c, &lane.name)?);
        state.floor = Some((most / 2).max(1));
    }
    state.held_until = state.held_until.max(until);
    set_state(c, &lane.name, &state)
}

pub(super) fn claim<P: Payload>(
    c: &Connection,
    changed: &mut Vec<String>,
    lanes: &[Lane],
    now: i64,
    lease: Duration,
) -> Result<Claimed> {
    let end = now + milliseconds(lease);
    if let Some(row) = settle_due::<P>(c, changed, now, end)? {
        return Ok(Claimed::Deliver(row));
    }
    let mut wake = next_due(c)?;
    for lane in lanes {
        let Some(row) = first::<P>(c, changed, &lane.name, now)? else {
            continue;
        };
        let state = state(c, &lane.name)?;
        let bounded = lane.parallel.is_some() || state.floor.is_some();
        let running = if bounded { running(c, &lane.name)? } else { 0 };
        match state.opening(lane, running, now) {
            Opening::Now => {
                return begin(c, changed, lane, state, row, now, end).map(Claimed::Call);
            }
            Opening::At(time) => wake = Some(wake.map_or(time, |wake| wake.min(time))),
            Opening::WhenOneEnds => {}
        }
    }
    Ok(Claimed::Idle(wake))
}

/// Takes delayed jobs and lost leases back into the order, up to the first
/// delivery that is due.
fn settle_due<P: Payload>(
    c: &Connection,
    changed: &mut Vec<String>,
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
                save(c, &mut row, changed)?;
            }
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

/// Whose turn it is; jobs before it that cannot be read have failed then.
fn first<P: Payload>(
    c: &Connection,
    changed: &mut Vec<String>,
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
    changed: &mut Vec<String>,
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
        set_state(c, &lane.name, &state)?;
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

/// Counts the jobs ahead of one that waits for its turn.
pub(super) fn position(c: &Connection, row: &Row) -> Result<Option<u64>> {
    if !row.waits_for_its_turn() {
        return Ok(None);
    }
    cached(
        c,
        "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE lane = ?1 AND status = 'queued'
             AND due_at = 0 AND leader IS NULL AND (band, vt, id) < (?2, ?3, ?4) LIMIT ?5)",
        |query| {
            query.query_row(
                params![row.lane, row.band, row.vt, row.id, MOST_AHEAD],
                |row| row.get(0),
            )
        },
    )
    .map(Some)
}
