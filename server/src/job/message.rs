//! Messages: calls of other servers that are made durably.

use atelier_messages::Message;
use serde::{Deserialize, Serialize};

use super::Content;

/// The lane of messages to other servers.
pub const MESSAGES: &str = "messages";

/// The lane of messages to this server's own gateway: only a process that has one claims them.
pub const OWN_MESSAGES: &str = "messages-own";

/// A message that is to be delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageTask {
    pub message: Message,
    pub body: Content,
    /// The id of the API key that published it.
    pub key: String,
}
