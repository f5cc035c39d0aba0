//! What becomes of jobs that cannot be read.

use rusqlite::Connection;

use super::{
    super::{Event, Outcome as _, Payload, Result, Ticket, readable, transition, unreadable},
    lifecycle::{finish, held},
    row::{Row, text},
    table::{self, execute, load, texts},
};
use atelier_store::instant;

/// Rows with words that are not known, which perhaps no lane and no lease leads to.
pub(super) fn unknown(c: &Connection) -> Result<Vec<String>> {
    texts(
        c,
        "SELECT id FROM jobs INDEXED BY jobs_unknown
         WHERE status NOT IN ('queued', 'running', 'delivering', 'succeeded', 'failed', 'cancelled')
             OR cache NOT IN ('miss', 'exact', 'semantic', 'joined')",
        &[],
    )
}

/// Lets the jobs fail of such rows.
pub(super) fn give_up_unknown<P: Payload>(
    c: &Connection,
    changed: &mut Vec<String>,
    now: i64,
) -> Result<()> {
    for id in unknown(c)? {
        give_up::<P>(c, changed, &id, now)?;
    }
    Ok(())
}

/// Makes a row that cannot be read one that can, of a call in progress if the job
/// has not ended; what else of it is damaged stays so.
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

/// Ends a job of whose row nothing can be read.
fn end_unread(c: &Connection, id: &str, now: i64) -> Result<()> {
    execute(
        c,
        "UPDATE jobs SET status = 'failed', cache = 'miss', due_at = 0, finished_at = ?2 WHERE id = ?1",
        &[&id, &now],
    )
}

/// Lets a job fail whose record cannot be read, whatever it waits for.
pub(super) fn set_aside<P: Payload>(
    c: &Connection,
    changed: &mut Vec<String>,
    ticket: &Ticket,
    now: i64,
) -> Result<()> {
    let row = held(c, ticket)?;
    fail_unread::<P>(c, changed, row, now)
}

/// The same by its id, if not even its row can be read.
pub(super) fn give_up<P: Payload>(
    c: &Connection,
    changed: &mut Vec<String>,
    id: &str,
    now: i64,
) -> Result<()> {
    repair(c, id)?;
    match readable(id, load(c, id))?.flatten() {
        Some(row) if !row.status.is_terminal() => fail_unread::<P>(c, changed, row, now),
        Some(_) => Ok(()),
        None => end_unread(c, id, now),
    }
}

fn fail_unread<P: Payload>(
    c: &Connection,
    changed: &mut Vec<String>,
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

/// Forgets a job whose row cannot be read, and lets fail who waits for it.
pub(super) fn forget<P: Payload>(
    c: &Connection,
    changed: &mut Vec<String>,
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
