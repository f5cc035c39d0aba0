//! The words of a policy, as in the configuration and in JSON.

use atelier_api::Kind;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What shares one quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Each address (an IPv6 /64 counts as one) of callers without an API key.
    Ip,
    /// Each API key.
    User,
    /// The whole site together.
    Global,
    /// Each provider.
    Provider,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// One for each submission.
    Requests,
    /// One for each picture asked for.
    Images,
    /// What the provider charges: estimated first, then as it says.
    Usd,
}

/// See [`super::Rule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    FixedWindow,
    SlidingWindow,
    TokenBucket,
}

/// What becomes of a submission when the store cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    Allow,
    Deny,
}

/// What a policy may apply to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Image,
    Restoration,
}

impl Action {
    pub(super) fn all() -> Vec<Self> {
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
            Self::User => "user",
            Self::Global => "global",
            Self::Provider => "provider",
        }
    }
}

impl Unit {
    /// The name used in the configuration and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Images => "images",
            Self::Usd => "usd",
        }
    }

    /// The parts that one of it is counted in: a dollar has a million.
    pub const fn parts(self) -> u64 {
        match self {
            Self::Requests | Self::Images => 1,
            Self::Usd => 1_000_000,
        }
    }

    /// So many parts as an amount of the unit.
    pub const fn amount(self, parts: u64) -> f64 {
        parts as f64 / self.parts() as f64
    }

    /// Money is not spent unseen; everything else is rather given away.
    pub(super) const fn on_error(self) -> OnError {
        match self {
            Self::Requests | Self::Images => OnError::Allow,
            Self::Usd => OnError::Deny,
        }
    }
}
