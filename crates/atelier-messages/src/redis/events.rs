//! Events. A member of a sorted set is `ID:RECORD`; as all scores are the same, they are
//! ordered by their ids.

use std::{collections::BTreeMap, sync::LazyLock};

use async_trait::async_trait;
use atelier_store::{Error, readable, redis::Script};

use super::{RedisMessageStore, TAG};
use crate::{
    Entry, Event, EventId, EventStore,
    store::{AFTER_ALL, Result},
};

static APPEND: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("events/append.lua")));
static SWEEP: LazyLock<Script> = LazyLock::new(|| Script::always(include_str!("events/sweep.lua")));

#[cfg(test)]
pub(super) static SCRIPTS: [&LazyLock<Script>; 2] = [&APPEND, &SWEEP];

/// Maximum number of events that a script deletes.
const BATCH: u64 = 1_000;

/// Owners that are looked up together.
const OWNERS: u32 = 100;

#[async_trait]
impl EventStore for RedisMessageStore {
    async fn append(&self, entries: &[Entry], most: usize) -> Result<()> {
        let mut call = self.call(&APPEND).arg(most);
        for (owner, members) in members(entries)? {
            call = call.arg(owner).arg(members.len()).arg(members);
        }
        Ok(call.run().await?)
    }

    async fn events(
        &self,
        owner: &str,
        before: Option<&EventId>,
        limit: usize,
    ) -> Result<Vec<(EventId, Event)>> {
        let key = self.key("events", owner);
        let mut before = before.map_or(AFTER_ALL, |before| &before.0).to_owned();
        let mut events = Vec::new();
        // Passes over what cannot be read.
        loop {
            let wanted = limit - events.len();
            let mut command = ::redis::cmd("ZREVRANGEBYLEX");
            command.arg(&key).arg(format!("({before}")).arg("-");
            let command = command.arg(("LIMIT", 0, wanted));
            let members: Vec<String> = self.redis.query(command).await?;
            for member in &members {
                let (id, record) = member.split_once(AFTER_ALL).unwrap_or((member, ""));
                id.clone_into(&mut before);
                events.extend(readable(id, record).map(|event| (EventId(id.to_owned()), event)));
            }
            if members.len() < wanted || events.len() == limit {
                return Ok(events);
            }
        }
    }
}

fn members(entries: &[Entry]) -> Result<BTreeMap<&str, Vec<String>>, Error> {
    let mut members = BTreeMap::<_, Vec<_>>::new();
    for Entry { owner, id, event } in entries {
        let member = format!("{}{AFTER_ALL}{}", id.0, serde_json::to_string(event)?);
        members.entry(owner.as_str()).or_default().push(member);
    }
    Ok(members)
}

impl RedisMessageStore {
    /// Deletes the events before that one, in steps: others wait for each.
    pub(super) async fn sweep_events(&self, before: &EventId) -> Result<()> {
        let owners = self.redis.key(format!("{TAG}:owners"));
        let mut cursor = 0_u64;
        loop {
            let mut scan = ::redis::cmd("SSCAN");
            scan.arg(&owners).arg(cursor).arg(("COUNT", OWNERS));
            let (next, some): (u64, Vec<String>) = self.redis.query(&scan).await?;
            for owner in some {
                while self.sweep_some(&owner, before).await? == BATCH {}
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }

    async fn sweep_some(&self, owner: &str, before: &EventId) -> Result<u64> {
        let call = self.call(&SWEEP).arg(owner).arg(&before.0);
        Ok(call.arg(BATCH).run().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::damage;

    #[tokio::test]
    async fn damaged_events_are_passed_over() {
        let redis = atelier_store::testing::redis();
        let store = RedisMessageStore::new(redis.clone());
        damage::append(&store, 1).await;
        let key = store.key("events", "owner");
        for number in 0..9 {
            let damaged = format!("9999{number}:{{");
            let command = ::redis::Cmd::zadd(&key, damaged, 0);
            redis.query::<u64>(&command).await.unwrap();
        }
        damage::leaves_the_first_event(&store).await;
    }
}
