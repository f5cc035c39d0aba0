//! Messages compared with BullMQ and a worker that makes the same call, on the same Redis, one
//! after the other.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::peer;
use crate::redis::Redis;

/// The required ratio to BullMQ's deliveries.
const TIMES_BULLMQ: f64 = 1.5;
const EMBEDDED_DELIVERIES_PER_SECOND: f64 = 3_000.0;
const REDIS_DELIVERIES_PER_SECOND: f64 = 5_000.0;
const DELAY_P50_MS: f64 = 10.0;
const CLAIM_P50_US: f64 = 1_000.0;

pub(super) fn measure() -> Result<()> {
    // As in the queue's measurement.
    let options = ["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"];
    let redis = Redis::start(&options)?;
    let peer = peer::measure_with("bullmq", "messages.mjs", &redis)?;
    if peer["deliveries_per_second"].as_f64().is_none() {
        bail!("BullMQ was not measured: {peer}");
    }
    println!("{peer}");
    peer::ours("messages", &redis, |measured| judge(measured, &peer))
}

/// Adds what is required, and whether it is reached.
fn judge(measured: &mut Value, peer: &Value) {
    let figure = |name: &str| measured[name].as_f64();
    match measured["name"].as_str() {
        Some("messages delay") => {
            measured["ok"] = json!(figure("p50_ms").is_some_and(|p50| p50 <= DELAY_P50_MS));
        }
        Some("messages claim" | "messages schedule") => {
            measured["ok"] = json!(figure("p50_us").is_some_and(|p50| p50 < CLAIM_P50_US));
        }
        _ => {
            let rate = figure("deliveries_per_second").unwrap_or(0.0);
            let times = rate
                / peer["deliveries_per_second"]
                    .as_f64()
                    .unwrap_or(f64::INFINITY);
            let (budget, enough) = match measured["store"].as_str() {
                Some("redis") => (REDIS_DELIVERIES_PER_SECOND, times >= TIMES_BULLMQ),
                _ => (EMBEDDED_DELIVERIES_PER_SECOND, true),
            };
            measured["times_bullmq"] = json!((times * 100.0).round() / 100.0);
            measured["budget_deliveries_per_second"] = json!(budget);
            measured["ok"] = json!(enough && rate >= budget);
        }
    }
}
