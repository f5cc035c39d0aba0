//! Pins in Redis: `pin:ID`, which expires by itself.

use std::time::Duration;

use ::redis::Cmd;
use async_trait::async_trait;
use atelier_store::{Error as StoreError, milliseconds, readable};
use jiff::Timestamp;

use super::RedisCallStore;
use crate::{Error, Pin, PinStore};

fn name(id: &str) -> String {
    format!("pin:{id}")
}

#[async_trait]
impl PinStore for RedisCallStore {
    async fn pin(&self, id: &str, pin: &Pin, _now: Timestamp, keep: Duration) -> Result<(), Error> {
        let pin = serde_json::to_string(pin).map_err(StoreError::from)?;
        let (key, keep) = (name(id), milliseconds(keep).max(1).to_string());
        // Small, and what cannot be found again has been paid for.
        Ok(self.redis.always("SET", &key, &[&pin, "PX", &keep]).await?)
    }

    async fn pinned(&self, id: &str, _now: Timestamp) -> Result<Option<Pin>, Error> {
        let found: Option<String> = self
            .redis
            .query(&Cmd::get(self.redis.key(name(id))))
            .await?;
        Ok(found.and_then(|found| readable(id, &found)))
    }

    async fn unpin_old(&self, _now: Timestamp) -> Result<(), Error> {
        Ok(())
    }
}
