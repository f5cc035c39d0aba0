//! URL groups.

use std::sync::LazyLock;

use ::redis::Cmd;
use async_trait::async_trait;
use atelier_store::{Error, readable, redis::Script};
use jiff::Timestamp;

use super::RedisMessageStore;
use crate::{Endpoint, EndpointKey, Group, GroupStore, MostGroups, store::Result};

static ADD: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("groups/add_endpoints.lua")));
static REMOVE: LazyLock<Script> =
    LazyLock::new(|| Script::always(include_str!("groups/remove_endpoints.lua")));
static SET_HEADERS: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("groups/set_headers.lua")));
static DELETE: LazyLock<Script> =
    LazyLock::new(|| Script::always(include_str!("groups/delete.lua")));

#[cfg(test)]
pub(super) static SCRIPTS: [&LazyLock<Script>; 4] = [&ADD, &REMOVE, &SET_HEADERS, &DELETE];

#[async_trait]
impl GroupStore for RedisMessageStore {
    async fn group(&self, owner: &str, name: &str) -> Result<Option<Group>> {
        let command = Cmd::hget(self.key("groups", owner), name);
        let record: Option<String> = self.redis.query(&command).await?;
        Ok(record.map(|record| read(&record)).transpose()?)
    }

    async fn groups(&self, owner: &str) -> Result<Vec<Group>> {
        let command = Cmd::hgetall(self.key("groups", owner));
        let records: Vec<(String, String)> = self.redis.query(&command).await?;
        let groups = records.iter();
        let mut groups: Vec<Group> = groups
            .filter_map(|(name, record)| readable(name, record))
            .collect();
        groups.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(groups)
    }

    async fn add_endpoints(
        &self,
        owner: &str,
        name: &str,
        endpoints: &[Endpoint],
        most: MostGroups,
        now: Timestamp,
    ) -> Result<Option<Group>> {
        if endpoints.is_empty() {
            let found = self.group(owner, name).await?;
            let nothing = || Group::new(name.to_owned(), now);
            return Ok(Some(found.unwrap_or_else(nothing)));
        }
        let endpoints = serde_json::to_string(endpoints).map_err(Error::from)?;
        let call = self.call(&ADD).arg(owner).arg(name).arg(now.to_string());
        let call = call.arg(most.groups).arg(most.endpoints).arg(endpoints);
        let record: Option<String> = call.run().await?;
        Ok(record.map(|record| read(&record)).transpose()?)
    }

    async fn remove_endpoints(
        &self,
        owner: &str,
        name: &str,
        which: &[EndpointKey],
        now: Timestamp,
    ) -> Result<bool> {
        let call = self.call(&REMOVE).arg(owner).arg(name);
        let mut call = call.arg(now.to_string());
        for key in which {
            call = match key {
                EndpointKey::Url(url) => call.arg("url").arg(url),
                EndpointKey::Name(name) => call.arg("name").arg(name),
            };
        }
        Ok(call.run().await?)
    }

    async fn set_group_headers(
        &self,
        owner: &str,
        name: &str,
        headers: &[(String, String)],
        now: Timestamp,
    ) -> Result<bool> {
        let headers = serde_json::to_string(headers).map_err(Error::from)?;
        let call = self.call(&SET_HEADERS).arg(owner).arg(name);
        Ok(call.arg(now.to_string()).arg(headers).run().await?)
    }

    async fn remove_group(&self, owner: &str, name: &str) -> Result<bool> {
        Ok(self.call(&DELETE).arg(owner).arg(name).run().await?)
    }
}

fn read(record: &str) -> Result<Group, Error> {
    Ok(serde_json::from_str(record)?)
}
