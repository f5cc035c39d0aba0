//! The keys that sign deliveries: of one generation now, of the next one soon.

use super::{Messages, Result, Sender};

/// The keys that a receiver verifies deliveries with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Signs.
    pub current: String,
    /// Signs after the next rotation.
    pub next: String,
}

impl Messages {
    /// The owner's keys.
    pub async fn keys(&self, sender: &Sender) -> Result<Keys> {
        Ok(self.keys.pair(&sender.owner).await?.into())
    }

    /// Makes the next key the current one. Receivers that know both go on verifying.
    pub async fn rotate_keys(&self, sender: &Sender) -> Result<Keys> {
        Ok(self.keys.rotate(&sender.owner).await?.into())
    }
}

impl From<[String; 2]> for Keys {
    fn from([current, next]: [String; 2]) -> Self {
        Self { current, next }
    }
}
