//! `atelier messages`, `schedules`, `groups` and `dlq`: what belongs to publishers. They work on
//! the store itself, beside a server that may be running.

mod dlq;
mod groups;
mod schedules;

use anyhow::{Result, bail};
use atelier_messages::{Event, State, objects};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

pub use self::{
    dlq::{Action as DlqAction, run as dlq},
    groups::{Action as GroupsAction, run as groups},
    schedules::{Action as SchedulesAction, run as schedules},
};
use crate::{
    app::{
        Studio,
        context::{AppContext, start_cryptography},
    },
    cli::table::{lines, table},
    config::Config,
    job::{MessageTask, Task, owner_of_messages},
    limit::Stats,
    messages::{MOST_EVENTS, owner_by, queue_owner},
    queue::Job,
};

/// Jobs read at a time.
const BATCH: usize = 100;

/// What is to be done with messages.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List them, the newest first of each owner
    List {
        #[command(flatten)]
        shown: Shown,
        /// At most so many of each owner
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Show one as JSON, with its state and the errors of its attempts
    Show {
        /// The message's id
        id: String,
    },
    /// Cancel one that is not delivered yet
    Cancel {
        /// The message's id
        id: String,
    },
}

/// Whose things are shown, and how.
#[derive(Debug, Args)]
pub struct Shown {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    of: Of,
}

/// Whose things are meant.
#[derive(Debug, Args)]
pub struct Of {
    /// Only those of this owner: the id of an API key, or owner:TAG for keys with that tag
    #[arg(long)]
    owner: Option<String>,
}

/// What the commands work with.
struct Desk {
    studio: Studio,
    // Holds a temporary folder if there is no store yet.
    _context: AppContext,
}

impl Desk {
    async fn open(config: &Config, changes: bool) -> Result<Self> {
        start_cryptography();
        let context = if changes {
            AppContext::beside(config).await
        } else {
            AppContext::read_only(config).await
        }?;
        let studio = context.studio(config, Stats::new(None), CancellationToken::new())?;
        Ok(Self {
            studio,
            _context: context,
        })
    }

    /// The owner that is named, or all who have an API key.
    async fn owners(&self, of: &Of) -> Result<Vec<String>> {
        if let Some(owner) = &of.owner {
            return Ok(vec![owner.clone()]);
        }
        let keys = self.studio.stores.access.keys().await?;
        let keys = keys
            .iter()
            .map(|(_, key)| owner_by(&key.id, &key.terms.tags));
        let mut owners: Vec<_> = keys.collect();
        owners.sort();
        owners.dedup();
        Ok(owners)
    }

    /// The job of a message.
    async fn message(&self, id: &str) -> Result<Job> {
        match self.studio.stores.queue.get(id).await? {
            Some(job) if task(&job).is_some() => Ok(job),
            _ => bail!("there is no message {id:?}. `atelier messages list` names them."),
        }
    }

    async fn note_cancelled(&self, job: &Job) -> Result<()> {
        let (stores, events) = (&self.studio.stores, &self.studio.recorders.events);
        if let Some(task) = task(job) {
            let now = stores.clock.now().as_millisecond();
            let about = Box::new(task.message.without_headers());
            let event = Event {
                time: now,
                message: job.id.clone(),
                state: State::Canceled,
                about,
                next: None,
                status: None,
                headers: Vec::new(),
                body: None,
                error: None,
            };
            events.note(owner(job), event);
        }
        Ok(events.flush(&*stores.messages, MOST_EVENTS).await?)
    }
}

/// Runs the command. Returns what it prints.
pub async fn run(config: &Config, action: &Action) -> Result<String> {
    let desk = Desk::open(config, matches!(action, Action::Cancel { .. })).await?;
    match action {
        Action::List { shown, limit } => list(&desk, shown, *limit).await,
        Action::Show { id } => {
            let job = desk.message(id).await?;
            Ok(told(&desk, &job).await?.to_string() + "\n")
        }
        Action::Cancel { id } => {
            let job = desk.message(id).await?;
            if desk.studio.cancel_message(id).await? {
                desk.note_cancelled(&job).await?;
                Ok(format!("{id} is cancelled\n"))
            } else {
                bail!("{id} has ended already")
            }
        }
    }
}

async fn list(desk: &Desk, shown: &Shown, limit: usize) -> Result<String> {
    let mut jobs = Vec::new();
    for owner in desk.owners(&shown.of).await? {
        jobs.extend(of_owner(desk, &owner, limit).await?);
    }
    if shown.json {
        let mut all = Vec::with_capacity(jobs.len());
        for job in &jobs {
            all.push(told(desk, job).await?);
        }
        return Ok(lines(&all)?);
    }
    let head = ["ID", "OWNER", "STATE", "ATTEMPT", "METHOD", "URL"];
    Ok(table(head, jobs.iter().filter_map(row)))
}

async fn of_owner(desk: &Desk, owner: &str, limit: usize) -> Result<Vec<Job>> {
    let (owner, mut jobs) = (queue_owner(owner), Vec::<Job>::new());
    while jobs.len() < limit {
        let before = jobs.last().map(|job| job.id.clone());
        let count = BATCH.min(limit - jobs.len());
        let queue = &desk.studio.stores.queue;
        let page = queue.list(&owner, before.as_deref(), count).await?;
        let ends = page.len() < count;
        jobs.extend(page);
        if ends {
            break;
        }
    }
    Ok(jobs)
}

fn row(job: &Job) -> Option<[String; 6]> {
    let message = &task(job)?.message;
    Some([
        job.id.clone(),
        owner(job).to_owned(),
        job.status.as_str().to_owned(),
        job.attempt.to_string(),
        message.method.clone(),
        message.url.clone(),
    ])
}

/// As the API tells it, with what it does not.
async fn told(desk: &Desk, job: &Job) -> Result<Value> {
    let Some(task) = task(job) else {
        return Ok(Value::Null);
    };
    let body = task.body.read(&desk.studio.stores.blobs).await;
    let mut told = objects::message(&job.id, &task.message, &body.unwrap_or_default());
    told["owner"] = owner(job).into();
    told["state"] = job.status.as_str().into();
    told["attempt"] = job.attempt.into();
    told["failures"] = json!(job.failures);
    Ok(told)
}

fn task(job: &Job) -> Option<&MessageTask> {
    match &job.request.task {
        Task::Message(task) => Some(task),
        _ => None,
    }
}

fn owner(job: &Job) -> &str {
    owner_of_messages(&job.owner).unwrap_or(&job.owner)
}
