//! Counters in SQLite. Checks that arrive during a transaction are batched into the
//! next.

mod stats;

use std::{
    collections::{HashMap, hash_map::Entry},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Counter, Decision, Demand, Error, HourlyStats, Limiter, Settlement, decide, settled};
use atelier_store::{
    Error as StoreError,
    batcher::{Batcher, Results},
    hour, milliseconds,
    sqlite::{Database, PATIENCE, Schema},
};

/// Maximum number of counters deleted in one transaction.
const SWEEP: usize = 1000;

/// Counters in a SQLite table.
pub struct SqliteLimiter {
    database: Database,
    checks: Batcher<Check, Decision, Error>,
}

struct Check {
    demands: Vec<Demand>,
    now: i64,
}

impl SqliteLimiter {
    /// Its tables.
    pub const SCHEMA: Schema = Schema {
        name: "limit",
        migrations: &[include_str!("sqlite/schema.sql")],
    };

    /// Opens the counters in this database. To be called inside a Tokio runtime.
    pub fn new(database: Database) -> Self {
        Self {
            checks: Batcher::start(&database, PATIENCE, charge),
            database,
        }
    }
}

#[async_trait]
impl Limiter for SqliteLimiter {
    async fn charge(&self, demands: Vec<Demand>, now: Timestamp) -> Result<Decision, Error> {
        let check = Check {
            demands,
            now: now.as_millisecond(),
        };
        // A check without cost needs no transaction, and must not wait for the writer.
        if check.demands.iter().all(|demand| demand.cost == 0) {
            let mut look = self.database.read_inline(|c| decide_all(c, &[check]))?;
            return Ok(look.swap_remove(0));
        }
        self.checks.call(check).await
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
        let (id, now) = (id.to_owned(), now.as_millisecond());
        Ok(self
            .database
            .write(move |c| {
                if first(c, &id, now + keep)? {
                    for settlement in &settlements {
                        settle(c, settlement, now)?;
                    }
                }
                Ok::<_, StoreError>(())
            })
            .await?)
    }

    async fn record(
        &self,
        stats: Vec<HourlyStats>,
        now: Timestamp,
        keep: Duration,
    ) -> Result<(), Error> {
        let oldest = now.as_millisecond() - milliseconds(keep);
        let record = move |c: &Connection| stats::record(c, &stats, oldest);
        Ok(self.database.write(record).await?)
    }

    async fn stats(&self, since: Timestamp, _now: Timestamp) -> Result<Vec<HourlyStats>, Error> {
        let since = hour(since);
        Ok(self.database.read(move |c| stats::load(c, since)).await?)
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        let now = now.as_millisecond();
        let settled = "DELETE FROM settlements WHERE expires_at <= ?1";
        let settled = move |c: &Connection| Ok::<_, StoreError>(c.execute(settled, [now])?);
        self.database.write(settled).await?;
        // An index would have to be updated with every charge. So a reader scans for
        // expired counters, and the writer deletes them.
        let over = self.database.read(move |c| over(c, now)).await?;
        for keys in over.chunks(SWEEP) {
            let keys = keys.to_vec();
            let forget = move |c: &Connection| forget(c, &keys, now);
            self.database.write(forget).await?;
        }
        Ok(())
    }
}

