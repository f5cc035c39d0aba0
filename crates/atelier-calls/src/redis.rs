//! Counters and the last calls in Redis. `{calls}:hour:HOUR` is a hash of lines with their
//! counters, `{calls}:recent` a list of the last calls, the newest first, and
//! `{calls}:writer:ID` the number of a process's last batch. `{calls}:contents` is a hash of what
//! was said in calls, and `{calls}:contents:at` has their ids by the time.

mod pins;

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

use crate::{
    Batch, CallStore, Contents, Counts, Error, Line, MOST_CONTENTS, MOST_LINES, MOST_RECENT,
    REMEMBERED, Record,
};

static ADD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/add.lua")));
static KEEP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/keep.lua")));
static FORGET: LazyLock<Script> =
    LazyLock::new(|| Script::finishing(include_str!("redis/forget.lua")));

const TAG: &str = "{calls}";
const CONTENTS: &str = "{calls}:contents";
const CONTENTS_AT: &str = "{calls}:contents:at";

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

    async fn keep(
        &self,
        contents: &Arc<[Contents]>,
        now: Timestamp,
        keep: Duration,
    ) -> Result<(), Error> {
        let keep = milliseconds(keep);
        let mut call = self
            .redis
            .script(&KEEP)
            .key(CONTENTS)
            .key(CONTENTS_AT)
            .arg(now.as_millisecond() - keep)
            .arg(MOST_CONTENTS)
            .arg(keep);
        for one in contents.iter() {
            let json = serde_json::to_string(one).map_err(StoreError::from)?;
            call = call.arg(&one.id).arg(one.at.as_millisecond()).arg(json);
        }
        Ok(call.run().await?)
    }

    async fn contents(&self, id: &str) -> Result<Option<Contents>, Error> {
        let key = self.redis.key(CONTENTS);
        let found: Option<String> = self.redis.query(&Cmd::hget(key, id)).await?;
        Ok(found.and_then(|found| readable(id, &found)))
    }

    async fn forget(&self, before: Timestamp) -> Result<(), Error> {
        let call = self.redis.script(&FORGET).key(CONTENTS).key(CONTENTS_AT);
        Ok(call.arg(before.as_millisecond()).run().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_declare_their_names() {
        for script in [&ADD, &KEEP, &FORGET] {
            assert_eq!(script.undeclared(), Vec::<String>::new());
        }
    }
}
