//! The configuration: `config.default.toml`, then the file named by
//! `ATELIER_CONFIG`, then the environment. Nothing else reads either.

mod bounds;
mod check;
mod estimates;
mod gateway;
mod messages;
mod pictures;
mod print;
mod studio;
mod traffic;
#[cfg(test)]
mod tests;

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};
use atelier_gateway::{routing::ModelConfig, upstream::UpstreamConfig};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use toml::{Table, Value};
use url::Url;

pub use self::estimates::{Estimate, Prices, find_estimate};
pub use self::gateway::{CacheMode, CacheScope, GatewayConfig};
pub use self::messages::{MessagesConfig, MessagesTestingConfig};
pub use self::pictures::{ModelName, PicturePrice, find_price};
pub use self::studio::{PresetConfig, StudioConfig, StyleConfig};
pub use self::traffic::{CallbacksConfig, ConnectionsConfig, RefusalsConfig};
use crate::{
    access::{Subject, Unfit},
    limit::Policy,
    store::redis::RedisUrl,
};

const DEFAULTS: &str = include_str!("../../config.default.toml");

/// The effective configuration. Each setting is explained in `config.default.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: SocketAddr,
    pub data: PathBuf,
    pub log: String,
    #[serde(
        default,
        serialize_with = "print::redis_url",
        deserialize_with = "redis_url"
    )]
    pub redis_url: Option<RedisUrl>,
    pub public_url: Option<Url>,
    #[serde(serialize_with = "print::optional_url")]
    pub callback_url: Option<Url>,
    pub secret: Option<Secret>,
    pub admin_token: Option<Secret>,
    pub trusted_proxies: Vec<IpNet>,
    pub proxy_header: Option<ProxyHeader>,
    pub provider: Option<ProviderName>,
    pub workers: usize,
    pub limits: Vec<Policy>,
    pub cache: CacheConfig,
    pub semantic: SemanticConfig,
    pub queue: QueueConfig,
    pub photos: PhotosConfig,
    pub studio: StudioConfig,
    pub openai: OpenAiConfig,
    pub replicate: ReplicateConfig,
    pub callbacks: CallbacksConfig,
    pub refusals: RefusalsConfig,
    pub connections: ConnectionsConfig,
    pub deny: DenyConfig,
    pub figures: StatsConfig,
    pub gateway: GatewayConfig,
    pub messages: MessagesConfig,
    #[serde(default)]
    pub upstreams: Vec<UpstreamConfig>,
    #[serde(default)]
    pub models: Vec<ModelConfig>,
}

/// How an earlier picture whose prompt means the same is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// As the answer.
    Answer,
    /// As a suggestion beside the answer.
    Suggest,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderName {
    #[serde(rename = "openai")]
    OpenAi,
    Replicate,
    Local,
}

