//! Who may do how much. A [`Policy`] counts the cost of requests per subject
//! and window; a request is charged to every policy that applies to it in one
//! atomic step, or to none of them.

mod decide;
mod fixed_window;
mod redis;
mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use atelier_app::wire::Kind;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::{
    decide::decide,
    fixed_window::{Window, charge, refund, standing, window_start},
    redis::RedisLimiter,
    sqlite::SqliteLimiter,
};

/// The largest quota: beyond, Redis' scripts cannot count exactly.
pub const MAX_QUOTA: u64 = 1 << 53;

/// The store cannot be asked.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] crate::store::Error);

impl Error {
    /// The store is away, not broken: to try again later may help.
    pub const fn is_away(&self) -> bool {
        self.0.is_away()
    }
}

/// A quota over time. Read from the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Unique; lower-case letters, digits and hyphens.
    pub name: String,
    /// What shares one quota.
    pub scope: Scope,
    /// What is counted.
    pub unit: Unit,
    pub algorithm: Algorithm,
    /// Units per window, at most [`MAX_QUOTA`].
    pub quota: u64,
    #[serde(with = "crate::config::duration")]
    pub window: Duration,
    /// Which submissions are counted; all when left out.
    #[serde(default = "Action::all")]
    pub actions: Vec<Action>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Each IPv4 address, each IPv6 /64 network.
    Ip,
    /// The whole site together.
    Global,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// One for each submission.
    Requests,
    /// One for each picture asked for.
    Images,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// One counter per window, windows aligned to multiples of their length.
    FixedWindow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Image,
    Restoration,
}

impl Action {
    fn all() -> Vec<Self> {
        vec![Self::Image, Self::Restoration]
    }
}

impl From<Kind> for Action {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Image => Self::Image,
            Kind::Restoration => Self::Restoration,
        }
    }
}

impl From<Action> for Kind {
    fn from(action: Action) -> Self {
        match action {
            Action::Image => Self::Image,
            Action::Restoration => Self::Restoration,
        }
    }
}

impl Scope {
    /// The name used in the configuration and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Global => "global",
        }
    }
}

impl Unit {
    /// The name used in the configuration and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Images => "images",
        }
    }
}

/// What one request asks of one policy.
#[derive(Debug, Clone)]
pub struct Demand {
    pub policy: Policy,
    /// Who pays, for example an address; empty for the whole site.
    pub subject: String,
    /// Units; 0 only looks.
    pub cost: u64,
}

/// What a policy has taken, and how to give it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub policy: String,
    pub subject: String,
    pub cost: u64,
    /// Start of the window that was charged, in Unix milliseconds.
    pub window: i64,
}

/// How a subject stands with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub policy: Policy,
    pub remaining: u64,
    /// Until the quota renews.
    pub reset: Duration,
    /// The demand did not fit.
    pub violated: bool,
}

/// The answer to a request's demands.
#[derive(Debug)]
pub struct Decision {
    /// In the order of the demands.
    pub standings: Vec<Standing>,
    /// `None` when any policy was violated; then nothing was charged.
    pub receipts: Option<Vec<Receipt>>,
}

/// The demands of one submission: one per policy that applies.
pub fn demands(policies: &[Policy], kind: Kind, ip: &str, images: u32) -> Vec<Demand> {
    let applies = |policy: &&Policy| policy.actions.contains(&kind.into());
    policies
        .iter()
        .filter(applies)
        .map(|policy| Demand {
            policy: policy.clone(),
            subject: subject(policy, ip),
            cost: match policy.unit {
                Unit::Requests => 1,
                Unit::Images => u64::from(images),
            },
        })
        .collect()
}

/// One look at every policy, whatever it applies to.
pub fn looks(policies: &[Policy], ip: &str) -> Vec<Demand> {
    policies
        .iter()
        .map(|policy| Demand {
            policy: policy.clone(),
            subject: subject(policy, ip),
            cost: 0,
        })
        .collect()
}

fn subject(policy: &Policy, ip: &str) -> String {
    match policy.scope {
        Scope::Ip => ip.to_owned(),
        Scope::Global => String::new(),
    }
}

/// A store of counters. Instants are passed in.
#[async_trait]
pub trait Limiter: Send + Sync + 'static {
    /// Charges all demands, or none when one of them does not fit.
    async fn charge(&self, demands: Vec<Demand>, now: Timestamp) -> Result<Decision, Error>;
    /// Gives back what is still within its window.
    async fn refund(&self, receipts: Vec<Receipt>, now: Timestamp) -> Result<(), Error>;
    /// Forgets counters whose window has passed, where the store does not do so by itself.
    async fn sweep(&self, now: Timestamp) -> Result<(), Error>;
}
