//! Pins in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use atelier_store::{Error as StoreError, milliseconds, readable};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::SqliteCallStore;
use crate::{Error, Pin, PinStore};

#[async_trait]
impl PinStore for SqliteCallStore {
    async fn pin(&self, id: &str, pin: &Pin, now: Timestamp, keep: Duration) -> Result<(), Error> {
        let pin = serde_json::to_string(pin).map_err(StoreError::from)?;
        let values = (
            id.to_owned(),
            pin,
            now.as_millisecond().saturating_add(milliseconds(keep)),
        );
        let put = move |c: &Connection| {
            let sql = "INSERT INTO pins (id, pin, expires_at) VALUES (?1, ?2, ?3) \
                       ON CONFLICT DO UPDATE SET pin = ?2, expires_at = ?3";
            c.prepare_cached(sql)?.execute(values)?;
            Ok::<_, StoreError>(())
        };
        Ok(self.database.write(put).await?)
    }

    async fn pinned(&self, id: &str, now: Timestamp) -> Result<Option<Pin>, Error> {
        let now = now.as_millisecond();
        let find = |c: &Connection| {
            let sql = "SELECT pin FROM pins WHERE id = ?1 AND expires_at > ?2";
            let mut select = c.prepare_cached(sql)?;
            let found = select.query_row(params![id, now], |row| row.get::<_, String>(0));
            Ok::<_, StoreError>(found.optional()?)
        };
        let found = self.database.read_inline(find)?;
        Ok(found.and_then(|found| readable(id, &found)))
    }

    async fn unpin_old(&self, now: Timestamp) -> Result<(), Error> {
        let now = now.as_millisecond();
        let delete = move |c: &Connection| {
            let sql = "DELETE FROM pins WHERE expires_at <= ?1";
            c.prepare_cached(sql)?.execute([now])?;
            Ok::<_, StoreError>(())
        };
        Ok(self.database.write(delete).await?)
    }
}
