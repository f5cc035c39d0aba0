//! What an operator says of an upstream.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use url::Url;

use super::{ApiKey, Unfit};
use crate::{
    dialect::{Base, Dialect},
    routing::Pattern,
};

/// What an operator says of an upstream.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    /// Unique; lower-case letters, digits and hyphens.
    pub name: String,
    /// The address that `/chat/completions` follows; left out, that of the dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<Url>,
    /// What it is.
    #[serde(default)]
    pub kind: Dialect,
    /// The environment variable that holds its key; a server of one's own may need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// The file that holds its key: the credentials of a Google service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_file: Option<PathBuf>,
    /// The key itself, or the content of that file.
    #[serde(skip)]
    pub api_key: Option<ApiKey>,
    /// Where tokens are given for the key, if not at the provider's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_url: Option<Url>,
    /// The region of watsonx.ai, or the location of Vertex AI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The project of watsonx.ai or of Google Cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The deployment space of watsonx.ai, instead of a project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space_id: Option<String>,
    /// The name of the resource at Azure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The version of the API of watsonx.ai or of Azure, if not the one that Atelier knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// The organization that pays at Hugging Face.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill_to: Option<String>,
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
    /// An upstream that does as OpenAI does, with the default settings.
    pub fn new(name: &str, base_url: Url) -> Self {
        Self {
            base_url: Some(base_url),
            ..Self::of(name, Dialect::OpenAi)
        }
    }

    /// An upstream of this dialect, with the default settings.
    pub fn of(name: &str, kind: Dialect) -> Self {
        Self {
            name: name.to_owned(),
            base_url: None,
            kind,
            api_key_env: None,
            credentials_file: None,
            api_key: None,
            token_url: None,
            region: None,
            project_id: None,
            space_id: None,
            resource: None,
            api_version: None,
            bill_to: None,
            models: Vec::new(),
            weight: one(),
            priority: 0,
            parallel: None,
            timeout: timeout(),
            first_byte: first_byte(),
        }
    }

    /// The address that paths such as `/chat/completions` follow.
    ///
    /// # Errors
    /// If a setting is missing that it is made of, or has a value that no address can have.
    pub fn base(&self) -> Result<Url, Unfit> {
        if let Some(url) = &self.base_url {
            return Ok(url.clone());
        }
        let text = match self.kind.row().base {
            Base::At(text) => text.to_owned(),
            Base::Of(made) => made(self).map_err(|setting| self.lacks(setting))?,
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:/".contains(c);
        let url = text.parse().ok().filter(|_| text.chars().all(is_plain));
        url.ok_or_else(|| Unfit::Address(self.name.clone()))
    }

    /// Says that a setting is missing.
    pub(super) fn lacks(&self, setting: &'static str) -> Unfit {
        Unfit::Missing {
            upstream: self.name.clone(),
            kind: self.kind.name(),
            setting,
        }
    }
}
