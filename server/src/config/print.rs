//! Prints the configuration as a file that can be loaded again. Secrets are commented
//! out: a placeholder, if loaded, would be a secret that everybody knows.

use std::fmt;

use anyhow::{Context as _, Result};
use serde::Serializer;
use url::Url;

use super::Config;
use crate::store::redis::RedisUrl;

/// The placeholder for a secret.
pub(super) const REDACTED: &str = "(set, not shown)";

/// The comment after a URL whose user name and password were removed.
const CREDENTIALS: &str = " (credentials not shown)";

impl Config {
    /// Returns the effective configuration as TOML, equivalent except for the secrets.
    ///
    /// # Errors
    /// If a value cannot be written as TOML.
    pub fn to_file(&self) -> Result<String> {
        let text = toml::to_string(self).context("cannot print the configuration")?;
        let lines = text.lines().map(|line| {
            let hidden = [REDACTED, CREDENTIALS]
                .iter()
                .any(|mark| line.ends_with(&format!("{mark}\"")));
            let comment = if hidden { "# " } else { "" };
            format!("{comment}{line}\n")
        });
        Ok(lines.collect())
    }
}

/// Serializes a URL without its credentials.
pub(super) fn url<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&redacted(url))
}

/// As [`url()`], for an address that may be unset.
pub(super) fn optional_url<S: Serializer>(
    url: &Option<Url>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => serializer.serialize_some(&redacted(url)),
        None => serializer.serialize_none(),
    }
}

/// As [`optional_url`], for the address of a Redis.
pub(super) fn redis_url<S: Serializer>(
    url: &Option<RedisUrl>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => serializer.serialize_some(&marked(url, url.has_credentials())),
        None => serializer.serialize_none(),
    }
}

fn redacted(url: &Url) -> String {
    let mut plain = url.clone();
    // Both fail only for URLs that cannot have credentials.
    let _ = plain.set_username("");
    let _ = plain.set_password(None);
    marked(&plain, plain != *url)
}

fn marked(plain: &impl fmt::Display, has_credentials: bool) -> String {
    let mark = if has_credentials { CREDENTIALS } else { "" };
    format!("{plain}{mark}")
}
