//! Reading and writing one row of the `jobs` table.

use atelier_app::wire::{Cache, Status};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params, types::Type};
use serde::{Deserialize, Serialize, de::IntoDeserializer};

use super::super::{Job, Result};
use crate::{
    job::{Outcome, Request},
    sqlite::Error as StoreError,
};

/// A job with what only the store needs to know.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) job: Job,
    pub(super) flight: Option<String>,
    pub(super) leader: Option<String>,
    pub(super) withdrawn: Withdrawn,
    /// Not before this (queued), or end of the lease (running, delivering).
    pub(super) due_at: Timestamp,
    pub(super) deliveries: u32,
}

/// Whether the owner has left a job that is carried on for its followers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Withdrawn {
    No,
    Cancelled,
    Deleted,
}

impl Row {
    pub(super) fn new(
        id: String,
        owner: String,
        request: Request,
        charge: serde_json::Value,
        now: Timestamp,
    ) -> Self {
        let job = Job {
            id,
            owner,
            status: Status::Queued,
            version: 1,
            token: 0,
            attempt: 0,
            created_at: now,
            started_at: None,
            finished_at: None,
            progress: None,
            position: None,
            cache: Cache::Miss,
            request,
            charge,
            failures: Vec::new(),
            outcome: None,
        };
        Self {
            job,
            flight: None,
            leader: None,
            withdrawn: Withdrawn::No,
            due_at: now,
            deliveries: 0,
        }
    }

    pub(super) fn finish_with(&mut self, answer: Outcome, cache: Cache, now: Timestamp) {
        self.job.status = answer.status();
        self.job.finished_at = Some(now);
        self.job.cache = cache;
        self.job.outcome = Some(answer);
        // A copy is not a call: it must not lead anybody.
        self.flight = None;
    }

    /// The job as its owner sees it; `None` when they deleted it.
    pub(super) fn seen_by_owner(self) -> Option<Job> {
        let mut job = self.job;
        match self.withdrawn {
            Withdrawn::No => {}
            Withdrawn::Deleted => return None,
            Withdrawn::Cancelled => {
                job.status = Status::Cancelled;
                job.outcome = None;
                job.progress = None;
            }
        }
        Some(job)
    }
}

const COLUMNS: &str =
    "id, owner, status, version, token, attempt, deliveries, due_at, created_at, started_at,
     finished_at, flight, leader, withdrawn, cache, progress, request, charge, failures, outcome";

pub(super) fn load(c: &Connection, id: &str) -> Result<Option<Row>> {
    let row = c
        .prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1"))
        .and_then(|mut query| query.query_row([id], read).optional())
        .map_err(StoreError::from)?;
    Ok(row)
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    let job = Job {
        id: row.get(0)?,
        owner: row.get(1)?,
        status: word(row, 2)?,
        version: row.get(3)?,
        token: row.get(4)?,
        attempt: row.get(5)?,
        created_at: time(row, 8)?.unwrap_or_default(),
        started_at: time(row, 9)?,
        finished_at: time(row, 10)?,
        progress: row.get(15)?,
        position: None,
        cache: word(row, 14)?,
        request: json(row, 16)?,
        charge: json(row, 17)?,
        failures: json(row, 18)?,
        outcome: match row.get_ref(19)? {
            rusqlite::types::ValueRef::Null => None,
            _ => Some(json(row, 19)?),
        },
    };
    Ok(Row {
        flight: row.get(11)?,
        leader: row.get(12)?,
        withdrawn: match row.get(13)? {
            0 => Withdrawn::No,
            1 => Withdrawn::Cancelled,
            _ => Withdrawn::Deleted,
        },
        due_at: time(row, 7)?.unwrap_or_default(),
        deliveries: row.get(6)?,
        job,
    })
}

fn time(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let milliseconds: Option<i64> = row.get(column)?;
    milliseconds
        .map(|ms| Timestamp::from_millisecond(ms).map_err(|error| unreadable(column, error)))
        .transpose()
}

fn word<T: for<'de> Deserialize<'de>>(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    let deserializer: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
        text.into_deserializer();
    T::deserialize(deserializer).map_err(|error| unreadable(column, error))
}

fn json<T: for<'de> Deserialize<'de>>(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| unreadable(column, error))
}

fn unreadable(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

fn text(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(value).map_err(StoreError::from)?)
}

fn ms(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_millisecond)
}

fn cache_word(cache: Cache) -> &'static str {
    match cache {
        Cache::Miss => "miss",
        Cache::Exact => "exact",
        Cache::Semantic => "semantic",
        Cache::Joined => "joined",
    }
}

fn execute(c: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<usize> {
    Ok(c.prepare_cached(sql)
        .and_then(|mut statement| statement.execute(values))
        .map_err(StoreError::from)?)
}

pub(super) fn insert(c: &Connection, row: &Row) -> Result<()> {
    let job = &row.job;
    execute(
        c,
        "INSERT INTO jobs (id, owner, status, attempt, due_at, created_at, started_at, finished_at, flight, leader,
                           cache, progress, request, charge, outcome)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            job.id,
            job.owner,
            job.status.as_str(),
            job.attempt,
            row.due_at.as_millisecond(),
            job.created_at.as_millisecond(),
            ms(job.started_at),
            ms(job.finished_at),
            row.flight,
            row.leader,
            cache_word(job.cache),
            job.progress,
            text(&job.request)?,
            text(&job.charge)?,
            job.outcome.as_ref().map(text).transpose()?,
        ],
    )?;
    keep_files(c, &job.id, job.request.files())?;
    keep_files(c, &job.id, job.outcome.iter().flat_map(Outcome::files))
}

