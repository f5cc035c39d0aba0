//! Policies as operators write them, and their validation.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Algorithm, OnError, Receipt, Rule, Scope, Unit, Window};
use atelier_store::milliseconds;

/// Maximum number of parts; beyond it, Redis' scripts cannot count exactly.
pub const MAX_PARTS: u64 = 1 << 53;

/// Maximum window: a year and a day.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// A quota over time. Read from the configuration; amounts are in the unit's
/// parts (see [`Unit::parts`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Policy {
    /// Unique; lower-case letters, digits and hyphens.
    pub name: String,
    /// Who shares one quota.
    pub scope: Scope,
    /// What is counted.
    pub unit: Unit,
    /// How the quota renews.
    pub algorithm: Algorithm,
    /// Parts per window.
    pub quota: u64,
    /// 1 second to 366 days, or a calendar month.
    pub window: Window,
    /// Maximum that can be charged at once, in parts: the bucket's size, or the quota.
    pub burst: u64,
    /// Which actions are counted; empty for all. The program chooses their names.
    pub actions: Vec<String>,
    /// How to treat requests while the store is unreachable.
    pub on_error: OnError,
    /// How its counters move.
    pub(super) rule: Rule,
    /// The prefix of its counters' keys.
    pub(super) prefix: String,
}

/// A policy as written in the configuration.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    scope: Scope,
    unit: Unit,
    algorithm: Algorithm,
    quota: f64,
    window: Window,
    #[serde(skip_serializing_if = "Option::is_none")]
    burst: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<Vec<String>>,
    on_error: Option<OnError>,
}

/// Why a policy is invalid.
#[derive(Debug, thiserror::Error)]
#[error("the limit {name:?}: {fault}")]
pub struct InvalidPolicy {
    name: String,
    fault: String,
}

impl Policy {
    /// Creates a policy for all actions. A token bucket's size is its quota. While the store
    /// is unreachable, requests pass uncounted, unless the unit is money or tokens.
    ///
    /// # Errors
    /// If a value is not allowed; the error names it.
    pub fn new(
        name: &str,
        scope: Scope,
        unit: Unit,
        algorithm: Algorithm,
        quota: f64,
        window: impl Into<Window>,
    ) -> Result<Self, InvalidPolicy> {
        Self::try_from(Written {
            name: name.into(),
            scope,
            unit,
            algorithm,
            quota,
            window: window.into(),
            burst: None,
            actions: None,
            on_error: None,
        })
    }

    /// Sets how to treat requests while the store is unreachable.
    #[must_use]
    pub fn with_on_error(self, on_error: OnError) -> Self {
        Self { on_error, ..self }
    }

    /// Whether the policy counts this action.
    pub fn counts(&self, action: &str) -> bool {
        self.actions.is_empty() || self.actions.iter().any(|counted| counted == action)
    }

    /// Whether the receipt is from this policy.
    pub fn gave(&self, receipt: &Receipt) -> bool {
        receipt.key.starts_with(&self.prefix)
    }

    /// The prefix of its counters' keys.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// How its counters move.
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    fn check(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(plain) {
            return Err(
                "a name is made of lower-case letters, digits and hyphens, 64 at most.".into(),
            );
        }
        let length = self.window.longest();
        if length < Duration::from_secs(1) || length > LONGEST {
            return Err("its window must be at least \"1s\" and at most \"366d\".".into());
        }
        if self.window == Window::Month && self.algorithm != Algorithm::FixedWindow {
            return Err(
                "its window is \"1mo\", a calendar month, which only a fixed_window can be. \
                        Use \"30d\"."
                    .into(),
            );
        }
        match self.rule {
            Rule::TokenBucket { refill: 0, .. } => {
                Err("its quota is 0, so its bucket would never fill. Use another algorithm.".into())
            }
            Rule::TokenBucket { size, .. } if size < self.unit.parts() => {
                Err("its burst is below 1: nothing would ever be let through.".into())
            }
            Rule::TokenBucket { size, period, .. }
                if u128::from(size) * u128::from(period) > u128::from(MAX_PARTS) =>
            {
                Err("its burst and window are too large to be counted exactly. \
                     Choose smaller ones, or rounder numbers."
                    .into())
            }
            _ => Ok(()),
        }
    }
}

/// The same ratio in lowest terms.
fn reduced(a: u64, b: u64) -> (u64, u64) {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1), b / x.max(1))
}

impl TryFrom<Written> for Policy {
    type Error = InvalidPolicy;

    fn try_from(written: Written) -> Result<Self, InvalidPolicy> {
        let name = written.name.clone();
        written
            .checked()
            .map_err(|fault| InvalidPolicy { name, fault })
    }
}

impl Written {
    fn rule(&self, quota: u64, burst: u64) -> Rule {
        let length = milliseconds(self.window.longest()).max(1);
        match self.algorithm {
            Algorithm::FixedWindow if self.window == Window::Month => Rule::CalendarMonth { quota },
            Algorithm::FixedWindow => Rule::FixedWindow { quota, length },
            Algorithm::SlidingWindow => Rule::SlidingWindow { quota, length },
            Algorithm::TokenBucket => {
                let (refill, period) = reduced(quota, length.unsigned_abs());
                Rule::TokenBucket {
                    size: burst,
                    refill,
                    period,
                }
            }
        }
    }

    /// A policy of another shape has other counters, and so starts afresh; a changed quota
    /// of a window, or a changed burst, applies at once.
    fn prefix(&self) -> String {
        let shape = match self.algorithm {
            Algorithm::FixedWindow => "f".to_owned(),
            Algorithm::SlidingWindow => "s".to_owned(),
            Algorithm::TokenBucket => format!("b{}/", self.quota),
        };
        let unit = &self.unit.as_str()[..1];
        let window = match self.window {
            Window::Span(length) => length.as_millis().to_string(),
            Window::Month => self.window.to_string(),
        };
        format!("{}:{unit}{shape}{window}:", self.name)
    }

    fn checked(self) -> Result<Policy, String> {
        if self.actions.as_ref().is_some_and(Vec::is_empty) {
            return Err("its actions are empty. Leave them out for all.".into());
        }
        let parts = |amount, name| {
            let parts = self.unit.parts_of(amount);
            parts.map_err(|fault| format!("its {name} {fault}."))
        };
        let quota = parts(self.quota, "quota")?;
        let bucket = self.algorithm == Algorithm::TokenBucket;
        let burst = match self.burst.filter(|_| bucket) {
            Some(burst) => parts(burst, "burst")?,
            None => quota,
        };
        let policy = Policy {
            rule: self.rule(quota, burst),
            prefix: self.prefix(),
            name: self.name,
            scope: self.scope,
            unit: self.unit,
            algorithm: self.algorithm,
            quota,
            window: self.window,
            burst,
            actions: self.actions.unwrap_or_default(),
            on_error: self.on_error.unwrap_or_else(|| self.unit.on_error()),
        };
        policy.check().map(|()| policy)
    }
}

impl From<Policy> for Written {
    fn from(policy: Policy) -> Self {
        let bucket = policy.algorithm == Algorithm::TokenBucket;
        Self {
            quota: policy.unit.amount(policy.quota),
            burst: bucket.then(|| policy.unit.amount(policy.burst)),
            name: policy.name,
            scope: policy.scope,
            unit: policy.unit,
            algorithm: policy.algorithm,
            window: policy.window,
            actions: Some(policy.actions).filter(|actions| !actions.is_empty()),
            on_error: Some(policy.on_error),
        }
    }
}

#[cfg(test)]
mod tests;
