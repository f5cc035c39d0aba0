//! Settings of the gateway.

use std::{collections::HashSet, time::Duration};

use anyhow::{Context as _, Result, ensure};
use atelier_gateway::{
    Listing, Price,
    routing::Pattern,
    upstream::{ApiKey, Upstream, UpstreamConfig},
};
use serde::{Deserialize, Serialize};

use super::{
    Config, Secret,
    bounds::{duration, within},
};

/// The gateway for other applications.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    pub open: bool,
    pub passthrough: bool,
    /// Bytes.
    pub max_body: u64,
    #[serde(with = "atelier_store::duration")]
    pub ping: Duration,
    #[serde(with = "atelier_store::duration")]
    pub repeats: Duration,
    /// Maximum number of asynchronous calls that each server makes at a time.
    pub jobs: u32,
    /// Whether what is said in calls is kept for the operator, and for how long.
    pub record: bool,
    #[serde(with = "atelier_store::duration")]
    pub record_keep: Duration,
    pub cache: GatewayCacheConfig,
    /// Prices before those that are shipped.
    pub prices: Vec<Price>,
}

/// Which answers are kept, for whom, and for how long.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayCacheConfig {
    pub mode: Option<CacheMode>,
    pub scope: CacheScope,
    #[serde(with = "atelier_store::duration")]
    pub ttl: Duration,
    /// Bytes.
    pub max_bytes: u64,
    pub tool_calls: bool,
    pub models: Vec<ModelCacheConfig>,
    pub keys: Vec<KeyCacheConfig>,
}

/// How answers to some keys are used again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyCacheConfig {
    /// The key's id.
    pub key: String,
    pub mode: CacheMode,
}

/// How answers of some models are used again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCacheConfig {
    pub model: Pattern,
    pub mode: CacheMode,
}

/// How answers are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheMode {
    Off,
    /// For the same request.
    Exact,
    /// Also for one that means the same.
    Semantic,
}

/// Who shares answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheScope {
    /// Nobody: each key, or each address without one, has its own.
    Key,
    /// Keys that have the same tag `owner`.
    Owner,
    /// Everybody.
    Site,
}

const TENTH: Duration = Duration::from_millis(100);
const DAY: Duration = Duration::from_hours(24);
const MB: u64 = 1_000_000;

impl Config {
    /// Reads the keys of the upstreams from the environment and from their files.
    pub(super) fn read_keys(&mut self, variable: impl Fn(&str) -> Option<String>) -> Result<()> {
        for upstream in &mut self.upstreams {
            if let Some(path) = &upstream.credentials_file {
                ensure!(
                    upstream.api_key_env.is_none(),
                    "the upstream {:?} has both api_key_env and credentials_file. Leave one out.",
                    upstream.name
                );
                let key = std::fs::read_to_string(path).with_context(|| {
                    let name = &upstream.name;
                    format!("cannot read {path:?}, the credentials_file of the upstream {name:?}")
                })?;
                upstream.api_key = Some(ApiKey::new(key.trim().to_owned()));
            }
            if let Some(name) = &upstream.api_key_env {
                let key = variable(name);
                ensure!(
                    key.is_some(),
                    "the upstream {:?} has its key in the environment variable {name}, which is not set",
                    upstream.name
                );
                upstream.api_key = key.map(ApiKey::new);
            }
        }
        Ok(())
    }

    /// The upstreams of the gateway; if none is configured, the one that the settings of
    /// OpenAI describe.
    pub fn upstreams(&self) -> Vec<UpstreamConfig> {
        let openai = &self.openai;
        let own_server = openai.base_url.host_str() != Some("api.openai.com");
        if !self.upstreams.is_empty() || (openai.api_key.is_none() && !own_server) {
            return self.upstreams.clone();
        }
        let key = openai.api_key.clone();
        vec![UpstreamConfig {
            api_key: key.map(|Secret(key)| ApiKey::new(key)),
            ..UpstreamConfig::new("openai", openai.base_url.clone())
        }]
    }

    pub(super) fn check_gateway(&self) -> Result<()> {
        let gateway = &self.gateway;
        within("gateway.max_body", gateway.max_body, 1_000..=1_000 * MB)?;
        duration("gateway.ping", gateway.ping, TENTH..=DAY)?;
        duration("gateway.repeats", gateway.repeats, TENTH..=DAY)?;
        within("gateway.jobs", gateway.jobs, 1..=10_000)?;
        duration(
            "gateway.record_keep",
            gateway.record_keep,
            TENTH..=366 * DAY,
        )?;
        let cache = &gateway.cache;
        duration("gateway.cache.ttl", cache.ttl, TENTH..=366 * DAY)?;
        within("gateway.cache.max_bytes", cache.max_bytes, 1_000..=100 * MB)?;
        for price in &gateway.prices {
            if let Err(field) = price.check() {
                anyhow::bail!("gateway.prices: {field} of {:?} is no price", price.model);
            }
        }
        self.check_upstreams()?;
        self.check_models()
    }

    fn check_upstreams(&self) -> Result<()> {
        let mut names = HashSet::new();
        for upstream in &self.upstreams {
            let name = &upstream.name;
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            ensure!(
                (1..=64).contains(&name.len()) && name.chars().all(plain),
                "upstreams.name {name:?}: a name is made of lower-case letters, digits and hyphens, 64 at most"
            );
            ensure!(
                names.insert(name),
                "there are two upstreams called {name:?}"
            );
            let setting = |field: &str| format!("upstreams.{field} of {name:?}");
            let token_url = upstream.token_url.clone().map(|url| ("token_url", url));
            let addresses = [("base_url", upstream.base()?)]
                .into_iter()
                .chain(token_url);
            for (field, url) in addresses {
                ensure!(
                    matches!(url.scheme(), "http" | "https") && url.host().is_some(),
                    "{}: {url} is no address such as \"https://api.openai.com/v1\"",
                    setting(field)
                );
                ensure!(
                    url.username().is_empty() && url.password().is_none(),
                    "{} holds a user name or a password. Name the variable of its key by api_key_env.",
                    setting(field)
                );
            }
            ensure!(
                !(upstream.models.is_empty()
                    && matches!(upstream.kind.listing(), Listing::Named(_))),
                "the upstream {name:?} is of the kind {:?}, which does not list what it serves. Name its models by models.",
                upstream.kind.name()
            );
            // What its dialect needs besides, such as a key that tokens are given for.
            Upstream::new(upstream.clone())?;
            within(&setting("weight"), upstream.weight, 1..=1_000_000)?;
            if let Some(parallel) = upstream.parallel {
                within(&setting("parallel"), parallel, 1..=1_000_000)?;
            }
            duration(&setting("timeout"), upstream.timeout, TENTH..=DAY)?;
            duration(&setting("first_byte"), upstream.first_byte, TENTH..=DAY)?;
        }
        Ok(())
    }

    fn check_models(&self) -> Result<()> {
        let mut names = HashSet::new();
        for model in &self.models {
            let name = &model.name;
            ensure!(!name.is_empty(), "models.name is empty");
            ensure!(names.insert(name), "there are two models called {name:?}");
            ensure!(
                !model.targets.is_empty(),
                "the model {name:?} has no targets"
            );
        }
        Ok(())
    }
}
