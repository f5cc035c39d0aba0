//! Figures in the distributed store.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use ::redis::Cmd;

use super::{
    super::figures::{Figure, KEPT},
    TAG,
};
use crate::store::{
    Error, HOUR, milliseconds,
    redis::{Redis, Script},
};

pub(super) static RECORD: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("figures.lua")));

pub(super) async fn record(redis: &Redis, figures: &[Figure], keep: Duration) -> Result<(), Error> {
    let mut call = redis
        .script(&RECORD)
        .key(TAG)
        .arg(milliseconds(keep))
        .arg(KEPT);
    for figure in figures {
        call = call
            .arg(&figure.policy)
            .arg(figure.hour)
            .arg(figure.allowed)
            .arg(figure.rejected)
            .arg(figure.who.len());
        for (who, times) in &figure.who {
            call = call.arg(who).arg(*times);
        }
    }
    call.run().await
}

/// Hour by hour: this is asked for seldom, and should block nobody.
pub(super) async fn load(redis: &Redis, since: i64, now: i64) -> Result<Vec<Figure>, Error> {
    let mut figures = Vec::new();
    let mut hour = since;
    while hour <= now {
        let key = redis.key(format!("{TAG}:figures:{hour}"));
        let counts: BTreeMap<String, u64> = redis.query(&Cmd::hgetall(key)).await?;
        for (name, allowed) in &counts {
            let Some(policy) = name.strip_prefix("a:") else {
                continue;
            };
            let rejected = counts.get(&format!("r:{policy}")).copied().unwrap_or(0);
            figures.push(Figure {
                policy: policy.to_owned(),
                hour,
                allowed: *allowed,
                rejected,
                who: names(redis, policy, hour, rejected).await?,
            });
        }
        hour += HOUR;
    }
    Ok(figures)
}

/// The most often rejected first.
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
