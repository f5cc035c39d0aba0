//! What an operator says of an upstream.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::ApiKey;
use crate::{Wire, routing::Pattern};

/// What an operator says of an upstream.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    /// Unique; lower-case letters, digits and hyphens.
    pub name: String,
    /// The address that `/chat/completions` follows.
    pub base_url: Url,
    /// What it speaks.
    #[serde(default)]
    pub kind: Wire,
    /// The environment variable that holds its key; a server of one's own may need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// The key itself.
    #[serde(skip)]
    pub api_key: Option<ApiKey>,
    /// The models that it serves; empty for those that it lists.
    #[serde(default)]
    pub models: Vec<Pattern>,
    /// Its share among upstreams of equal priority.
    #[serde(default = "one")]
    pub weight: u32,
    /// Those with lower numbers are asked first.
    #[serde(default)]
    pub priority: u32,
    /// Maximum number of calls in flight, over all processes on one Redis. Without it each
    /// process has so many as [`Upstream::PARALLEL`](crate::upstream::Upstream::PARALLEL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<u32>,
    /// Maximum time of a call, from its first byte to its last.
    #[serde(default = "timeout", with = "atelier_store::duration")]
    pub timeout: Duration,
    /// Maximum time to the first byte of an answer.
    #[serde(default = "first_byte", with = "atelier_store::duration")]
    pub first_byte: Duration,
}

const fn one() -> u32 {
    1
}

const fn timeout() -> Duration {
    Duration::from_secs(600)
}

const fn first_byte() -> Duration {
    Duration::from_secs(60)
}

impl UpstreamConfig {
    /// An upstream with the default settings.
    pub fn new(name: &str, base_url: Url) -> Self {
        Self {
            name: name.to_owned(),
            base_url,
            kind: Wire::OpenAi,
            api_key_env: None,
            api_key: None,
            models: Vec::new(),
            weight: one(),
            priority: 0,
            parallel: None,
            timeout: timeout(),
            first_byte: first_byte(),
        }
    }
}
