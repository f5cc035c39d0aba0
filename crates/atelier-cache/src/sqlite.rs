//! The exact cache in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Params, params};

use super::{Cache, Entry, Error, Saved, Saving, WORTH_NOTING};
use atelier_store::{
    self,
    sqlite::{Database, Schema},
};

/// Entries in a SQLite table.
pub struct SqliteCache {
    database: Database,
    most: u64,
}

impl SqliteCache {
    /// The tables of both caches.
    pub const SCHEMA: Schema = Schema {
        name: "cache",
        migrations: &[
            include_str!("sqlite/schema.sql"),
            include_str!("sqlite/002_rows.sql"),
        ],
    };

    /// Opens the cache in this database, with at most `most` entries.
    pub fn new(database: Database, most: u64) -> Self {
        Self { database, most }
    }

    async fn execute(
        &self,
        sql: &'static str,
        values: impl Params + Send + 'static,
    ) -> Result<(), Error> {
        let run = move |c: &Connection| run(c, sql, values);
        Ok(self.database.write(run).await.map(drop)?)
    }
}

fn run(c: &Connection, sql: &str, values: impl Params) -> Result<u64, atelier_store::Error> {
    Ok(c.prepare_cached(sql)?.execute(values)? as u64)
}

#[async_trait]
impl Cache for SqliteCache {
    async fn get(&self, digest: &str, now: Timestamp) -> Result<Option<Entry>, Error> {
        let at = now.as_millisecond();
        let find = |c: &Connection| -> Result<Option<(String, i64, i64)>, atelier_store::Error> {
            let mut query = c.prepare_cached(
                "SELECT job, stored_at, used_at FROM cache WHERE key = ?1 AND expires_at > ?2",
            )?;
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            Ok(query.query_row(params![digest, at], row).optional()?)
        };
        let Some((value, stored_at, used_at)) = self.database.read_inline(find)? else {
            return Ok(None);
        };
        if at - used_at > WORTH_NOTING.as_millis() as i64 {
            self.execute(
                "UPDATE cache SET used_at = ?2 WHERE key = ?1",
                (digest.to_owned(), at),
            )
            .await?;
        }
        let stored_at = Timestamp::from_millisecond(stored_at).unwrap_or_default();
        Ok(Some(Entry { value, stored_at }))
    }

    async fn put(
        &self,
        digest: &str,
        value: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<(), Error> {
        let (digest, value, most) = (digest.to_owned(), value.to_owned(), self.most);
        let (now, until) = (now.as_millisecond(), (now + ttl).as_millisecond());
        let put = move |c: &Connection| -> Result<(), atelier_store::Error> {
            // Not `REPLACE`, of which the counting triggers would see only one half.
            let sql = "INSERT INTO cache (key, job, stored_at, used_at, expires_at) VALUES (?1, ?2, ?3, ?3, ?4) \
                       ON CONFLICT DO UPDATE SET job = excluded.job, stored_at = excluded.stored_at, \
                       used_at = excluded.used_at, expires_at = excluded.expires_at";
            run(c, sql, params![digest, value, now, until])?;
            let sql = "DELETE FROM cache WHERE key IN (SELECT key FROM cache ORDER BY used_at, stored_at \
                       LIMIT max(0, (SELECT rows FROM counts WHERE name = 'cache') - ?1))";
            run(c, sql, [most])?;
            Ok(())
        };
        Ok(self.database.write(put).await?)
    }

    async fn remove(&self, digest: &str, value: &str) -> Result<(), Error> {
        let values = (digest.to_owned(), value.to_owned());
        self.execute("DELETE FROM cache WHERE key = ?1 AND job = ?2", values)
            .await
    }

    async fn count(&self) -> Result<u64, Error> {
        let count = |c: &Connection| -> Result<u64, atelier_store::Error> {
            let rows = "SELECT rows FROM counts WHERE name = 'cache'";
            Ok(c.query_row(rows, [], |row| row.get(0))?)
        };
        Ok(self.database.read(count).await?)
    }

    async fn clear(&self) -> Result<u64, Error> {
        let clear = |c: &Connection| run(c, "DELETE FROM cache", []);
        Ok(self.database.write(clear).await?)
    }

    async fn sweep(&self, now: Timestamp, since: Timestamp) -> Result<(), Error> {
        let (now, since) = (now.as_millisecond(), since.as_millisecond());
        self.execute("DELETE FROM cache WHERE expires_at <= ?1", (now,))
            .await?;
        self.execute("DELETE FROM savings WHERE hour < ?1", (since,))
            .await
    }

    async fn record(&self, savings: &[Saving]) -> Result<(), Error> {
        let savings = savings.to_vec();
        let record = move |c: &Connection| -> Result<(), atelier_store::Error> {
            let sql = "INSERT INTO savings (hour, name, amount) VALUES (?1, ?2, ?3) \
                       ON CONFLICT DO UPDATE SET amount = amount + excluded.amount";
            for Saving {
                hour,
                saved,
                amount,
            } in &savings
            {
                run(c, sql, params![hour, saved.as_str(), amount])?;
            }
            Ok(())
        };
        Ok(self.database.write(record).await?)
    }

    async fn savings(&self, since: Timestamp) -> Result<Vec<Saving>, Error> {
        let since = since.as_millisecond();
        let read = move |c: &Connection| -> Result<Vec<Saving>, atelier_store::Error> {
            let mut query = c.prepare_cached(
                "SELECT hour, name, amount FROM savings WHERE hour >= ?1 ORDER BY hour, name",
            )?;
            let rows = query.query_map([since], |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))
            })?;
            let mut savings = Vec::new();
            for row in rows {
                let (hour, name, amount) = row?;
                savings.extend(Saved::of(&name).map(|saved| Saving {
                    hour,
                    saved,
                    amount,
                }));
            }
            Ok(savings)
        };
        Ok(self.database.read(read).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The count is kept by triggers, which must not miss a row.
    #[tokio::test]
    async fn the_count_is_that_of_the_rows() {
        let folder = tempfile::tempdir().unwrap();
        let schemas = [SqliteCache::SCHEMA];
        let database = Database::open(&folder.path().join("test.db"), &schemas).unwrap();
        let cache = SqliteCache::new(database.clone(), 3);
        for key in ["a", "b", "a", "c", "d"] {
            let (now, ttl) = (Timestamp::UNIX_EPOCH, Duration::from_secs(1));
            cache.put(key, "job", now, ttl).await.unwrap();
        }
        cache.remove("d", "job").await.unwrap();
        let rows = |c: &Connection| -> Result<u64, atelier_store::Error> {
            Ok(c.query_row("SELECT count(*) FROM cache", [], |row| row.get(0))?)
        };
        let (counted, rows) = (cache.count().await.unwrap(), database.read(rows).await);
        assert_eq!((counted, rows.unwrap()), (2, 2));
    }
}
