//! The access store in SQLite.

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;

use super::{AccessStore, Denial, Error, Key, Subject, denials, keys};
use atelier_store::{
    self as store, Error as StoreError,
    sqlite::{Database, Schema},
};

/// Keys, denials and withheld jobs in SQLite tables.
pub struct SqliteAccessStore {
    database: Database,
}

impl SqliteAccessStore {
    /// Its tables.
    pub const SCHEMA: Schema = Schema {
        name: "access",
        migrations: &[include_str!("sqlite/schema.sql")],
    };

    /// The access store in this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    async fn replace(
        &self,
        sql: &'static str,
        id: String,
        record: &impl Serialize,
    ) -> Result<(), Error> {
        let record = serde_json::to_string(record).map_err(StoreError::from)?;
        let write = self.database.write(move |c| {
            c.execute(sql, params![id, record])?;
            Ok::<_, StoreError>(())
        });
        Ok(write.await?)
    }

    async fn rows(&self, sql: &'static str) -> Result<Vec<(String, String)>, Error> {
        let read = self.database.read(move |c| {
            let mut select = c.prepare(sql)?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok::<_, StoreError>(rows.collect::<Result<_, _>>()?)
        });
        Ok(read.await?)
    }
}

#[async_trait]
impl AccessStore for SqliteAccessStore {
    async fn keys(&self) -> Result<Vec<(String, Key)>, Error> {
        let rows = self.rows("SELECT digest, record FROM keys").await?;
        Ok(keys(rows))
    }

    async fn find(&self, digest: &str) -> Result<Option<Key>, Error> {
        let sought = digest.to_owned();
        let found: Option<String> = self
            .database
            .read(move |c| {
                let mut select = c.prepare("SELECT record FROM keys WHERE digest = ?1")?;
                let found = select.query_row([sought], |row| row.get(0)).optional()?;
                Ok::<_, StoreError>(found)
            })
            .await?;
        Ok(found.and_then(|key| store::readable(digest, &key)))
    }

    async fn put(&self, digest: &str, key: &Key) -> Result<(), Error> {
        let sql = "INSERT OR REPLACE INTO keys (digest, record) VALUES (?1, ?2)";
        self.replace(sql, digest.to_owned(), key).await
    }

    async fn denials(&self) -> Result<Vec<Denial>, Error> {
        let rows = self.rows("SELECT subject, record FROM denials").await?;
        Ok(denials(&rows))
    }

    async fn deny(&self, denial: &Denial) -> Result<(), Error> {
        let sql = "INSERT OR REPLACE INTO denials (subject, record) VALUES (?1, ?2)";
        self.replace(sql, denial.subject.to_string(), denial).await
    }

    async fn allow(&self, subject: &Subject) -> Result<bool, Error> {
        let subject = subject.to_string();
        let write = self.database.write(move |c| {
            let removed = c.execute("DELETE FROM denials WHERE subject = ?1", [subject])?;
            Ok::<_, StoreError>(removed > 0)
        });
        Ok(write.await?)
    }

    async fn withhold(&self, job: &str, withheld: bool) -> Result<(), Error> {
        let (job, sql) = (
            job.to_owned(),
            if withheld {
                "INSERT OR IGNORE INTO withheld (job) VALUES (?1)"
            } else {
                "DELETE FROM withheld WHERE job = ?1"
            },
        );
        let write = self.database.write(move |c| {
            c.prepare_cached(sql)?.execute([job])?;
            Ok::<_, StoreError>(())
        });
        Ok(write.await?)
    }

    async fn withheld(&self, job: &str) -> Result<bool, Error> {
        let look = self.database.read_inline(|c| {
            let mut select = c.prepare_cached("SELECT 1 FROM withheld WHERE job = ?1")?;
            Ok::<_, StoreError>(select.exists([job])?)
        });
        Ok(look?)
    }
}
