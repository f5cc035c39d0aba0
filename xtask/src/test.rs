//! `cargo xtask test`: all checks, cheap ones first.

use std::{
    num::NonZero,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use crate::{clients, exec, fonts, redis::Redis, site, tools};

// The front end's features must not be unified with the server's (`hydrate`
// and `ssr` exclude each other), so it is never part of a native build.
const LINT: &str = "clippy --workspace --exclude atelier-frontend --all-targets --";
const LINT_WASM: [&str; 2] = [
    "clippy --package atelier-frontend --target wasm32-unknown-unknown --",
    "clippy --package atelier-later --target wasm32-unknown-unknown --",
];
/// Crates that other applications choose parts of, and the choices that this one never makes.
const CHOICES: [(&str, &[&str]); 6] = [
    ("atelier-store", &["", "sqlite", "redis"]),
    ("atelier-limit", &["", "sqlite", "redis", "tower"]),
    ("atelier-access", &["", "sqlite", "redis"]),
    ("atelier-cache", &["", "sqlite", "redis", "encoder"]),
    ("atelier-queue", &["", "sqlite", "redis"]),
    ("atelier-webhook", &[""]),
];
const DOCUMENT: &str =
    "doc --workspace --exclude atelier-frontend --no-deps --document-private-items";
const TEST: &str = "test --workspace --exclude atelier-frontend --exclude xtask --";
// Separate, because beside the server its dependencies have other features and would all
// be built a second time.
const TEST_XTASK: &str = "test --package xtask --";

/// Three times as long as building and running a suite takes on two slow cores.
const AT_MOST: Duration = Duration::from_secs(45 * 60);

/// `cargo xtask test [FILTER…]`: a test runs if its name contains a filter.
pub(crate) fn command(filters: &[String]) -> Result<()> {
    let mut steps = Steps::new();
    steps.run("formatting", || {
        tools::component("rustfmt", "fmt")?;
        exec::run(&mut exec::cargo("fmt --all -- --check"))
            .context("run `cargo fmt --all` to put it right")
    })?;
    steps.run("site", || site::build(site::Mode::Small))?;
    steps.run("lints", || {
        tools::component("clippy", "clippy")?;
        exec::run(exec::cargo(LINT).args(tools::strictness()))
    })?;
    steps.run("lints of the wasm", || {
        for lint in LINT_WASM {
            exec::run(exec::cargo(lint).args(tools::strictness()))?;
        }
        Ok(())
    })?;
    steps.run("lints of the crates' features", features)?;
    steps.run("documentation", || {
        exec::run(exec::cargo(DOCUMENT).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    steps.run("tests", || tests(filters))?;
    steps.run("clients", || clients::official(filters))?;
    steps.run("browser", || browser(filters))?;
    steps.all_passed();
    Ok(())
}

/// Lints the crates with each feature alone and with none.
fn features() -> Result<()> {
    for (name, choices) in CHOICES {
        for choice in choices {
            let mut lint = exec::cargo(&format!("clippy --quiet --package {name}"));
            lint.args(["--no-default-features", "--features", choice, "--"]);
            exec::run(lint.args(tools::strictness()))
                .with_context(|| format!("{name} with the features {choice:?} alone"))?;
        }
    }
    Ok(())
}

/// Runs the Rust tests with their own Redis, cluster and Redis 8.
fn tests(filters: &[String]) -> Result<()> {
    exec::run(exec::cargo(TEST_XTASK).args(filters))?;
    let (single, cluster, eight) = (
        Redis::start(&["--databases", "256"])?,
        Redis::start_cluster()?,
        Redis::start_8(&["--databases", "256"])?,
    );
    // Most of them wait, for processes, leases and the repetitions of deliveries.
    let threads = 2 * thread::available_parallelism().map_or(1, NonZero::get);
    exec::run_within(
        AT_MOST,
        exec::impartial(&mut exec::cargo(TEST))
            .args(filters)
            .env("RUST_TEST_THREADS", threads.to_string())
            .env("ATELIER_TEST_REDIS_URL", single.url())
            .env("ATELIER_TEST_REDIS_CLUSTER_URL", cluster.url())
            .env("ATELIER_TEST_REDIS_8_URL", eight.url()),
    )
}

/// Runs Playwright against the binary that the tests have just built.
fn browser(filters: &[String]) -> Result<()> {
    tools::node()?;
    let (chromium, firefox) = (tools::chromium()?, tools::firefox()?);
    tools::webkit()?;
    let folder = exec::root().join("end2end");
    exec::npm_ci(&folder)?;
    let mut playwright = exec::isolated(folder.join("node_modules/.bin/playwright"))?;
    playwright.arg("test").current_dir(&folder);
    playwright.env("ATELIER_BIN", exec::target().join("debug/atelier"));
    playwright.env("CHROMIUM", chromium);
    playwright.env("FIREFOX", firefox);
    playwright.env("FONTS", fonts::configurations()?);
    if !filters.is_empty() {
        playwright.args(["--pass-with-no-tests", "--grep", &pattern(filters)]);
    }
    exec::run_within(AT_MOST, &mut playwright)
}

/// The regular expression for "contains one of these".
fn pattern(filters: &[String]) -> String {
    let quote = |filter: &String| -> String {
        let plain = |letter: &char| letter.is_alphanumeric() || " _-".contains(*letter);
        filter
            .chars()
            .flat_map(|letter| {
                (!plain(&letter))
                    .then_some('\\')
                    .into_iter()
                    .chain([letter])
            })
            .collect()
    };
    filters.iter().map(quote).collect::<Vec<_>>().join("|")
}

/// Prints what runs, how long it took, and in the last line the overall result.
struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    fn new() -> Steps {
        Steps { done: Vec::new() }
    }

    fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("\n=== {name}");
        let start = Instant::now();
        let result = step();
        let took = start.elapsed();
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        println!("=== {name}: {verdict} in {:.1} s", took.as_secs_f64());
        self.done.push((name, took));
        result.with_context(|| format!("the step `{name}` failed"))
    }

    fn all_passed(&self) {
        let sum: Duration = self.done.iter().map(|(_, took)| took).sum();
        println!(
            "\nAll {} steps passed in {:.1} s:",
            self.done.len(),
            sum.as_secs_f64()
        );
        for (name, took) in &self.done {
            println!("  {:6.1} s  {name}", took.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_taken_literally() {
        let filters = ["a job".to_owned(), "limit::(x)".to_owned()];
        assert_eq!(pattern(&filters), r"a job|limit\:\:\(x\)");
    }
}
