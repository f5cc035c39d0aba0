//! The terms of a policy, named as in configurations and JSON.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What shares one quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Each address (an IPv6 /64 counts as one) of callers without an API key.
    Ip,
    /// Each API key.
    User,
    /// All callers together.
    Global,
    /// Each provider, for all callers together.
    Provider,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// One for each request.
    Requests,
    /// One for each picture asked for.
    Images,
    /// US dollars: what a call costs, estimated first and settled later.
    Usd,
}

/// How a quota comes back. The arithmetic is that of [`Rule`](crate::Rule).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// A quota for every window; windows begin at multiples of their length since the
    /// Unix epoch.
    FixedWindow,
    /// A quota for the last window's length at any moment, by the weighted two-bucket
    /// estimate.
    SlidingWindow,
    /// A bucket that fills evenly.
    TokenBucket,
}

/// What becomes of a request when the store cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// It is let through, uncounted.
    Allow,
    /// It is refused.
    Deny,
}

impl Scope {
    /// Its name.
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
    /// All units.
    pub const ALL: [Self; 3] = [Self::Requests, Self::Images, Self::Usd];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Images => "images",
            Self::Usd => "usd",
        }
    }

    /// How many parts one of it has: a dollar has a million, everything else is whole.
    pub const fn parts(self) -> u64 {
        match self {
            Self::Requests | Self::Images => 1,
            Self::Usd => 1_000_000,
        }
    }

    /// Returns so many parts as an amount of the unit.
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

/// A text is the name of no unit.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("no unit has this name")]
pub struct UnknownUnit;

impl FromStr for Unit {
    type Err = UnknownUnit;

    fn from_str(name: &str) -> Result<Self, UnknownUnit> {
        let named = Self::ALL.into_iter().find(|unit| unit.as_str() == name);
        named.ok_or(UnknownUnit)
    }
}

#[cfg(test)]
mod tests {
    use serde::de::{IntoDeserializer, value::Error};

    use super::*;

    #[test]
    fn names_are_those_of_configurations() {
        for scope in [Scope::Ip, Scope::User, Scope::Global, Scope::Provider] {
            let read =
                Scope::deserialize(IntoDeserializer::<Error>::into_deserializer(scope.as_str()));
            assert_eq!(read, Ok(scope));
        }
        for unit in Unit::ALL {
            let read =
                Unit::deserialize(IntoDeserializer::<Error>::into_deserializer(unit.as_str()));
            assert_eq!((read, unit.as_str().parse().ok()), (Ok(unit), Some(unit)));
        }
        assert!("pictures".parse::<Unit>().is_err());
    }
}
