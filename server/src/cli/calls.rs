//! `atelier calls`: the last calls of the gateway, and what is counted of all. It reads the
//! store itself, beside a server that may be running.

use std::{fmt::Write as _, time::Duration};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{
        Studio, WantedCalls,
        context::{AppContext, start_cryptography},
    },
    calls::{Dimension, Figures, Query, Record, Summary},
    cli::table::{lines, table},
    config::Config,
    limit,
};

/// Which calls are shown, and how.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Calls {
    #[command(subcommand)]
    action: Option<Action>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// Only those of the API key with this id
    #[arg(long)]
    key: Option<String>,
    /// Only those of this model
    #[arg(long)]
    model: Option<String>,
    /// Only those since so long ago
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    since: Option<Duration>,
}

/// What is to be shown instead of the last calls.
#[derive(Debug, Subcommand)]
enum Action {
    /// Calls, tokens, dollars, hits, errors and times
    Stats(Counted),
    /// One call, with what was said in it if gateway.record is set
    Show(Shown),
}

/// Which call is shown, and how.
#[derive(Debug, Args)]
struct Shown {
    /// Its id: the x-request-id of its answer
    id: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Which calls are added up, and how.
#[derive(Debug, Args)]
struct Counted {
    /// One JSON object, with histograms
    #[arg(long)]
    json: bool,
    /// Only those of the API key with this id
    #[arg(long)]
    key: Option<String>,
    /// Only those of this model
    #[arg(long)]
    model: Option<String>,
    /// Since how long ago; hours count as wholes
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    since: Duration,
    /// What they are told apart by: hour, key, model, upstream
    #[arg(long, value_delimiter = ',', default_value = "key,model,upstream")]
    by: Vec<Dimension>,
}

/// Runs the command. Returns what it prints.
pub async fn run(config: &Config, calls: &Calls) -> Result<String> {
    start_cryptography();
    let context = AppContext::read_only(config).await?;
    let studio = context.studio(config, limit::Stats::new(None), CancellationToken::new())?;
    match &calls.action {
        Some(Action::Stats(counted)) => stats(&studio, counted).await,
        Some(Action::Show(shown)) => show(&studio, shown).await,
        None => list(&studio, calls).await,
    }
}

fn ago(studio: &Studio, period: Duration) -> Timestamp {
    let now = studio.stores.clock.now();
    now.checked_sub(period).unwrap_or(Timestamp::UNIX_EPOCH)
}

async fn list(studio: &Studio, calls: &Calls) -> Result<String> {
    let wanted = WantedCalls {
        key: calls.key.clone(),
        model: calls.model.clone(),
        since: calls.since.map(|since| ago(studio, since)),
    };
    let found = studio.calls(&wanted).await?;
    if calls.json {
        return Ok(lines(&found)?);
    }
    Ok(table(HEAD, found.iter().map(row)))
}

const HEAD: [&str; 14] = [
    "WHEN", "ID", "KEY", "ENDPOINT", "MODEL", "UPSTREAM", "STATUS", "CACHE", "IN", "OUT", "USD",
    "MS", "FIRST", "ERROR",
];

async fn show(studio: &Studio, shown: &Shown) -> Result<String> {
    let call = studio.call(&shown.id).await?;
    let call = call.with_context(|| format!("{:?} is none of the last calls", shown.id))?;
    if shown.json {
        return Ok(serde_json::to_string(&call)? + "\n");
    }
    let mut text = table(HEAD, [row(&call.record)].into_iter());
    for (name, body) in [("REQUEST", &call.request), ("ANSWER", &call.answer)] {
        let (said, rest) = match body {
            Some(body) if body.truncated => (printable(&body.text), " …"),
            Some(body) => (printable(&body.text), ""),
            None => ("not kept".into(), ""),
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "\n{name}\n{said}{rest}\n");
    }
    Ok(text)
}

/// What a client sent must not move the cursor of a terminal.
fn printable(text: &str) -> String {
    let harmless = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars()
        .map(|c| {
            if harmless(c) {
                c
            } else {
                char::REPLACEMENT_CHARACTER
            }
        })
        .collect()
}

fn row(record: &Record) -> [String; 14] {
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".into());
    let model = record.routed.as_ref().or(record.model.as_ref());
    let first = record.first_byte_ms;
    [
        format!("{:.0}", record.at),
        record.id.clone(),
        name(&record.key),
        record.endpoint.to_string(),
        name(&model.cloned()),
        name(&record.upstream),
        record.status.to_string(),
        record.source.as_str().to_owned(),
        tokens(record, record.input_tokens),
        tokens(record, record.output_tokens),
        format!("{:.6}", record.usd),
        time(Some(record.duration_ms)),
        time(first),
        record.error.as_deref().unwrap_or_default().to_owned(),
    ]
}

/// What is estimated is marked.
fn tokens(record: &Record, tokens: u64) -> String {
    let mark = if record.estimated { "~" } else { "" };
    format!("{mark}{tokens}")
}

fn time(milliseconds: Option<f64>) -> String {
    milliseconds.map_or_else(|| "-".into(), |time| format!("{time:.1}"))
}

async fn stats(studio: &Studio, counted: &Counted) -> Result<String> {
    let query = Query {
        since: ago(studio, counted.since),
        by: counted.by.clone(),
        key: counted.key.clone(),
        model: counted.model.clone(),
    };
    let summary = studio.call_stats(query).await?;
    if counted.json {
        return Ok(serde_json::to_string(&summary)? + "\n");
    }
    Ok(shown(&summary))
}

fn shown(summary: &Summary) -> String {
    let head = [
        "HOUR", "KEY", "MODEL", "UPSTREAM", "CALLS", "ERRORS", "HITS", "IN", "CACHED", "OUT",
        "USD", "P50", "P95", "FIRST",
    ];
    let name = |name: &Option<String>| match name.as_deref() {
        None => String::new(),
        Some("") => "-".into(),
        Some(name) => name.into(),
    };
    let rows = summary.groups.iter().map(|group| {
        let hour = group.hour.map(|hour| hour.to_string());
        let common = [&hour, &group.key, &group.model, &group.upstream].map(name);
        cells(common, &group.figures)
    });
    let total = ["all", "", "", ""].map(String::from);
    let total = cells(total, &summary.total);
    table(head, rows.chain([total]))
}

fn cells([hour, key, model, upstream]: [String; 4], figures: &Figures) -> [String; 14] {
    [
        hour,
        key,
        model,
        upstream,
        figures.calls.to_string(),
        figures.errors.all().to_string(),
        figures.hits.all().to_string(),
        figures.tokens.input.to_string(),
        figures.tokens.cached.to_string(),
        figures.tokens.output.to_string(),
        format!("{:.4}", figures.usd),
        time(figures.duration_ms.p50),
        time(figures.duration_ms.p95),
        time(figures.first_byte_ms.p50),
    ]
}
