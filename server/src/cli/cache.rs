//! `atelier cache`: what the caches save, why two prompts share a picture, and
//! purging. It works on the store itself, beside a server that may be running.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail};
use atelier_api::Cache;
use clap::{Args, Subcommand};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{
    app::Studio,
    app::context::{self, AppContext, start_cryptography},
    cache::{Saved, guard::Kind, semantic},
    cli::table::table,
    config::Config,
    limit,
    queue::source,
};

/// What is to be done with the caches.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Hits, misses, joins, and the dollars they saved
    Stats {
        /// Since how long ago; hours count as wholes
        #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = humantime::parse_duration)]
        since: Duration,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Whether text B would be answered with what was made for text A, and why
    Explain {
        a: String,
        b: String,
        /// They are questions to a chat model rather than prompts for pictures
        #[arg(long)]
        questions: bool,
        /// JSON is the only form; accepted for symmetry
        #[arg(long, hide = true)]
        json: bool,
    },
    /// Where a job's answer came from, and why it was taken for the same
    Why {
        /// The job's id
        job: String,
    },
    /// Forget answers; the pictures stay with their owners
    Purge(Which),
}

/// One answer, or all.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The id of the job that made the picture, or of one that was answered with it
    job: Option<String>,
    /// Every answer
    #[arg(long)]
    all: bool,
}

/// Runs the command. Returns what it prints.
pub async fn run(config: &Config, action: &Action) -> Result<String> {
    start_cryptography();
    if let Action::Explain {
        a, b, questions, ..
    } = action
    {
        let kind = if *questions {
            Kind::Question
        } else {
            Kind::Picture
        };
        let (encoder, threshold) = (context::encoder(config)?, config.semantic.threshold);
        let explained = semantic::explain(encoder.as_ref(), threshold, kind, a, b).await;
        let explained = explained.map_err(|error| anyhow!(error))?;
        return Ok(serde_json::to_string(&explained)? + "\n");
    }
    let context = match action {
        Action::Purge(_) => AppContext::beside(config).await,
        _ => AppContext::read_only(config).await,
    }?;
    let studio = context.studio(config, limit::Stats::new(None), CancellationToken::new())?;
    match action {
        Action::Stats { since, json } => stats(&studio, *since, *json).await,
        Action::Why { job } => why(&studio, job).await,
        Action::Purge(Which { job: Some(id), .. }) => purge(&studio, id).await,
        _ => {
            let mut gone = studio.stores.cache.clear().await?;
            if let Some(semantic) = &studio.stores.semantic {
                semantic.renew().await?;
                gone = gone.max(semantic.clear(studio.stores.clock.now()).await?);
            }
            Ok(format!("{gone} answers are forgotten\n"))
        }
    }
}

async fn why(studio: &Studio, id: &str) -> Result<String> {
    let job = studio
        .stores
        .queue
        .get(id)
        .await?
        .with_context(|| format!("there is no job {id:?}"))?;
    let explanation =
        serde_json::json!({ "job": job.id, "cache": source(&job), "found": job.request.found });
    Ok(explanation.to_string() + "\n")
}

async fn purge(studio: &Studio, id: &str) -> Result<String> {
    let no_job = || format!("there is no job {id:?}");
    let mut job = studio.stores.queue.get(id).await?.with_context(no_job)?;
    if let Some(found) = &job.request.found {
        job = studio
            .stores
            .queue
            .get(&found.job)
            .await?
            .with_context(no_job)?;
    }
    studio.forget_answer(&job).await?;
    Ok(format!("{} is nobody's answer any more\n", job.id))
}

/// Statistics of the caches.
#[derive(Debug, Default, Serialize)]
struct Stats {
    misses: u64,
    exact: u64,
    semantic: u64,
    joined: u64,
    /// Fraction of orders that were hits or joins, 0 to 1.
    hit_rate: f64,
    saved_usd: f64,
    /// Entries of the exact cache.
    entries: u64,
    /// Entries of the semantic cache.
    meanings: u64,
}

async fn stats(studio: &Studio, since: Duration, json: bool) -> Result<String> {
    let now = studio.stores.clock.now();
    let Ok(since) = now.checked_sub(since) else {
        bail!("that is longer ago than time is counted");
    };
    let mut sums: BTreeMap<Saved, u64> = BTreeMap::new();
    for saving in studio.stores.cache.savings(since).await? {
        *sums.entry(saving.saved).or_default() += saving.amount;
    }
    let sum = |saved| sums.get(&saved).copied().unwrap_or_default();
    let meanings = match &studio.stores.semantic {
        Some(semantic) => {
            semantic.renew().await?;
            semantic.count().await?
        }
        None => 0,
    };
    let mut stats = Stats {
        misses: sum(Saved::Orders(Cache::Miss)),
        exact: sum(Saved::Orders(Cache::Exact)),
        semantic: sum(Saved::Orders(Cache::Semantic)),
        joined: sum(Saved::Orders(Cache::Joined)),
        saved_usd: sum(Saved::Usd) as f64 / 1e6,
        entries: studio.stores.cache.count().await?,
        meanings,
        hit_rate: 0.0,
    };
    let hits = stats.exact + stats.semantic + stats.joined;
    stats.hit_rate = hits as f64 / (hits + stats.misses).max(1) as f64;
    if json {
        return Ok(serde_json::to_string(&stats)? + "\n");
    }
    let rows = [
        ["calls made".to_owned(), stats.misses.to_string()],
        ["same words".to_owned(), stats.exact.to_string()],
        ["same meaning".to_owned(), stats.semantic.to_string()],
        ["joined in flight".to_owned(), stats.joined.to_string()],
        [
            "hit rate".to_owned(),
            format!("{:.1} %", 100.0 * stats.hit_rate),
        ],
        ["saved".to_owned(), format!("${:.2}", stats.saved_usd)],
        ["answers kept".to_owned(), stats.entries.to_string()],
        ["meanings kept".to_owned(), stats.meanings.to_string()],
    ];
    Ok(table(["WHAT", "HOW MUCH"], rows.into_iter()))
}
