//! Notes of blobs to be discarded, in Redis: the set `discards`, in the queue's slot. The
//! scripts add blobs that lose their last reference.

use ::redis::Cmd;
use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    super::{Housekeeping, Payload, Result},
    RedisQueue, TAG, scripts,
};
use atelier_store::instant;

impl<P: Payload> RedisQueue<P> {
    pub(super) fn key(&self, name: &str) -> String {
        self.redis.key(format!("{TAG}{name}"))
    }
}

#[async_trait]
impl<P: Payload> Housekeeping for RedisQueue<P> {
    async fn unreferenced(&self, blobs: &[String]) -> Result<Vec<String>> {
        if blobs.is_empty() {
            return Ok(Vec::new());
        }
        let command = Cmd::hmget(self.key("files"), blobs);
        let counts: Vec<Option<i64>> = self.redis.query(&command).await?;
        let free = blobs
            .iter()
            .zip(counts)
            .filter(|(_, count)| count.is_none());
        Ok(free.map(|(blob, _)| blob.clone()).collect())
    }

    async fn note_discards(&self, blobs: &[String]) -> Result<()> {
        if blobs.is_empty() {
            return Ok(());
        }
        let command = Cmd::sadd(self.key("discards"), blobs);
        Ok(self.redis.query(&command).await?)
    }

    async fn discards(&self, limit: usize) -> Result<Vec<String>> {
        let command = Cmd::srandmember_multiple(
            self.key("discards"),
            isize::try_from(limit).unwrap_or(isize::MAX),
        );
        Ok(self.redis.query(&command).await?)
    }

    async fn is_discarded(&self, blob: &str) -> Result<bool> {
        let command = Cmd::sismember(self.key("discards"), blob);
        Ok(self.redis.query(&command).await?)
    }

    async fn discarded(&self, blobs: &[String]) -> Result<()> {
        if blobs.is_empty() {
            return Ok(());
        }
        let command = Cmd::srem(self.key("discards"), blobs);
        Ok(self.redis.query(&command).await?)
    }

    async fn mark(&self, name: &str) -> Result<Timestamp> {
        let at: Option<i64> = self.redis.query(&Cmd::get(self.key(name))).await?;
        Ok(instant(at.unwrap_or(0))?)
    }

    async fn advance(&self, name: &str, until: Timestamp) -> Result<()> {
        let call = self.script(&scripts::ADVANCE).arg(name);
        Ok(call.arg(until.as_millisecond()).run().await?)
    }

    async fn remove_idle_gates(&self, before: Timestamp) -> Result<()> {
        const PAGE: usize = 200;
        let mut after = None;
        loop {
            let names = self.gate_names("", after.as_deref(), PAGE).await?;
            let Some(last) = names.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            let call = self.script(&scripts::REMOVE_IDLE_GATES);
            let () = call.arg(before.as_millisecond()).arg(names).run().await?;
        }
    }

    /// Does nothing: claims find every job that has not ended.
    async fn set_aside_unreadable(&self, _now: Timestamp) -> Result<()> {
        Ok(())
    }
}
