//! The exact cache in Redis. `{cache}:entry:DIGEST` is an entry, which expires by itself;
//! `{cache}:used` has the digests by their last use, and `{cache}:savings` the
//! savings.

use std::{sync::LazyLock, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Cache, Entry, Error, Saved, Saving, WORTH_NOTING};
use atelier_store::{
    self,
    redis::{Call, Redis, Script},
};

static GET: LazyLock<Script> = LazyLock::new(|| Script::always(include_str!("redis/get.lua")));
static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/put.lua")));
static REMOVE: LazyLock<Script> =
    LazyLock::new(|| Script::finishing(include_str!("redis/remove.lua")));
static SWEEP: LazyLock<Script> = LazyLock::new(|| Script::always(include_str!("redis/sweep.lua")));
static RECORD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/record.lua")));

/// Maximum number of entries removed or checked in one script.
const BATCH: usize = 1000;

/// Maximum expiry given to Redis, within the range of its clock.
const LONGEST: u64 = i64::MAX as u64 / 4;

/// Entries in Redis.
pub struct RedisCache {
    redis: Redis,
    most: u64,
}

impl RedisCache {
    /// Opens the cache in this Redis, with at most `most` entries.
    pub fn new(redis: Redis, most: u64) -> Self {
        Self { redis, most }
    }

    fn call(&self, script: &'static LazyLock<Script>) -> Call<'_> {
        self.redis.script(script).key(USED).key(ENTRY)
    }
}

const USED: &str = "{cache}:used";
const ENTRY: &str = "{cache}:entry:";
const SAVINGS: &str = "{cache}:savings";

/// The value, and when it was stored and expires, in Unix milliseconds.
type Record = (String, i64, i64);

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, digest: &str, now: Timestamp) -> Result<Option<Entry>, Error> {
        let at = now.as_millisecond();
        let call = self
            .call(&GET)
            .arg(digest)
            .arg(at)
            .arg(WORTH_NOTING.as_millis() as u64);
        let Some(found) = call.run::<Option<String>>().await? else {
            return Ok(None);
        };
        let Some((value, stored_at, expires_at)) =
            atelier_store::readable::<Record>(digest, &found)
        else {
            return Ok(None);
        };
        let entry = Entry {
            value,
            stored_at: Timestamp::from_millisecond(stored_at).unwrap_or_default(),
        };
        Ok((expires_at > at).then_some(entry))
    }

    async fn put(
        &self,
        digest: &str,
        value: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<(), Error> {
        let at = now.as_millisecond();
        let record = (value, at, (now + ttl).as_millisecond());
        let record = serde_json::to_string(&record).map_err(atelier_store::Error::from)?;
        let keep = u64::try_from(ttl.as_millis())
            .unwrap_or(LONGEST)
            .clamp(1, LONGEST);
        let call = self.call(&PUT).arg(digest).arg(at).arg(record).arg(keep);
        Ok(call.arg(self.most).run().await?)
    }

    async fn remove(&self, digest: &str, value: &str) -> Result<(), Error> {
        Ok(self.call(&REMOVE).arg(digest).arg(value).run().await?)
    }

    async fn count(&self) -> Result<u64, Error> {
        Ok(self
            .redis
            .query(&redis::Cmd::zcard(self.redis.key(USED)))
            .await?)
    }

    async fn clear(&self) -> Result<u64, Error> {
        let mut all = 0;
        loop {
            let (gone, _): (u64, u64) =
                self.call(&SWEEP).arg("all").arg(BATCH).arg(0).run().await?;
            all += gone;
            if gone == 0 {
                return Ok(all);
            }
        }
    }

    async fn sweep(&self, _now: Timestamp, since: Timestamp) -> Result<(), Error> {
        let mut from = 0;
        loop {
            let (gone, seen): (u64, u64) = self
                .call(&SWEEP)
                .arg("expired")
                .arg(BATCH)
                .arg(from)
                .run()
                .await?;
            from += seen - gone;
            if seen == 0 {
                break;
            }
        }
        let key = self.redis.key(SAVINGS);
        let fields: Vec<String> = self.redis.query(&redis::Cmd::hkeys(&key)).await?;
        let is_old =
            |field: &String| hour(field).is_none_or(|(hour, _)| hour < since.as_millisecond());
        let old: Vec<String> = fields.into_iter().filter(is_old).collect();
        if old.is_empty() {
            return Ok(());
        }
        Ok(self.redis.query(&redis::Cmd::hdel(&key, old)).await?)
    }

    async fn record(&self, savings: &[Saving]) -> Result<(), Error> {
        let mut call = self.redis.script(&RECORD).key(SAVINGS);
        for Saving {
            hour,
            saved,
            amount,
        } in savings
        {
            call = call.arg(format!("{hour}:{}", saved.as_str())).arg(*amount);
        }
        Ok(call.run().await?)
    }

    async fn savings(&self, since: Timestamp) -> Result<Vec<Saving>, Error> {
        let all = redis::Cmd::hgetall(self.redis.key(SAVINGS));
        let fields: Vec<(String, u64)> = self.redis.query(&all).await?;
        let mut savings: Vec<_> = fields
            .into_iter()
            .filter_map(|(field, amount)| {
                let (hour, saved) = hour(&field)?;
                (hour >= since.as_millisecond()).then_some(Saving {
                    hour,
                    saved,
                    amount,
                })
            })
            .collect();
        savings.sort_by_key(|saving| (saving.hour, saving.saved.as_str()));
        Ok(savings)
    }
}

fn hour(field: &str) -> Option<(i64, Saved)> {
    let (hour, name) = field.split_once(':')?;
    Some((hour.parse().ok()?, Saved::of(name)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_declare_their_names() {
        for script in [&GET, &PUT, &REMOVE, &SWEEP, &RECORD] {
            assert_eq!(script.undeclared(), Vec::<String>::new());
        }
    }
}
