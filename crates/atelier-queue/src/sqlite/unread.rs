//! Handles unreadable jobs.

use rusqlite::Connection;

use super::{
    super::{Event, Outcome as _, Payload, Result, Ticket, readable, transition, unreadable},
    Changes, gates,
    lifecycle::{finish, held},
    row::{Row, text},
    table::{self, execute, load, texts},
};
use atelier_store::instant;

/// Rows with unknown words, which claims may not find by lane or lease.
pub(super) fn unknown(c: &Connection) -> Result<Vec<String>> {
    texts(
        c,
        "SELECT id FROM jobs INDEXED BY jobs_unknown
         WHERE status NOT IN ('queued', 'running', 'delivering', 'succeeded', 'failed', 'cancelled')
             OR cache NOT IN ('miss', 'exact', 'semantic', 'joined')",
        &[],
    )
}

/// Fails the jobs of such rows.
pub(super) fn give_up_unknown<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    now: i64,
) -> Result<()> {
    for id in unknown(c)? {
        give_up::<P>(c, changed, &id, now)?;
    }
    Ok(())
}

/// Makes an unreadable row readable, as a call in progress if the job has not ended;
/// other damage remains.
fn repair(c: &Connection, id: &str) -> Result<()> {
    execute(
        c,
        "UPDATE jobs SET
             status = CASE
                 WHEN status IN ('succeeded', 'failed', 'cancelled') THEN status
                 WHEN finished_at IS NOT NULL AND outcome LIKE '{\"succeeded\"%' THEN 'succeeded'
                 WHEN finished_at IS NOT NULL AND outcome LIKE '{\"failed\"%' THEN 'failed'
                 ELSE 'running' END,
             version = max(version, 1), token = max(token, 0), attempt = min(max(attempt, 0), 1000),
             deliveries = min(max(deliveries, 0), 1000), reports = max(reports, 0), band = min(max(band, 0), 2), cache = 'miss'
         WHERE id = ?1",
        &[&id],
    )
}

/// Ends a job whose row is entirely unreadable.
fn end_unread(c: &Connection, id: &str, now: i64) -> Result<()> {
    execute(
        c,
        "UPDATE jobs SET status = 'failed', cache = 'miss', due_at = 0, finished_at = ?2 WHERE id = ?1",
        &[&id, &now],
    )
}

/// Fails a job with an unreadable record, whatever it waits for.
pub(super) fn set_aside<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    ticket: &Ticket,
    now: i64,
) -> Result<()> {
    let row = held(c, ticket)?;
    fail_unread::<P>(c, changed, row, now)
}

/// The same by id, if even its row is unreadable.
pub(super) fn give_up<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    id: &str,
    now: i64,
) -> Result<()> {
    repair(c, id)?;
    match readable(id, load(c, id))?.flatten() {
        Some(row) if !row.status.is_terminal() => fail_unread::<P>(c, changed, row, now),
        Some(_) => Ok(()),
        None => {
            gates::leave_unread(c, changed, id, now)?;
            end_unread(c, id, now)
        }
    }
}

fn fail_unread<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    mut row: Row,
    now: i64,
) -> Result<()> {
    let failed = unreadable(instant(now)?);
    row.outcome = Some(text(&P::Outcome::failed(failed.failure.clone()))?);
    row.fail(&failed)?;
    let recorded = transition(row.status, Event::Record).unwrap_or(row.status);
    row.status = transition(recorded, Event::Complete { succeeded: false })?;
    finish::<P>(c, changed, row, now)?;
    Ok(())
}

/// Deletes a job with an unreadable row, and fails those that wait for it.
pub(super) fn forget<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    id: &str,
) -> Result<Vec<String>> {
    let last: Option<i64> = table::cached(
        c,
        "SELECT max(created_at, coalesce(finished_at, 0)) FROM jobs WHERE id = ?1",
        |query| query.query_row([id], |row| row.get(0)),
    )?;
    give_up::<P>(c, changed, id, last.unwrap_or(0))?;
    changed.push(id.to_owned());
    table::remove(c, id)
}
