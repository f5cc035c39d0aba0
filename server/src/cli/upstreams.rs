//! `atelier upstreams`: whether the gateway's upstreams can be used, and how to mend what
//! does not work.

use std::{fmt::Write as _, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use atelier_gateway::{forward, upstream::Upstream};
use clap::{Args, Subcommand};
use futures::future::join_all;

use crate::{
    app::context::start_cryptography,
    cli::table::{lines, table},
    config::Config,
    gateway::{Checked, check},
};

/// What is to be done with upstreams.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Ask each for its models; nothing is spent
    Check(Check),
}

/// Which are checked, and how.
#[derive(Debug, Args)]
pub struct Check {
    /// Only the one of this name
    name: Option<String>,
    /// Make the smallest call there is as well, which costs next to nothing
    #[arg(long)]
    spend: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Runs the command. Returns what it prints, and how many upstreams failed.
pub async fn run(config: &Config, action: &Action) -> Result<(String, usize)> {
    start_cryptography();
    let Action::Check(wanted) = action;
    let mut upstreams = config.upstreams();
    if let Some(name) = &wanted.name {
        upstreams.retain(|one| one.name == *name);
        ensure!(
            !upstreams.is_empty(),
            "there is no upstream called {name:?}"
        );
    }
    let upstreams = upstreams
        .into_iter()
        .map(|one| Upstream::new(one).map(Arc::new));
    let upstreams = upstreams.collect::<Result<Vec<_>, _>>()?;
    let user_agent = concat!("atelier/", env!("CARGO_PKG_VERSION"));
    let client = forward::client(user_agent).context("cannot make an HTTP client")?;
    let checks = upstreams
        .iter()
        .map(|one| check(&client, one, wanted.spend));
    let checked = join_all(checks).await;
    let failed = checked.iter().filter(|one| !one.ok).count();
    let text = if wanted.json {
        lines(&checked)?
    } else {
        shown(&checked)
    };
    Ok((text, failed))
}

fn shown(checked: &[Checked]) -> String {
    let head = [
        "NAME", "KIND", "REACHED", "KEY", "MODELS", "CLOCK", "CALL", "ADDRESS",
    ];
    let mut text = table(head, checked.iter().map(row));
    for one in checked {
        for advice in &one.advice {
            // Writing to a String cannot fail.
            let _ = write!(text, "\n{}: {advice}\n", one.name);
        }
    }
    text
}

fn row(checked: &Checked) -> [String; 8] {
    let yes = |is_so: bool| if is_so { "yes" } else { "no" }.to_owned();
    let unknown = || "-".to_owned();
    let key = checked.key_accepted.map(|accepted| {
        let word = if accepted { "accepted" } else { "refused" };
        word.to_owned()
    });
    let clock = checked
        .clock_ahead_seconds
        .map(|seconds| format!("{seconds:+}s"));
    let spent = checked.spent.as_ref().map(|spent| {
        let tokens = spent.input_tokens + spent.output_tokens;
        format!("{tokens} tokens, {} ms", spent.milliseconds)
    });
    [
        checked.name.clone(),
        checked.kind.to_owned(),
        yes(checked.reachable),
        key.unwrap_or_else(unknown),
        checked
            .models
            .map_or_else(unknown, |models| models.to_string()),
        clock.unwrap_or_else(unknown),
        spent.unwrap_or_else(unknown),
        checked.address.clone(),
    ]
}
