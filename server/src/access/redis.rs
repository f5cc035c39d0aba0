//! Keys and denials in the distributed store, a hash of each; jobs withheld, a
//! set. Keys are revoked and people shut out even when Redis is full.

use async_trait::async_trait;
use redis::Cmd;

use super::{Denial, Error, Key, Register, Subject};
use crate::store::{self, redis::Redis};

const KEYS: &str = "access:keys";
const DENIALS: &str = "access:denials";
const WITHHELD: &str = "access:withheld";

/// Keys, denials and jobs withheld in Redis.
pub struct RedisRegister {
    redis: Redis,
}

impl RedisRegister {
    /// A register in this Redis.
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
impl Register for RedisRegister {
    async fn keys(&self) -> Result<Vec<(String, Key)>, Error> {
        let command = Cmd::hgetall(self.keys_key());
        let found: Vec<(String, String)> = self.redis.query(&command).await?;
        found
            .into_iter()
            .map(|(digest, key)| Ok((digest, read(&key)?)))
            .collect()
    }

    async fn find(&self, digest: &str) -> Result<Option<Key>, Error> {
        let command = Cmd::hget(self.keys_key(), digest);
        let found: Option<String> = self.redis.query(&command).await?;
        found.map(|key| read(&key)).transpose()
    }

    async fn put(&self, digest: &str, key: &Key) -> Result<(), Error> {
        let key = serde_json::to_string(key).map_err(store::Error::from)?;
        Ok(self.redis.always("HSET", KEYS, &[digest, &key]).await?)
    }

    async fn denials(&self) -> Result<Vec<Denial>, Error> {
        let found: Vec<String> = self.redis.query(&Cmd::hvals(self.denials_key())).await?;
        found.iter().map(|denial| read(denial)).collect()
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

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    Ok(serde_json::from_str(text).map_err(store::Error::from)?)
}
