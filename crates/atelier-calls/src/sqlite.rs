//! Counters and the last calls in SQLite.

mod pins;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use atelier_store::{
    Error as StoreError, milliseconds, readable,
    sqlite::{Database, Schema},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    Batch, CallStore, Contents, Counts, Error, Hourly, Line, MOST_CONTENTS, MOST_LINES,
    MOST_RECENT, REMEMBERED, Record,
};

/// Counters and calls in SQLite tables.
pub struct SqliteCallStore {
    database: Database,
}

impl SqliteCallStore {
    /// Its tables.
    pub const SCHEMA: Schema = Schema {
        name: "calls",
        migrations: &[
            include_str!("sqlite/schema.sql"),
            include_str!("sqlite/contents.sql"),
            include_str!("sqlite/pins.sql"),
        ],
    };

    /// The counters and calls in this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl CallStore for SqliteCallStore {
    async fn add(&self, batch: &Arc<Batch>, now: Timestamp, keep: Duration) -> Result<(), Error> {
        let (batch, now) = (Arc::clone(batch), now.as_millisecond());
        let oldest = now - milliseconds(keep);
        let add = move |c: &Connection| {
            forget(c, oldest, now)?;
            if !is_new(c, &batch, now)? {
                return Ok(());
            }
            batch.lines.iter().try_for_each(|hourly| count(c, hourly))?;
            list(c, &batch.recent)
        };
        Ok(self.database.write(add).await?)
    }

    async fn hour(&self, hour: i64) -> Result<Vec<(Line, Counts)>, Error> {
        let read = move |c: &Connection| {
            let sql = "SELECT line, counts FROM call_hours WHERE hour = ?1";
            let mut select = c.prepare_cached(sql)?;
            let rows = select.query_map([hour], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?.into_iter();
            let lines = rows.filter_map(|(line, counts)| {
                Some((readable(&line, &line)?, Counts::unpacked(&counts)))
            });
            Ok::<_, StoreError>(lines.collect())
        };
        Ok(self.database.read(read).await?)
    }

    async fn recent(&self) -> Result<Vec<Record>, Error> {
        let read = |c: &Connection| {
            let sql = "SELECT record FROM calls WHERE number > (SELECT max(number) FROM calls) - ?1 \
                       ORDER BY number DESC";
            let mut select = c.prepare_cached(sql)?;
            let rows = select.query_map([MOST_RECENT], |row| row.get::<_, String>(0))?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?.into_iter();
            let records = rows.filter_map(|record| readable("a call", &record));
            Ok::<_, StoreError>(records.collect())
        };
        Ok(self.database.read(read).await?)
    }

    async fn keep(
        &self,
        contents: &Arc<[Contents]>,
        now: Timestamp,
        keep: Duration,
    ) -> Result<(), Error> {
        let contents = Arc::clone(contents);
        let oldest = now.as_millisecond() - milliseconds(keep);
        let keep = move |c: &Connection| {
            contents.iter().try_for_each(|contents| put(c, contents))?;
            remove(c, oldest)?;
            let sql = "DELETE FROM call_contents \
                       WHERE number <= (SELECT max(number) FROM call_contents) - ?1";
            c.prepare_cached(sql)?.execute([MOST_CONTENTS])?;
            Ok::<_, StoreError>(())
        };
        Ok(self.database.write(keep).await?)
    }

    async fn contents(&self, id: &str) -> Result<Option<Contents>, Error> {
        let id = id.to_owned();
        let read = move |c: &Connection| {
            let sql = "SELECT contents FROM call_contents WHERE id = ?1";
            let mut select = c.prepare_cached(sql)?;
            let found = select.query_row([&id], |row| row.get::<_, String>(0));
            let found = found.optional()?;
            Ok::<_, StoreError>(found.and_then(|found| readable(&id, &found)))
        };
        Ok(self.database.read(read).await?)
    }

    async fn forget(&self, before: Timestamp) -> Result<(), Error> {
        let before = before.as_millisecond();
        Ok(self
            .database
            .write(move |c: &Connection| remove(c, before))
            .await?)
    }
}

fn put(c: &Connection, contents: &Contents) -> Result<(), StoreError> {
    let sql = "INSERT INTO call_contents (id, at, contents) VALUES (?1, ?2, ?3) \
               ON CONFLICT (id) DO UPDATE SET at = ?2, contents = ?3";
    let json = serde_json::to_string(contents)?;
    let mut put = c.prepare_cached(sql)?;
    put.execute(params![contents.id, contents.at.as_millisecond(), json])?;
    Ok(())
}

fn remove(c: &Connection, before: i64) -> Result<(), StoreError> {
    let sql = "DELETE FROM call_contents WHERE at < ?1";
    c.prepare_cached(sql)?.execute([before])?;
    Ok(())
}

/// Forgets one hour at most, if it is too old, and writers that have not written for long.
fn forget(c: &Connection, oldest: i64, now: i64) -> Result<(), StoreError> {
    let sql =
        "DELETE FROM call_hours WHERE hour = (SELECT min(hour) FROM call_hours WHERE hour < ?1)";
    c.prepare_cached(sql)?.execute([oldest])?;
    let sql = "DELETE FROM call_writers WHERE at < ?1";
    c.prepare_cached(sql)?.execute([now - REMEMBERED * 1000])?;
    Ok(())
}

/// Notes the batch. Returns whether it had not been added before.
fn is_new(c: &Connection, batch: &Batch, now: i64) -> Result<bool, StoreError> {
    let sql = "INSERT INTO call_writers (writer, batch, at) VALUES (?1, ?2, ?3) \
               ON CONFLICT DO UPDATE SET batch = ?2, at = ?3 WHERE batch < ?2";
    let mut note = c.prepare_cached(sql)?;
    Ok(note.execute(params![batch.writer, batch.number, now])? > 0)
}

fn count(c: &Connection, hourly: &Hourly) -> Result<(), StoreError> {
    let mut line = serde_json::to_string(&hourly.line)?;
    let mut counts = hourly.counts.clone();
    let mut before = counted(c, hourly.hour, &line)?;
    if before.is_none() && is_full(c, hourly.hour)? {
        line = serde_json::to_string(&Line::other())?;
        before = counted(c, hourly.hour, &line)?;
    }
    if let Some(before) = before {
        counts.add(&Counts::unpacked(&before));
    }
    let sql = "INSERT INTO call_hours (hour, line, counts) VALUES (?1, ?2, ?3) \
               ON CONFLICT DO UPDATE SET counts = ?3";
    let mut put = c.prepare_cached(sql)?;
    put.execute(params![hourly.hour, line, counts.packed()])?;
    Ok(())
}

fn counted(c: &Connection, hour: i64, line: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT counts FROM call_hours WHERE hour = ?1 AND line = ?2";
    let mut select = c.prepare_cached(sql)?;
    Ok(select
        .query_row(params![hour, line], |row| row.get(0))
        .optional()?)
}

fn is_full(c: &Connection, hour: i64) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM call_hours WHERE hour = ?1";
    let lines: usize = c.prepare_cached(sql)?.query_row([hour], |row| row.get(0))?;
    Ok(lines >= MOST_LINES)
}

fn list(c: &Connection, recent: &[Record]) -> Result<(), StoreError> {
    let mut put = c.prepare_cached("INSERT INTO calls (record) VALUES (?1)")?;
    for record in recent {
        put.execute([serde_json::to_string(record)?])?;
    }
    let sql = "DELETE FROM calls WHERE number <= (SELECT max(number) FROM calls) - ?1";
    c.prepare_cached(sql)?.execute([MOST_RECENT])?;
    Ok(())
}
