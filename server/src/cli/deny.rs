//! `atelier deny`: the deny list. It works on the store directly; running servers
//! apply changes within seconds.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::{
    access::{self, AccessStore, Denial, Subject},
    app::context::{AppContext, start_cryptography},
    cli::table::{lines, table},
    config::Config,
};

/// Maximum number of entries; longer lists belong in a firewall.
const MAX_ENTRIES: usize = 10_000;

/// What is to be done with the deny list.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Deny an address, a network, an API key or a kind of program
    Add {
        /// 203.0.113.7, 2001:db8::/32, key_…, or part of a User-Agent
        value: String,
        /// What the value is, where its look does not tell
        #[arg(long = "as", value_enum)]
        kind: Option<Kind>,
        /// How long; without it, until it is removed
        #[arg(long = "for", value_parser = humantime::parse_duration)]
        period: Option<Duration>,
        /// Do not ask when nearly everybody would be denied
        #[arg(long)]
        yes: bool,
    },
    /// Serve somebody again
    Remove {
        /// As it stands in the list
        value: String,
        /// What the value is, where its look does not tell
        #[arg(long = "as", value_enum)]
        kind: Option<Kind>,
    },
    /// Show what was added here; what is configured stands in the configuration
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
}

/// What a value is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Kind {
    Ip,
    Key,
    UserAgent,
}

/// Runs the command. Returns what it prints.
pub async fn run(config: &Config, action: &Action) -> Result<String> {
    start_cryptography();
    let context = match action {
        Action::List { .. } => AppContext::read_only(config).await,
        Action::Add { .. } | Action::Remove { .. } => AppContext::beside(config).await,
    }?;
    let (store, now) = (&*context.stores.access, context.stores.clock.now());
    match action {
        Action::Add {
            value,
            kind,
            period,
            yes,
        } => {
            let subject = subject(store, value, *kind).await?;
            ensure!(
                *yes || !subject.is_everybody() || confirmed(&subject)?,
                "{subject} was not denied."
            );
            add(store, subject, *period, now).await
        }
        Action::Remove { value, kind } => {
            let subject = subject(store, value, *kind).await?;
            ensure!(
                store.allow(&subject).await?,
                "{subject} is not on the list. `atelier deny list` shows it; what is configured is \
                 changed in the configuration."
            );
            Ok(format!("served again: {subject}\n"))
        }
        Action::List { json } => list(store, *json, now).await,
    }
}

/// Asks for confirmation on the terminal.
///
/// # Errors
/// If the input is not a terminal.
fn confirmed(subject: &Subject) -> Result<bool> {
    ensure!(
        io::stdin().is_terminal(),
        "{subject} would deny nearly everybody. Add --yes if that is meant."
    );
    write!(
        io::stderr(),
        "{subject} would deny nearly everybody. Deny it? [y/N] "
    )?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The subject that a value names. A key's text is replaced by its id.
async fn subject(store: &dyn AccessStore, value: &str, kind: Option<Kind>) -> Result<Subject> {
    if value.starts_with(access::KEY) {
        let Some(key) = store.find(&access::digest(value)).await? else {
            bail!("there is no such key. `atelier keys list` names them all.")
        };
        return Ok(Subject::key(&key.id)?);
    }
    Ok(match kind {
        None => Subject::guess(value),
        Some(Kind::Ip) => Subject::ip(value),
        Some(Kind::Key) => Subject::key(value),
        Some(Kind::UserAgent) => Subject::user_agent(value),
    }?)
}

async fn add(
    store: &dyn AccessStore,
    subject: Subject,
    period: Option<Duration>,
    now: Timestamp,
) -> Result<String> {
    let denials = store.denials().await?;
    for denial in denials.iter().filter(|denial| !denial.holds(now)) {
        store.allow(&denial.subject).await?;
    }
    ensure!(
        denials.len() < MAX_ENTRIES || denials.iter().any(|denial| denial.subject == subject),
        "the list has {MAX_ENTRIES} entries. Deny networks instead of addresses, or use a firewall."
    );
    let until = period.map(|period| now.checked_add(period)).transpose()?;
    store
        .deny(&Denial {
            subject: subject.clone(),
            until,
        })
        .await?;
    Ok(format!("denied: {subject}\n"))
}

async fn list(store: &dyn AccessStore, as_json: bool, now: Timestamp) -> Result<String> {
    let mut denials = store.denials().await?;
    denials.retain(|denial| denial.holds(now));
    denials.sort_by_key(|denial| denial.subject.to_string());
    let rows = denials.iter().map(|denial| {
        let (kind, value) = denial.subject.parts();
        (kind, value, denial.until.map(|until| until.to_string()))
    });
    if as_json {
        let rows: Vec<_> = rows
            .map(|(kind, value, until)| {
                serde_json::json!({ "kind": kind, "value": value, "until": until })
            })
            .collect();
        return Ok(lines(&rows)?);
    }
    let rows = rows
        .map(|(kind, value, until)| [kind.to_owned(), until.unwrap_or_else(|| "-".into()), value]);
    Ok(table(["KIND", "UNTIL", "VALUE"], rows))
}
