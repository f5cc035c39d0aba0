//! Counters in the distributed store: one short string for each, gone soon
//! after it says nothing any more. All of them share one hash tag, since one
//! script charges several. Checks that come while a script is under way go
//! together into the next. The scripts do the arithmetic of [`super::rule`]; a
//! property test compares the two.

use std::sync::LazyLock;

use ::redis::FromRedisValue;
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{Counter, Decision, Demand, Error, Limiter, Receipt, Rule, Settlement, decide};
use crate::store::{
    gather::{Gather, Results},
    redis::{Notice, Redis, Script},
};

static CHARGE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("charge.lua")));
static SETTLE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("settle.lua")));

/// Begins every key.
const TAG: &str = "{limits}";

/// Tells the names of counters that have more again, one a line.
const FREED: &str = "{limits}:freed";

/// Counters in Redis.
pub struct RedisLimiter {
    redis: Redis,
    checks: Gather<Check, Decision, Error>,
}

struct Check {
    demands: Vec<Demand>,
    now: i64,
}

impl RedisLimiter {
    /// Counters in this Redis. To be called inside a Tokio runtime.
    pub fn new(redis: Redis) -> Self {
        Self {
            checks: Gather::start(&redis, charge),
            redis,
        }
    }

    /// Hears of counters that any process has given something back to.
    pub fn freed(&self) -> mpsc::Receiver<Notice> {
        self.redis.subscribe(FREED)
    }
}

#[async_trait]
impl Limiter for RedisLimiter {
    async fn charge(&self, demands: Vec<Demand>, now: Timestamp) -> Result<Decision, Error> {
        let now = now.as_millisecond();
        if demands.is_empty() {
            return Ok(decide(&demands, &[], now).0);
        }
        self.checks.call(Check { demands, now }).await
    }

    async fn settle(
        &self,
        id: &str,
        settlements: Vec<Settlement>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(keep) = Settlement::keep(&settlements, now) else {
            return Ok(());
        };
        let mut call = self
            .redis
            .script(&SETTLE)
            .key(TAG)
            .arg(now.as_millisecond())
            .arg(id)
            .arg(keep)
            .arg(self.redis.key(FREED));
        for settlement in &settlements {
            call = call.arg(packed_settlement(settlement));
        }
        Ok(call.run().await?)
    }

    async fn sweep(&self, _now: Timestamp) -> Result<(), Error> {
        Ok(())
    }
}

async fn charge(redis: Redis, checks: Vec<Check>) -> Results<Decision, Error> {
    let mut call = redis.script(&CHARGE).key(TAG);
    for check in &checks {
        call = call.arg(packed(check));
    }
    let mut before = call.run::<Vec<State>>().await?.into_iter();
    Ok(checks
        .into_iter()
        .map(|Check { demands, now }| {
            let before: Vec<_> = demands
                .iter()
                .map(|_| before.next().and_then(|state| state.0))
                .collect();
            Ok(decide(&demands, &before, now).0)
        })
        .collect())
}

/// A counter as the script returns it.
struct State(Option<Counter>);

impl FromRedisValue for State {
    fn from_redis_value(value: ::redis::Value) -> Result<Self, ::redis::ParsingError> {
        let bytes = Option::<Vec<u8>>::from_redis_value(value)?;
        Ok(Self(bytes.as_deref().and_then(unpacked)))
    }
}

fn unpacked(bytes: &[u8]) -> Option<Counter> {
    let (numbers, _) = bytes.as_chunks::<8>();
    let &[at, used, before] = numbers else {
        return None;
    };
    Some(Counter {
        at: f64::from_le_bytes(at) as i64,
        used: f64::from_le_bytes(used) as u64,
        before: f64::from_le_bytes(before) as u64,
    })
}

fn packed(check: &Check) -> Vec<u8> {
    let mut packed = Vec::with_capacity(16 + 96 * check.demands.len());
    packed.extend((check.now as f64).to_le_bytes());
    packed.push(u8::try_from(check.demands.len()).unwrap_or(u8::MAX));
    for demand in check.demands.iter().take(u8::MAX.into()) {
        pack_rule(&mut packed, demand.policy.rule);
        packed.extend((demand.cost as f64).to_le_bytes());
        pack_name(&mut packed, &demand.key);
    }
    packed
}

fn packed_settlement(Settlement { receipt, actual }: &Settlement) -> Vec<u8> {
    let Receipt {
        key,
        rule,
        cost,
        mark,
        ..
    } = receipt;
    let mut packed = Vec::with_capacity(96);
    pack_rule(&mut packed, *rule);
    for number in [*cost as f64, *mark as f64, *actual as f64] {
        packed.extend(number.to_le_bytes());
    }
    pack_name(&mut packed, key);
    packed
}

fn pack_rule(packed: &mut Vec<u8>, rule: Rule) {
    let (algorithm, numbers) = match rule {
        Rule::FixedWindow { quota, length } => (1, [quota as f64, length as f64, 0.0]),
        Rule::SlidingWindow { quota, length } => (2, [quota as f64, length as f64, 0.0]),
        Rule::TokenBucket {
            size,
            refill,
            period,
        } => (3, [size as f64, refill as f64, period as f64]),
    };
    packed.push(algorithm);
    for number in numbers {
        packed.extend(number.to_le_bytes());
    }
}

/// Names are a policy's and an address, a key's id or a provider's name: short.
fn pack_name(packed: &mut Vec<u8>, name: &str) {
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    packed.extend(length.to_le_bytes());
    packed.extend(&name.as_bytes()[..length.into()]);
}
