//! Vectors in Redis. `{meanings}:order` has every id by the number of its last change,
//! `{meanings}:records` its vector or nothing, and `{meanings}:ends` its expiry.

use std::sync::LazyLock;

use async_trait::async_trait;
use jiff::Timestamp;
use redis::Cmd;

use super::{
    super::Error,
    log::{Change, Changes, VectorLog},
    record::Record,
};
use atelier_store::{
    self,
    redis::{Call, Redis, Script},
};

static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/put.lua")));
/// The same for a removal, which must be possible even when Redis is full.
static REMOVE: LazyLock<Script> =
    LazyLock::new(|| Script::finishing(include_str!("redis/put.lua")));
static CHANGES: LazyLock<Script> =
    LazyLock::new(|| Script::reading(include_str!("redis/changes.lua")));
static SWEEP: LazyLock<Script> = LazyLock::new(|| Script::always(include_str!("redis/sweep.lua")));

const KEYS: [&str; 4] = [
    "{meanings}:number",
    "{meanings}:order",
    RECORDS,
    "{meanings}:ends",
];
const RECORDS: &str = "{meanings}:records";

/// Maximum number of ids removed in one script.
const BATCH: usize = 1000;

/// Vectors in Redis.
pub struct RedisVectorLog {
    redis: Redis,
}

impl RedisVectorLog {
    /// Opens the vectors in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    fn call(&self, script: &'static LazyLock<Script>) -> Call<'_> {
        let call = self.redis.script(script);
        KEYS.into_iter().fold(call, Call::key)
    }

    /// Removes everything: vectors are stored in another way from now on.
    pub(super) async fn drop_all(&self) -> Result<(), Error> {
        let keys = KEYS.map(|key| self.redis.key(key));
        Ok(self.redis.query(&Cmd::unlink(&keys)).await?)
    }
}

#[async_trait]
impl VectorLog for RedisVectorLog {
    async fn put(&self, id: &str, record: Option<&Record>, until: Timestamp) -> Result<(), Error> {
        let record = record
            .map(serde_json::to_string)
            .transpose()
            .map_err(atelier_store::Error::from)?;
        let script = if record.is_some() { &PUT } else { &REMOVE };
        let call = self.call(script).arg(id).arg(record.unwrap_or_default());
        Ok(call.arg(until.as_millisecond()).run().await?)
    }

    async fn changes(&self, after: u64, limit: usize) -> Result<Changes, Error> {
        let (last, rows): (u64, Vec<(u64, String, String)>) =
            self.call(&CHANGES).arg(after).arg(limit).run().await?;
        if last < after {
            return Ok(Changes::Restarted);
        }
        let changes = rows.into_iter().map(|(number, id, record)| {
            let kept = Some(record).filter(|record| !record.is_empty());
            let record = kept.and_then(|record| atelier_store::readable(&id, &record));
            Change { number, id, record }
        });
        Ok(Changes::Since(changes.collect()))
    }

    async fn holds(&self, id: &str) -> Result<bool, Error> {
        let command = Cmd::hget(self.redis.key(RECORDS), id);
        let record: Option<String> = self.redis.query(&command).await?;
        Ok(record.is_some_and(|record| !record.is_empty()))
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        loop {
            let gone: usize = self
                .call(&SWEEP)
                .arg(now.as_millisecond())
                .arg(BATCH)
                .run()
                .await?;
            if gone < BATCH {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_declare_their_names() {
        for script in [&PUT, &REMOVE, &CHANGES, &SWEEP] {
            assert_eq!(script.undeclared(), Vec::<String>::new());
        }
    }
}
