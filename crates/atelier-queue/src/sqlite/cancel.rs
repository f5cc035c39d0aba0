//! Cancels jobs, alone or with the call that nobody waits for any more.

use std::slice;

use atelier_api::Status;
use rusqlite::Connection;

use super::{
    super::{Error, Event, Result, readable, transition},
    Changes, gates,
    lifecycle::leader_of,
    outbox::{self, Note},
    row::{Row, Withdrawn},
    scheduler,
    table::{self, followers, load, save},
};

/// What a cancellation changed.
pub(super) struct Cancelled {
    /// As its owner sees it afterwards.
    pub(super) row: Row,
    pub(super) ended: Vec<Note>,
    pub(super) orphans: Vec<String>,
}

pub(super) fn cancel(
    c: &Connection,
    changed: &mut Changes,
    id: &str,
    now: i64,
) -> Result<Cancelled> {
    let mut row = load(c, id)?.ok_or(Error::NotFound)?;
    let before = row.clone().seen_by_owner().ok_or(Error::NotFound)?;
    let cancelled = transition(before.status, Event::Cancel)?;
    if let Some(leader) = leader_of(c, &row)? {
        row.share_reports(&leader);
    }
    row.finished_at = Some(now);
    let carried_on = row.leader.is_none() && !followers(c, id)?.is_empty();
    if carried_on {
        row.withdrawn = Withdrawn::Cancelled;
    } else {
        stop(c, &mut row, cancelled)?;
    }
    save(c, &mut row, changed)?;
    let (ended, orphans) = match &row.leader {
        Some(leader) => abandon(c, changed, leader, &row, now)?,
        None if carried_on => (close(c, &mut row)?, Vec::new()),
        None => {
            let interrupted = before.status == Status::Running;
            let ended = outbox::note_all(c, slice::from_ref(&row), interrupted)?;
            let noted = row.is_noted();
            gates::leave(c, changed, &mut row, noted, now)?;
            (ended, Vec::new())
        }
    };
    Ok(Cancelled {
        row: row.seen_by_owner().ok_or(Error::NotFound)?,
        ended,
        orphans,
    })
}

fn stop(c: &Connection, row: &mut Row, cancelled: Status) -> Result<()> {
    row.status = cancelled;
    row.due = 0;
    row.unreport();
    if row.attempt == 0 && row.leader.is_none() && row.has_turn() {
        scheduler::unschedule(c, row)?;
    }
    Ok(())
}

/// Settles the charge of a leader withdrawn before its call was started: one of its
/// followers will pay. A leader whose call is in progress still owes it.
fn close(c: &Connection, row: &mut Row) -> Result<Vec<Note>> {
    if row.status == Status::Running {
        return Ok(Vec::new());
    }
    let note = outbox::note(c, row, None)?;
    row.charge = "null".into();
    table::void_charge(c, &row.id)?;
    Ok(vec![note])
}

/// Removes a follower, and ends a withdrawn leader that nobody waits for any more.
/// Returns also the blobs without references.
fn abandon(
    c: &Connection,
    changed: &mut Changes,
    leader: &str,
    follower: &Row,
    now: i64,
) -> Result<(Vec<Note>, Vec<String>)> {
    let leader = readable(leader, load(c, leader))?.flatten();
    let leader = leader.filter(|leader| leader.withdrawn != Withdrawn::No);
    // An outcome that is recorded already is delivered nevertheless.
    let alone = match leader {
        Some(leader) if followers(c, &leader.id)?.is_empty() => {
            let cancelled = transition(leader.status, Event::Cancel).ok();
            cancelled.map(|cancelled| (leader, cancelled))
        }
        _ => None,
    };
    let Some((mut leader, cancelled)) = alone else {
        return Ok((vec![outbox::note(c, follower, None)?], Vec::new()));
    };
    let interrupted = leader.status == Status::Running;
    stop(c, &mut leader, cancelled)?;
    save(c, &mut leader, changed)?;
    let mut rows = [leader, follower.clone()];
    let ended = outbox::note_all(c, &rows, interrupted)?;
    let noted = rows[0].is_noted();
    gates::leave(c, changed, &mut rows[0], noted, now)?;
    let orphans = if rows[0].withdrawn == Withdrawn::Deleted {
        table::remove(c, &rows[0].id)?
    } else {
        Vec::new()
    };
    Ok((ended, orphans))
}
