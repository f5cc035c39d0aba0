//! `atelier serve --dev-queue`: a stand-in for the development server of QStash's clients. They
//! find it by `QSTASH_DEV=1`, with credentials that everybody knows.

use std::{collections::BTreeMap, net::SocketAddr};

use anyhow::{Result, ensure};
use tracing::warn;

use crate::{
    access::{Holder, Scope},
    config::Config,
};

/// The token that the clients send in development. It is public.
pub(super) const TOKEN: &str =
    "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=";

/// The keys that receivers verify with in development: the current one and the next. They are
/// public.
pub(super) const KEYS: [&str; 2] = [
    "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
    "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
];

/// Where Atelier listens by default, and where the clients look in development.
const DEFAULT: u16 = 3000;
const EXPECTED: u16 = 8080;

/// Prepares a process that anybody on this machine may use.
pub(super) fn prepare(config: &mut Config) -> Result<()> {
    let address = config.listen;
    ensure!(
        address.ip().is_loopback(),
        "--dev-queue answers to a token and signs with keys that everybody knows, so it listens on \
         this machine alone, and not on {address}. Set listen (ATELIER_LISTEN) to 127.0.0.1:{EXPECTED}, \
         or leave --dev-queue out."
    );
    if address.port() == DEFAULT {
        config.listen = SocketAddr::new(address.ip(), EXPECTED);
    }
    // What is being developed runs on this machine.
    config.messages.allow_private = true;
    warn!(
        listen = %config.listen,
        "--dev-queue: messages are taken with QStash's public development token, signed with its \
         public keys, and delivered into private networks; never use it for anything but development"
    );
    Ok(())
}

/// Whoever sends the public token.
pub(super) fn holder() -> Holder {
    Holder {
        id: "key_development".into(),
        name: "development".into(),
        scopes: [Scope::Messages, Scope::Gateway].into(),
        models: Vec::new(),
        policies: Vec::new(),
        expires_at: None,
        tags: BTreeMap::new(),
    }
}
