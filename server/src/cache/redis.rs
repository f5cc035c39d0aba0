//! The exact cache in the distributed store: one key for each entry, spread
//! over a cluster, and gone by itself when its time is over.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Cache, Entry, Error};
use crate::store::{self, redis::Redis};

/// Entries in Redis.
pub struct RedisCache {
    redis: Redis,
}

impl RedisCache {
    /// A cache in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    fn key(&self, digest: &str) -> String {
        self.redis.key(format!("cache:{digest}"))
    }
}

/// The longest that Redis is told to keep something; its clock ends later.
const LONGEST: u64 = i64::MAX as u64 / 4;

/// The job, and when it was stored and expires, in Unix milliseconds.
type Record = (String, i64, i64);

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, digest: &str, now: Timestamp) -> Result<Option<Entry>, Error> {
        let command = redis::Cmd::get(self.key(digest));
        let Some(found) = self.redis.query::<Option<String>>(&command).await? else {
            return Ok(None);
        };
        let (job, stored_at, expires_at): Record =
            serde_json::from_str(&found).map_err(store::Error::from)?;
        let entry = Entry {
            job,
            stored_at: Timestamp::from_millisecond(stored_at).unwrap_or_default(),
        };
        Ok((expires_at > now.as_millisecond()).then_some(entry))
    }

    async fn put(
        &self,
        digest: &str,
        job: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<(), Error> {
        let record = (job, now.as_millisecond(), (now + ttl).as_millisecond());
        let record = serde_json::to_string(&record).map_err(store::Error::from)?;
        let keep = u64::try_from(ttl.as_millis()).unwrap_or(LONGEST);
        let command = redis::Cmd::pset_ex(self.key(digest), record, keep.clamp(1, LONGEST));
        Ok(self.redis.query(&command).await?)
    }

    async fn remove(&self, digest: &str) -> Result<(), Error> {
        Ok(self.redis.query(&redis::Cmd::del(self.key(digest))).await?)
    }

    async fn sweep(&self, _now: Timestamp) -> Result<(), Error> {
        Ok(())
    }
}
