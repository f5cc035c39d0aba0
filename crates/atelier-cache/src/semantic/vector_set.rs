//! Vectors in the vector sets of Redis 8 and later, which searches them itself.
//!
//! A set has vectors of one length: `{meanings}:vectors:384`, and
//! `{meanings}:lengths` has the lengths in use. `{meanings}:used` and
//! `{meanings}:until` have every id by its last use and by its expiry.

use std::sync::LazyLock;

use async_trait::async_trait;
use jiff::Timestamp;
use redis::{Cmd, Value, cmd};

use super::{super::Error, index::Candidate, record::Scope, vectors::Vectors};
use atelier_store::redis::{Call, Redis, Script};

static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("vector_set/put.lua")));
static REMOVE: LazyLock<Script> =
    LazyLock::new(|| Script::finishing(include_str!("vector_set/remove.lua")));

const USED: &str = "{meanings}:used";
const UNTIL: &str = "{meanings}:until";
const LENGTHS: &str = "{meanings}:lengths";

/// The search's exploration factor (`EF`).
const BREADTH: usize = 400;

/// Maximum number of vectors of other scopes that a search skips (`FILTER-EF`). With this,
/// all eight neighbours in the rarest of 200 scopes were found among 100,000 vectors; with
/// Redis' default, 800, three in ten were not.
const EFFORT: usize = 10_000;

/// Maximum number of ids removed in one script, which blocks other clients.
const BATCH: usize = 50;

/// Vectors in Redis' vector sets.
pub struct VectorSet {
    redis: Redis,
    most: usize,
}

impl VectorSet {
    /// Whether this Redis has vector sets.
    pub async fn is_known_to(redis: &Redis) -> Result<bool, Error> {
        let mut command = cmd("COMMAND");
        command.arg("INFO").arg("VADD");
        let known: Vec<Value> = redis.query(&command).await?;
        Ok(known.iter().any(|command| *command != Value::Nil))
    }

    /// Opens the vectors in this Redis, at most `most`.
    pub fn new(redis: Redis, most: usize) -> Self {
        Self { redis, most }
    }

    async fn lengths(&self) -> Result<Vec<usize>, Error> {
        Ok(self
            .redis
            .query(&Cmd::smembers(self.redis.key(LENGTHS)))
            .await?)
    }

    async fn remove_all(&self, ids: &[String]) -> Result<(), Error> {
        let lengths = self.lengths().await?;
        for some in ids.chunks(BATCH) {
            let call = self.redis.script(&REMOVE).key(USED).key(UNTIL);
            let sets = lengths.iter().map(|length| vectors(*length));
            sets.fold(call, Call::key).arg(some).run::<()>().await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Vectors for VectorSet {
    async fn put(
        &self,
        id: &str,
        scope: Scope,
        vector: &[f32],
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), Error> {
        let attributes = serde_json::json!({ "scope": name(scope), "until": until.as_second() });
        let gone: Vec<String> = self
            .redis
            .script(&PUT)
            .key(vectors(vector.len()))
            .key(LENGTHS)
            .key(USED)
            .key(UNTIL)
            .arg(id)
            .arg(bytes(vector))
            .arg(attributes.to_string())
            .arg(vector.len())
            .arg(now.as_millisecond())
            .arg(until.as_second())
            .arg(self.most)
            .run()
            .await?;
        if gone.is_empty() {
            return Ok(());
        }
        self.remove_all(&gone).await
    }

    async fn remove(&self, id: &str, _: Timestamp) -> Result<(), Error> {
        self.remove_all(&[id.to_owned()]).await
    }

    async fn clear(&self, _: Timestamp) -> Result<u64, Error> {
        let count = self.count().await?;
        let sets = self.lengths().await?.into_iter().map(vectors);
        let others = [LENGTHS, USED, UNTIL].map(str::to_owned);
        let keys: Vec<String> = sets
            .chain(others)
            .map(|name| self.redis.key(name))
            .collect();
        self.redis.query::<()>(&Cmd::unlink(keys)).await?;
        Ok(count)
    }

    async fn nearest(
        &self,
        scope: Scope,
        vector: &[f32],
        threshold: f32,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, Error> {
        let filter = format!(
            ".scope == '{}' and .until > {}",
            name(scope),
            now.as_second()
        );
        let mut command = cmd("VSIM");
        command
            .arg(self.redis.key(vectors(vector.len())))
            .arg("FP32")
            .arg(bytes(vector))
            .arg("WITHSCORES")
            .arg("COUNT")
            .arg(most)
            .arg("EF")
            .arg(BREADTH)
            .arg("FILTER")
            .arg(filter)
            .arg("FILTER-EF")
            .arg(EFFORT);
        let found: Vec<(String, f32)> = self.redis.query(&command).await?;
        // Redis returns 1 for the same direction and 0 for the opposite.
        let candidates = found.into_iter().map(|(id, score)| Candidate {
            id,
            similarity: 2.0 * score - 1.0,
        });
        Ok(candidates
            .filter(|candidate| candidate.similarity >= threshold)
            .collect())
    }

    async fn holds(&self, id: &str) -> Result<bool, Error> {
        let command = Cmd::zscore(self.redis.key(USED), id);
        Ok(self.redis.query::<Option<f64>>(&command).await?.is_some())
    }

    async fn touch(&self, id: &str, now: Timestamp) -> Result<(), Error> {
        let mut command = cmd("ZADD");
        command
            .arg(self.redis.key(USED))
            .arg("XX")
            .arg(now.as_millisecond())
            .arg(id);
        Ok(self.redis.query(&command).await?)
    }

    async fn count(&self) -> Result<u64, Error> {
        Ok(self.redis.query(&Cmd::zcard(self.redis.key(USED))).await?)
    }

    /// Does nothing: Redis has everything.
    async fn renew(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        let until = self.redis.key(UNTIL);
        let command = Cmd::zrangebyscore_limit(until, "-inf", now.as_second(), 0, BATCH as isize);
        loop {
            let ids: Vec<String> = self.redis.query(&command).await?;
            if ids.is_empty() {
                return Ok(());
            }
            self.remove_all(&ids).await?;
        }
    }
}

fn vectors(length: usize) -> String {
    format!("{{meanings}}:vectors:{length}")
}

/// As text, as numbers in filters have only 53 bits.
fn name(scope: Scope) -> String {
    format!("{scope:016x}")
}

fn bytes(vector: &[f32]) -> Vec<u8> {
    vector
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_declare_their_names() {
        for script in [&PUT, &REMOVE] {
            assert_eq!(script.undeclared(), Vec::<String>::new());
        }
    }
}
