//! Reading and writing the tables of the queue.

use std::{mem, sync::LazyLock};

use rusqlite::{
    Connection, OptionalExtension, Row as SqlRow, ToSql, params,
    types::{Type, ValueRef},
};
use serde::{
    Deserialize,
    de::{Error as _, IntoDeserializer},
};
use tracing::error;

use super::{
    super::{Outcome, Payload, Result},
    Changes,
    gates::Passes,
    row::{self, Row, Withdrawn},
};
use atelier_store as store;

pub(super) fn cached<T>(
    c: &Connection,
    sql: &str,
    run: impl FnOnce(&mut rusqlite::CachedStatement<'_>) -> rusqlite::Result<T>,
) -> Result<T> {
    Ok(c.prepare_cached(sql)
        .and_then(|mut statement| run(&mut statement))
        .map_err(store::Error::from)?)
}

pub(super) fn execute(c: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<()> {
    cached(c, sql, |statement| statement.execute(values).map(drop))
}

/// The first column of every row found.
pub(super) fn texts(c: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<String>> {
    cached(c, sql, |query| {
        query.query_map(values, |row| row.get(0))?.collect()
    })
}

const SELECT: &str = "SELECT id, owner, status, version, token, attempt, deliveries, due_at,
    created_at, started_at, finished_at, progress, preview, lane, band, vt, cost, flight, leader,
    followed, withdrawn, cache, request, charge, hooks, failures, outcome, reports, gates, tracked FROM jobs";

/// A row, or the id of an unreadable one: it is damaged, or of a later version.
pub(super) type Found = Result<Row, String>;

/// All rows that the condition selects.
pub(super) fn find(c: &Connection, condition: &str, values: &[&dyn ToSql]) -> Result<Vec<Found>> {
    cached(c, &format!("{SELECT} {condition}"), |query| {
        query.query_map(values, found)?.collect()
    })
}

/// The readable rows that the condition selects.
pub(super) fn select(c: &Connection, condition: &str, values: &[&dyn ToSql]) -> Result<Vec<Row>> {
    Ok(find(c, condition, values)?.into_iter().flatten().collect())
}

static BY_ID: LazyLock<String> = LazyLock::new(|| format!("{SELECT} WHERE id = ?1"));

/// The job's row. Errors if it cannot be read.
pub(super) fn load(c: &Connection, id: &str) -> Result<Option<Row>> {
    let row = cached(c, &BY_ID, |query| query.query_row([id], found).optional())?;
    let damaged = |_| store::Error::from(serde_json::Error::custom("a job's row is damaged"));
    Ok(row.transpose().map_err(damaged)?)
}

fn found(row: &SqlRow<'_>) -> rusqlite::Result<Found> {
    read(row).map(Ok).or_else(|error| {
        let id = row.get(0)?;
        error!(%error, id, "a job's row cannot be read");
        Ok(Err(id))
    })
}

pub(super) fn read(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        owner: row.get(1)?,
        status: word(row, 2)?,
        version: row.get(3)?,
        token: row.get(4)?,
        attempt: row.get(5)?,
        deliveries: row.get(6)?,
        due: row.get(7)?,
        created_at: row.get(8)?,
        started_at: row.get(9)?,
        finished_at: row.get(10)?,
        progress: row.get(11)?,
        preview: row.get(12)?,
        lane: row.get(13)?,
        band: row.get(14)?,
        vt: row.get(15)?,
        cost: row.get(16)?,
        flight: row.get(17)?,
        leader: row.get(18)?,
        followed: row.get(19)?,
        withdrawn: match row.get_ref(20)? {
            ValueRef::Integer(0) => Withdrawn::No,
            ValueRef::Integer(1) => Withdrawn::Cancelled,
            _ => Withdrawn::Deleted,
        },
        cache: word(row, 21)?,
        request: row.get(22)?,
        charge: row.get(23)?,
        hooks: row.get(24)?,
        failures: row.get(25)?,
        outcome: row.get(26)?,
        reports: row.get(27)?,
        gates: row.get(28)?,
        tracked: row.get(29)?,
    })
}

fn word<T: for<'de> Deserialize<'de>>(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    let deserializer: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
        text.into_deserializer();
    T::deserialize(deserializer)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(e)))
}

