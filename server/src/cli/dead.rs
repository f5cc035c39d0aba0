//! `atelier dead`: lists, retries and deletes failed jobs. It works on the store
//! directly, beside a server that may be running.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use tokio_util::sync::CancellationToken;

use crate::{
    app::context::{AppContext, start_cryptography},
    app::view::DeadLetter,
    app::{Error, Studio},
    cli::table::{lines, table},
    config::Config,
    job::JobId,
    limit::Stats,
    queue,
};

/// Dead letters read at a time.
const BATCH: usize = 100;

/// What is to be done with dead letters.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List them, the newest first
    List {
        /// One JSON object a line, with every attempt's error
        #[arg(long)]
        json: bool,
    },
    /// Try them again
    Retry(Which),
    /// Delete them with their files
    Delete(Which),
}

/// One dead letter, or all.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The job's id
    id: Option<JobId>,
    /// All of them; they are retried behind everything else
    #[arg(long)]
    all: bool,
}

/// Runs the command. Returns what it prints.
pub async fn run(config: &Config, action: &Action) -> Result<String> {
    start_cryptography();
    let context = match action {
        Action::List { .. } => AppContext::read_only(config).await,
        Action::Retry(_) | Action::Delete(_) => AppContext::beside(config).await,
    }?;
    let studio = context.studio(config, Stats::new(None), CancellationToken::new())?;
    match action {
        Action::List { json: true } => Ok(lines(&letters(&studio).await?)?),
        Action::List { json: false } => {
            let letters = letters(&studio).await?;
            let head = ["ID", "KIND", "FAILED", "ATTEMPTS", "WHY"];
            Ok(table(head, letters.iter().map(DeadLetter::row)))
        }
        Action::Retry(Which { id: Some(id), .. }) => {
            found(id, studio.retry(id).await)?;
            Ok(format!("{id} is tried again\n"))
        }
        Action::Retry(Which { id: None, .. }) => {
            Ok(format!("{} are tried again\n", studio.retry_all().await?))
        }
        Action::Delete(Which { id: Some(id), .. }) => {
            found(id, studio.delete_dead(id).await)?;
            Ok(format!("{id} is deleted\n"))
        }
        Action::Delete(Which { id: None, .. }) => {
            Ok(format!("{} are deleted\n", studio.delete_all_dead().await?))
        }
    }
}

fn found<T>(id: &JobId, result: Result<T, Error>) -> Result<T> {
    match result {
        Err(Error::Queue(queue::Error::NotFound | queue::Error::Illegal(_))) => {
            bail!(
                "there is no dead letter {:?}. `atelier dead list` names them all.",
                &**id
            )
        }
        result => Ok(result?),
    }
}

async fn letters(studio: &Studio) -> Result<Vec<DeadLetter>> {
    let (mut letters, mut last) = (Vec::new(), None::<String>);
    loop {
        let batch = studio.dead(last.as_deref(), BATCH).await?;
        letters.extend(batch.iter().map(DeadLetter::new));
        match batch.last() {
            Some(job) if batch.len() == BATCH => last = Some(job.id.clone()),
            _ => return Ok(letters),
        }
    }
}
