//! `atelier schedules`: messages that are published again and again.

use anyhow::{Result, bail};
use atelier_messages::{Schedule, objects};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Desk, Of, Shown};
use crate::{
    cli::table::{lines, table},
    config::Config,
    messages::{Template, next},
};

/// What is to be done with schedules.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List them, the newest first of each owner
    List(Shown),
    /// Show one as JSON
    Show(One),
    /// Publish nothing of it until it is resumed
    Pause(One),
    /// Go on publishing it
    Resume(One),
    /// Delete it
    Delete(One),
}

/// A schedule.
#[derive(Debug, Args)]
pub struct One {
    /// Its id
    id: String,
    #[command(flatten)]
    of: Of,
}

/// Runs the command. Returns what it prints.
pub async fn run(config: &Config, action: &Action) -> Result<String> {
    let reads = matches!(action, Action::List(_) | Action::Show(_));
    let desk = Desk::open(config, !reads).await?;
    match action {
        Action::List(shown) => list(&desk, shown).await,
        Action::Show(one) => Ok(told(&find(&desk, one).await?).to_string() + "\n"),
        Action::Pause(one) => pause(&desk, one, true).await,
        Action::Resume(one) => pause(&desk, one, false).await,
        Action::Delete(one) => {
            let owner = find(&desk, one).await?.owner;
            let messages = &desk.studio.stores.messages;
            messages.remove_schedule(&owner, &one.id).await?;
            Ok(format!("{} is deleted\n", one.id))
        }
    }
}

async fn pause(desk: &Desk, one: &One, paused: bool) -> Result<String> {
    let schedule = find(desk, one).await?;
    let next = next(&schedule, desk.studio.stores.clock.now());
    let messages = &desk.studio.stores.messages;
    messages
        .pause_schedule(&schedule.owner, &one.id, paused, next)
        .await?;
    let done = if paused { "paused" } else { "resumed" };
    Ok(format!("{} is {done}\n", one.id))
}

async fn list(desk: &Desk, shown: &Shown) -> Result<String> {
    let mut all = Vec::new();
    for owner in desk.owners(&shown.of).await? {
        all.extend(desk.studio.stores.messages.schedules(&owner).await?);
    }
    if shown.json {
        let all: Vec<_> = all.iter().map(told).collect();
        return Ok(lines(&all)?);
    }
    let head = ["ID", "OWNER", "CRON", "NEXT", "DESTINATION"];
    Ok(table(head, all.iter().map(row)))
}

fn row(schedule: &Schedule) -> [String; 5] {
    let given = &schedule.given;
    let next = match given.next {
        _ if schedule.paused => "paused".into(),
        Some(next) => format!("{next:.0}"),
        None => "never".into(),
    };
    [
        given.id.clone(),
        schedule.owner.clone(),
        given.cron.clone(),
        next,
        given.destination.clone(),
    ]
}

/// The schedule with that id, whoever has it.
async fn find(desk: &Desk, one: &One) -> Result<Schedule> {
    let mut found = Vec::new();
    for owner in desk.owners(&one.of).await? {
        found.extend(
            desk.studio
                .stores
                .messages
                .schedule(&owner, &one.id)
                .await?,
        );
    }
    match found.pop() {
        Some(only) if found.is_empty() => Ok(only),
        Some(_) => bail!(
            "several owners have a schedule {:?}. Name one with --owner.",
            one.id
        ),
        None => bail!(
            "there is no schedule {:?}. `atelier schedules list` names them all.",
            one.id
        ),
    }
}

/// As the API tells it.
fn told(schedule: &Schedule) -> Value {
    let body = Template::of(schedule).map(|template| template.body.recorded().unwrap_or_default());
    let mut told = objects::schedule(schedule, &body.unwrap_or_default(), &[]);
    told["owner"] = schedule.owner.as_str().into();
    told
}
