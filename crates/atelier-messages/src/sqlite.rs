//! Groups, schedules, events and what else belongs to messages in SQLite.

mod events;
mod groups;
mod schedules;

use std::time::Duration;

use async_trait::async_trait;
use atelier_store::{
    Error, milliseconds,
    sqlite::{Database, Schema},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    EventId, MessageStore,
    store::{Result, digest},
};

/// Maximum number of rows that a sweep deletes in one operation.
const BATCH: usize = 1_000;

/// What belongs to messages in SQLite tables.
pub struct SqliteMessageStore {
    database: Database,
}

impl SqliteMessageStore {
    /// Its tables.
    pub const SCHEMA: Schema = Schema {
        name: "messages",
        migrations: &[include_str!("sqlite/schema.sql")],
    };

    /// What is kept in this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl MessageStore for SqliteMessageStore {
    async fn generation(&self, owner: &str) -> Result<u64> {
        let owner = owner.to_owned();
        let find = move |c: &Connection| {
            let sql = "SELECT generation FROM signing_generations WHERE owner = ?1";
            let mut select = c.prepare_cached(sql)?;
            let found = select.query_row([owner], |row| row.get(0)).optional()?;
            Ok::<_, Error>(found.unwrap_or(0))
        };
        Ok(self.database.read(find).await?)
    }

    async fn rotate(&self, owner: &str) -> Result<u64> {
        let owner = owner.to_owned();
        let rotate = move |c: &Connection| {
            let sql = "INSERT INTO signing_generations (owner, generation) VALUES (?1, 1) \
                       ON CONFLICT DO UPDATE SET generation = generation + 1 RETURNING generation";
            let mut put = c.prepare_cached(sql)?;
            Ok::<_, Error>(put.query_row([owner], |row| row.get(0))?)
        };
        Ok(self.database.write(rotate).await?)
    }

    async fn deduplicate(
        &self,
        owner: &str,
        key: &str,
        id: &str,
        window: Duration,
        now: Timestamp,
    ) -> Result<String> {
        let (digest, id, now) = (digest(owner, key), id.to_owned(), now.as_millisecond());
        let expires_at = now.saturating_add(milliseconds(window));
        let note = move |c: &Connection| {
            let sql = "INSERT INTO duplicates (digest, message, expires_at) VALUES (?1, ?2, ?3) \
                       ON CONFLICT DO UPDATE SET message = ?2, expires_at = ?3 WHERE expires_at <= ?4";
            let mut put = c.prepare_cached(sql)?;
            if put.execute(params![digest, id, expires_at, now])? > 0 {
                return Ok(id);
            }
            let mut select =
                c.prepare_cached("SELECT message FROM duplicates WHERE digest = ?1")?;
            Ok::<_, Error>(select.query_row([digest], |row| row.get(0))?)
        };
        Ok(self.database.write(note).await?)
    }

    async fn forget_duplicate(&self, owner: &str, key: &str, id: &str) -> Result<()> {
        let (digest, id) = (digest(owner, key), id.to_owned());
        let forget = move |c: &Connection| {
            let sql = "DELETE FROM duplicates WHERE digest = ?1 AND message = ?2";
            c.prepare_cached(sql)?.execute([digest, id])?;
            Ok::<_, Error>(())
        };
        Ok(self.database.write(forget).await?)
    }

    async fn sweep(&self, now: Timestamp, since: Timestamp) -> Result<()> {
        let now = now.as_millisecond();
        let forget = move |c: &Connection| {
            let sql = "DELETE FROM duplicates WHERE digest IN \
                       (SELECT digest FROM duplicates WHERE expires_at <= ?1 LIMIT ?2)";
            Ok::<_, Error>(c.prepare_cached(sql)?.execute(params![now, BATCH])?)
        };
        // In steps, for others write meanwhile.
        while self.database.write(forget).await? == BATCH {}
        events::sweep(&self.database, EventId::from(since)).await
    }
}
