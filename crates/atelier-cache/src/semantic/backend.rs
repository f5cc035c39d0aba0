//! Where vectors are stored and searched.

#[cfg(any(feature = "sqlite", feature = "redis"))]
use super::indexed::InProcessIndex;
#[cfg(feature = "sqlite")]
use super::sqlite::SqliteVectorLog;
use super::{super::Error, vectors::Vectors};
#[cfg(feature = "redis")]
use super::{redis::RedisVectorLog, vector_set::VectorSet};
#[cfg(feature = "redis")]
use atelier_store::redis::Redis;
#[cfg(feature = "sqlite")]
use atelier_store::sqlite::Database;

/// The store that vectors go to.
#[derive(Clone)]
#[non_exhaustive]
pub enum Backend {
    /// Vectors in SQLite, searched in the process.
    #[cfg(feature = "sqlite")]
    Sqlite(Database),
    /// Vectors in Redis, searched by Redis if it has vector sets, else in each process.
    #[cfg(feature = "redis")]
    Redis(Redis),
}

impl Backend {
    /// Returns the vectors there, at most `entries` of them.
    ///
    /// # Errors
    /// If Redis is unreachable.
    #[cfg(any(feature = "sqlite", feature = "redis"))]
    pub async fn open(&self, entries: usize) -> Result<Box<dyn Vectors>, Error> {
        Ok(match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(database) => {
                let log = SqliteVectorLog::new(database.clone());
                Box::new(InProcessIndex::new(log, entries))
            }
            #[cfg(feature = "redis")]
            Self::Redis(redis) if VectorSet::is_known_to(redis).await? => {
                RedisVectorLog::new(redis.clone()).drop_all().await?;
                Box::new(VectorSet::new(redis.clone(), entries))
            }
            #[cfg(feature = "redis")]
            Self::Redis(redis) => {
                let log = RedisVectorLog::new(redis.clone());
                Box::new(InProcessIndex::new(log, entries))
            }
        })
    }

    /// There is none.
    #[cfg(not(any(feature = "sqlite", feature = "redis")))]
    #[expect(clippy::unused_async, reason = "as with a store")]
    pub async fn open(&self, _: usize) -> Result<Box<dyn Vectors>, Error> {
        match *self {}
    }
}
