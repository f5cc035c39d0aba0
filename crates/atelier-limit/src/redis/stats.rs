//! Statistics in Redis.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use ::redis::Cmd;

use super::{
    super::stats::{HourlyStats, KEPT},
    TAG,
};
use atelier_store::{
    Error, HOUR, milliseconds,
    redis::{Redis, Script},
};

pub(super) static RECORD: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("stats.lua")));

pub(super) async fn record(
    redis: &Redis,
    stats: &[HourlyStats],
    keep: Duration,
) -> Result<(), Error> {
    let mut call = redis
        .script(&RECORD)
        .key(TAG)
        .arg(milliseconds(keep))
        .arg(KEPT);
    for one in stats {
        call = call
            .arg(&one.policy)
            .arg(one.hour)
            .arg(one.allowed)
            .arg(one.rejected)
            .arg(one.who.len());
        for (who, times) in &one.who {
            call = call.arg(who).arg(*times);
        }
    }
    call.run().await
}

/// One hour at a time: this is a rare query, and must not block others.
pub(super) async fn load(redis: &Redis, since: i64, now: i64) -> Result<Vec<HourlyStats>, Error> {
    let mut stats = Vec::new();
    let mut hour = since;
    while hour <= now {
        let key = redis.key(format!("{TAG}:figures:{hour}"));
        let counts: BTreeMap<String, u64> = redis.query(&Cmd::hgetall(key)).await?;
        for (name, allowed) in &counts {
            let Some(policy) = name.strip_prefix("a:") else {
                continue;
            };
            let rejected = counts.get(&format!("r:{policy}")).copied().unwrap_or(0);
            stats.push(HourlyStats {
                policy: policy.to_owned(),
                hour,
                allowed: *allowed,
                rejected,
                who: names(redis, policy, hour, rejected).await?,
            });
        }
        hour += HOUR;
    }
    Ok(stats)
}

/// Sorts by rejections, most first.
async fn names(
    redis: &Redis,
    policy: &str,
    hour: i64,
    rejected: u64,
) -> Result<Vec<(String, u64)>, Error> {
    if rejected == 0 {
        return Ok(Vec::new());
    }
    let key = redis.key(format!("{TAG}:rejected:{hour}:{policy}"));
    let most = isize::try_from(KEPT).unwrap_or(isize::MAX);
    let found: Vec<(String, f64)> = redis
        .query(&Cmd::zrevrange_withscores(key, 0, most - 1))
        .await?;
    Ok(found
        .into_iter()
        .map(|(who, times)| (who, times as u64))
        .collect())
}
