//! The outbox: entries made in the transactions that ended jobs.

use rusqlite::{Connection, params};

use super::{
    super::{Completion, Ended, Payload, Result},
    Changes, gates,
    row::{Row, Withdrawn},
    table,
};

/// The call, for the entry of the job that pays for it.
#[derive(Clone, Copy)]
pub(super) struct Paid<'a> {
    /// Its failed attempts, as JSON.
    attempts: &'a str,
    /// Whether it was stopped during an attempt.
    interrupted: bool,
}

/// How a job ended.
pub(super) struct Note {
    /// Its failed attempts are those of the call, if it pays.
    row: Row,
    pays: bool,
    interrupted: bool,
}

/// Adds an entry for the job, which is stored as it ended.
pub(super) fn note(c: &Connection, row: &Row, paid: Option<Paid<'_>>) -> Result<Note> {
    let paid = paid.filter(|_| row.is_charged());
    let attempts = paid.map_or("[]", |paid| paid.attempts);
    let interrupted = paid.is_some_and(|paid| paid.interrupted);
    let pays = paid.is_some();
    if row.is_noted() {
        table::execute(
            c,
            "INSERT INTO outbox SELECT id || '-' || printf('%010d', version), ?2, ?3, ?4, id, owner, status, version,
                 token, attempt, created_at, started_at, finished_at, withdrawn, cache, request,
                 charge, hooks, outcome
             FROM jobs WHERE id = ?1",
            params![row.id, pays, interrupted, attempts],
        )?;
    }
    let row = Row {
        failures: attempts.into(),
        ..row.clone()
    };
    Ok(Note {
        row,
        pays,
        interrupted,
    })
}

/// Adds entries for the jobs that shared a call; the first whose charge is not settled
/// pays.
pub(super) fn note_all(c: &Connection, rows: &[Row], interrupted: bool) -> Result<Vec<Note>> {
    let paid = rows.first().map(|leader| Paid {
        attempts: &leader.failures,
        interrupted,
    });
    let payer = rows.iter().position(Row::is_charged);
    let noted = rows.iter().enumerate().map(|(place, row)| {
        let paid = paid.filter(|_| payer == Some(place));
        note(c, row, paid)
    });
    noted.collect()
}

/// At most `limit` entries whose keys come after this one; `None` for unreadable ones.
pub(super) fn list(
    c: &Connection,
    after: &str,
    limit: usize,
) -> Result<Vec<(String, Option<Note>)>> {
    table::cached(
        c,
        "SELECT id, owner, status, version, token, attempt, 0, 0, created_at, started_at,
             finished_at, NULL, NULL, '', 1, 0, 1, NULL, NULL, 0, withdrawn, cache, request,
             charge, hooks, attempts, outcome, 0, NULL, 0, key, pays, interrupted
         FROM outbox WHERE key > ?1 ORDER BY key LIMIT ?2",
        |query| {
            let notes = query.query_map(params![after, limit], |row| {
                let note = || -> rusqlite::Result<Note> {
                    Ok(Note {
                        row: table::read(row)?,
                        pays: row.get(31)?,
                        interrupted: row.get(32)?,
                    })
                };
                Ok((row.get(30)?, note().ok()))
            });
            notes?.collect()
        },
    )
}

/// Removes the entry, and frees the gates that the job still held.
pub(super) fn acknowledge(c: &Connection, changed: &mut Changes, key: &str) -> Result<()> {
    table::execute(c, "DELETE FROM outbox WHERE key = ?1", &[&key])?;
    gates::lift_barrier(c, changed, key)
}

impl Note {
    pub(super) fn into_ended<P: Payload>(self) -> Result<Ended<P>> {
        let withdrawn = self.row.withdrawn != Withdrawn::No;
        let job = self.row.into_job(None)?;
        Ok(Ended::noted(job, withdrawn, self.pays, self.interrupted))
    }
}

/// Those of the ends that belong in the outbox.
pub(super) fn noted<P: Payload>(ended: Vec<Note>) -> Result<Vec<Ended<P>>> {
    let ended = ended.into_iter().map(Note::into_ended);
    let noted = ended.filter(|end| end.as_ref().map_or(true, Ended::is_noted));
    noted.collect()
}

pub(super) fn completion<P: Payload>(
    ended: Vec<Note>,
    orphans: Vec<String>,
) -> Result<Completion<P>> {
    if ended.is_empty() {
        return Ok(Completion::Repeated);
    }
    let ended = ended.into_iter().map(Note::into_ended);
    Ok(Completion::Applied {
        ended: ended.collect::<Result<_>>()?,
        orphans,
    })
}
