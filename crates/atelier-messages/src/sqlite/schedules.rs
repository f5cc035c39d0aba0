//! Schedules.

use async_trait::async_trait;
use atelier_store::{Error, instant, readable};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::SqliteMessageStore;
use crate::{
    Due, Fired, NewSchedule, Schedule, ScheduleStore,
    store::{Content, MOST_FIRED, PUT_OFF, Result},
};

#[async_trait]
impl ScheduleStore for SqliteMessageStore {
    async fn put_schedule(
        &self,
        owner: &str,
        schedule: &NewSchedule,
        most: usize,
        now: Timestamp,
    ) -> Result<Option<Schedule>> {
        let content = serde_json::to_string(&Content::from(schedule)).map_err(Error::from)?;
        let (owner, id) = (owner.to_owned(), schedule.id.clone());
        let (next, now) = (ms(schedule.next), now.as_millisecond());
        let put = move |c: &Connection| {
            if !remove(c, &owner, &id)? && count(c, &owner)? >= most {
                return Ok(None);
            }
            insert(c, &owner, &id, now, next, &content)?;
            find(c, &owner, &id)
        };
        Ok(self.database.write(put).await?)
    }

    async fn schedule(&self, owner: &str, id: &str) -> Result<Option<Schedule>> {
        let (owner, id) = (owner.to_owned(), id.to_owned());
        let find = move |c: &Connection| find(c, &owner, &id);
        Ok(self.database.read(find).await?)
    }

    async fn schedules(&self, owner: &str) -> Result<Vec<Schedule>> {
        let owner = owner.to_owned();
        let list = move |c: &Connection| {
            let sql = "SELECT owner, id, revision, created_at, paused, due_at, fired, content \
                       FROM schedules JOIN schedule_contents USING (revision) \
                       WHERE owner = ?1 ORDER BY revision DESC";
            let mut select = c.prepare_cached(sql)?;
            let rows = select.query_map([owner], Stored::read)?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?.into_iter();
            Ok::<_, Error>(rows.filter_map(Stored::schedule).collect())
        };
        Ok(self.database.read(list).await?)
    }

    async fn pause_schedule(
        &self,
        owner: &str,
        id: &str,
        paused: bool,
        next: Option<Timestamp>,
    ) -> Result<bool> {
        let (owner, id, next) = (owner.to_owned(), id.to_owned(), ms(next));
        let pause = move |c: &Connection| {
            let found = if paused {
                let sql = "UPDATE schedules SET paused = 1 WHERE owner = ?1 AND id = ?2";
                c.prepare_cached(sql)?.execute([owner, id])?
            } else {
                // One that is not paused keeps its slot, which may not have been seen yet.
                let sql = "UPDATE schedules SET paused = 0, due_at = iif(paused, ?3, due_at) \
                           WHERE owner = ?1 AND id = ?2";
                c.prepare_cached(sql)?.execute(params![owner, id, next])?
            };
            Ok::<_, Error>(found > 0)
        };
        Ok(self.database.write(pause).await?)
    }

