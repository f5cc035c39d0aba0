//! The caches, and the vector search compared with NumPy.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{exec, redis::Redis};

pub(super) fn measure() -> Result<()> {
    match numpy() {
        Ok(line) => println!("{line}"),
        Err(error) => eprintln!("NumPy is not measured: {error:#}"),
    }
    eprintln!("measuring our caches");
    let redis = Redis::start_8(&[])?;
    let mut bench = exec::cargo("bench --quiet --package atelier --bench cache");
    bench.env("ATELIER_BENCH_REDIS_8_URL", redis.url());
    for line in exec::output(&mut bench)?.lines() {
        let measured: Value = serde_json::from_str(line).context("not a measurement")?;
        println!("{measured}");
    }
    Ok(())
}

/// Exhaustive search in NumPy, in a virtual environment of its own.
fn numpy() -> Result<String> {
    let home = exec::target().join("peers/numpy");
    let python = home.join("bin/python");
    if !python.exists() {
        exec::run(exec::command("python3").args(["-m", "venv"]).arg(&home))?;
        exec::run(exec::command(&python).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "numpy==2.3.5",
        ]))?;
    }
    eprintln!("measuring NumPy");
    exec::output(exec::command(&python).arg(exec::root().join("xtask/peers/numpy/bench.py")))
}
