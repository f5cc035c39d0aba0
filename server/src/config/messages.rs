//! Settings of messages, the HTTP calls that are made durably.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::{
    Config,
    bounds::{duration, within},
};

/// How many messages there may be, how large, and for how long.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessagesConfig {
    /// Maximum number of calls at a time, over all processes.
    pub parallel: u32,
    /// Maximum number of calls of one owner to one host at a time.
    pub per_host: u32,
    /// Bytes.
    pub max_body: u64,
    /// Bytes of an answer that are read and kept.
    pub max_answer: u64,
    /// How long delivered and cancelled messages are kept.
    #[serde(with = "atelier_store::duration")]
    pub keep: Duration,
    /// How long an id for deduplication names its message.
    #[serde(with = "atelier_store::duration")]
    pub dedup_window: Duration,
    #[serde(with = "atelier_store::duration")]
    pub events_keep: Duration,
    /// For a call whose publisher does not say how long it may take.
    #[serde(with = "atelier_store::duration")]
    pub timeout: Duration,
    #[serde(with = "atelier_store::duration")]
    pub max_timeout: Duration,
    pub max_retries: u32,
    #[serde(with = "atelier_store::duration")]
    pub max_delay: Duration,
    /// Of one batch.
    pub max_batch: usize,
    /// Of one owner.
    pub max_schedules: usize,
    /// Of one owner.
    pub max_queues: usize,
    /// Flow control keys of one owner that are pinned or paused.
    pub max_flows: usize,
    /// Of one owner.
    pub max_groups: usize,
    /// Of one group.
    pub max_endpoints: usize,
    /// Whether messages may go into private networks.
    pub allow_private: bool,
    #[serde(default, skip_serializing_if = "MessagesTestingConfig::is_empty")]
    pub testing: MessagesTestingConfig,
}

/// Stand-ins for hosts of the internet, for tests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MessagesTestingConfig {
    /// Where the hosts with these names are reached, whatever their ports.
    pub resolve: BTreeMap<String, SocketAddr>,
    /// A file of certificates (PEM) that are trusted besides the public ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

impl MessagesTestingConfig {
    /// Whether there are no stand-ins.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);
const MB: u64 = 1_000_000;
const COUNT: std::ops::RangeInclusive<usize> = 1..=100_000;

impl Config {
    pub(super) fn check_messages(&self) -> Result<()> {
        let messages = &self.messages;
        within("messages.parallel", messages.parallel, 1..=10_000)?;
        within("messages.per_host", messages.per_host, 1..=10_000)?;
        within("messages.max_body", messages.max_body, 1..=100 * MB)?;
        within("messages.max_answer", messages.max_answer, 1..=100 * MB)?;
        let days = SECOND..=366 * DAY;
        duration("messages.keep", messages.keep, days.clone())?;
        duration("messages.dedup_window", messages.dedup_window, days.clone())?;
        ensure!(
            messages.keep >= messages.dedup_window,
            "messages.keep is shorter than messages.dedup_window. A duplicate is answered with the \
             message that it repeats, so messages are kept for at least as long."
        );
        duration("messages.events_keep", messages.events_keep, days.clone())?;
        duration("messages.max_timeout", messages.max_timeout, SECOND..=DAY)?;
        let timeouts = SECOND..=messages.max_timeout;
        duration("messages.timeout", messages.timeout, timeouts)?;
        within("messages.max_retries", messages.max_retries, 0..=1_000)?;
        duration("messages.max_delay", messages.max_delay, days)?;
        within("messages.max_batch", messages.max_batch, 1..=10_000)?;
        within("messages.max_schedules", messages.max_schedules, COUNT)?;
        within("messages.max_queues", messages.max_queues, COUNT)?;
        within("messages.max_flows", messages.max_flows, COUNT)?;
        within("messages.max_groups", messages.max_groups, COUNT)?;
        within("messages.max_endpoints", messages.max_endpoints, 1..=1_000)
    }
}
