//! The keys that sign deliveries: of one generation now, of the next one soon.

use super::{Messages, Result, Sender};
use crate::callback::signing_key;

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
        let generation = self.store().generation(&sender.owner).await?;
        Ok(self.keys_of(&sender.owner, generation))
    }

    /// Makes the next key the current one. Receivers that know both go on verifying.
    pub async fn rotate_keys(&self, sender: &Sender) -> Result<Keys> {
        let generation = self.store().rotate(&sender.owner).await?;
        Ok(self.keys_of(&sender.owner, generation))
    }

    fn keys_of(&self, owner: &str, generation: u64) -> Keys {
        let key = |generation| signing_key(&self.secret, owner, generation);
        Keys {
            current: key(generation),
            next: key(generation + 1),
        }
    }
}
