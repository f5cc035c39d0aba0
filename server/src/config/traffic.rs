//! Settings for connections and callbacks.

use std::{ops::RangeInclusive, time::Duration};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{
    Config,
    bounds::{duration, within},
};

/// Who may request callbacks, to which hosts, and how often.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbacksConfig {
    pub open: bool,
    pub allow_private: bool,
    /// Maximum number of orders with a callback per caller and hour.
    pub per_hour: u32,
    /// Maximum number of concurrent notices to one host.
    pub parallel: u32,
    /// Maximum number of notices per second to one host.
    pub per_second: f64,
    #[serde(with = "atelier_store::duration")]
    pub timeout: Duration,
}

/// How many refusals one caller may have.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusalsConfig {
    pub quota: u32,
    #[serde(with = "atelier_store::duration")]
    pub window: Duration,
}

/// Limits on the number and time of connections.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionsConfig {
    pub most: u32,
    pub per_address: u32,
    /// Maximum number of waiting polls per address or API key.
    pub polls: u32,
    #[serde(with = "atelier_store::duration")]
    pub head: Duration,
    #[serde(with = "atelier_store::duration")]
    pub idle: Duration,
    #[serde(with = "atelier_store::duration")]
    pub body: Duration,
    /// Bytes per second.
    pub body_rate: u32,
    #[serde(with = "atelier_store::duration")]
    pub write: Duration,
}

const COUNT: RangeInclusive<u32> = 1..=1_000_000;
const TENTH: Duration = Duration::from_millis(100);
const HOUR: Duration = Duration::from_secs(60 * 60);
const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl Config {
    pub(super) fn check_traffic(&self) -> Result<()> {
        let callbacks = &self.callbacks;
        within("callbacks.per_hour", callbacks.per_hour, COUNT)?;
        within("callbacks.parallel", callbacks.parallel, 1..=64)?;
        within("callbacks.per_second", callbacks.per_second, 0.01..=1000.0)?;
        let timeouts = TENTH..=Duration::from_secs(60);
        duration("callbacks.timeout", callbacks.timeout, timeouts)?;
        within("refusals.quota", self.refusals.quota, COUNT)?;
        let windows = Duration::from_secs(1)..=YEAR;
        duration("refusals.window", self.refusals.window, windows)?;
        self.check_connections()
    }

    fn check_connections(&self) -> Result<()> {
        let connections = &self.connections;
        within("connections.most", connections.most, COUNT)?;
        within("connections.per_address", connections.per_address, COUNT)?;
        within("connections.polls", connections.polls, COUNT)?;
        within("connections.body_rate", connections.body_rate, COUNT)?;
        duration("connections.head", connections.head, TENTH..=HOUR)?;
        duration("connections.idle", connections.idle, TENTH..=HOUR)?;
        duration("connections.body", connections.body, TENTH..=HOUR)?;
        duration("connections.write", connections.write, TENTH..=HOUR)
    }
}
