//! Notes of blobs to be discarded, in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

use super::{
    super::{Housekeeping, Payload, Result},
    SqliteQueue, gates,
    table::{cached, execute, note_discards, texts},
    unread,
};
use atelier_store::instant;

fn exists(c: &Connection, sql: &str, blob: &str) -> Result<bool> {
    cached(c, sql, |query| query.exists([blob]))
}

#[async_trait]
impl<P: Payload> Housekeeping for SqliteQueue<P> {
    async fn unreferenced(&self, blobs: &[String]) -> Result<Vec<String>> {
        let blobs = blobs.to_vec();
        let read = move |c: &Connection| {
            let mut free = Vec::new();
            for blob in blobs {
                if !exists(c, "SELECT 1 FROM files WHERE key = ?1", &blob)? {
                    free.push(blob);
                }
            }
            Ok(free)
        };
        self.database.read(read).await
    }

    async fn note_discards(&self, blobs: &[String]) -> Result<()> {
        let blobs = blobs.to_vec();
        self.database.write(move |c| note_discards(c, &blobs)).await
    }

    async fn discards(&self, limit: usize) -> Result<Vec<String>> {
        let read = move |c: &Connection| {
            let some = "SELECT key FROM discards ORDER BY random() LIMIT ?1";
            texts(c, some, &[&limit])
        };
        self.database.read(read).await
    }

    async fn is_discarded(&self, blob: &str) -> Result<bool> {
        self.database
            .read_inline(|c| exists(c, "SELECT 1 FROM discards WHERE key = ?1", blob))
    }

    async fn discarded(&self, blobs: &[String]) -> Result<()> {
        let blobs = blobs.to_vec();
        let write = move |c: &Connection| {
            for blob in &blobs {
                execute(c, "DELETE FROM discards WHERE key = ?1", &[blob])?;
            }
            Ok(())
        };
        self.database.write(write).await
    }

    async fn mark(&self, name: &str) -> Result<Timestamp> {
        let name = name.to_owned();
        let read = move |c: &Connection| {
            cached(c, "SELECT at FROM marks WHERE name = ?1", |query| {
                query.query_row([name], |row| row.get(0)).optional()
            })
        };
        let at: Option<i64> = self.database.read(read).await?;
        Ok(instant(at.unwrap_or(0))?)
    }

    async fn advance(&self, name: &str, until: Timestamp) -> Result<()> {
        let (name, until) = (name.to_owned(), until.as_millisecond());
        let write = move |c: &Connection| {
            execute(
                c,
                "INSERT INTO marks (name, at) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET at = max(at, excluded.at)",
                &[&name, &until],
            )
        };
        self.database.write(write).await
    }

    async fn remove_idle_gates(&self, before: Timestamp) -> Result<()> {
        const PAGE: usize = 200;
        let (mut after, before) = (String::new(), before.as_millisecond());
        loop {
            let start = after.clone();
            let page = move |c: &Connection| gates::removable(c, &start, before, PAGE);
            let (idle, last) = self.database.read(page).await?;
            if !idle.is_empty() {
                let remove = move |c: &Connection| {
                    let mut names = idle.iter();
                    names.try_for_each(|name| gates::remove_idle(c, name, before))
                };
                self.database.write(remove).await?;
            }
            match last {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }

    async fn set_aside_unreadable(&self, now: Timestamp) -> Result<()> {
        // There are hardly ever any, so the writer is not bothered without need.
        if self.database.read_inline(unread::unknown)?.is_empty() {
            return Ok(());
        }
        let now = now.as_millisecond();
        self.change(move |c, changed| unread::give_up_unknown::<P>(c, changed, now))
            .await
    }
}
