//! Events.

use std::collections::BTreeMap;

use async_trait::async_trait;
use atelier_store::{Error, readable, sqlite::Database};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{BATCH, SqliteMessageStore};
use crate::{
    Entry, Event, EventId, EventStore,
    store::{AFTER_ALL, Result},
};

/// The ids and records of owners.
type Records = BTreeMap<String, Vec<(String, String)>>;

#[async_trait]
impl EventStore for SqliteMessageStore {
    async fn append(&self, entries: &[Entry], most: usize) -> Result<()> {
        let records = records(entries)?;
        let append = move |c: &Connection| {
            let mut records = records.iter();
            records.try_for_each(|(owner, records)| append(c, owner, records, most))
        };
        Ok(self.database.write(append).await?)
    }

    async fn events(
        &self,
        owner: &str,
        before: Option<&EventId>,
        limit: usize,
    ) -> Result<Vec<(EventId, Event)>> {
        let owner = owner.to_owned();
        let before = before.map_or_else(|| AFTER_ALL.to_owned(), |before| before.0.clone());
        let list = move |c: &Connection| list(c, &owner, before, limit);
        Ok(self.database.read(list).await?)
    }
}

/// Passes over what cannot be read.
fn list(
    c: &Connection,
    owner: &str,
    mut before: String,
    limit: usize,
) -> Result<Vec<(EventId, Event)>, Error> {
    let sql = "SELECT id, record FROM message_events \
               WHERE owner = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
    let mut select = c.prepare_cached(sql)?;
    let mut events = Vec::new();
    loop {
        let wanted = limit - events.len();
        let rows = select.query_map(params![owner, before, wanted], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let is_last = rows.len() < wanted;
        for (id, record) in rows {
            before.clone_from(&id);
            events.extend(readable(&id, &record).map(|event| (EventId(id), event)));
        }
        if is_last || events.len() == limit {
            return Ok(events);
        }
    }
}

fn records(entries: &[Entry]) -> Result<Records, Error> {
    let mut records = Records::new();
    for Entry { owner, id, event } in entries {
        let record = (id.0.clone(), serde_json::to_string(event)?);
        records.entry(owner.clone()).or_default().push(record);
    }
    Ok(records)
}

fn append(
    c: &Connection,
    owner: &str,
    records: &[(String, String)],
    most: usize,
) -> Result<(), Error> {
    let sql = "INSERT INTO message_events (owner, id, record) VALUES (?1, ?2, ?3) \
               ON CONFLICT DO NOTHING";
    let mut insert = c.prepare_cached(sql)?;
    let mut added = 0;
    for (id, record) in records {
        added += insert.execute([owner, id, record])?;
    }
    let kept = kept(c, owner)? + added;
    let gone = match kept.checked_sub(most) {
        None | Some(0) => 0,
        Some(over) => drop_oldest(c, owner, over)?,
    };
    set_kept(c, owner, kept.saturating_sub(gone))
}

fn kept(c: &Connection, owner: &str) -> Result<usize, Error> {
    let sql = "SELECT kept FROM message_event_counts WHERE owner = ?1";
    let mut select = c.prepare_cached(sql)?;
    let kept = select.query_row([owner], |row| row.get(0)).optional()?;
    Ok(kept.unwrap_or(0))
}

fn set_kept(c: &Connection, owner: &str, kept: usize) -> Result<(), Error> {
    if kept == 0 {
        let sql = "DELETE FROM message_event_counts WHERE owner = ?1";
        c.prepare_cached(sql)?.execute([owner])?;
        return Ok(());
    }
    let sql = "INSERT INTO message_event_counts (owner, kept) VALUES (?1, ?2) \
               ON CONFLICT DO UPDATE SET kept = ?2";
    c.prepare_cached(sql)?.execute(params![owner, kept])?;
    Ok(())
}

/// Deletes so many, at least one. Returns how many.
fn drop_oldest(c: &Connection, owner: &str, count: usize) -> Result<usize, Error> {
    let sql = "DELETE FROM message_events WHERE owner = ?1 AND id <= \
               (SELECT id FROM message_events WHERE owner = ?1 ORDER BY id LIMIT 1 OFFSET ?2)";
    let mut delete = c.prepare_cached(sql)?;
    Ok(delete.execute(params![owner, count - 1])?)
}

/// Deletes the events before that one, in steps: others write meanwhile.
pub(super) async fn sweep(database: &Database, before: EventId) -> Result<()> {
    let mut last = String::new();
    loop {
        let (from, id) = (last, before.0.clone());
        let Some(owner) = database.read(move |c| next_owner(c, &from, &id)).await? else {
            return Ok(());
        };
        last = owner.clone();
        let id = before.0.clone();
        database.write(move |c| sweep_some(c, &owner, &id)).await?;
    }
}

/// The first owner, not before this one, who has events to be deleted.
fn next_owner(c: &Connection, from: &str, before: &str) -> Result<Option<String>, Error> {
    let sql = "SELECT owner FROM message_event_counts AS counts WHERE owner >= ?1 AND EXISTS \
               (SELECT 1 FROM message_events WHERE owner = counts.owner AND id < ?2) \
               ORDER BY owner LIMIT 1";
    let mut select = c.prepare_cached(sql)?;
    Ok(select
        .query_row([from, before], |row| row.get(0))
        .optional()?)
}

fn sweep_some(c: &Connection, owner: &str, before: &str) -> Result<(), Error> {
    let sql = "DELETE FROM message_events WHERE owner = ?1 AND id IN \
               (SELECT id FROM message_events WHERE owner = ?1 AND id < ?2 ORDER BY id LIMIT ?3)";
    let gone = c
        .prepare_cached(sql)?
        .execute(params![owner, before, BATCH])?;
    set_kept(c, owner, kept(c, owner)?.saturating_sub(gone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::damage;

    #[tokio::test]
    async fn damaged_events_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let database = Database::open(&path, &[SqliteMessageStore::SCHEMA]).unwrap();
        let store = SqliteMessageStore::new(database.clone());
        damage::append(&store, 10).await;
        let sql = "UPDATE message_events SET record = '{' WHERE id > \
                   (SELECT min(id) FROM message_events WHERE owner = 'owner')";
        let damage = database.write(move |c| Ok::<_, Error>(c.execute(sql, [])?));
        damage.await.unwrap();
        damage::leaves_the_first_event(&store).await;
    }
}
