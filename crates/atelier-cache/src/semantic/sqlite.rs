//! Vectors in SQLite: a table whose row ids number the changes.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    super::Error,
    log::{Change, Changes, VectorLog},
    record::Record,
};
use atelier_store::{Error as StoreError, sqlite::Database};

/// Vectors in a SQLite table.
pub struct SqliteVectorLog {
    database: Database,
}

impl SqliteVectorLog {
    /// Opens the vectors in this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl VectorLog for SqliteVectorLog {
    async fn put(&self, id: &str, record: Option<&Record>, until: Timestamp) -> Result<(), Error> {
        let record = record
            .map(serde_json::to_string)
            .transpose()
            .map_err(StoreError::from)?;
        let (id, until) = (id.to_owned(), until.as_millisecond());
        let put = move |c: &Connection| -> Result<(), StoreError> {
            c.prepare_cached(
                "INSERT OR REPLACE INTO meanings (job, record, expires_at) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![id, record, until])?;
            Ok(())
        };
        Ok(self.database.write(put).await?)
    }

    async fn changes(&self, after: u64, limit: usize) -> Result<Changes, Error> {
        Ok(self
            .database
            .read(move |c| changes(c, after, limit))
            .await?)
    }

    async fn holds(&self, id: &str) -> Result<bool, Error> {
        let id = id.to_owned();
        let holds = move |c: &Connection| -> Result<bool, StoreError> {
            let mut query =
                c.prepare_cached("SELECT 1 FROM meanings WHERE job = ?1 AND record IS NOT NULL")?;
            Ok(query.exists([id])?)
        };
        Ok(self.database.read(holds).await?)
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        let now = now.as_millisecond();
        let sweep = move |c: &Connection| -> Result<(), StoreError> {
            c.prepare_cached("DELETE FROM meanings WHERE expires_at <= ?1")?
                .execute([now])?;
            Ok(())
        };
        Ok(self.database.write(sweep).await?)
    }
}

fn changes(c: &Connection, after: u64, limit: usize) -> Result<Changes, StoreError> {
    let mut query = c.prepare_cached(
        "SELECT number, job, record FROM meanings WHERE number > ?1 ORDER BY number LIMIT ?2",
    )?;
    let rows = query.query_map(params![after, limit], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<String>>(2)?))
    })?;
    let changes = rows.map(|row| {
        let (number, id, record): (_, String, _) = row?;
        let record = record.and_then(|record| atelier_store::readable(&id, &record));
        Ok(Change { number, id, record })
    });
    changes
        .collect::<Result<_, StoreError>>()
        .map(Changes::Since)
}
