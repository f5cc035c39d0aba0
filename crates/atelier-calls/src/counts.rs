//! What is counted, of which calls.

use std::array;

use serde::{Deserialize, Serialize};

use crate::{Failure, Record, Source};

/// The upper bounds of the histograms' bins in milliseconds. The last bin has none.
pub const BOUNDS: [u64; 15] = [
    1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000,
];

const BINS: usize = BOUNDS.len() + 1;

/// Parts of a US dollar that are counted: a short call costs less than a millionth.
const NANO: f64 = 1e9;

// Where each counter stands. Stores keep them in this order: new ones come last.
const CALLS: usize = 0;
const INPUT: usize = 1;
const CACHED: usize = 2;
const OUTPUT: usize = 3;
const USD: usize = 4;
const HITS: usize = 5;
const SEMANTIC: usize = 6;
const JOINED: usize = 7;
const FAILURES: usize = 8;
const DURATION: usize = FAILURES + 5;
const FIRST_BYTE: usize = DURATION + BINS;
const ALL: usize = FIRST_BYTE + BINS;

/// The calls that are counted together in an hour.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Line {
    /// The id of the API key; empty without one.
    pub key: String,
    /// The model that answered; empty if there is none, or it is unknown.
    pub model: String,
    /// Who answered; empty for nobody.
    pub upstream: String,
}

/// The counters of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts([u64; ALL]);

/// How many calls took how long.
#[derive(Debug, Clone, Copy)]
pub struct Histogram<'a>(&'a [u64]);

impl Line {
    /// The line of a call.
    pub fn of(record: &Record) -> Self {
        let known = record.status != 404;
        let model = record.routed.as_ref().or(record.model.as_ref());
        let answered = record.upstream.is_some();
        Self {
            key: record.key.clone().unwrap_or_default(),
            // Whatever clients call a model that does not exist is none.
            model: model
                .filter(|_| known && answered)
                .cloned()
                .unwrap_or_default(),
            upstream: record.upstream.clone().unwrap_or_default(),
        }
    }

    /// The line of calls for whose own there is no place.
    pub fn other() -> Self {
        Self {
            key: "(other)".into(),
            model: "(other)".into(),
            upstream: "(other)".into(),
        }
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self([0; ALL])
    }
}

impl Counts {
    /// Counts a call.
    pub fn note(&mut self, record: &Record) {
        let Self(counts) = self;
        let mut add = |place: usize, amount: u64| {
            counts[place] = counts[place].saturating_add(amount);
        };
        add(CALLS, 1);
        add(INPUT, record.input_tokens);
        add(CACHED, record.cached_tokens);
        add(OUTPUT, record.output_tokens);
        add(USD, (record.usd * NANO).round() as u64);
        match record.source {
            Source::Hit => add(HITS, 1),
            Source::Semantic => add(SEMANTIC, 1),
            Source::Joined => add(JOINED, 1),
            Source::Off | Source::Miss => {}
        }
        if let Some(failure) = record.failure {
            add(FAILURES + failure as usize, 1);
        }
        add(DURATION + bin(record.duration_ms), 1);
        if let Some(first_byte) = record.first_byte_ms {
            add(FIRST_BYTE + bin(first_byte), 1);
        }
    }

    /// Adds what others counted.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(more);
        }
    }

    /// The calls.
    pub const fn calls(&self) -> u64 {
        self.0[CALLS]
    }

    /// Tokens of requests, of these the cached ones, and those of answers.
    pub const fn tokens(&self) -> [u64; 3] {
        [self.0[INPUT], self.0[CACHED], self.0[OUTPUT]]
    }

    /// What was charged, in US dollars.
    pub const fn usd(&self) -> f64 {
        self.0[USD] as f64 / NANO
    }

    /// Calls that were answered from such a source; of calls that were made nothing is
    /// counted here.
    pub const fn answered_from(&self, source: Source) -> u64 {
        match source {
            Source::Hit => self.0[HITS],
            Source::Semantic => self.0[SEMANTIC],
            Source::Joined => self.0[JOINED],
            Source::Off | Source::Miss => 0,
        }
    }

    /// Calls that failed so.
    pub const fn failed(&self, failure: Failure) -> u64 {
        self.0[FAILURES + failure as usize]
    }

    /// How long the calls took.
    pub fn durations(&self) -> Histogram<'_> {
        Histogram(&self.0[DURATION..FIRST_BYTE])
    }

    /// How long streams took to their first byte.
    pub fn first_bytes(&self) -> Histogram<'_> {
        Histogram(&self.0[FIRST_BYTE..])
    }

    /// The counters as the stores keep them.
    #[cfg(any(feature = "sqlite", feature = "redis"))]
    pub(crate) fn packed(&self) -> String {
        let numbers = self.0.iter().map(ToString::to_string);
        numbers.collect::<Vec<_>>().join(" ")
    }

    /// Reads what a store has. Counters that it does not have are 0.
    #[cfg(any(feature = "sqlite", feature = "redis"))]
    pub(crate) fn unpacked(text: &str) -> Self {
        let mut numbers = text.split(' ').map(|number| number.parse().unwrap_or(0));
        Self(array::from_fn(|_| numbers.next().unwrap_or(0)))
    }
}

