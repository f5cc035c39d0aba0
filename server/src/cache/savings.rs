//! What the caches saved: counted in the process, kept in the store by the hour.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use serde::Serialize;

/// Milliseconds.
const HOUR: i64 = 3_600_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Saved {
    /// Orders that needed a call.
    Miss,
    /// Orders answered by the same words.
    Exact,
    /// Orders answered by the same meaning.
    Semantic,
    /// Orders that shared a call in flight.
    Joined,
    /// What would have been charged, in millionths of a US dollar.
    Usd,
}

/// An amount in an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saving {
    /// When the hour began, in Unix milliseconds.
    pub hour: i64,
    pub saved: Saved,
    pub amount: u64,
}

/// What was saved in this process and is not in the store yet.
#[derive(Debug, Default)]
pub struct Savings(Mutex<BTreeMap<(i64, Saved), u64>>);

impl Saved {
    /// Its name in the stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Miss => "miss",
            Self::Exact => "exact",
            Self::Semantic => "semantic",
            Self::Joined => "joined",
            Self::Usd => "usd",
        }
    }

    /// The one of that name.
    pub fn of(name: &str) -> Option<Self> {
        let all = [
            Self::Miss,
            Self::Exact,
            Self::Semantic,
            Self::Joined,
            Self::Usd,
        ];
        all.into_iter().find(|saved| saved.as_str() == name)
    }
}

impl Savings {
    /// Counts.
    pub fn note(&self, saved: Saved, amount: u64, now: Timestamp) {
        if amount > 0 {
            let hour = now.as_millisecond().div_euclid(HOUR) * HOUR;
            self.add(Saving {
                hour,
                saved,
                amount,
            });
        }
    }

    fn add(
        &self,
        Saving {
            hour,
            saved,
            amount,
        }: Saving,
    ) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((hour, saved)).or_default() += amount;
    }

    /// Takes what was counted, to be kept elsewhere.
    pub fn take(&self) -> Vec<Saving> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::take(&mut *counts).into_iter();
        taken
            .map(|((hour, saved), amount)| Saving {
                hour,
                saved,
                amount,
            })
            .collect()
    }

    /// What could not be kept elsewhere.
    pub fn put_back(&self, savings: Vec<Saving>) {
        savings.into_iter().for_each(|saving| self.add(saving));
    }
}