/// Writes what may have changed, raises the version, and carries it over to
/// the followers.
pub(super) fn save(c: &Connection, row: &mut Row, changed: &mut Vec<String>) -> Result<()> {
    row.job.version += 1;
    let job = &row.job;
    execute(
        c,
        "UPDATE jobs SET status = ?2, version = ?3, token = ?4, attempt = ?5, deliveries = ?6, due_at = ?7,
                         started_at = ?8, finished_at = ?9, withdrawn = ?10, progress = ?11, failures = ?12,
                         outcome = ?13
         WHERE id = ?1",
        params![
            job.id,
            job.status.as_str(),
            job.version,
            job.token,
            job.attempt,
            row.deliveries,
            row.due_at.as_millisecond(),
            ms(job.started_at),
            ms(job.finished_at),
            row.withdrawn as u8,
            job.progress,
            text(&job.failures)?,
            job.outcome.as_ref().map(text).transpose()?,
        ],
    )?;
    keep_files(c, &job.id, job.outcome.iter().flat_map(Outcome::files))?;
    changed.push(job.id.clone());
    mirror(c, row, changed)
}

/// Extends the lease alone; nothing a client could see.
pub(super) fn extend(c: &Connection, row: &Row) -> Result<()> {
    execute(
        c,
        "UPDATE jobs SET due_at = ?2, deliveries = ?3 WHERE id = ?1",
        params![row.job.id, row.due_at.as_millisecond(), row.deliveries],
    )
    .map(drop)
}

/// Gives the followers the state of their leader.
fn mirror(c: &Connection, leader: &Row, changed: &mut Vec<String>) -> Result<()> {
    if leader.leader.is_some() {
        return Ok(());
    }
    let job = &leader.job;
    let finished_at = if job.status.is_terminal() {
        ms(job.finished_at)
    } else {
        None
    };
    for id in followers(c, &job.id)? {
        execute(
            c,
            "UPDATE jobs SET status = ?2, version = version + 1, attempt = ?3, started_at = ?4, finished_at = ?5,
                             progress = ?6, outcome = ?7
             WHERE id = ?1",
            params![
                id,
                job.status.as_str(),
                job.attempt,
                ms(job.started_at),
                finished_at,
                job.progress,
                job.outcome.as_ref().map(text).transpose()?,
            ],
        )?;
        keep_files(c, &id, job.outcome.iter().flat_map(Outcome::files))?;
        changed.push(id);
    }
    Ok(())
}

/// The followers that still wait for their leader.
pub(super) fn followers(c: &Connection, leader: &str) -> Result<Vec<String>> {
    let ids = c
        .prepare_cached("SELECT id FROM jobs WHERE leader = ?1 AND status IN ('queued', 'running', 'delivering')")
        .and_then(|mut query| query.query_map([leader], |row| row.get(0))?.collect())
        .map_err(StoreError::from)?;
    Ok(ids)
}

pub(super) fn active_followers(c: &Connection, leader: &str) -> Result<bool> {
    Ok(!followers(c, leader)?.is_empty())
}

pub(super) fn set_status(c: &Connection, id: &str, status: Status) -> Result<()> {
    execute(
        c,
        "UPDATE jobs SET status = ?2 WHERE id = ?1",
        params![id, status.as_str()],
    )
    .map(drop)
}

pub(super) fn remove(c: &Connection, id: &str) -> Result<()> {
    execute(c, "DELETE FROM jobs WHERE id = ?1", params![id]).map(drop)
}

fn keep_files<'a>(c: &Connection, id: &str, keys: impl Iterator<Item = &'a str>) -> Result<()> {
    for key in keys {
        execute(
            c,
            "INSERT OR IGNORE INTO files (key, job) VALUES (?1, ?2)",
            params![key, id],
        )?;
    }
    Ok(())
}

/// Whether every blob of the answer is still referred to by some job.
pub(super) fn still_kept(c: &Connection, answer: &Outcome) -> Result<bool> {
    for key in answer.files() {
        let kept: bool = c
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM files WHERE key = ?1)")
            .and_then(|mut query| query.query_row([key], |row| row.get(0)))
            .map_err(StoreError::from)?;
        if !kept {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The blobs that only this job refers to.
pub(super) fn orphans(c: &Connection, id: &str) -> Result<Vec<String>> {
    let keys = c
        .prepare_cached(
            "SELECT key FROM files AS mine WHERE job = ?1
             AND NOT EXISTS (SELECT 1 FROM files AS other WHERE other.key = mine.key AND other.job <> ?1)",
        )
        .and_then(|mut query| query.query_map([id], |row| row.get(0))?.collect())
        .map_err(StoreError::from)?;
    Ok(keys)
}
