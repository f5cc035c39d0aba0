//! Who publishes messages, and whom they belong to.

use std::{collections::BTreeMap, sync::Arc};

use crate::access::Holder;

/// The tag of API keys whose messages belong together.
const OWNER: &str = "owner";

/// Before the owners of messages in the queue, so that no list of pictures contains these.
const MESSAGES: &str = "messages:";

/// Who publishes messages.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Whom the messages belong to: keys with the same tag `owner` see the same ones, and a
    /// key that replaces another loses nothing.
    pub owner: String,
    /// The id of the API key.
    pub key: String,
    pub holder: Arc<Holder>,
    /// The client's address, as receivers are told.
    pub ip: String,
}

impl Sender {
    /// The holder of an API key, at this address.
    pub fn of(holder: Arc<Holder>, ip: String) -> Self {
        Self {
            owner: owner_of(&holder),
            key: holder.id.clone(),
            holder,
            ip,
        }
    }

    /// The owner of the messages in the queue.
    pub fn queue_owner(&self) -> String {
        queue_owner(&self.owner)
    }
}

/// Whom the messages of a key belong to.
pub fn owner_of(holder: &Holder) -> String {
    owner_by(&holder.id, &holder.tags)
}

/// The same by the key's id and tags.
pub fn owner_by(key: &str, tags: &BTreeMap<String, String>) -> String {
    match tags.get(OWNER) {
        Some(tag) => format!("{OWNER}:{tag}"),
        None => key.to_owned(),
    }
}

/// The owner of an owner's messages in the queue.
pub fn queue_owner(owner: &str) -> String {
    format!("{MESSAGES}{owner}")
}
