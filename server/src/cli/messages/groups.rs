//! `atelier groups`: URLs that messages are published to together.

use anyhow::{Result, bail};
use atelier_messages::Group;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{Desk, Of, Shown};
use crate::{
    cli::table::{lines, table},
    config::Config,
};

/// What is to be done with URL groups.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List them by name
    List(Shown),
    /// Show one as JSON
    Show {
        /// Its name
        name: String,
        #[command(flatten)]
        of: Of,
    },
    /// Delete one
    Delete {
        /// Its name
        name: String,
        #[command(flatten)]
        of: Of,
    },
}

/// Runs the command. Returns what it prints.
pub async fn run(config: &Config, action: &Action) -> Result<String> {
    let desk = Desk::open(config, matches!(action, Action::Delete { .. })).await?;
    match action {
        Action::List(shown) => list(&desk, shown).await,
        Action::Show { name, of } => {
            let (owner, group) = find(&desk, name, of).await?;
            Ok(told(&owner, &group).to_string() + "\n")
        }
        Action::Delete { name, of } => {
            let (owner, _) = find(&desk, name, of).await?;
            desk.studio
                .stores
                .messages
                .remove_group(&owner, name)
                .await?;
            Ok(format!("{name} is deleted\n"))
        }
    }
}

async fn list(desk: &Desk, shown: &Shown) -> Result<String> {
    let mut all = Vec::new();
    for owner in desk.owners(&shown.of).await? {
        let groups = desk.studio.stores.messages.groups(&owner).await?;
        all.extend(groups.into_iter().map(|group| (owner.clone(), group)));
    }
    if shown.json {
        let all: Vec<_> = all
            .iter()
            .map(|(owner, group)| told(owner, group))
            .collect();
        return Ok(lines(&all)?);
    }
    let rows = all.iter().map(|(owner, group)| {
        let urls = group.endpoints.iter().map(|one| one.url.as_str());
        let urls: Vec<_> = urls.collect();
        [group.name.clone(), owner.clone(), urls.join(" ")]
    });
    Ok(table(["NAME", "OWNER", "URLS"], rows))
}

/// The group of that name, with its owner.
async fn find(desk: &Desk, name: &str, of: &Of) -> Result<(String, Group)> {
    let mut found = Vec::new();
    for owner in desk.owners(of).await? {
        let group = desk.studio.stores.messages.group(&owner, name).await?;
        found.extend(group.map(|group| (owner, group)));
    }
    match found.pop() {
        Some(only) if found.is_empty() => Ok(only),
        Some(_) => bail!("several owners have a group {name:?}. Name one with --owner."),
        None => bail!("there is no group {name:?}. `atelier groups list` names them all."),
    }
}

fn told(owner: &str, group: &Group) -> Value {
    json!({
        "name": group.name,
        "owner": owner,
        "createdAt": group.created_at.as_millisecond(),
        "updatedAt": group.updated_at.as_millisecond(),
        "endpoints": group.endpoints,
    })
}
