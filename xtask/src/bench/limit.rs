//! The limits compared with rate-limiter-flexible, on the same Redis, one after the other.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::peer;
use crate::redis::Redis;

/// The required ratio to the peer's checks, by the number of policies.
const TIMES_PEER: [(u64, f64); 2] = [(1, 2.0), (4, 1.0)];
const EMBEDDED_CHECKS_PER_SECOND: f64 = 100_000.0;
const P99_MICROSECONDS: f64 = 1_000.0;

pub(super) fn measure() -> Result<()> {
    let redis = Redis::start(&[])?;
    let peer = peer::measure("rate-limiter-flexible", &redis)?;
    if peer["checks_per_second"].as_f64().is_none() {
        bail!("rate-limiter-flexible was not measured: {peer}");
    }
    println!("{peer}");
    peer::ours("limit", &redis, |measured| judge(measured, &peer))
}

/// Adds the required ratio, and whether it is reached.
fn judge(measured: &mut Value, peer: &Value) {
    let checks = measured["checks_per_second"].as_f64().unwrap_or(0.0);
    let quick = measured["alone_p99_us"]
        .as_f64()
        .is_some_and(|p99| p99 < P99_MICROSECONDS);
    let policies = measured["policies"].as_u64();
    let enough = if measured["store"] == "redis" {
        let times = checks / peer["checks_per_second"].as_f64().unwrap_or(f64::INFINITY);
        measured["times_peer"] = json!((times * 100.0).round() / 100.0);
        let bar = TIMES_PEER.iter().find(|(of, _)| Some(*of) == policies);
        bar.is_some_and(|(_, bar)| times >= *bar)
    } else {
        measured["budget_checks_per_second"] = json!(EMBEDDED_CHECKS_PER_SECOND);
        checks >= EMBEDDED_CHECKS_PER_SECOND
    };
    measured["ok"] = json!(enough && quick);
}
