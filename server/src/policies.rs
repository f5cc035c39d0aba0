//! Policies that apply whatever limits an operator configures.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Deserialize as _;
use tracing::error;

use crate::limit::{
    Algorithm, Demand, Error, InvalidPolicy, InvalidWindow, Limiter, OnError, Policy, Receipt,
    Scope, Unit, Window,
};

/// Names the policy that an API key's own quota makes, and begins the names of those that
/// its further limits make.
pub const OWN_QUOTA: &str = "key-quota";

/// Names the policy that limits the callbacks of a caller.
pub const CALLBACKS: &str = "callbacks";

/// Names the policy that blocks callers whose orders are refused too often.
pub const REFUSALS: &str = "refusals";

/// Whether no policy in the configuration may have this name.
pub fn is_reserved(name: &str) -> bool {
    let own = |name: &str| name.is_empty() || name.starts_with('-');
    name == CALLBACKS || name == REFUSALS || name.strip_prefix(OWN_QUOTA).is_some_and(own)
}

/// What policies may count: pictures and restorations, calls of models, messages.
pub const ACTIONS: [&str; 7] = [
    "image",
    "restoration",
    "chat",
    "embedding",
    "message",
    "audio",
    "other",
];

/// What was charged for a job. What cannot be read is logged, since it cannot be
/// given back.
pub fn receipts(charge: &serde_json::Value) -> Vec<Receipt> {
    if charge.is_null() {
        return Vec::new();
    }
    let read = Vec::deserialize(charge);
    read.unwrap_or_else(|error| {
        error!(%error, %charge, "what was charged for a job cannot be read");
        Vec::new()
    })
}

/// An API key's own quota, renewed in aligned windows.
///
/// # Errors
/// If the quota or the window is not allowed.
pub fn own_quota(unit: Unit, quota: f64, window: Window) -> Result<Policy, InvalidPolicy> {
    own(OWN_QUOTA, unit, quota, window)
}

fn own(name: &str, unit: Unit, quota: f64, window: Window) -> Result<Policy, InvalidPolicy> {
    let (scope, algorithm) = (Scope::User, Algorithm::FixedWindow);
    Policy::new(name, scope, unit, algorithm, quota, window)
}

