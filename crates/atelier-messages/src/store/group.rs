//! URL groups.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Result;

/// URLs that a message can be published to together. Stored as it is serialized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name, unique for its owner.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Header fields that each message to it gets, unless it has them.
    // Left out if empty: Redis' scripts cannot tell an empty list from an empty object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// In the order in which they were added.
    pub endpoints: Vec<Endpoint>,
}

/// One URL of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// A name, unique in the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The URL, unique in the group.
    pub url: String,
}

/// How much an owner may keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MostGroups {
    /// The number of groups.
    pub groups: usize,
    /// The number of endpoints of each.
    pub endpoints: usize,
}

/// How an endpoint is named that is to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointKey {
    /// By its URL.
    Url(String),
    /// By its name.
    Name(String),
}

/// The part of a [`MessageStore`](super::MessageStore) that keeps URL groups.
#[async_trait]
pub trait GroupStore: Send + Sync {
    /// The owner's group of that name.
    async fn group(&self, owner: &str, name: &str) -> Result<Option<Group>>;

    /// All of the owner's groups, by name.
    async fn groups(&self, owner: &str) -> Result<Vec<Group>>;

    /// Adds endpoints, and makes the group if there is none. One with the URL or the name of
    /// another replaces that, in its place. `None` if there would be more than `most`, of
    /// groups or of endpoints. Without endpoints nothing is changed: no group is kept that has
    /// none.
    async fn add_endpoints(
        &self,
        owner: &str,
        name: &str,
        endpoints: &[Endpoint],
        most: MostGroups,
        now: Timestamp,
    ) -> Result<Option<Group>>;

    /// Removes endpoints by URL or name; the group goes with its last one. Returns whether
    /// there was such a group.
    async fn remove_endpoints(
        &self,
        owner: &str,
        name: &str,
        which: &[EndpointKey],
        now: Timestamp,
    ) -> Result<bool>;

    /// Sets the header fields of a group. Returns whether there is one.
    async fn set_group_headers(
        &self,
        owner: &str,
        name: &str,
        headers: &[(String, String)],
        now: Timestamp,
    ) -> Result<bool>;

    /// Deletes a group. Returns whether there was one.
    async fn remove_group(&self, owner: &str, name: &str) -> Result<bool>;
}

#[cfg(any(feature = "sqlite", feature = "redis"))]
impl Group {
    pub(crate) fn new(name: String, now: Timestamp) -> Self {
        Self {
            name,
            created_at: now,
            updated_at: now,
            headers: Vec::new(),
            endpoints: Vec::new(),
        }
    }
}

#[cfg(feature = "sqlite")]
impl Group {
    /// Adds an endpoint in the place of those that it replaces.
    pub(crate) fn put(&mut self, endpoint: Endpoint) {
        let replaced = |other: &Endpoint| {
            other.url == endpoint.url || (other.name.is_some() && other.name == endpoint.name)
        };
        let place = self.endpoints.iter().position(replaced);
        self.endpoints.retain(|other| !replaced(other));
        let place = place.unwrap_or(self.endpoints.len());
        self.endpoints.insert(place, endpoint);
    }

    /// Removes the endpoints that are named.
    pub(crate) fn remove(&mut self, which: &[EndpointKey]) {
        self.endpoints.retain(|endpoint| {
            !which.iter().any(|key| match key {
                EndpointKey::Url(url) => *url == endpoint.url,
                EndpointKey::Name(name) => endpoint.name.as_ref() == Some(name),
            })
        });
    }
}
