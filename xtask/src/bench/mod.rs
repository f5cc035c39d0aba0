//! `cargo xtask bench`: one JSON object per measurement on stdout.

mod cache;
mod gateway;
mod limit;
mod messages;
mod peer;
mod queue;
mod web;

use std::{collections::BTreeSet, path::Path, thread::sleep, time::Duration};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::{run, server::Server};

const NAMES: [&str; 8] = [
    "weight", "start", "web", "queue", "limit", "cache", "gateway", "messages",
];

const WEIGHT_BUDGET: usize = 64 * 1024;
const START_BUDGET_MS: f64 = 300.0;
const MEMORY_BUDGET_MB: f64 = 40.0;
const STARTS: usize = 5;

/// `cargo xtask bench [NAME…]`
pub(crate) fn command(names: &[String]) -> Result<()> {
    if let Some(name) = names.iter().find(|name| !NAMES.contains(&name.as_str())) {
        bail!("no measurement `{name}`; there are: {}", NAMES.join(", "));
    }
    let binary = run::build()?;
    let wanted = |name: &str| names.is_empty() || names.iter().any(|asked| asked == name);
    if wanted("weight") {
        weight(&binary)?;
    }
    if wanted("start") {
        start(&binary)?;
    }
    if wanted("web") {
        web::measure(&binary)?;
    }
    if wanted("queue") {
        queue::measure()?;
    }
    if wanted("limit") {
        limit::measure()?;
    }
    if wanted("cache") {
        cache::measure()?;
    }
    if wanted("gateway") {
        gateway::measure()?;
    }
    if wanted("messages") {
        messages::measure()?;
    }
    Ok(())
}

/// The bytes that a first visit downloads until a page is hydrated.
fn weight(binary: &Path) -> Result<()> {
    eprintln!("weighing the pages");
    let mut server = Server::start(binary)?;
    server.wait("/healthz")?;
    for page in ["/", "/restore", "/gallery"] {
        println!("{}", weigh(&server, page)?);
    }
    Ok(())
}

fn weigh(server: &Server, page: &str) -> Result<Value> {
    let html = server.body(page)?;
    let (mut wasm, mut js, mut css) = (0, 0, 0);
    for asset in assets(&String::from_utf8_lossy(&html)) {
        let bytes = server.body(&asset)?.len();
        match Path::new(&asset)
            .extension()
            .and_then(|extension| extension.to_str())
        {
            Some("wasm") => wasm += bytes,
            Some("js") => js += bytes,
            Some("css") => css += bytes,
            _ => {}
        }
    }
    let total = wasm + js + css;
    Ok(json!({
        "name": "weight", "page": page, "total_bytes": total,
        "wasm_bytes": wasm, "js_bytes": js, "css_bytes": css, "html_bytes": html.len(),
        "budget_bytes": WEIGHT_BUDGET, "ok": wasm > 0 && js > 0 && css > 0 && total <= WEIGHT_BUDGET,
    }))
}

/// All URLs under `/assets/` in a page, in attributes or scripts.
fn assets(html: &str) -> BTreeSet<String> {
    let ends = |letter: char| letter.is_whitespace() || "\"'`<>()\\?#&".contains(letter);
    html.match_indices("/assets/")
        .map(|(start, _)| {
            html[start..]
                .split(ends)
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

/// The time from the start of the process to its first responses, and its idle memory.
fn start(binary: &Path) -> Result<()> {
    let (mut alive, mut page, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for run in 1..=STARTS {
        eprintln!("starting, {run} of {STARTS}");
        let mut server = Server::start(binary)?;
        server.wait("/healthz")?;
        alive.push(server.started.elapsed().as_secs_f64() * 1000.0);
        server.wait("/")?;
        page.push(server.started.elapsed().as_secs_f64() * 1000.0);
        sleep(Duration::from_secs(2));
        memory.push(server.memory()?);
    }
    let (alive, page, memory) = (median(alive), median(page), median(memory));
    println!(
        "{}",
        json!({
            "name": "start", "runs": STARTS,
            "healthz_ms": alive, "page_ms": page, "idle_rss_mb": memory,
            "budget_ms": START_BUDGET_MS, "budget_mb": MEMORY_BUDGET_MB,
            "ok": page <= START_BUDGET_MS && memory <= MEMORY_BUDGET_MB,
        })
    );
    Ok(())
}

/// The median, to one decimal.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.get(values.len() / 2).copied().unwrap_or_default();
    (middle * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_found_in_attributes_and_scripts_once() {
        let html = r#"<link rel=modulepreload href="/assets/a.1.js"><link href=/assets/s.2.css>
            <script>import("/assets/a.1.js").then(m => m.default('/assets/a.3.wasm'))</script>"#;
        let found: Vec<String> = assets(html).into_iter().collect();
        assert_eq!(
            found,
            ["/assets/a.1.js", "/assets/a.3.wasm", "/assets/s.2.css"]
        );
    }

    #[test]
    fn the_median_ignores_one_slow_start() {
        assert_eq!(median(vec![3.04, 900.0, 1.0]), 3.0);
    }
}