pub(super) fn insert(c: &Connection, row: &Row) -> Result<()> {
    execute(
        c,
        "INSERT INTO jobs (id, owner, status, attempt, due_at, created_at, started_at, finished_at,
             progress, preview, lane, band, vt, cost, flight, leader, cache, request, charge,
             hooks, outcome, reports, gates, tracked)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
             ?19, ?20, ?21, ?22, ?23, ?24)",
        params![
            row.id,
            row.owner,
            row.status.as_str(),
            row.attempt,
            row.due,
            row.created_at,
            row.started_at,
            row.finished_at,
            row.progress,
            row.preview,
            row.lane,
            row.band,
            row.vt,
            row.cost,
            row.flight,
            row.leader,
            row.cache.as_str(),
            row.request,
            row.charge,
            row.hooks,
            row.outcome,
            row.reports,
            row.gates,
            row.tracked,
        ],
    )
}

/// Writes the mutable columns, increments the version, and copies them to the followers.
pub(super) fn save(c: &Connection, row: &mut Row, changed: &mut Changes) -> Result<()> {
    row.version += 1;
    let untold = if row.leader.is_none() {
        mem::take(&mut row.reports)
    } else {
        0
    };
    execute(
        c,
        "UPDATE jobs SET status = ?2, version = ?3, token = ?4, attempt = ?5, deliveries = ?6,
             due_at = ?7, started_at = ?8, finished_at = ?9, progress = ?10, preview = ?11,
             withdrawn = ?12, failures = ?13, outcome = ?14, reports = ?15
         WHERE id = ?1",
        params![
            row.id,
            row.status.as_str(),
            row.version,
            row.token,
            row.attempt,
            row.deliveries,
            row.due,
            row.started_at,
            row.finished_at,
            row.progress,
            row.preview,
            row.withdrawn as u8,
            row.failures,
            row.outcome,
            row.reports,
        ],
    )?;
    changed.push(row.id.clone());
    if row.followed {
        mirror(c, row, untold, changed)?;
    }
    Ok(())
}

/// Writes the progress. The followers, however many, read it from here.
pub(super) fn report(c: &Connection, row: &Row) -> Result<()> {
    execute(
        c,
        "UPDATE jobs SET due_at = ?2, progress = ?3, preview = ?4, version = version + 1,
             reports = reports + followed
         WHERE id = ?1",
        params![row.id, row.due, row.progress, row.preview],
    )
}

/// Writes only the due time, which clients cannot see.
pub(super) fn set_due(c: &Connection, row: &Row) -> Result<()> {
    execute(
        c,
        "UPDATE jobs SET due_at = ?2, deliveries = ?3 WHERE id = ?1",
        params![row.id, row.due, row.deliveries],
    )
}

/// Writes the job's place in its lane.
pub(super) fn set_turn(c: &Connection, row: &Row) -> Result<()> {
    execute(
        c,
        "UPDATE jobs SET vt = ?2 WHERE id = ?1",
        params![row.id, row.vt],
    )
}

/// Writes how far the job has come through its gates, and what follows from that.
pub(super) fn set_gates(c: &Connection, row: &mut Row, passes: &Passes) -> Result<()> {
    row.set_passes(passes)?;
    execute(
        c,
        "UPDATE jobs SET gates = ?2, due_at = ?3, vt = ?4 WHERE id = ?1",
        params![row.id, row.gates, row.due, row.vt],
    )
}

/// Whether the job waits for an instant that has come.
pub(super) fn is_due(c: &Connection, id: &str, now: i64) -> Result<bool> {
    let due: Option<i64> = cached(c, "SELECT due_at FROM jobs WHERE id = ?1", |query| {
        query.query_row([id], |row| row.get(0)).optional()
    })?;
    Ok(due.is_some_and(|due| due > 0 && due <= now))
}

/// Copies the leader's state to its followers, and adds the versions of its reports.
fn mirror(c: &Connection, leader: &Row, untold: u64, changed: &mut Changes) -> Result<()> {
    let finished_at = leader.finished_at.filter(|_| leader.status.is_terminal());
    for id in followers(c, &leader.id)? {
        execute(
            c,
            "UPDATE jobs SET status = ?2, version = version + 1 + ?7 - reports, attempt = ?3,
                 started_at = ?4, finished_at = ?5, progress = NULL, preview = NULL, outcome = ?6,
                 reports = 0
             WHERE id = ?1",
            params![
                id,
                leader.status.as_str(),
                leader.attempt,
                leader.started_at,
                finished_at,
                leader.outcome,
                untold,
            ],
        )?;
        changed.push(id);
    }
    Ok(())
}

