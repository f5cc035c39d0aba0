//! `atelier keys`: API keys. It works on the store directly, beside a server that may be
//! running.

use std::{cmp::Reverse, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    access::{AccessStore, Key},
    app::context::{AppContext, start_cryptography},
    app::data_dir,
    callback::outgoing_secret,
    cli::table::{lines, table},
    config::Config,
    limit::Unit,
    policies::own_quota,
};

/// What is to be done with API keys.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Make a key and print it; it is shown this once
    Create(Creation),
    /// List them, the newest first
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Make a key useless
    Revoke {
        /// The key's id, or its name if no other key has it
        #[arg(value_parser = name)]
        key: String,
    },
    /// Print the secret by which API users verify the callbacks they are sent
    CallbackSecret,
}

/// The secret by which receivers verify callbacks.
fn callback_secret(config: &Config) -> Result<String> {
    ensure!(
        config.secret.is_some() || data_dir::has_secret(&config.data),
        "there is no secret in {:?} yet. It is made when the server first starts; or set secret (ATELIER_SECRET).",
        config.data
    );
    let secret = outgoing_secret(&data_dir::secret(config)?);
    Ok(format!("{secret}\n"))
}

/// Maximum length of a key's name, in characters.
const LONGEST_NAME: usize = 100;

/// Parses a name, which must fit into a line of a table.
fn name(text: &str) -> Result<String> {
    let printable = !text.trim().is_empty() && !text.chars().any(char::is_control);
    ensure!(
        printable && text.chars().count() <= LONGEST_NAME,
        "{text:?} is no name of a key. A name has 1 to {LONGEST_NAME} printable characters."
    );
    Ok(text.to_owned())
}

/// The units by their names.
fn units() -> impl TypedValueParser<Value = Unit> {
    PossibleValuesParser::new(Unit::ALL.map(Unit::as_str)).try_map(|name| name.parse::<Unit>())
}

/// Options of a new key.
#[derive(Debug, Args)]
pub struct Creation {
    /// Whose it is, for your own memory; without it the key is called by its id
    #[arg(value_parser = name)]
    name: Option<String>,
    /// A quota of its own, instead of the limits of scope "user"
    #[arg(long)]
    quota: Option<f64>,
    /// What the quota counts
    #[arg(long, value_parser = units(), default_value = "images", requires = "quota")]
    unit: Unit,
    /// The quota's window
    #[arg(long, value_parser = humantime::parse_duration, default_value = "1d", requires = "quota")]
    window: Duration,
}

/// Runs the command. Returns what it prints.
pub async fn run(config: &Config, action: &Action) -> Result<String> {
    start_cryptography();
    match action {
        Action::Create(creation) => {
            let context = AppContext::beside(config).await?;
            create(
                &*context.stores.access,
                creation,
                context.stores.clock.now(),
            )
            .await
        }
        Action::List { json } => {
            list(&*AppContext::read_only(config).await?.stores.access, *json).await
        }
        Action::Revoke { key } => {
            let context = AppContext::beside(config).await?;
            revoke(&*context.stores.access, key, context.stores.clock.now()).await
        }
        Action::CallbackSecret => callback_secret(config),
    }
}

async fn create(store: &dyn AccessStore, creation: &Creation, now: Timestamp) -> Result<String> {
    let own = creation
        .quota
        .map(|quota| own_quota(creation.unit, quota, creation.window))
        .transpose()?;
    let (key, text) = Key::new(creation.name.as_deref(), own, now);
    store
        .put(&crate::access::digest(&text), &key)
        .await
        .context("the key cannot be kept")?;
    Ok(format!("{text}\n"))
}

async fn list(store: &dyn AccessStore, as_json: bool) -> Result<String> {
    let mut keys: Vec<Key> = store
        .keys()
        .await?
        .into_iter()
        .map(|(_, key)| key)
        .collect();
    keys.sort_by_key(|key| Reverse(key.created_at));
    if as_json {
        let rows: Vec<_> = keys.iter().map(shown).collect();
        return Ok(lines(&rows)?);
    }
    let head = ["ID", "CREATED", "REVOKED", "QUOTA", "NAME"];
    Ok(table(head, keys.iter().map(row)))
}

fn shown(key: &Key) -> serde_json::Value {
    let own = key.own.as_ref().map(|own| {
        json!({
            "quota": own.unit.amount(own.quota),
            "unit": own.unit,
            "window": humantime::format_duration(own.window).to_string(),
        })
    });
    json!({
        "id": key.id, "name": key.name, "created_at": key.created_at,
        "revoked_at": key.revoked_at, "quota": own,
    })
}

fn row(key: &Key) -> [String; 5] {
    let time = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M").to_string();
    let own = key.own.as_ref().map(|own| {
        let (quota, unit) = (own.unit.amount(own.quota), own.unit.as_str());
        let window = humantime::format_duration(own.window);
        format!("{quota} {unit} / {window}")
    });
    [
        key.id.clone(),
        time(key.created_at),
        key.revoked_at.map_or_else(|| "-".into(), time),
        own.unwrap_or_else(|| "-".into()),
        key.name.clone(),
    ]
}

async fn revoke(store: &dyn AccessStore, wanted: &str, now: Timestamp) -> Result<String> {
    let valid = |key: &Key| key.revoked_at.is_none() && (key.id == wanted || key.name == wanted);
    let keys = store.keys().await?;
    let mut found = keys.into_iter().filter(|(_, key)| valid(key));
    let Some((digest, key)) = found.next() else {
        bail!("there is no valid key {wanted:?}. `atelier keys list` names them all.")
    };
    if found.next().is_some() {
        bail!("several keys are called {wanted:?}. Revoke them by their ids.")
    }
    let revoked = Key {
        revoked_at: Some(now),
        ..key
    };
    store.put(&digest, &revoked).await?;
    Ok(format!("{} is revoked\n", revoked.id))
}