fn bin(milliseconds: f64) -> usize {
    BOUNDS.partition_point(|bound| (*bound as f64) < milliseconds)
}

impl Histogram<'_> {
    /// How many there are below each bound in milliseconds and above the one before; the last
    /// has no bound.
    pub fn bins(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let bounds = BOUNDS.into_iter().map(Some).chain([None]);
        bounds.zip(self.0.iter().copied())
    }

    /// The time within which this share of the calls came, in milliseconds, as exactly as the
    /// bins tell. `None` without any call.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let all: u64 = self.0.iter().sum();
        let wanted = share * all as f64;
        let (mut below, mut from) = (0.0, 0.0);
        for (bound, count) in self.bins().filter(|_| all > 0) {
            let (count, to) = (count as f64, bound.map_or(from, |bound| bound as f64));
            if count > 0.0 && below + count >= wanted {
                return Some(from + (to - from) * ((wanted - below) / count).clamp(0.0, 1.0));
            }
            (below, from) = (below + count, to);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn took(milliseconds: f64) -> Record {
        Record {
            duration_ms: milliseconds,
            ..Record::new("a", "chat/completions", Timestamp::UNIX_EPOCH)
        }
    }

    #[test]
    fn quantiles_are_as_exact_as_the_bins() {
        let mut counts = Counts::default();
        assert_eq!(counts.durations().quantile(0.5), None);
        for _ in 0..10 {
            counts.note(&took(60.0));
        }
        assert_eq!(counts.durations().quantile(0.5), Some(75.0));
        counts.note(&took(1e9));
        assert_eq!(counts.durations().quantile(1.0), Some(120_000.0));
        assert!(counts.durations().quantile(0.9) <= Some(100.0));
        assert_eq!(counts.first_bytes().quantile(0.5), None);
    }

    #[test]
    fn a_bound_belongs_to_its_bin() {
        assert_eq!([0.0, 1.0, 1.1, 120_000.0, 1e12].map(bin), [0, 0, 1, 14, 15]);
    }

    #[test]
    fn counters_are_packed_and_read_again() {
        let mut counts = Counts::default();
        counts.note(&Record {
            failure: Some(Failure::Abandoned),
            source: Source::Joined,
            usd: 0.25,
            output_tokens: u64::MAX,
            first_byte_ms: Some(2.0),
            ..took(7.0)
        });
        assert_eq!(Counts::unpacked(&counts.packed()), counts);
        assert_eq!((counts.failed(Failure::Abandoned), counts.usd()), (1, 0.25));
        let earlier = Counts::unpacked("3 4");
        assert_eq!((earlier.calls(), earlier.tokens()), (3, [4, 0, 0]));
        counts.add(&counts.clone());
        assert_eq!(counts.tokens()[2], u64::MAX);
    }

    #[test]
    fn names_of_models_that_do_not_exist_are_not_counted_apart() {
        let record = |status, upstream: Option<&str>| Record {
            model: Some("no-such".into()),
            upstream: upstream.map(Into::into),
            status,
            ..took(1.0)
        };
        assert_eq!(Line::of(&record(404, None)).model, "");
        assert_eq!(Line::of(&record(404, Some("openai"))).model, "");
        assert_eq!(Line::of(&record(429, None)).model, "");
        assert_eq!(Line::of(&record(200, Some("openai"))).model, "no-such");
    }
}
