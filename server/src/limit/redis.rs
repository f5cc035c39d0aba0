//! Counters in the distributed store: a hash per policy and subject, gone
//! soon after its window is. All of them share one hash tag, since one script
//! charges several. The scripts do [`super::fixed_window`]'s arithmetic; a
//! property test compares the two.

use std::sync::LazyLock;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    Decision, Demand, Error, Limiter, MAX_QUOTA, Receipt, Window, decide, fixed_window::length,
    window_start,
};
use crate::store::redis::{Redis, Script};

static CHARGE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("charge.lua")));
static REFUND: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("refund.lua")));

/// Counters in Redis.
pub struct RedisLimiter {
    redis: Redis,
}

impl RedisLimiter {
    /// Counters in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }
}

#[async_trait]
impl Limiter for RedisLimiter {
    async fn charge(&self, demands: Vec<Demand>, now: Timestamp) -> Result<Decision, Error> {
        let now = now.as_millisecond();
        let mut before = vec![];
        if !demands.is_empty() {
            let mut call = self.redis.script(&CHARGE).arg(now);
            for demand in &demands {
                let policy = &demand.policy;
                call = call
                    .key(key(&policy.name, &demand.subject))
                    .arg(window_start(policy, now))
                    .arg(length(policy))
                    .arg(policy.quota)
                    .arg(exact(demand.cost));
            }
            before = call.run::<Vec<(Option<i64>, Option<u64>)>>().await?;
        }
        let before: Vec<Option<Window>> = before
            .into_iter()
            .map(|(start, used)| start.zip(used).map(|(start, used)| Window { start, used }))
            .collect();
        Ok(decide(&demands, &before, now).0)
    }

    async fn refund(&self, receipts: Vec<Receipt>, now: Timestamp) -> Result<(), Error> {
        if receipts.is_empty() {
            return Ok(());
        }
        let mut call = self.redis.script(&REFUND).arg(now.as_millisecond());
        for receipt in &receipts {
            call = call
                .key(key(&receipt.policy, &receipt.subject))
                .arg(receipt.window)
                .arg(exact(receipt.cost));
        }
        Ok(call.run().await?)
    }

    async fn sweep(&self, _now: Timestamp) -> Result<(), Error> {
        Ok(())
    }
}

fn key(policy: &str, subject: &str) -> String {
    format!("{{limits}}:{policy}:{subject}")
}

/// A cost as Lua can hold it exactly: all that fit no quota are alike.
const fn exact(cost: u64) -> u64 {
    const TOO_MUCH: u64 = MAX_QUOTA + 2;
    if cost > MAX_QUOTA { TOO_MUCH } else { cost }
}
