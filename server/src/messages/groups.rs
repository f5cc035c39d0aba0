//! URL groups: one message to several URLs.

use atelier_messages::{Endpoint, EndpointKey, Group, MostGroups, destination, names};

use super::{Error, Messages, Result, Sender};

impl Messages {
    /// The owner's groups, by name.
    pub async fn groups(&self, sender: &Sender) -> Result<Vec<Group>> {
        Ok(self.store().groups(&sender.owner).await?)
    }

    /// The owner's group of that name.
    pub async fn group(&self, sender: &Sender, name: &str) -> Result<Group> {
        let group = self.store().group(&sender.owner, name).await?;
        group.ok_or_else(|| Error::unknown("URL group", name))
    }

    /// Adds endpoints, and makes the group if there is none.
    pub async fn add_endpoints(
        &self,
        sender: &Sender,
        name: &str,
        endpoints: Vec<Endpoint>,
    ) -> Result<Group> {
        names::word(name).map_err(Error::invalid)?;
        let endpoints: Result<Vec<_>> = endpoints
            .into_iter()
            .map(|endpoint| self.checked(endpoint))
            .collect();
        let endpoints = endpoints?;
        if endpoints.is_empty() {
            return Err(Error::invalid("Name the endpoints to be added."));
        }
        let most = MostGroups {
            groups: self.settings.max_groups,
            endpoints: self.settings.max_endpoints,
        };
        let now = self.now();
        let added = self
            .store()
            .add_endpoints(&sender.owner, name, &endpoints, most, now);
        added.await?.ok_or_else(|| {
            Error::TooMany(format!(
                "A URL group has at most {} endpoints, and at most {} groups are kept.",
                most.endpoints, most.groups
            ))
        })
    }

    fn checked(&self, endpoint: Endpoint) -> Result<Endpoint> {
        if let Some(name) = &endpoint.name {
            names::word(name).map_err(Error::invalid)?;
        }
        let url = destination::url(&endpoint.url).map_err(Error::invalid)?;
        self.check_public(&url)?;
        Ok(Endpoint { url, ..endpoint })
    }

    /// Removes endpoints; the group goes with its last one.
    pub async fn remove_endpoints(
        &self,
        sender: &Sender,
        name: &str,
        which: &[EndpointKey],
    ) -> Result<()> {
        let now = self.now();
        let removed = self
            .store()
            .remove_endpoints(&sender.owner, name, which, now);
        if !removed.await? {
            return Err(Error::unknown("URL group", name));
        }
        Ok(())
    }

    /// Sets the header fields that each message to the group gets, unless it has them.
    pub async fn set_group_headers(
        &self,
        sender: &Sender,
        name: &str,
        headers: Vec<(String, String)>,
    ) -> Result<()> {
        let headers: Result<Vec<_>, _> = headers
            .iter()
            .map(|(name, value)| names::forwarded(name, value))
            .collect();
        let headers: Vec<_> = headers
            .map_err(Error::invalid)?
            .into_iter()
            .flatten()
            .collect();
        let now = self.now();
        let set = self
            .store()
            .set_group_headers(&sender.owner, name, &headers, now);
        if !set.await? {
            return Err(Error::unknown("URL group", name));
        }
        Ok(())
    }

    /// Deletes a group, if there is one.
    pub async fn remove_group(&self, sender: &Sender, name: &str) -> Result<()> {
        self.store().remove_group(&sender.owner, name).await?;
        Ok(())
    }
}
