//! Statistics in SQLite.

use rusqlite::{Connection, params};

use super::super::stats::{HourlyStats, KEPT};
use atelier_store::Error;

pub(super) fn record(c: &Connection, stats: &[HourlyStats], oldest: i64) -> Result<(), Error> {
    c.execute("DELETE FROM figures WHERE hour < ?1", [oldest])?;
    c.execute("DELETE FROM rejections WHERE hour < ?1", [oldest])?;
    stats.iter().try_for_each(|one| add(c, one))
}

fn add(c: &Connection, one: &HourlyStats) -> Result<(), Error> {
    let HourlyStats {
        policy,
        hour,
        allowed,
        rejected,
        who,
    } = one;
    c.prepare_cached(
        "INSERT INTO figures (policy, hour, allowed, rejected) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET allowed = allowed + ?3, rejected = rejected + ?4",
    )?
    .execute(params![policy, hour, allowed, rejected])?;
    let mut name = c.prepare_cached(
        "INSERT INTO rejections (policy, hour, who, times) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET times = times + ?4",
    )?;
    for (who, times) in who {
        name.execute(params![policy, hour, who, times])?;
    }
    c.prepare_cached(
        "DELETE FROM rejections WHERE policy = ?1 AND hour = ?2 AND who NOT IN
         (SELECT who FROM rejections WHERE policy = ?1 AND hour = ?2 ORDER BY times DESC LIMIT ?3)",
    )?
    .execute(params![policy, hour, KEPT])?;
    Ok(())
}

pub(super) fn load(c: &Connection, since: i64) -> Result<Vec<HourlyStats>, Error> {
    let mut select = c.prepare(
        "SELECT policy, hour, allowed, rejected FROM figures WHERE hour >= ?1 ORDER BY hour, policy",
    )?;
    let rows = select.query_map([since], |row| {
        Ok(HourlyStats {
            policy: row.get(0)?,
            hour: row.get(1)?,
            allowed: row.get(2)?,
            rejected: row.get(3)?,
            who: Vec::new(),
        })
    })?;
    rows.map(|row| {
        let mut one = row?;
        one.who = names(c, &one)?;
        Ok(one)
    })
    .collect()
}

/// Sorts by rejections, most first.
fn names(c: &Connection, one: &HourlyStats) -> Result<Vec<(String, u64)>, Error> {
    let mut select = c.prepare_cached(
        "SELECT who, times FROM rejections WHERE policy = ?1 AND hour = ?2 ORDER BY times DESC, who",
    )?;
    let rows = select.query_map(params![one.policy, one.hour], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