/// The followers that still wait for their leader.
pub(super) fn followers(c: &Connection, leader: &str) -> Result<Vec<String>> {
    texts(
        c,
        "SELECT id FROM jobs WHERE leader = ?1 AND status IN ('queued', 'running', 'delivering')
         ORDER BY id",
        &[&leader],
    )
}

/// Turns a job with an outcome into a cancelled one without. Returns the blobs without
/// references.
pub(super) fn forget_outcome<P: Payload>(c: &Connection, row: &Row) -> Result<Vec<String>> {
    execute(
        c,
        "UPDATE jobs SET status = 'cancelled', outcome = NULL WHERE id = ?1",
        &[&row.id],
    )?;
    let outcome: Option<P::Outcome> = row.outcome.as_deref().map(row::parse).transpose()?;
    let request: Option<P> = row::parse(&row.request).ok();
    let mut orphans = Vec::new();
    for key in outcome.iter().flat_map(P::Outcome::blobs) {
        let mut own = request.iter().flat_map(P::blobs);
        if !own.any(|own| own == key) {
            execute(
                c,
                "DELETE FROM files WHERE key = ?1 AND job = ?2",
                &[&key, &row.id],
            )?;
            if !is_kept(c, key)? {
                orphans.push(key.to_owned());
            }
        }
    }
    note_discards(c, &orphans)?;
    Ok(orphans)
}

/// Marks the job's charge as settled elsewhere.
pub(super) fn void_charge(c: &Connection, id: &str) -> Result<()> {
    execute(c, "UPDATE jobs SET charge = 'null' WHERE id = ?1", &[&id])
}

/// Writes everything that starting a job again may change.
pub(super) fn replace(c: &Connection, row: &mut Row, changed: &mut Changes) -> Result<()> {
    execute(
        c,
        "UPDATE jobs SET band = ?2, vt = ?3, flight = ?4, leader = ?5, followed = 0, cache = ?6,
             charge = ?7, gates = ?8
         WHERE id = ?1",
        params![
            row.id,
            row.band,
            row.vt,
            row.flight,
            row.leader,
            row.cache.as_str(),
            row.charge,
            row.gates,
        ],
    )?;
    save(c, row, changed)
}

/// Deletes a row. Returns the blobs without references, which are to be discarded.
pub(super) fn remove(c: &Connection, id: &str) -> Result<Vec<String>> {
    let orphans = orphans(c, id)?;
    note_discards(c, &orphans)?;
    execute(c, "DELETE FROM jobs WHERE id = ?1", &[&id])?;
    Ok(orphans)
}

/// Records that the job refers to these blobs.
pub(super) fn keep_files<'a>(
    c: &Connection,
    id: &str,
    keys: impl IntoIterator<Item = &'a str>,
) -> Result<()> {
    for key in keys {
        execute(
            c,
            "INSERT OR IGNORE INTO files (key, job) VALUES (?1, ?2)",
            &[&key, &id],
        )?;
    }
    Ok(())
}

/// Whether some job still refers to every blob of the answer.
pub(super) fn still_kept(c: &Connection, answer: &impl Outcome) -> Result<bool> {
    for key in answer.blobs() {
        if !is_kept(c, key)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_kept(c: &Connection, blob: &str) -> Result<bool> {
    cached(c, "SELECT 1 FROM files WHERE key = ?1", |query| {
        query.exists([blob])
    })
}

/// The blobs that only this job refers to.
fn orphans(c: &Connection, id: &str) -> Result<Vec<String>> {
    texts(
        c,
        "SELECT key FROM files AS mine WHERE job = ?1
         AND NOT EXISTS (SELECT 1 FROM files AS other WHERE other.key = mine.key AND other.job <> ?1)",
        &[&id],
    )
}

/// Notes that blobs are to be discarded.
pub(super) fn note_discards(c: &Connection, blobs: &[String]) -> Result<()> {
    for blob in blobs {
        execute(
            c,
            "INSERT OR IGNORE INTO discards (key) VALUES (?1)",
            &[&blob],
        )?;
    }
    Ok(())
}
