//! The configuration as a file that can be loaded again. What is secret stands
//! in it as a comment: a placeholder that was read back would be a secret that
//! everybody knows.

use std::fmt;

use anyhow::{Context as _, Result};
use serde::Serializer;
use url::Url;

use super::Config;
use crate::store::redis::RedisUrl;

/// Stands for a secret.
pub(super) const REDACTED: &str = "(set, not shown)";

/// Follows an address whose user name and password were taken out.
const CREDENTIALS: &str = " (credentials not shown)";

impl Config {
    /// The effective configuration as TOML, which has the same meaning but for
    /// the secrets.
    ///
    /// # Errors
    /// If a value has no form in TOML.
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

/// Writes an address without its credentials.
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
    // Both fail for addresses that cannot have credentials.
    let _ = plain.set_username("");
    let _ = plain.set_password(None);
    marked(&plain, plain != *url)
}

fn marked(plain: &impl fmt::Display, has_credentials: bool) -> String {
    let mark = if has_credentials { CREDENTIALS } else { "" };
    format!("{plain}{mark}")
}
