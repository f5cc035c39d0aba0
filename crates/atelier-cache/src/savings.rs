//! Statistics of what the caches saved: counted in the process, stored by the hour.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use atelier_api::Cache;
use jiff::Timestamp;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Saved {
    /// Orders whose answer came from there.
    Orders(Cache),
    /// Costs avoided, in millionths of a US dollar.
    Usd,
}

/// An amount in an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saving {
    /// When the hour began, in Unix milliseconds.
    pub hour: i64,
    /// What is counted.
    pub saved: Saved,
    /// The number or amount.
    pub amount: u64,
}

/// The savings of this process that are not in the store yet.
#[derive(Debug, Default)]
pub struct Savings(Mutex<BTreeMap<(i64, Saved), u64>>);

impl Saved {
    const ALL: [Self; 5] = [
        Self::Orders(Cache::Miss),
        Self::Orders(Cache::Exact),
        Self::Orders(Cache::Semantic),
        Self::Orders(Cache::Joined),
        Self::Usd,
    ];

    /// Its name in the stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Orders(source) => source.as_str(),
            Self::Usd => "usd",
        }
    }

    /// The kind of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|saved| saved.as_str() == name)
    }
}

impl Savings {
    /// Adds an amount.
    pub fn note(&self, saved: Saved, amount: u64, now: Timestamp) {
        if amount > 0 {
            self.add(Saving {
                hour: atelier_store::hour(now),
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

    /// Takes everything counted so far.
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

    /// Puts back what could not be stored.
    pub fn put_back(&self, savings: Vec<Saving>) {
        savings.into_iter().for_each(|saving| self.add(saving));
    }
}
