//! Lanes, fair order and flow control.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    super::{Lane, MOST_AHEAD, Result, place_of},
    row::Row,
    table::{cached, execute},
};

/// A lane's record.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) vt: i64,
    pub(super) next_at: i64,
    pub(super) held_until: i64,
    pub(super) floor: Option<i64>,
}

/// Places the row after its owner's other jobs.
pub(super) fn schedule(c: &Connection, row: &mut Row) -> Result<()> {
    row.vt = state(c, &row.lane)?.vt.max(finish(c, row)?.unwrap_or(0));
    set_finish(c, row, row.vt + row.cost)
}

/// Returns the virtual time of a job that is never started.
pub(super) fn unschedule(c: &Connection, row: &Row) -> Result<()> {
    match finish(c, row)? {
        Some(finish) => {
            let vt = state(c, &row.lane)?.vt;
            set_finish(c, row, vt.max(finish - row.cost))
        }
        None => Ok(()),
    }
}

pub(super) fn finish(c: &Connection, row: &Row) -> Result<Option<i64>> {
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

pub(super) fn set_finish(c: &Connection, row: &Row, finish: i64) -> Result<()> {
    execute(
        c,
        "INSERT OR REPLACE INTO owners (lane, owner, finish) VALUES (?1, ?2, ?3)",
        params![row.lane, place_of(&row.owner), finish],
    )
}

pub(super) fn state(c: &Connection, lane: &str) -> Result<State> {
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

pub(super) fn set_state(c: &Connection, lane: &str, state: &State) -> Result<()> {
    execute(
        c,
        "INSERT OR REPLACE INTO lanes (name, vt, next_at, held_until, floor) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![lane, state.vt, state.next_at, state.held_until, state.floor],
    )
}

pub(super) fn running(c: &Connection, lane: &str) -> Result<i64> {
    cached(
        c,
        "SELECT count(*) FROM jobs WHERE lane = ?1 AND status = 'running' AND leader IS NULL",
        |query| query.query_row([lane], |row| row.get(0)),
    )
}

impl State {
    /// The limit of calls in progress at `now`.
    fn allowed(&self, lane: &Lane, now: i64) -> i64 {
        let parallel = lane.parallel.map_or(i64::MAX, i64::from);
        self.floor.map_or(parallel, |floor| {
            let seconds = (now - self.held_until).max(0) / 1000;
            parallel.min(floor + seconds)
        })
    }

    /// When the next call may start: now, at an instant, or when one ends.
    pub(super) fn opening(&self, lane: &Lane, running: i64, now: i64) -> Opening {
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

pub(super) enum Opening {
    Now,
    At(i64),
    WhenOneEnds,
}

/// Starts no call in the lane before `until`, and fewer concurrently for a while.
pub(super) fn throttle(c: &Connection, lane: &Lane, until: i64, now: i64) -> Result<()> {
    let mut state = state(c, &lane.name)?;
    if now >= state.held_until {
        let most = state.allowed(lane, now).min(running(c, &lane.name)?);
        state.floor = Some((most / 2).max(1));
    }
    state.held_until = state.held_until.max(until);
    set_state(c, &lane.name, &state)
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
