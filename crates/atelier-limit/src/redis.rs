//! Counters in Redis: one short string each, which expires soon after it no longer
//! matters. All share one hash tag, as one script charges several. Checks that arrive
//! while a script runs are batched into the next. The scripts implement the arithmetic of
//! [`super::rule`]; a property test compares the two.

mod stats;

use std::{collections::HashMap, sync::LazyLock, time::Duration};

use ::redis::FromRedisValue;
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{
    Counter, Decision, Demand, Error, HourlyStats, Limiter, Receipt, Rule, Settlement, decide,
    rule::calendar_month,
};
use atelier_store::{
    batcher::{Batcher, Results},
    hour,
    redis::{Notice, PATIENCE, Redis, Script},
};

static CHARGE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/charge.lua")));
static SETTLE: LazyLock<Script> =
    LazyLock::new(|| Script::finishing(include_str!("redis/settle.lua")));

/// The prefix of every key.
const TAG: &str = "{limits}";

/// The channel for the names of counters that were refunded, one per line.
const FREED: &str = "{limits}:freed";

/// Counters in Redis.
pub struct RedisLimiter {
    redis: Redis,
    checks: Batcher<Check, Decision, Error>,
}

struct Check {
    demands: Vec<Demand>,
    now: i64,
}

impl RedisLimiter {
    /// Opens the counters in this Redis. To be called inside a Tokio runtime.
    pub fn new(redis: Redis) -> Self {
        Self {
            checks: Batcher::start(&redis, PATIENCE, charge),
            redis,
        }
    }

    /// Receives the names of counters that any process has refunded.
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

    async fn record(
        &self,
        stats: Vec<HourlyStats>,
        _now: Timestamp,
        keep: Duration,
    ) -> Result<(), Error> {
        Ok(stats::record(&self.redis, &stats, keep).await?)
    }

    async fn stats(&self, since: Timestamp, now: Timestamp) -> Result<Vec<HourlyStats>, Error> {
        Ok(stats::load(&self.redis, hour(since), now.as_millisecond()).await?)
    }

    async fn sweep(&self, _now: Timestamp) -> Result<(), Error> {
        Ok(())
    }
}

/// The script decides and writes; its decisions are recomputed here from the counters it
/// returns.
async fn charge(redis: Redis, checks: Vec<Check>) -> Results<Decision, Error> {
    let batch = Batch::new(&checks);
    let mut call = redis.script(&CHARGE);
    for key in &batch.keys {
        call = call.key(format!("{TAG}:{key}"));
    }
    let mut counters: Vec<Option<Counter>> = call
        .arg(batch.row())
        .run::<Vec<State>>()
        .await?
        .into_iter()
        .map(|state| state.0)
        .collect();
    counters.resize(batch.keys.len(), None);
    let mut places = batch.places.iter().copied();
    Ok(checks
        .iter()
        .map(|Check { demands, now }| {
            let places: Vec<usize> = places.by_ref().take(demands.len()).collect();
            let before: Vec<_> = places.iter().map(|place| counters[*place]).collect();
            let (decision, after) = decide(demands, &before, *now);
            let charged = demands.iter().zip(&places).zip(after.unwrap_or_default());
            for ((demand, place), counter) in charged {
                if demand.cost > 0 {
                    counters[*place] = Some(counter);
                }
            }
            Ok(decision)
        })
        .collect())
}

/// A batch of checks in the script's format.
#[derive(Default)]
struct Batch<'a> {
    /// The counters, without duplicates.
    keys: Vec<&'a str>,
    /// The rules, without duplicates.
    rules: Vec<[f64; 4]>,
    checks: Vec<f64>,
    /// The index of each demand's counter among the keys.
    places: Vec<usize>,
}

impl<'a> Batch<'a> {
    fn new(checks: &'a [Check]) -> Self {
        let (mut batch, mut known) = (Self::default(), HashMap::new());
        for check in checks {
            let demands = check.demands.len() as f64;
            batch.checks.extend([check.now as f64, demands]);
            for demand in &check.demands {
                let place = *known.entry(demand.key.as_str()).or_insert_with(|| {
                    batch.keys.push(&demand.key);
                    batch.keys.len() - 1
                });
                batch.places.push(place);
                let rule = batch.rule(numbers(demand.policy.rule, check.now));
                let numbers = [place as f64 + 1.0, rule as f64, demand.cost as f64];
                batch.checks.extend(numbers);
            }
        }
        batch
    }

    /// The index at which the rule begins in the row; there are only as many as policies.
    fn rule(&mut self, rule: [f64; 4]) -> usize {
        let place = self.rules.iter().position(|known| *known == rule);
        let place = place.unwrap_or_else(|| {
            self.rules.push(rule);
            self.rules.len() - 1
        });
        2 + 4 * place
    }

    /// All numbers as MessagePack (<https://msgpack.org>): an array of doubles.
    fn row(&self) -> Vec<u8> {
        let rules = self.rules.iter().copied().flatten();
        let count = [self.rules.len() as f64];
        let row = count
            .into_iter()
            .chain(rules)
            .chain(self.checks.iter().copied());
        let length = 1 + 4 * self.rules.len() + self.checks.len();
        let mut packed = Vec::with_capacity(5 + 9 * length);
        packed.push(0xdd);
        packed.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        for number in row {
            packed.push(0xcb);
            packed.extend(number.to_be_bytes());
        }
        packed
    }
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

fn packed_settlement(Settlement { receipt, actual }: &Settlement) -> Vec<u8> {
    let Receipt {
        key,
        rule,
        cost,
        mark,
        ..
    } = receipt;
    let mut packed = Vec::with_capacity(96);
    let charge = [*cost as f64, *mark as f64, *actual as f64];
    for number in numbers(*rule, *mark).into_iter().chain(charge) {
        packed.extend(number.to_le_bytes());
    }
    pack_name(&mut packed, key);
    packed
}

/// The algorithm and its three numbers. Scripts know no calendar: they are told when the
/// month of `now` began.
fn numbers(rule: Rule, now: i64) -> [f64; 4] {
    match rule {
        Rule::CalendarMonth { quota } => {
            let start = calendar_month::start(now);
            [
                4.0,
                quota as f64,
                calendar_month::LONGEST as f64,
                start as f64,
            ]
        }
        Rule::FixedWindow { quota, length } => [1.0, quota as f64, length as f64, 0.0],
        Rule::SlidingWindow { quota, length } => [2.0, quota as f64, length as f64, 0.0],
        Rule::TokenBucket {
            size,
            refill,
            period,
        } => [3.0, size as f64, refill as f64, period as f64],
    }
}

/// Names consist of a policy's name and an address, a key's id or a provider's name: they are short.
fn pack_name(packed: &mut Vec<u8>, name: &str) {
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    packed.extend(length.to_le_bytes());
    packed.extend(&name.as_bytes()[..length.into()]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_use_only_names_that_they_have() {
        assert_eq!(CHARGE.undeclared(), [""; 0]);
        assert_eq!(SETTLE.undeclared(), [""; 0]);
        assert_eq!(stats::RECORD.undeclared(), [""; 0]);
    }
}
