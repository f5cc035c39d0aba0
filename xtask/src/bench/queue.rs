//! The queue compared with BullMQ, on the same Redis, one after the other.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::peer;
use crate::redis::Redis;

/// The required ratio to BullMQ's results.
const TIMES_BULLMQ: f64 = 2.0;
const EMBEDDED_JOBS_PER_SECOND: f64 = 20_000.0;

pub(super) fn measure() -> Result<()> {
    // Both use an append-only file, as in production. It is not rewritten meanwhile, which
    // would slow down the second.
    let options = ["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"];
    let redis = Redis::start(&options)?;
    let peer = bullmq(&redis)?;
    println!("{peer}");
    peer::ours("queue", &redis, |measured| judge(measured, &peer))
}

fn bullmq(redis: &Redis) -> Result<Value> {
    let figures = peer::measure("bullmq", redis)?;
    if figures["jobs_per_second"].as_f64().is_none() {
        bail!("BullMQ was not measured: {figures}");
    }
    Ok(figures)
}

/// Adds the required ratio, and whether it is reached.
fn judge(measured: &mut Value, peer: &Value) {
    let times = |figure: &str| -> f64 {
        let ratio = measured[figure].as_f64().unwrap_or(0.0) / peer[figure].as_f64().unwrap_or(1.0);
        (ratio * 100.0).round() / 100.0
    };
    match measured["store"].as_str() {
        Some("redis") => {
            let (adds, jobs) = (times("adds_per_second"), times("jobs_per_second"));
            measured["times_bullmq"] = json!({"adds": adds, "jobs": jobs});
            measured["ok"] = json!(adds >= TIMES_BULLMQ && jobs >= TIMES_BULLMQ);
        }
        Some("sqlite") if measured["name"] == "queue" => {
            let jobs = measured["jobs_per_second"].as_f64().unwrap_or(0.0);
            measured["budget_jobs_per_second"] = json!(EMBEDDED_JOBS_PER_SECOND);
            measured["ok"] = json!(jobs >= EMBEDDED_JOBS_PER_SECOND);
        }
        _ => {}
    }
}
