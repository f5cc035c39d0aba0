//! Gates in Redis: what operators see of them, and change.

use std::time::Duration;

use ::redis::Cmd;
use atelier_store::{instant, milliseconds};
use jiff::Timestamp;

use super::{
    super::{Error, Gate, GateChange, Payload, Rate, Result, Terms},
    RedisQueue, most,
    record::Reader,
    scripts,
    unreadable::unreadable,
};

/// The flags in a gate's record.
const PINNED_PARALLEL: u8 = 1;
const PINNED_RATE: u8 = 2;
const PAUSED: u8 = 4;
const KEPT: u8 = 8;
const REMOVED: u8 = 16;
const HAS_PARALLEL: u8 = 32;
const HAS_RATE: u8 = 64;
const HAS_WINDOW: u8 = 128;

impl<P: Payload> RedisQueue<P> {
    pub(super) async fn read_gate(&self, name: &str) -> Result<Option<Gate>> {
        let found: Option<Vec<u8>> = self
            .redis
            .query(&Cmd::hget(self.key("gates"), name))
            .await?;
        Ok(found
            .map(|record| read(name, &record))
            .transpose()?
            .flatten())
    }

    /// A part of the names that begin with `prefix`.
    pub(super) async fn gate_names(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>> {
        let first = match after {
            Some(after) if after >= prefix => format!("({after}"),
            _ => first_of(prefix),
        };
        let last = last_of(prefix);
        let names = Cmd::zrangebylex_limit(
            self.key("gates:names"),
            first,
            last,
            0,
            isize::try_from(most(limit)).unwrap_or(isize::MAX),
        );
        Ok(self.redis.query(&names).await?)
    }

    pub(super) async fn read_gates(&self, names: &[String]) -> Result<Vec<Gate>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<Option<Vec<u8>>> = self
            .redis
            .query(&Cmd::hmget(self.key("gates"), names))
            .await?;
        let mut gates = Vec::with_capacity(names.len());
        for (name, record) in names.iter().zip(found) {
            if let Some(record) = record {
                gates.extend(read(name, &record)?);
            }
        }
        Ok(gates)
    }

    pub(super) async fn change_gate(
        &self,
        name: &str,
        change: &GateChange,
        now: Timestamp,
    ) -> Result<Gate> {
        let rate = change.rate.map(|rate| rate.map(|rate| rate.count));
        let period = change.rate.flatten().map_or(0, period);
        let bound = change.within.as_ref();
        let prefix = bound.map_or("", |bound| &bound.prefix);
        let most = bound.map_or_else(String::new, |bound| bound.most.to_string());
        let call = self
            .script(&scripts::SET_GATE)
            .arg(name)
            .arg(now.as_millisecond())
            .arg(limit(change.parallel))
            .arg(limit(rate))
            .arg(period)
            .arg(switch(change.pin_parallel))
            .arg(switch(change.pin_rate))
            .arg(switch(change.paused))
            .arg(switch(change.kept))
            .arg(u8::from(change.reset_rate))
            .arg(first_of(prefix))
            .arg(last_of(prefix))
            .arg(most);
        let record: Vec<u8> = call.run().await?;
        if record.is_empty() {
            return Err(Error::Crowded);
        }
        let gate = read(name, &record)?;
        Ok(gate.ok_or_else(|| unreadable("a gate that was just changed is removed"))?)
    }
}

/// Where names with this prefix begin, in Redis' format.
fn first_of(prefix: &str) -> String {
    format!("[{prefix}")
}

/// Where they end.
fn last_of(prefix: &str) -> String {
    format!("({prefix}{}", char::MAX)
}

/// The length of the period in milliseconds.
pub(super) fn period(rate: Rate) -> i64 {
    milliseconds(rate.period).max(1)
}

/// In the format of `set_gate.lua`.
fn limit(change: Option<Option<u32>>) -> String {
    match change {
        None => String::new(),
        Some(None) => "-".into(),
        Some(Some(limit)) => limit.to_string(),
    }
}

/// In the format of `set_gate.lua`.
const fn switch(change: Option<bool>) -> &'static str {
    match change {
        None => "",
        Some(false) => "0",
        Some(true) => "1",
    }
}

/// A gate's record as `gate.lua` packs it; `None` if it was removed.
fn read(name: &str, record: &[u8]) -> Result<Option<Gate>, atelier_store::Error> {
    let mut record = Reader(record);
    let [flags] = record.array()?;
    let has = |flag| flags & flag != 0;
    let mut number = || record.number();
    let (parallel, rate, period) = (number()?, number()?, number()?);
    let (_named, active, _pending, waiting) = (number()?, number()?, number()?, number()?);
    let (_last, window, started) = (number()?, number()?, number()?);
    let (created, updated) = (number()?, number()?);
    if has(REMOVED) {
        return Ok(None);
    }
    let rate = Rate {
        count: small(rate),
        period: Duration::from_millis(period),
    };
    Ok(Some(Gate {
        name: name.to_owned(),
        terms: Terms {
            parallel: has(HAS_PARALLEL).then(|| small(parallel)),
            rate: has(HAS_RATE).then_some(rate),
        },
        pinned_parallel: has(PINNED_PARALLEL),
        pinned_rate: has(PINNED_RATE),
        paused: has(PAUSED),
        kept: has(KEPT),
        active: small(active),
        waiting,
        window_start: has(HAS_WINDOW).then(|| time(window)).transpose()?,
        started: small(started),
        created_at: time(created)?,
        updated_at: time(updated)?,
    }))
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn time(milliseconds: u64) -> Result<Timestamp, atelier_store::Error> {
    instant(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}