/// The expired counters.
fn over(c: &Connection, now: i64) -> Result<Vec<String>, StoreError> {
    let mut select = c.prepare_cached("SELECT key FROM limits WHERE expires_at <= ?1")?;
    let keys = select.query_map([now], |row| row.get(0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Deletes those of the counters that have not been used again meanwhile.
fn forget(c: &Connection, keys: &[String], now: i64) -> Result<(), StoreError> {
    let mut delete = c.prepare_cached("DELETE FROM limits WHERE key = ?1 AND expires_at <= ?2")?;
    for key in keys {
        delete.execute(params![key, now])?;
    }
    Ok(())
}

async fn charge(database: Database, checks: Vec<Check>) -> Results<Decision, Error> {
    let decisions = database.write(move |c| decide_all(c, &checks)).await?;
    Ok(decisions.into_iter().map(Ok).collect())
}

/// Reads and writes each counter once, however many checks use it.
fn decide_all(c: &Connection, checks: &[Check]) -> Result<Vec<Decision>, StoreError> {
    let (mut counters, mut ends) = (HashMap::new(), HashMap::new());
    let mut decisions = Vec::with_capacity(checks.len());
    for Check { demands, now } in checks {
        let mut before = Vec::with_capacity(demands.len());
        for demand in demands {
            let key = demand.key.as_str();
            let counter = match counters.entry(key) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(unknown) => *unknown.insert(load(c, key)?),
            };
            before.push(counter);
        }
        let (decision, after) = decide(demands, &before, *now);
        for (demand, counter) in demands.iter().zip(after.unwrap_or_default()) {
            if demand.cost > 0 {
                counters.insert(&demand.key, Some(counter));
                ends.insert(demand.key.as_str(), demand.policy.rule.end(counter));
            }
        }
        decisions.push(decision);
    }
    for (key, end) in ends {
        if let Some(Some(counter)) = counters.get(key) {
            store(c, key, *counter, end)?;
        }
    }
    Ok(decisions)
}

fn load(c: &Connection, key: &str) -> Result<Option<Counter>, StoreError> {
    let mut select = c.prepare_cached("SELECT at, used, before FROM limits WHERE key = ?1")?;
    let counter = select.query_row([key], |row| {
        // Counters are never negative.
        Ok(Counter {
            at: row.get(0)?,
            used: row.get(1).unwrap_or(0),
            before: row.get(2).unwrap_or(0),
        })
    });
    Ok(counter.optional()?)
}

fn store(c: &Connection, key: &str, counter: Counter, ends: i64) -> Result<(), StoreError> {
    c.prepare_cached(
        "INSERT OR REPLACE INTO limits (key, at, used, before, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![key, counter.at, counter.used, counter.before, ends])?;
    Ok(())
}

/// Whether nothing has been settled under this id before.
fn first(c: &Connection, id: &str, until: i64) -> Result<bool, StoreError> {
    let noted = c
        .prepare_cached("INSERT OR IGNORE INTO settlements (id, expires_at) VALUES (?1, ?2)")?
        .execute(params![id, until])?;
    Ok(noted == 1)
}

fn settle(c: &Connection, settlement: &Settlement, now: i64) -> Result<(), StoreError> {
    let key = &settlement.receipt.key;
    let Some(state) = load(c, key)? else {
        return Ok(());
    };
    if let Some(after) = settled(settlement, state, now) {
        let ends = settlement.receipt.rule.end(after);
        store(c, key, after, ends)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Algorithm, Policy, RejectionCache, Scope, Unit};

    const HOUR_MS: i64 = 3_600_000;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
    }

    async fn count(database: &Database, table: &str) -> u64 {
        let sql = format!("SELECT count(*) FROM {table}");
        let count = move |c: &Connection| -> Result<u64, StoreError> {
            Ok(c.query_row(&sql, [], |row| row.get(0))?)
        };
        database.read(count).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_over_is_forgotten_and_nothing_before() {
        let folder = tempfile::tempdir().unwrap();
        let schemas = [SqliteLimiter::SCHEMA];
        let database = Database::open(&folder.path().join("limits.db"), &schemas).unwrap();
        let limiter = RejectionCache::new(Arc::new(SqliteLimiter::new(database.clone())));
        let (window, minute) = (Algorithm::FixedWindow, Duration::from_secs(60));
        let policy = Policy::new("p", Scope::Ip, Unit::Requests, window, 9.0, minute);
        let demand = Demand::new(&Arc::new(policy.unwrap()), "a", 1);
        let decision = limiter.charge(vec![demand], at(0)).await.unwrap();
        let refund = Settlement::refund(decision.receipts.unwrap().remove(0));
        limiter.settle("1", vec![refund], at(0)).await.unwrap();

        // A settlement is known for an hour longer than its counter.
        for (now, counters, settlements) in [
            (59_999, 1, 1),
            (60_000, 0, 1),
            (60_000 + HOUR_MS - 1, 0, 1),
            (60_000 + HOUR_MS, 0, 0),
        ] {
            limiter.sweep(at(now)).await.unwrap();
            let left = (
                count(&database, "limits").await,
                count(&database, "settlements").await,
            );
            assert_eq!(left, (counters, settlements), "after {now} ms");
        }
    }

    #[tokio::test]
    async fn statistics_grow_old() {
        let folder = tempfile::tempdir().unwrap();
        let schemas = [SqliteLimiter::SCHEMA];
        let database = Database::open(&folder.path().join("limits.db"), &schemas).unwrap();
        let limiter = RejectionCache::new(Arc::new(SqliteLimiter::new(database)));
        for hours in [0, 3] {
            let stats = HourlyStats {
                policy: "p".into(),
                hour: at(hours * HOUR_MS).as_millisecond(),
                allowed: 1,
                ..HourlyStats::default()
            };
            let (now, keep) = (at(hours * HOUR_MS), Duration::from_hours(2));
            limiter.record(vec![stats], now, keep).await.unwrap();
        }
        let kept = limiter.stats(at(0), at(3 * HOUR_MS)).await.unwrap();
        let hours: Vec<_> = kept.iter().map(|stats| stats.hour).collect();
        assert_eq!(hours, [at(3 * HOUR_MS).as_millisecond()]);
    }
}