/// Why a text is no limit.
#[derive(Debug, thiserror::Error)]
pub enum InvalidLimit {
    /// It has another form.
    #[error(
        "{0:?} is no limit such as \"20 usd / 1mo\" or \"60 requests / 1m\": a number, one of requests, images, \
         tokens and usd, a slash, and a window"
    )]
    Form(String),
    /// Its window cannot be read.
    #[error(transparent)]
    Window(#[from] InvalidWindow),
    /// Its values are not allowed.
    #[error(transparent)]
    Policy(#[from] InvalidPolicy),
}

/// Reads an API key's own limit, such as `20 usd / 1mo`. It is renewed in aligned windows,
/// and named by its unit and window.
///
/// # Errors
/// If it is not of that form, or not allowed.
pub fn own_limit(text: &str) -> Result<Policy, InvalidLimit> {
    let form = || InvalidLimit::Form(text.to_owned());
    let (amount, window) = text.split_once('/').ok_or_else(form)?;
    let numeric = |c: char| c.is_ascii_digit() || "._".contains(c);
    let amount = amount.trim();
    let end = amount.find(|c| !numeric(c)).ok_or_else(form)?;
    let (quota, unit) = amount.split_at(end);
    let quota: f64 = quota.replace('_', "").parse().map_err(|_| form())?;
    let unit: Unit = unit.trim().parse().map_err(|_| form())?;
    let window: Window = window.trim().parse()?;
    let name = format!("{OWN_QUOTA}-{unit}-{window}", unit = unit.as_str());
    Ok(own(&name.replace(' ', "-"), unit, quota, window)?)
}

/// A token bucket of `quota` requests, refilled evenly over the window. If the store is
/// unreachable, it refuses nobody.
fn bucket(name: &str, quota: u32, window: Duration) -> Result<Policy, InvalidPolicy> {
    let (scope, unit) = (Scope::User, Unit::Requests);
    let policy = Policy::new(
        name,
        scope,
        unit,
        Algorithm::TokenBucket,
        quota.into(),
        window,
    )?;
    Ok(policy.with_on_error(OnError::Allow))
}

/// Limits the callbacks that a caller requests per hour.
///
/// # Errors
/// If the number is 0.
pub fn callbacks(per_hour: u32) -> Result<Arc<Policy>, InvalidPolicy> {
    bucket(CALLBACKS, per_hour, Duration::from_hours(1)).map(Arc::new)
}

/// Counts the provider's refusals and blocks callers with too many of them, as they
/// endanger the operator's account.
///
/// A refusal is known only when its job has ended, so an order is charged nothing. It is
/// only checked that the caller has refusals left, and the job notes, as receipts over
/// zero, against whom a refusal would count.
#[derive(Clone)]
pub struct Refusals {
    limiter: Arc<dyn Limiter>,
    policy: Arc<Policy>,
}

impl Refusals {
    /// Allows `quota` refusals, refilled evenly over the window.
    ///
    /// # Errors
    /// If the quota or the window is not allowed.
    pub fn new(
        limiter: Arc<dyn Limiter>,
        quota: u32,
        window: Duration,
    ) -> Result<Self, InvalidPolicy> {
        let policy = Arc::new(bucket(REFUSALS, quota, window)?);
        Ok(Self { limiter, policy })
    }

    /// Demands of zero, which return how many refusals each has left.
    pub fn looks(
        &self,
        subjects: impl IntoIterator<Item: AsRef<str>>,
    ) -> impl Iterator<Item = Demand> {
        let subjects = subjects.into_iter();
        subjects.map(|subject| Demand::new(&self.policy, subject.as_ref(), 0))
    }

    /// Receipts over zero that name against whom a refusal will count.
    pub fn receipts(
        &self,
        subjects: impl IntoIterator<Item: AsRef<str>>,
        now: Timestamp,
    ) -> impl Iterator<Item = Receipt> {
        self.looks(subjects).map(move |look| Receipt {
            key: look.key,
            unit: Unit::Requests,
            rule: self.policy.rule(),
            cost: 0,
            mark: now.as_millisecond(),
        })
    }

    /// Counts one refusal against each of those in a job's receipts.
    pub async fn count(&self, receipts: &[Receipt], now: Timestamp) -> Result<(), Error> {
        for subject in self.subjects(receipts) {
            // Separately: if one has none left, the other must still be charged.
            let demand = Demand::new(&self.policy, subject, 1);
            self.limiter.charge(vec![demand], now).await?;
        }
        Ok(())
    }

    /// Whether the first of those against whom a refusal would count has none left.
    pub async fn hold(&self, receipts: &[Receipt], now: Timestamp) -> Result<bool, Error> {
        let Some(subject) = self.subjects(receipts).next() else {
            return Ok(false);
        };
        let look = Demand::new(&self.policy, subject, 0);
        let decision = self.limiter.charge(vec![look], now).await?;
        Ok(decision.standings.iter().any(|one| one.remaining == 0))
    }

    fn subjects<'a>(&'a self, receipts: &'a [Receipt]) -> impl Iterator<Item = &'a str> {
        let prefix = self.policy.prefix();
        let counted = receipts.iter().filter(|receipt| receipt.cost == 0);
        counted.filter_map(move |receipt| receipt.key.strip_prefix(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_come_back_over_an_hour() {
        let policy = callbacks(60).unwrap();
        let hour = Duration::from_hours(1).into();
        assert_eq!((policy.quota, policy.window), (60, hour));
    }

    #[test]
    fn a_keys_own_limit_is_read() {
        for (text, name, unit, quota, window) in [
            (
                "20 usd / 1mo",
                "key-quota-usd-1mo",
                Unit::Usd,
                20_000_000,
                Window::Month,
            ),
            (
                "0.5usd/1mo",
                "key-quota-usd-1mo",
                Unit::Usd,
                500_000,
                Window::Month,
            ),
            (
                " 60 requests / 1m 30s ",
                "key-quota-requests-1m-30s",
                Unit::Requests,
                60,
                Duration::from_secs(90).into(),
            ),
            (
                "1_000_000 tokens / 1d",
                "key-quota-tokens-1day",
                Unit::Tokens,
                1_000_000,
                Duration::from_hours(24).into(),
            ),
        ] {
            let policy = own_limit(text).unwrap();
            let read = (&*policy.name, policy.unit, policy.quota, policy.window);
            assert_eq!(read, (name, unit, quota, window), "{text}");
            assert!(is_reserved(name) && policy.scope == Scope::User);
        }
        for (text, fault) in [
            ("", "no limit"),
            ("20 usd", "no limit"),
            ("20 / 1mo", "no limit"),
            ("usd / 1mo", "no limit"),
            ("20 gold / 1mo", "no limit"),
            ("1.2.3 usd / 1mo", "no limit"),
            ("-20 usd / 1mo", "no limit"),
            ("nan usd / 1mo", "no limit"),
            ("20 ü / 1mo", "no limit"),
            ("20 usd / soon", "no window"),
            ("20 usd / ", "no window"),
            ("1.5 requests / 1m", "whole number"),
            ("1 usd / 900d", "its window"),
        ] {
            let error = own_limit(text).unwrap_err().to_string();
            assert!(error.contains(fault), "{text:?}: {error}");
        }
    }

    #[test]
    fn names_that_are_given_out_are_reserved() {
        for name in [CALLBACKS, REFUSALS, OWN_QUOTA, "key-quota-usd-1mo"] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["key-quotas", "key", "daily-pictures"] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
