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
        let mut command = ::redis::cmd("ZREVRANGEBYLEX");
        command
            .arg(self.key("events", owner))
            .arg(format!("({}", before.map_or(AFTER_ALL, |before| &before.0)))
            .arg("-")
            .arg(("LIMIT", 0, limit));
        let members: Vec<String> = self.redis.query(&command).await?;
        let events = members.iter().filter_map(|member| {
            let (id, record) = member.split_once(':')?;
            Some((EventId(id.to_owned()), readable(id, record)?))
        });
        Ok(events.collect())
    }
}

fn members(entries: &[Entry]) -> Result<BTreeMap<&str, Vec<String>>, Error> {
    let mut members = BTreeMap::<_, Vec<_>>::new();
    for Entry { owner, id, event } in entries {
        let member = format!("{}:{}", id.0, serde_json::to_string(event)?);
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
