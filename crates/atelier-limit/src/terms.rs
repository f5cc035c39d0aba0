//! The terms of a policy, named as in configurations and JSON.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::policy::MAX_PARTS;

/// Who shares one quota.
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
    /// What language models read and write, as their provider counts it: estimated first
    /// and settled later.
    Tokens,
    /// US dollars: the cost of a call, estimated first and settled later.
    Usd,
}

/// How a quota renews. [`Rule`](crate::Rule) has the arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// A quota per window; windows begin at multiples of their length since the Unix
    /// epoch, or with the month.
    FixedWindow,
    /// A quota for the last window's length at any moment, by the weighted two-bucket
    /// estimate.
    SlidingWindow,
    /// A bucket that fills evenly.
    TokenBucket,
}

/// How to treat a request while the store is unreachable.
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
    pub const ALL: [Self; 4] = [Self::Requests, Self::Images, Self::Tokens, Self::Usd];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Images => "images",
            Self::Tokens => "tokens",
            Self::Usd => "usd",
        }
    }

    /// The number of parts of one unit: a million for a dollar, one for all others.
    pub const fn parts(self) -> u64 {
        match self {
            Self::Requests | Self::Images | Self::Tokens => 1,
            Self::Usd => 1_000_000,
        }
    }

    /// Converts parts to an amount of the unit.
    pub const fn amount(self, parts: u64) -> f64 {
        parts as f64 / self.parts() as f64
    }

    /// Converts an amount of the unit to parts. Only dollars are divided.
    ///
    /// # Errors
    /// If the amount cannot be counted exactly.
    pub fn parts_of(self, amount: f64) -> Result<u64, InvalidAmount> {
        let parts = amount * self.parts() as f64;
        if !(0.0..=MAX_PARTS as f64).contains(&parts) {
            return Err(InvalidAmount::OutOfRange);
        }
        if self != Self::Usd && parts.fract() != 0.0 {
            return Err(InvalidAmount::Fraction);
        }
        Ok(parts.round() as u64)
    }

    /// The default while the store is unreachable: money and tokens, which cost money, are
    /// not spent uncounted; all else is allowed.
    pub(super) const fn on_error(self) -> OnError {
        match self {
            Self::Requests | Self::Images => OnError::Allow,
            Self::Tokens | Self::Usd => OnError::Deny,
        }
    }
}

/// An amount that cannot be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAmount {
    /// Less than nothing, or more than can be counted exactly.
    #[error("is negative or too large")]
    OutOfRange,
    /// Part of what is only counted whole.
    #[error("is not a whole number")]
    Fraction,
}

/// The text is not the name of a unit.
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
    fn only_dollars_are_divided() {
        for (unit, amount, parts) in [
            (Unit::Usd, 0.000_001, Ok(1)),
            (Unit::Usd, 0.000_000_4, Ok(0)),
            (Unit::Tokens, 3.0, Ok(3)),
            (Unit::Tokens, 3.5, Err(InvalidAmount::Fraction)),
            (Unit::Images, -1.0, Err(InvalidAmount::OutOfRange)),
            (Unit::Usd, 1e10, Err(InvalidAmount::OutOfRange)),
            (Unit::Requests, f64::NAN, Err(InvalidAmount::OutOfRange)),
        ] {
            assert_eq!(unit.parts_of(amount), parts, "{amount} {unit:?}");
        }
    }

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
