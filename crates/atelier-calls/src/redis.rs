//! Counters and the last calls in Redis. `{calls}:hour:HOUR` is a hash of lines with their
//! counters, `{calls}:recent` a list of the last calls, the newest first, and
//! `{calls}:writer:ID` the number of a process's last batch.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use ::redis::Cmd;
use async_trait::async_trait;
use atelier_store::{
    Error as StoreError, milliseconds, readable,
    redis::{Redis, Script},
};
use jiff::Timestamp;

use crate::{Batch, CallStore, Counts, Error, Line, MOST_LINES, MOST_RECENT, REMEMBERED, Record};

static ADD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/add.lua")));

const TAG: &str = "{calls}";

/// Counters and calls in Redis.
pub struct RedisCallStore {
    redis: Redis,
}

impl RedisCallStore {
    /// The counters and calls in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }
}

#[async_trait]
impl CallStore for RedisCallStore {
    async fn add(&self, batch: &Arc<Batch>, _now: Timestamp, keep: Duration) -> Result<(), Error> {
        let json = |line: &Line| serde_json::to_string(line).map_err(StoreError::from);
        let mut call = self
            .redis
            .script(&ADD)
            .key(TAG)
            .arg(&batch.writer)
            .arg(batch.number)
            .arg(REMEMBERED)
            .arg(milliseconds(keep))
            .arg(MOST_LINES)
            .arg(json(&Line::other())?)
            .arg(MOST_RECENT)
            .arg(batch.lines.len());
        for hourly in &batch.lines {
            let line = json(&hourly.line)?;
            call = call.arg(hourly.hour).arg(line).arg(hourly.counts.packed());
        }
        for record in &batch.recent {
            call = call.arg(serde_json::to_string(record).map_err(StoreError::from)?);
        }
        Ok(call.run().await?)
    }

    async fn hour(&self, hour: i64) -> Result<Vec<(Line, Counts)>, Error> {
        let key = self.redis.key(format!("{TAG}:hour:{hour}"));
        let lines: Vec<(String, String)> = self.redis.query(&Cmd::hgetall(key)).await?;
        let lines = lines.into_iter().filter_map(|(line, counts)| {
            Some((readable(&line, &line)?, Counts::unpacked(&counts)))
        });
        Ok(lines.collect())
    }

    async fn recent(&self) -> Result<Vec<Record>, Error> {
        let key = self.redis.key(format!("{TAG}:recent"));
        let last = isize::try_from(MOST_RECENT).unwrap_or(isize::MAX) - 1;
        let records: Vec<String> = self.redis.query(&Cmd::lrange(key, 0, last)).await?;
        let records = records.iter();
        let mut records: Vec<Record> = records
            .filter_map(|record| readable("a call", record))
            .collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.at));
        Ok(records)
    }
}
