//! Messages: calls of other servers that are made durably.

use atelier_messages::Message;
use serde::{Deserialize, Serialize};

use super::Content;

/// The lane of messages to other servers.
pub const MESSAGES: &str = "messages";

/// The lane of messages to this server's own gateway: only a process that has one claims them.
pub const OWN_MESSAGES: &str = "messages-own";

/// Before the owners of messages in the queue, so that no list of pictures contains these.
const OWNERS: &str = "messages:";

/// The owner of messages, by their owner in the queue.
pub fn owner_of_messages(owner: &str) -> Option<&str> {
    owner.strip_prefix(OWNERS)
}

/// A message that is to be delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageTask {
    pub message: Message,
    pub body: Content,
    /// The id of the API key that published it.
    pub key: String,
}