/// The header in which a proxy reports the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    XForwardedFor,
    Forwarded,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheConfig {
    #[serde(with = "atelier_store::duration")]
    pub ttl: Duration,
    pub entries: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SemanticConfig {
    pub mode: Mode,
    pub threshold: f32,
    pub entries: usize,
    pub encoder: EncoderName,
    pub model: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncoderName {
    Pocket,
    #[serde(rename = "openai")]
    OpenAi,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueConfig {
    #[serde(with = "atelier_store::duration")]
    pub lease: Duration,
    pub attempts: u32,
    #[serde(with = "atelier_store::duration")]
    pub retry_base: Duration,
    #[serde(with = "atelier_store::duration")]
    pub retry_cap: Duration,
    #[serde(with = "atelier_store::duration")]
    pub grace: Duration,
    #[serde(with = "atelier_store::duration")]
    pub keep: Duration,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhotosConfig {
    pub max_bytes: u64,
    pub max_pixels: u64,
    #[serde(with = "atelier_store::duration")]
    pub keep: Duration,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenAiConfig {
    #[serde(serialize_with = "print::url")]
    pub base_url: Url,
    pub api_key: Option<Secret>,
    pub model: String,
    pub parallel: u32,
    pub calls_per_second: Option<f64>,
    /// Number of previews while a picture is drawn.
    pub partial_images: u8,
    #[serde(with = "atelier_store::duration")]
    pub timeout: Duration,
    pub prices: Prices,
    pub estimates: Vec<Estimate>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplicateConfig {
    #[serde(serialize_with = "print::url")]
    pub base_url: Url,
    pub api_token: Option<Secret>,
    pub webhook_secret: Option<Secret>,
    pub image_model: String,
    pub restoration_model: String,
    pub parallel: u32,
    pub calls_per_second: Option<f64>,
    #[serde(with = "atelier_store::duration")]
    pub timeout: Duration,
    pub image_usd: f64,
    pub restoration_usd: f64,
}

/// Statistics for the operator.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatsConfig {
    #[serde(with = "atelier_store::duration")]
    pub keep: Duration,
    pub show_addresses: bool,
}

/// The configured deny list.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenyConfig {
    pub ips: Vec<String>,
    pub keys: Vec<String>,
    pub user_agents: Vec<String>,
}

impl DenyConfig {
    /// All subjects in one list.
    pub fn subjects(&self) -> Result<Vec<Subject>> {
        let ips = self.ips.iter().map(|text| Subject::ip(text));
        let keys = self.keys.iter().map(|text| Subject::key(text));
        let programs = self
            .user_agents
            .iter()
            .map(|text| Subject::user_agent(text));
        let all: Result<_, Unfit> = ips.chain(keys).chain(programs).collect();
        all.context("the section [deny]")
    }
}

/// A text that is never logged or printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(print::REDACTED)
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(print::REDACTED)
    }
}

/// How an environment variable is parsed.
enum Form {
    Text,
    Number,
    List,
}

/// All environment variables, with their settings.
const ENVIRONMENT: &[(&str, &str, Form)] = &[
    ("ATELIER_LISTEN", "listen", Form::Text),
    ("ATELIER_DATA", "data", Form::Text),
    ("RUST_LOG", "log", Form::Text),
    ("ATELIER_REDIS_URL", "redis_url", Form::Text),
    ("ATELIER_PUBLIC_URL", "public_url", Form::Text),
    ("ATELIER_CALLBACK_URL", "callback_url", Form::Text),
    ("ATELIER_SECRET", "secret", Form::Text),
    ("ATELIER_ADMIN_TOKEN", "admin_token", Form::Text),
    ("ATELIER_TRUSTED_PROXIES", "trusted_proxies", Form::List),
    ("ATELIER_PROVIDER", "provider", Form::Text),
    ("ATELIER_WORKERS", "workers", Form::Number),
    ("OPENAI_API_KEY", "openai.api_key", Form::Text),
    ("OPENAI_BASE_URL", "openai.base_url", Form::Text),
    ("REPLICATE_API_TOKEN", "replicate.api_token", Form::Text),
    ("REPLICATE_BASE_URL", "replicate.base_url", Form::Text),
    (
        "REPLICATE_WEBHOOK_SECRET",
        "replicate.webhook_secret",
        Form::Text,
    ),
];

/// Documented variables that this version does not support yet: refused at start rather
/// than silently ignored.
const NOT_YET: &[(&str, &str)] = &[(
    "ATELIER_BLOBS",
    "this version keeps pictures in the data folder",
)];

impl Config {
    /// Reads the configuration. `environment` looks a variable up; empty
    /// values count as unset.
    pub fn load(environment: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        for (name, reason) in NOT_YET {
            ensure!(
                variable(name).is_none(),
                "{name} is set, but {reason}. Unset it."
            );
        }
        let mut settings: Table = DEFAULTS.parse().context("config.default.toml")?;
        if let Some(path) = variable("ATELIER_CONFIG") {
            let text = std::fs::read_to_string(&path).with_context(|| {
                format!("cannot read the configuration file {path:?} named by ATELIER_CONFIG")
            })?;
            let file = text
                .parse()
                .with_context(|| format!("the configuration file {path:?} is not TOML"))?;
            merge(&mut settings, file);
        }
        for (name, path, form) in ENVIRONMENT {
            if let Some(value) = variable(name) {
                let value = form
                    .value(&value)
                    .with_context(|| format!("the environment variable {name}"))?;
                set(&mut settings, path, value);
            }
        }
        let mut config: Self = Value::Table(settings).try_into().map_err(explain)?;
        config.read_keys(variable)?;
        config.check()?;
        Ok(config)
    }

    /// The provider of whatever no list of models is given for.
    fn provider(&self) -> ProviderName {
        let default = if self.openai.api_key.is_some() {
            ProviderName::OpenAi
        } else {
            ProviderName::Local
        };
        self.provider.unwrap_or(default)
    }
}

impl Form {
    fn value(&self, text: &str) -> Result<Value> {
        Ok(match self {
            Self::Text => Value::String(text.to_owned()),
            Self::Number => Value::Integer(
                text.parse()
                    .with_context(|| format!("{text:?} is not a whole number"))?,
            ),
            Self::List => Value::Array(
                text.split(',')
                    .map(|item| Value::String(item.trim().to_owned()))
                    .collect(),
            ),
        })
    }
}

/// Merges `over` into `base`: tables key by key, everything else is replaced.
fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn set(settings: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            settings.insert(path.to_owned(), value);
        }
        Some((head, rest)) => {
            if let Value::Table(table) = settings
                .entry(head)
                .or_insert_with(|| Value::Table(Table::new()))
            {
                set(table, rest, value);
            }
        }
    }
}

/// The store does not know what its address is called here.
fn redis_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RedisUrl>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let url = text.map(|text| text.parse()).transpose();
    url.map_err(|error| D::Error::custom(format!("redis_url (ATELIER_REDIS_URL): {error}")))
}

#[expect(clippy::needless_pass_by_value, reason = "reads best in map_err")]
fn explain(error: toml::de::Error) -> anyhow::Error {
    let message = error.to_string();
    let message = message.trim().replace('\n', " ");
    anyhow::anyhow!(
        "the configuration is not valid: {message}. Every setting is explained in config.default.toml."
    )
}
