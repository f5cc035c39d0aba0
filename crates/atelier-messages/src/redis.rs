//! Groups, schedules, events and what else belongs to messages in Redis. All keys share a
//! hash tag, and names of owners stand at the end:
//!
//! | key | what |
//! |---|---|
//! | `{messages}:groups:OWNER` | hash: name of a group to its record |
//! | `{messages}:revision` | the last revision that was given out |
//! | `{messages}:schedules:OWNER` | hash: id of a schedule to its revision |
//! | `{messages}:schedule:REVISION` | hash: a schedule |
//! | `{messages}:fired:REVISION` | list: what it published, the newest first |
//! | `{messages}:due` | sorted set: revisions by when they are due |
//! | `{messages}:generations` | hash: owner to the generation of the signing keys |
//! | `{messages}:duplicate:DIGEST` | when it expires, and the message; expires by itself |
//! | `{messages}:events:OWNER` | sorted set: ids with their events, all of score 0 |
//! | `{messages}:owners` | set: owners with events |

mod events;
mod groups;
mod schedules;

use std::{sync::LazyLock, time::Duration};

use ::redis::Cmd;
use async_trait::async_trait;
use atelier_store::{
    milliseconds,
    redis::{Call, Redis, Script},
};
use jiff::Timestamp;

use crate::{
    EventId, MessageStore,
    store::{Result, digest},
};

static ROTATE: LazyLock<Script> =
    LazyLock::new(|| Script::always(include_str!("redis/rotate.lua")));
static DEDUPLICATE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("redis/deduplicate.lua")));
static FORGET: LazyLock<Script> =
    LazyLock::new(|| Script::finishing(include_str!("redis/forget.lua")));

/// The prefix of every key.
const TAG: &str = "{messages}";

/// A note is kept this much longer than it counts: Redis' clock is not its maker's.
const SLACK: i64 = 60_000;

/// What belongs to messages in Redis.
pub struct RedisMessageStore {
    redis: Redis,
}

impl RedisMessageStore {
    /// What is kept in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    fn call(&self, script: &'static LazyLock<Script>) -> Call<'_> {
        self.redis.script(script).key(TAG)
    }

    /// The full name of a key.
    fn key(&self, room: &str, name: &str) -> String {
        self.redis.key(format!("{TAG}:{room}:{name}"))
    }
}

#[async_trait]
impl MessageStore for RedisMessageStore {
    async fn generation(&self, owner: &str) -> Result<u64> {
        let generations = self.redis.key(format!("{TAG}:generations"));
        let found: Option<u64> = self.redis.query(&Cmd::hget(generations, owner)).await?;
        Ok(found.unwrap_or(0))
    }

    async fn rotate(&self, owner: &str) -> Result<u64> {
        Ok(self.call(&ROTATE).arg(owner).run().await?)
    }

    async fn deduplicate(
        &self,
        owner: &str,
        key: &str,
        id: &str,
        window: Duration,
        now: Timestamp,
    ) -> Result<String> {
        let (window, now) = (milliseconds(window), now.as_millisecond());
        let call = self.call(&DEDUPLICATE).arg(digest(owner, key)).arg(id);
        let call = call.arg(now).arg(now.saturating_add(window));
        Ok(call.arg(window + SLACK).run().await?)
    }

    async fn forget_duplicate(&self, owner: &str, key: &str, id: &str) -> Result<()> {
        let call = self.call(&FORGET).arg(digest(owner, key)).arg(id);
        Ok(call.run().await?)
    }

    async fn sweep(&self, _now: Timestamp, since: Timestamp) -> Result<()> {
        self.sweep_events(&EventId::from(since)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_use_no_undeclared_globals() {
        let here = [&ROTATE, &DEDUPLICATE, &FORGET];
        let all = here
            .into_iter()
            .chain(events::SCRIPTS)
            .chain(groups::SCRIPTS)
            .chain(schedules::SCRIPTS);
        for script in all {
            assert_eq!(script.undeclared(), Vec::<String>::new());
        }
    }
}
