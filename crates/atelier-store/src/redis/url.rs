//! The address of Redis.

use std::{fmt, str::FromStr, sync::Arc};

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _};
use serde::Deserialize;

/// One or more addresses, such as `redis://localhost` or
/// `rediss://:password@host:6380/0`; several, separated by commas, are nodes
/// of one cluster. Printed without its password.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct RedisUrl {
    nodes: Arc<[ConnectionInfo]>,
    /// Without user names and passwords.
    shown: Arc<str>,
    has_credentials: bool,
}

/// The text is not a [`RedisUrl`].
#[derive(Debug, thiserror::Error)]
#[error(
    "this is no address of a Redis ({0}). Write redis://HOST:PORT, with TLS and a password \
     rediss://:PASSWORD@HOST:PORT, and several nodes of a cluster with commas between them. \
     Special characters in a password are percent-encoded"
)]
pub struct Malformed(String);

impl RedisUrl {
    pub(super) fn nodes(&self) -> &[ConnectionInfo] {
        &self.nodes
    }

    /// Whether it contains a user name or a password, which printing omits.
    pub fn has_credentials(&self) -> bool {
        self.has_credentials
    }
}

impl FromStr for RedisUrl {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let nodes = text
            .split(',')
            .map(|one| one.trim().into_connection_info())
            .collect::<Result<Arc<[_]>, _>>()
            // The message must not quote the text, which may contain a password.
            .map_err(|error| Malformed(error.to_string()))?;
        let shown: Vec<String> = nodes.iter().map(show).collect();
        let has_credentials = nodes.iter().any(|node| {
            let settings = node.redis_settings();
            settings.username().is_some() || settings.password().is_some()
        });
        Ok(Self {
            nodes,
            shown: shown.join(",").into(),
            has_credentials,
        })
    }
}

impl TryFrom<String> for RedisUrl {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

fn show(node: &ConnectionInfo) -> String {
    let scheme = match node.addr() {
        ConnectionAddr::TcpTls { .. } => "rediss",
        ConnectionAddr::Unix(_) => "unix",
        _ => "redis",
    };
    let database = node.redis_settings().db();
    format!("{scheme}://{}/{database}", node.addr())
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_their_secrets() {
        for (text, shown) in [
            ("redis://localhost", "redis://localhost:6379/0"),
            ("rediss://me:s3cret@host:6380/2", "rediss://host:6380/2"),
            (
                "redis://:s3cret@a:1, redis://:s3cret@b:2",
                "redis://a:1/0,redis://b:2/0",
            ),
        ] {
            let url: RedisUrl = text.parse().unwrap();
            assert_eq!(format!("{url} {url:?}"), format!("{shown} {shown}"));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_quoted() {
        for text in [
            "",
            "s3cret",
            "http://:s3cret@host",
            "redis://:s3cret@host/zero",
            "redis://:s3cret@host:port",
            "redis://:s3cret@",
            "redis://a,,redis://b",
        ] {
            let refusal = text.parse::<RedisUrl>().unwrap_err().to_string();
            assert!(refusal.contains("redis://HOST:PORT"), "{refusal}");
            assert!(!refusal.contains("s3cret"), "{refusal}");
        }
    }
}
