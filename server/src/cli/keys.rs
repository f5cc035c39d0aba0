//! `atelier keys`: API keys. It works on the store directly, beside a server that may be
//! running.

mod list;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use jiff::Timestamp;

use self::list::list;
use crate::{
    access::{AccessStore, Key, ModelPattern, Scope, Terms},
    app::context::{AppContext, start_cryptography},
    app::data_dir,
    callback::outgoing_secret,
    config::Config,
    limit::{Policy, Unit, Window},
    policies::{own_limit, own_quota},
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

/// The scopes by their names.
fn scopes() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.map(Scope::as_str)).try_map(|name| name.parse::<Scope>())
}

/// Maximum length of a tag's name, in characters.
const LONGEST_TAG: usize = 50;

/// Parses a tag, whose value is held to the rules of names.
fn tag(text: &str) -> Result<(String, String)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let (tag, value) = text.split_once('=').unwrap_or_default();
    ensure!(
        (1..=LONGEST_TAG).contains(&tag.len()) && tag.chars().all(plain) && name(value).is_ok(),
        "{text:?} is no tag such as team=a. Its name has 1 to {LONGEST_TAG} letters, digits, dots, hyphens or \
         underscores, its value 1 to {LONGEST_NAME} printable characters."
    );
    Ok((tag.to_owned(), value.to_owned()))
}

/// Maximum number of models, limits and tags of one key, each.
const MOST_TERMS: usize = 50;

/// Options of a new key.
#[derive(Debug, Args)]
pub struct Creation {
    /// Whose it is, for your own memory; without it the key is called by its id
    #[arg(value_parser = name)]
    name: Option<String>,
    /// What it opens, several times for several; without it studio, gateway and messages
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scopes(), value_delimiter = ',')]
    scopes: Vec<Scope>,
    /// The only models that it may ask for, such as 'gpt-*', several times for several
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    models: Vec<ModelPattern>,
    /// A limit of its own, such as '20 usd / 1mo' (a calendar month) or '60 requests / 1m',
    /// several times for several, instead of the limits of scope "user"
    #[arg(long = "limit", value_name = "LIMIT", value_parser = own_limit)]
    limits: Vec<Policy>,
    /// How long it is valid, such as 90d; without it, until it is revoked
    #[arg(long, value_name = "PERIOD", value_parser = humantime::parse_duration)]
    expires: Option<Duration>,
    /// For your own memory, such as team=a, several times for several
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
    /// A quota of its own: as --limit, in three options
    #[arg(long)]
    quota: Option<f64>,
    /// What the quota counts
    #[arg(long, value_parser = units(), default_value = "images", requires = "quota")]
    unit: Unit,
    /// The quota's window
    #[arg(long, default_value = "1d", requires = "quota")]
    window: Window,
}

impl Creation {
    /// What the key will permit.
    fn terms(&self, now: Timestamp) -> Result<Terms> {
        Ok(Terms {
            scopes: match self.scopes.as_slice() {
                [] => Scope::usual(),
                scopes => scopes.iter().copied().collect::<BTreeSet<_>>(),
            },
            models: few("--models", self.models.clone())?,
            policies: few("--limit", self.policies()?)?,
            expires_at: self.expires.map(|period| end(now, period)).transpose()?,
            tags: self.distinct_tags()?,
        })
    }

    /// Its own limits, which must not count the same thing twice.
    fn policies(&self) -> Result<Vec<Policy>> {
        let quota = self
            .quota
            .map(|quota| own_quota(self.unit, quota, self.window))
            .transpose()?;
        let policies: Vec<_> = quota.into_iter().chain(self.limits.clone()).collect();
        let mut counted = HashSet::new();
        for policy in &policies {
            let (unit, window) = (policy.unit.as_str(), policy.window.to_string());
            ensure!(
                counted.insert((unit, window.clone())),
                "two limits count {unit} in {window}. The smaller one alone says the same."
            );
        }
        Ok(policies)
    }

    fn distinct_tags(&self) -> Result<BTreeMap<String, String>> {
        let mut tags = BTreeMap::new();
        for (tag, value) in few("--tag", self.tags.clone())? {
            let before = tags.insert(tag.clone(), value);
            ensure!(before.is_none(), "the tag {tag:?} is given twice.");
        }
        Ok(tags)
    }
}

fn few<T>(option: &str, values: Vec<T>) -> Result<Vec<T>> {
    ensure!(
        values.len() <= MOST_TERMS,
        "{option} is given {} times. A key takes at most {MOST_TERMS}.",
        values.len()
    );
    Ok(values)
}

/// When a key ends that is valid for this long.
fn end(now: Timestamp, period: Duration) -> Result<Timestamp> {
    ensure!(
        !period.is_zero(),
        "--expires is 0: the key would never be valid."
    );
    now.checked_add(period)
        .context("--expires is too long. Leave it out for a key that does not end.")
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
    let (key, text) = Key::new(creation.name.as_deref(), creation.terms(now)?, now);
    store
        .put(&crate::access::digest(&text), &key)
        .await
        .context("the key cannot be kept")?;
    Ok(format!("{text}\n"))
}

async fn revoke(store: &dyn AccessStore, wanted: &str, now: Timestamp) -> Result<String> {
    let ended = |key: &Key| key.terms.expires_at.is_some_and(|end| end <= now);
    let named = |key: &Key| key.id == wanted || (key.name == wanted && !ended(key));
    let valid = |key: &Key| key.revoked_at.is_none() && named(key);
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
