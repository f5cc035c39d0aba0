//! The exact cache in the embedded store.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{Cache, Entry, Error};
use crate::store::{Error as StoreError, sqlite::Database};

/// Entries in a SQLite table.
pub struct SqliteCache {
    database: Database,
}

impl SqliteCache {
    /// A cache in this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    async fn execute(
        &self,
        sql: &'static str,
        values: impl rusqlite::Params + Send + 'static,
    ) -> Result<(), Error> {
        self.database
            .write(move |c| {
                c.prepare_cached(sql)
                    .and_then(|mut s| s.execute(values))
                    .map(drop)
                    .map_err(|e| Error(StoreError::from(e)))
            })
            .await
    }
}

#[async_trait]
impl Cache for SqliteCache {
    async fn get(&self, digest: &str, now: Timestamp) -> Result<Option<Entry>, Error> {
        let digest = digest.to_owned();
        let found: Option<(String, i64)> = self
            .database
            .read(move |c| {
                c.prepare_cached(
                    "SELECT job, stored_at FROM cache WHERE key = ?1 AND expires_at > ?2",
                )
                .and_then(|mut query| {
                    query
                        .query_row(params![digest, now.as_millisecond()], |row| {
                            Ok((row.get(0)?, row.get(1)?))
                        })
                        .optional()
                })
                .map_err(StoreError::from)
            })
            .await?;
        Ok(found.map(|(job, at)| Entry {
            job,
            stored_at: Timestamp::from_millisecond(at).unwrap_or_default(),
        }))
    }

    async fn put(
        &self,
        digest: &str,
        job: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<(), Error> {
        let (digest, job) = (digest.to_owned(), job.to_owned());
        let (stored_at, expires_at) = (now.as_millisecond(), (now + ttl).as_millisecond());
        self.execute(
            "INSERT OR REPLACE INTO cache (key, job, stored_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
            (digest, job, stored_at, expires_at),
        )
        .await
    }

    async fn remove(&self, digest: &str) -> Result<(), Error> {
        self.execute("DELETE FROM cache WHERE key = ?1", (digest.to_owned(),))
            .await
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        self.execute(
            "DELETE FROM cache WHERE expires_at <= ?1",
            (now.as_millisecond(),),
        )
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sweeping_removes_what_has_expired() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        let cache = SqliteCache::new(database);
        let (start, hour) = (Timestamp::UNIX_EPOCH, Duration::from_secs(3600));
        cache.put("a", "job", start, hour).await.unwrap();
        cache.put("b", "job", start, 2 * hour).await.unwrap();
        cache.sweep(start + hour).await.unwrap();
        assert_eq!(cache.get("a", start).await.unwrap(), None);
        assert!(cache.get("b", start).await.unwrap().is_some());
    }
}
