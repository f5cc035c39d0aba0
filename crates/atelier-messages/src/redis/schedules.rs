//! Schedules.

use std::sync::LazyLock;

use ::redis::Cmd;
use async_trait::async_trait;
use atelier_store::{Error, instant, readable, redis::Script};
use jiff::Timestamp;

use super::{RedisMessageStore, TAG};
use crate::{
    Due, Fired, NewSchedule, Schedule, ScheduleStore,
    store::{Content, MOST_FIRED, PUT_OFF, Result},
};

/// A script that reads schedules.
macro_rules! reading {
    ($file:literal) => {
        LazyLock::new(|| {
            Script::reading(concat!(
                include_str!("schedules/read.lua"),
                include_str!(concat!("schedules/", $file, ".lua"))
            ))
        })
    };
}

static GET: LazyLock<Script> = reading!("get");
static LIST: LazyLock<Script> = reading!("list");
static DUE: LazyLock<Script> = reading!("due");
static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("schedules/put.lua")));
static PAUSE: LazyLock<Script> =
    LazyLock::new(|| Script::always(include_str!("schedules/pause.lua")));
static DELETE: LazyLock<Script> =
    LazyLock::new(|| Script::always(include_str!("schedules/delete.lua")));
static ADVANCE: LazyLock<Script> =
    LazyLock::new(|| Script::finishing(include_str!("schedules/advance.lua")));

static POSTPONE: LazyLock<Script> =
    LazyLock::new(|| Script::always(include_str!("schedules/put_off.lua")));

#[cfg(test)]
pub(super) static SCRIPTS: [&LazyLock<Script>; 8] = [
    &GET, &LIST, &DUE, &PUT, &PAUSE, &DELETE, &ADVANCE, &POSTPONE,
];

#[async_trait]
impl ScheduleStore for RedisMessageStore {
    async fn put_schedule(
        &self,
        owner: &str,
        schedule: &NewSchedule,
        most: usize,
        now: Timestamp,
    ) -> Result<Option<Schedule>> {
        let content = serde_json::to_string(&Content::from(schedule)).map_err(Error::from)?;
        let created_at = now.as_millisecond();
        let call = self.call(&PUT).arg(owner).arg(&schedule.id).arg(most);
        let call = call.arg(created_at).arg(ms(schedule.next)).arg(content);
        let revision: Option<u64> = call.run().await?;
        let Some(revision) = revision else {
            return Ok(None);
        };
        Ok(Some(Schedule {
            owner: owner.to_owned(),
            given: NewSchedule {
                next: schedule.next.map(rounded).transpose()?,
                ..schedule.clone()
            },
            revision,
            created_at: instant(created_at)?,
            paused: false,
            fired: Vec::new(),
        }))
    }

    async fn schedule(&self, owner: &str, id: &str) -> Result<Option<Schedule>> {
        let call = self.call(&GET).arg(owner).arg(id);
        let found: Option<Stored> = call.run().await?;
        Ok(found.and_then(schedule))
    }

    async fn schedules(&self, owner: &str) -> Result<Vec<Schedule>> {
        let found: Vec<Stored> = self.call(&LIST).arg(owner).run().await?;
        let mut all: Vec<Schedule> = found.into_iter().filter_map(schedule).collect();
        all.sort_by_key(|schedule| std::cmp::Reverse(schedule.revision));
        Ok(all)
    }

    async fn pause_schedule(
        &self,
        owner: &str,
        id: &str,
        paused: bool,
        next: Option<Timestamp>,
    ) -> Result<bool> {
        let call = self.call(&PAUSE).arg(owner).arg(id).arg(u8::from(paused));
        Ok(call.arg(ms(next)).run().await?)
    }

    async fn remove_schedule(&self, owner: &str, id: &str) -> Result<bool> {
        Ok(self.call(&DELETE).arg(owner).arg(id).run().await?)
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>> {
        let now = now.as_millisecond();
        let call = self.call(&DUE).arg(now).arg(limit);
        let mut due = Vec::new();
        for stored in call.run::<Vec<Stored>>().await? {
            let (revision, due_at) = (stored.6, stored.4.clone());
            match found_due(stored) {
                Some(found) => due.push(found),
                None => self.put_off(revision, &due_at, now + PUT_OFF).await?,
            }
        }
        Ok(due)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        let due = self.redis.key(format!("{TAG}:due"));
        let command = Cmd::zrange_withscores(due, 0, 0);
        let first: Vec<(String, f64)> = self.redis.query(&command).await?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds of this era are exact"
        )]
        let first = first.first().map(|(_, due_at)| instant(*due_at as i64));
        Ok(first.transpose()?)
    }

    async fn advance(&self, due: &Due, fired: &Fired, next: Option<Timestamp>) -> Result<bool> {
        let fired = serde_json::to_string(fired).map_err(Error::from)?;
        let call = self.call(&ADVANCE).arg(due.schedule.revision);
        let call = call.arg(due.at.as_millisecond()).arg(ms(next));
        Ok(call.arg(fired).arg(MOST_FIRED).run().await?)
    }
}

impl RedisMessageStore {
    async fn put_off(&self, revision: u64, from: &str, to: i64) -> Result<()> {
        let call = self.call(&POSTPONE).arg(revision).arg(from).arg(to);
        Ok(call.run().await?)
    }
}

/// Empty for never.
fn ms(instant: Option<Timestamp>) -> String {
    instant.map_or_else(String::new, |instant| instant.as_millisecond().to_string())
}

fn rounded(at: Timestamp) -> Result<Timestamp, Error> {
    instant(at.as_millisecond())
}

/// As `read.lua` returns it: owner, id, when it was put, whether it is paused, when it is
/// due, its content, its revision, what it published.
type Stored = (String, String, i64, u8, String, String, u64, Vec<String>);

fn found_due(stored: Stored) -> Option<Due> {
    let schedule = schedule(stored)?;
    let at = schedule.given.next?;
    Some(Due { schedule, at })
}

/// `None` if it cannot be read, which is logged.
fn schedule(stored: Stored) -> Option<Schedule> {
    let (owner, id, created_at, paused, due_at, content, revision, fired) = stored;
    let content: Content<'_> = readable(&id, &content)?;
    let next = due_at.parse().ok().and_then(|due_at| instant(due_at).ok());
    let fired = fired.iter();
    Some(Schedule {
        owner,
        revision,
        created_at: instant(created_at).ok()?,
        paused: paused > 0,
        fired: fired.filter_map(|fired| readable(&id, fired)).collect(),
        given: content.into_given(id, next),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::damage;

    #[tokio::test]
    async fn a_damaged_schedule_holds_up_nobody() {
        let redis = atelier_store::testing::redis();
        let store = RedisMessageStore::new(redis.clone());
        let damaged = damage::put(&store, "damaged", 1).await;
        damage::put(&store, "sound", 2).await;
        let key = store.key("schedule", &damaged.to_string());
        let damage = Cmd::hset(key, "content", "{");
        redis.query::<u64>(&damage).await.unwrap();
        damage::is_put_off(&store).await;
    }
}
