//! `atelier dlq`: messages whose last call failed.

use anyhow::{Result, bail};
use atelier_messages::ids;
use atelier_queue::In;
use clap::{Args, Subcommand};
use serde_json::Value;

use super::{BATCH, Desk, Of, Shown, owner, queue_owner, task, told};
use crate::{
    cli::table::{lines, table},
    config::Config,
    queue::Job,
};

/// What is to be done with dead letters.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List them, the newest first of each owner
    List(Shown),
    /// Show one as JSON
    Show {
        /// The id of the dead letter, or of its message
        id: String,
    },
    /// Deliver them again
    Retry(Which),
    /// Delete them
    Delete(Which),
}

/// One dead letter, or all.
#[derive(Debug, Args)]
pub struct Which {
    /// The id of the dead letter, or of its message
    #[arg(required_unless_present = "all", conflicts_with_all = ["all", "owner"])]
    id: Option<String>,
    /// All of them
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    of: Of,
}

/// Runs the command. Returns what it prints.
pub async fn run(config: &Config, action: &Action) -> Result<String> {
    let changes = matches!(action, Action::Retry(_) | Action::Delete(_));
    let desk = Desk::open(config, changes).await?;
    match action {
        Action::List(shown) => list(&desk, shown).await,
        Action::Show { id } => Ok(letter(&desk, &dead(&desk, id).await?).await?.to_string() + "\n"),
        Action::Retry(which) => {
            let jobs = named(&desk, which).await?;
            let mut count = 0;
            // The oldest first, as they are delivered in this order.
            for job in jobs.iter().rev() {
                count += usize::from(desk.studio.retry_message(&job.id).await?);
            }
            Ok(format!("{count} are delivered again\n"))
        }
        Action::Delete(which) => {
            let mut count = 0;
            for job in named(&desk, which).await? {
                let id = job.id.as_str().into();
                count += usize::from(desk.studio.delete_message(&id).await?);
            }
            Ok(format!("{count} are deleted\n"))
        }
    }
}

async fn list(desk: &Desk, shown: &Shown) -> Result<String> {
    let jobs = all(desk, &shown.of).await?;
    if shown.json {
        let mut letters = Vec::with_capacity(jobs.len());
        for job in &jobs {
            letters.push(letter(desk, job).await?);
        }
        return Ok(lines(&letters)?);
    }
    let head = ["ID", "OWNER", "RETRIES", "URL", "WHY"];
    Ok(table(head, jobs.iter().filter_map(row)))
}

fn row(job: &Job) -> Option<[String; 5]> {
    let message = &task(job)?.message;
    let why = job.failures.last().map(|last| last.failure.message.clone());
    Some([
        id(job),
        owner(job).to_owned(),
        message.retries.to_string(),
        message.url.clone(),
        why.unwrap_or_default(),
    ])
}

async fn letter(desk: &Desk, job: &Job) -> Result<Value> {
    let mut letter = told(desk, job).await?;
    letter["dlqId"] = id(job).into();
    Ok(letter)
}

fn id(job: &Job) -> String {
    ids::dead_letter(job.finished_at.unwrap_or(job.created_at), &job.id)
}

async fn all(desk: &Desk, of: &Of) -> Result<Vec<Job>> {
    let mut all: Vec<Job> = Vec::new();
    for owner in desk.owners(of).await? {
        let (owner, mut before) = (queue_owner(&owner), None::<String>);
        loop {
            let queue = &desk.studio.stores.queue;
            let page = queue
                .list_in(&owner, In::Failed, before.as_deref(), BATCH)
                .await?;
            let ends = page.len() < BATCH;
            before = page.last().map(|job| job.id.clone());
            all.extend(page);
            if ends {
                break;
            }
        }
    }
    Ok(all)
}

async fn named(desk: &Desk, which: &Which) -> Result<Vec<Job>> {
    match &which.id {
        Some(id) => Ok(vec![dead(desk, id).await?]),
        None => all(desk, &which.of).await,
    }
}

async fn dead(desk: &Desk, named: &str) -> Result<Job> {
    let message = ids::read_dead_letter(named).map_or(named, |(_, message)| message);
    let job = desk.studio.stores.queue.get(message).await?;
    let job = job.filter(|job| job.status == atelier_api::Status::Failed && task(job).is_some());
    match job {
        Some(job) if named == message || named == id(&job) => Ok(job),
        _ => bail!("there is no dead letter {named:?}. `atelier dlq list` names them all."),
    }
}
