//! Comparable programs, measured on the same Redis in the same run.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{exec, redis::Redis, tools};

/// The measurements of the program in `xtask/peers/NAME`.
pub(super) fn measure(name: &str, redis: &Redis) -> Result<Value> {
    measure_with(name, "bench.mjs", redis)
}

/// The measurements of another program in that folder.
pub(super) fn measure_with(name: &str, program: &str, redis: &Redis) -> Result<Value> {
    tools::node()?;
    let folder = exec::root().join("xtask/peers").join(name);
    exec::npm_ci(&folder)?;
    eprintln!("measuring {name}");
    let mut bench = exec::command("node");
    bench.arg(program).current_dir(&folder);
    let line = exec::output(bench.env("REDIS_URL", redis.url()))?;
    serde_json::from_str(&line).with_context(|| format!("the measurement of {name}"))
}

/// Runs our bench of that name on the same Redis, and prints its measurements as judged.
pub(super) fn ours(bench: &str, redis: &Redis, judge: impl Fn(&mut Value)) -> Result<()> {
    eprintln!("measuring our {bench}");
    let mut bench = exec::cargo(&format!("bench --quiet --package atelier --bench {bench}"));
    let lines = exec::output(bench.env("ATELIER_BENCH_REDIS_URL", redis.url()))?;
    for line in lines.lines() {
        let mut measured: Value = serde_json::from_str(line).context("not a measurement")?;
        judge(&mut measured);
        println!("{measured}");
    }
    Ok(())
}