    async fn remove_schedule(&self, owner: &str, id: &str) -> Result<bool> {
        let (owner, id) = (owner.to_owned(), id.to_owned());
        let remove = move |c: &Connection| remove(c, &owner, &id);
        Ok(self.database.write(remove).await?)
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>> {
        let now = now.as_millisecond();
        let find = move |c: &Connection| {
            let sql = "SELECT owner, id, revision, created_at, paused, due_at, fired, content \
                       FROM schedules JOIN schedule_contents USING (revision) \
                       WHERE paused = 0 AND due_at <= ?1 ORDER BY due_at LIMIT ?2";
            let mut select = c.prepare_cached(sql)?;
            let rows = select.query_map(params![now, limit], Stored::read)?;
            Ok::<_, Error>(rows.collect::<Result<Vec<_>, _>>()?)
        };
        let mut due = Vec::new();
        for stored in self.database.read(find).await? {
            let (revision, due_at) = (stored.revision, stored.due_at);
            match stored.due() {
                Some(found) => due.push(found),
                None => self.put_off(revision, due_at, now + PUT_OFF).await?,
            }
        }
        Ok(due)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        let find = |c: &Connection| {
            let sql = "SELECT due_at FROM schedules \
                       WHERE paused = 0 AND due_at IS NOT NULL ORDER BY due_at LIMIT 1";
            let mut select = c.prepare_cached(sql)?;
            let found: Option<i64> = select.query_row([], |row| row.get(0)).optional()?;
            found.map(instant).transpose()
        };
        Ok(self.database.read(find).await?)
    }

    async fn advance(&self, due: &Due, fired: &Fired, next: Option<Timestamp>) -> Result<bool> {
        let (revision, at) = (due.schedule.revision, due.at.as_millisecond());
        let (fired, next) = (fired.clone(), ms(next));
        let advance = move |c: &Connection| {
            let Some(mut all) = fired_of(c, revision, at)? else {
                return Ok(false);
            };
            all.insert(0, fired);
            all.truncate(MOST_FIRED);
            let sql = "UPDATE schedules SET due_at = ?2, fired = ?3 WHERE revision = ?1";
            let mut update = c.prepare_cached(sql)?;
            update.execute(params![revision, next, serde_json::to_string(&all)?])?;
            Ok::<_, Error>(true)
        };
        Ok(self.database.write(advance).await?)
    }
}

impl SqliteMessageStore {
    async fn put_off(&self, revision: u64, from: Option<i64>, to: i64) -> Result<()> {
        let put_off = move |c: &Connection| {
            let sql = "UPDATE schedules SET due_at = ?3 WHERE revision = ?1 AND due_at = ?2";
            c.prepare_cached(sql)?
                .execute(params![revision, from, to])?;
            Ok::<_, Error>(())
        };
        Ok(self.database.write(put_off).await?)
    }
}

fn ms(instant: Option<Timestamp>) -> Option<i64> {
    instant.map(Timestamp::as_millisecond)
}

fn insert(
    c: &Connection,
    owner: &str,
    id: &str,
    now: i64,
    next: Option<i64>,
    content: &str,
) -> Result<(), Error> {
    let sql = "INSERT INTO schedules (owner, id, created_at, paused, due_at, fired) \
               VALUES (?1, ?2, ?3, 0, ?4, '[]')";
    c.prepare_cached(sql)?
        .execute(params![owner, id, now, next])?;
    let sql = "INSERT INTO schedule_contents (revision, content) VALUES (?1, ?2)";
    c.prepare_cached(sql)?
        .execute(params![c.last_insert_rowid(), content])?;
    Ok(())
}

fn find(c: &Connection, owner: &str, id: &str) -> Result<Option<Schedule>, Error> {
    let sql = "SELECT owner, id, revision, created_at, paused, due_at, fired, content \
               FROM schedules JOIN schedule_contents USING (revision) WHERE owner = ?1 AND id = ?2";
    let mut select = c.prepare_cached(sql)?;
    let found = select.query_row([owner, id], Stored::read).optional()?;
    Ok(found.and_then(Stored::schedule))
}

fn remove(c: &Connection, owner: &str, id: &str) -> Result<bool, Error> {
    let sql = "DELETE FROM schedules WHERE owner = ?1 AND id = ?2";
    Ok(c.prepare_cached(sql)?.execute([owner, id])? > 0)
}

fn count(c: &Connection, owner: &str) -> Result<usize, Error> {
    let sql = "SELECT count(*) FROM schedules WHERE owner = ?1";
    Ok(c.prepare_cached(sql)?
        .query_row([owner], |row| row.get(0))?)
}

/// What a schedule has published, if it is due at that instant.
fn fired_of(c: &Connection, revision: u64, at: i64) -> Result<Option<Vec<Fired>>, Error> {
    let sql = "SELECT fired FROM schedules WHERE revision = ?1 AND due_at = ?2 AND paused = 0";
    let mut select = c.prepare_cached(sql)?;
    let found: Option<String> = select
        .query_row(params![revision, at], |row| row.get(0))
        .optional()?;
    Ok(found.map(|fired| readable("a schedule's messages", &fired).unwrap_or_default()))
}

/// A row of the two tables.
struct Stored {
    owner: String,
    id: String,
    revision: u64,
    created_at: i64,
    paused: bool,
    due_at: Option<i64>,
    fired: String,
    content: String,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            owner: row.get(0)?,
            id: row.get(1)?,
            revision: row.get(2)?,
            created_at: row.get(3)?,
            paused: row.get(4)?,
            due_at: row.get(5)?,
            fired: row.get(6)?,
            content: row.get(7)?,
        })
    }

    fn due(self) -> Option<Due> {
        let schedule = self.schedule()?;
        let at = schedule.given.next?;
        Some(Due { schedule, at })
    }

    /// `None` if it cannot be read, which is logged.
    fn schedule(self) -> Option<Schedule> {
        let content: Content<'_> = readable(&self.id, &self.content)?;
        let next = self.due_at.and_then(|due_at| instant(due_at).ok());
        Some(Schedule {
            owner: self.owner,
            given: content.into_given(self.id, next),
            revision: self.revision,
            created_at: instant(self.created_at).ok()?,
            paused: self.paused,
            fired: readable("a schedule's messages", &self.fired).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use atelier_store::sqlite::Database;

    use super::*;
    use crate::store::damage;

    #[tokio::test]
    async fn a_damaged_schedule_holds_up_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let database = Database::open(&path, &[SqliteMessageStore::SCHEMA]).unwrap();
        let store = SqliteMessageStore::new(database.clone());
        let damaged = damage::put(&store, "damaged", 1).await;
        damage::put(&store, "sound", 2).await;
        let sql = "UPDATE schedule_contents SET content = '{' WHERE revision = ?1";
        let damage = database.write(move |c| Ok::<_, Error>(c.execute(sql, [damaged])?));
        damage.await.unwrap();
        damage::is_put_off(&store).await;
    }
}
