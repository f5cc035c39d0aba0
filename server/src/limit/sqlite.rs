//! Counters in the embedded store.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Decision, Demand, Error, Limiter, Receipt, Window, decide, refund};
use crate::store::{Error as StoreError, milliseconds, sqlite::Database};

/// Counters in a SQLite table.
pub struct SqliteLimiter {
    database: Database,
}

impl SqliteLimiter {
    /// Counters in this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Limiter for SqliteLimiter {
    async fn charge(&self, demands: Vec<Demand>, now: Timestamp) -> Result<Decision, Error> {
        let now = now.as_millisecond();
        // A look needs no transaction, and must not wait for the writer.
        if demands.iter().all(|demand| demand.cost == 0) {
            return Ok(self
                .database
                .read(move |c| look(c, &demands, now).map(|(decision, _)| decision))
                .await?);
        }
        Ok(self
            .database
            .write(move |c| {
                let (decision, windows) = look(c, &demands, now)?;
                if decision.receipts.is_some() {
                    let charged = demands.iter().zip(windows);
                    for (demand, window) in charged.filter(|(demand, _)| demand.cost > 0) {
                        store(c, demand, window)?;
                    }
                }
                Ok::<_, StoreError>(decision)
            })
            .await?)
    }

    async fn refund(&self, receipts: Vec<Receipt>, now: Timestamp) -> Result<(), Error> {
        let now = now.as_millisecond();
        Ok(self
            .database
            .write(move |c| {
                receipts
                    .iter()
                    .try_for_each(|receipt| give_back(c, receipt, now))
            })
            .await?)
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        let now = now.as_millisecond();
        Ok(self
            .database
            .write(move |c| {
                c.execute("DELETE FROM limits WHERE expires_at <= ?1", [now])
                    .map(drop)
                    .map_err(StoreError::from)
            })
            .await?)
    }
}

fn look(
    c: &Connection,
    demands: &[Demand],
    now: i64,
) -> Result<(Decision, Vec<Window>), StoreError> {
    let before = demands
        .iter()
        .map(|demand| load(c, &demand.policy.name, &demand.subject))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(decide(demands, &before, now))
}

fn load(c: &Connection, policy: &str, subject: &str) -> Result<Option<Window>, StoreError> {
    Ok(
        c.prepare_cached("SELECT started_at, used FROM limits WHERE policy = ?1 AND subject = ?2")?
            .query_row([policy, subject], |row| {
                Ok(Window {
                    start: row.get(0)?,
                    used: row.get(1)?,
                })
            })
            .optional()?,
    )
}

fn store(c: &Connection, demand: &Demand, window: Window) -> Result<(), StoreError> {
    let length = milliseconds(demand.policy.window);
    c.prepare_cached(
        "INSERT OR REPLACE INTO limits (policy, subject, started_at, expires_at, used) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![demand.policy.name, demand.subject, window.start, window.start + length, window.used])?;
    Ok(())
}

fn give_back(c: &Connection, receipt: &Receipt, now: i64) -> Result<(), StoreError> {
    let Some(state) = load(c, &receipt.policy, &receipt.subject)? else {
        return Ok(());
    };
    let after = refund(state, receipt.window, receipt.cost);
    c.prepare_cached(
        "UPDATE limits SET used = ?3 WHERE policy = ?1 AND subject = ?2 AND expires_at > ?4",
    )?
    .execute(params![receipt.policy, receipt.subject, after.used, now])?;
    Ok(())
}
