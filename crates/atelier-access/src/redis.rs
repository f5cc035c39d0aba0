//! The access store in Redis: keys and denials are hashes, withheld jobs a set. Keys can be
//! revoked and subjects denied even when Redis is full.

use ::redis::Cmd;
use async_trait::async_trait;

use super::{AccessStore, Denial, Error, Key, Subject, denials, keys};
use atelier_store::{self as store, redis::Redis};

const KEYS: &str = "access:keys";
const DENIALS: &str = "access:denials";
const WITHHELD: &str = "access:withheld";

/// Keys, denials and withheld jobs in Redis.
pub struct RedisAccessStore {
    redis: Redis,
}

impl RedisAccessStore {
    /// The access store in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    fn keys_key(&self) -> String {
        self.redis.key(KEYS)
    }

    fn denials_key(&self) -> String {
        self.redis.key(DENIALS)
    }

    fn withheld_key(&self) -> String {
        self.redis.key(WITHHELD)
    }
}

#[async_trait]
impl AccessStore for RedisAccessStore {
    async fn keys(&self) -> Result<Vec<(String, Key)>, Error> {
        let command = Cmd::hgetall(self.keys_key());
        let found: Vec<(String, String)> = self.redis.query(&command).await?;
        Ok(keys(found))
    }

    async fn find(&self, digest: &str) -> Result<Option<Key>, Error> {
        let command = Cmd::hget(self.keys_key(), digest);
        let found: Option<String> = self.redis.query(&command).await?;
        Ok(found.and_then(|key| store::readable(digest, &key)))
    }

    async fn put(&self, digest: &str, key: &Key) -> Result<(), Error> {
        let key = serde_json::to_string(key).map_err(store::Error::from)?;
        Ok(self.redis.always("HSET", KEYS, &[digest, &key]).await?)
    }

    async fn denials(&self) -> Result<Vec<Denial>, Error> {
        let command = Cmd::hgetall(self.denials_key());
        let found: Vec<(String, String)> = self.redis.query(&command).await?;
        Ok(denials(&found))
    }

    async fn deny(&self, denial: &Denial) -> Result<(), Error> {
        let subject = denial.subject.to_string();
        let denial = serde_json::to_string(denial).map_err(store::Error::from)?;
        let entry = [subject.as_str(), &denial];
        Ok(self.redis.always("HSET", DENIALS, &entry).await?)
    }

    async fn allow(&self, subject: &Subject) -> Result<bool, Error> {
        let entry = [&*subject.to_string()];
        Ok(self.redis.always("HDEL", DENIALS, &entry).await?)
    }

    async fn withhold(&self, job: &str, withheld: bool) -> Result<(), Error> {
        let command = if withheld { "SADD" } else { "SREM" };
        Ok(self.redis.always(command, WITHHELD, &[job]).await?)
    }

    async fn withheld(&self, job: &str) -> Result<bool, Error> {
        let command = Cmd::sismember(self.withheld_key(), job);
        Ok(self.redis.query(&command).await?)
    }
}
