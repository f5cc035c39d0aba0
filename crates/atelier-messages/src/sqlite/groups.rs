//! URL groups.

use async_trait::async_trait;
use atelier_store::{Error, readable};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::SqliteMessageStore;
use crate::{Endpoint, EndpointKey, Group, GroupStore, MostGroups, store::Result};

#[async_trait]
impl GroupStore for SqliteMessageStore {
    async fn group(&self, owner: &str, name: &str) -> Result<Option<Group>> {
        let (owner, name) = (owner.to_owned(), name.to_owned());
        let find = move |c: &Connection| find(c, &owner, &name);
        Ok(self.database.read(find).await?)
    }

    async fn groups(&self, owner: &str) -> Result<Vec<Group>> {
        let owner = owner.to_owned();
        let list = move |c: &Connection| {
            let sql = "SELECT name, record FROM url_groups WHERE owner = ?1 ORDER BY name";
            let mut select = c.prepare_cached(sql)?;
            let rows = select.query_map([owner], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?.into_iter();
            let groups = rows.filter_map(|(name, record)| readable(&name, &record));
            Ok::<_, Error>(groups.collect())
        };
        Ok(self.database.read(list).await?)
    }

    async fn add_endpoints(
        &self,
        owner: &str,
        name: &str,
        endpoints: &[Endpoint],
        most: MostGroups,
        now: Timestamp,
    ) -> Result<Option<Group>> {
        let (owner, name, endpoints) = (owner.to_owned(), name.to_owned(), endpoints.to_vec());
        let add = move |c: &Connection| {
            let found = find(c, &owner, &name)?;
            if found.is_none() && !endpoints.is_empty() && count(c, &owner)? >= most.groups {
                return Ok(None);
            }
            let mut group = found.unwrap_or_else(|| Group::new(name, now));
            if endpoints.is_empty() {
                return Ok(Some(group));
            }
            group.updated_at = now;
            endpoints
                .into_iter()
                .for_each(|endpoint| group.put(endpoint));
            if group.endpoints.len() > most.endpoints {
                return Ok(None);
            }
            put(c, &owner, &group)?;
            Ok::<_, Error>(Some(group))
        };
        Ok(self.database.write(add).await?)
    }

    async fn remove_endpoints(
        &self,
        owner: &str,
        name: &str,
        which: &[EndpointKey],
        now: Timestamp,
    ) -> Result<bool> {
        let which = which.to_vec();
        let remove = move |group: &mut Group| group.remove(&which);
        self.change(owner, name, now, remove).await
    }

    async fn set_group_headers(
        &self,
        owner: &str,
        name: &str,
        headers: &[(String, String)],
        now: Timestamp,
    ) -> Result<bool> {
        let headers = headers.to_vec();
        let set = move |group: &mut Group| group.headers = headers;
        self.change(owner, name, now, set).await
    }

    async fn remove_group(&self, owner: &str, name: &str) -> Result<bool> {
        let (owner, name) = (owner.to_owned(), name.to_owned());
        let remove = move |c: &Connection| remove(c, &owner, &name);
        Ok(self.database.write(remove).await?)
    }
}

impl SqliteMessageStore {
    /// Changes a group, and deletes it with its last endpoint. Returns whether there was one.
    async fn change(
        &self,
        owner: &str,
        name: &str,
        now: Timestamp,
        change: impl FnOnce(&mut Group) + Send + 'static,
    ) -> Result<bool> {
        let (owner, name) = (owner.to_owned(), name.to_owned());
        let change = move |c: &Connection| {
            let Some(mut group) = find(c, &owner, &name)? else {
                return Ok(false);
            };
            group.updated_at = now;
            change(&mut group);
            if group.endpoints.is_empty() {
                return remove(c, &owner, &name);
            }
            put(c, &owner, &group)?;
            Ok::<_, Error>(true)
        };
        Ok(self.database.write(change).await?)
    }
}

fn find(c: &Connection, owner: &str, name: &str) -> Result<Option<Group>, Error> {
    let sql = "SELECT record FROM url_groups WHERE owner = ?1 AND name = ?2";
    let mut select = c.prepare_cached(sql)?;
    let record: Option<String> = select
        .query_row([owner, name], |row| row.get(0))
        .optional()?;
    let group = record.map(|record| serde_json::from_str(&record));
    Ok(group.transpose()?)
}

fn count(c: &Connection, owner: &str) -> Result<usize, Error> {
    let sql = "SELECT count(*) FROM url_groups WHERE owner = ?1";
    let mut select = c.prepare_cached(sql)?;
    Ok(select.query_row([owner], |row| row.get(0))?)
}

fn put(c: &Connection, owner: &str, group: &Group) -> Result<(), Error> {
    let record = serde_json::to_string(group)?;
    let sql = "INSERT INTO url_groups (owner, name, record) VALUES (?1, ?2, ?3) \
               ON CONFLICT DO UPDATE SET record = ?3";
    let mut put = c.prepare_cached(sql)?;
    put.execute(params![owner, group.name, record])?;
    Ok(())
}

fn remove(c: &Connection, owner: &str, name: &str) -> Result<bool, Error> {
    let sql = "DELETE FROM url_groups WHERE owner = ?1 AND name = ?2";
    Ok(c.prepare_cached(sql)?.execute([owner, name])? > 0)
}
