//! Counters added up, as an operator reads them.

use std::{collections::BTreeMap, str::FromStr};

use atelier_store::{HOUR, hour};
use jiff::Timestamp;
use serde::Serialize;

use crate::{CallStore, Counts, Error, Failure, Histogram, Line, Source};

/// Maximum number of groups. Calls beyond them are added up together.
const MOST_GROUPS: usize = 10_000;

/// What calls are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// When they were made.
    Hour,
    /// The API key.
    Key,
    /// The model that answered.
    Model,
    /// Who answered.
    Upstream,
}

/// Not the name of a [`Dimension`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of hour, key, model and upstream")]
pub struct UnknownDimension(String);

/// Which calls are added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Only those of this hour or later.
    pub since: Timestamp,
    /// What they are told apart by.
    pub by: Vec<Dimension>,
    /// Only those of this API key.
    pub key: Option<String>,
    /// Only those of this model.
    pub model: Option<String>,
}

/// Calls of a period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The beginning of its first hour.
    pub since: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// Its calls in groups.
    pub groups: Vec<Group>,
    /// All of them together.
    pub total: Figures,
}

/// Calls that have something in common. What they are not told apart by is absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// When their hour began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour: Option<Timestamp>,
    /// The id of their API key; empty without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The model that answered; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Who answered; empty for nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// What is counted of them.
    #[serde(flatten)]
    pub figures: Figures,
}

/// What is counted of calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// How many there were.
    pub calls: u64,
    /// Their tokens.
    pub tokens: Tokens,
    /// What was charged for them.
    pub usd: f64,
    /// Those that needed no call of their own.
    pub hits: Hits,
    /// Those that failed.
    pub errors: Errors,
    /// How long they took.
    pub duration_ms: Latency,
    /// How long streams took to their first byte.
    pub first_byte_ms: Latency,
}

/// Tokens of calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tokens {
    /// Those of the requests.
    pub input: u64,
    /// Of these, those that upstreams had in their own caches.
    pub cached: u64,
    /// Those of the answers.
    pub output: u64,
}

/// Calls that needed no call of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hits {
    /// The same call was answered before.
    pub exact: u64,
    /// A call that means the same was answered before.
    pub semantic: u64,
    /// The same call was in flight.
    pub joined: u64,
}

/// Calls that failed, by whose fault it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Errors {
    /// The client's.
    pub request: u64,
    /// Over a limit or a budget.
    pub limit: u64,
    /// The upstream's.
    pub upstream: u64,
    /// Ours.
    pub internal: u64,
    /// The client left.
    pub abandoned: u64,
}

/// How long calls took, in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Latency {
    /// Half of them took at most this long.
    pub p50: Option<f64>,
    /// 95 in 100 took at most this long.
    pub p95: Option<f64>,
    /// 99 in 100 took at most this long.
    pub p99: Option<f64>,
    /// All of them.
    pub buckets: Vec<Bucket>,
}

/// Calls that took longer than the bucket before tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// They took at most this long; `None` for the longest.
    pub le: Option<u64>,
    /// How many they are.
    pub count: u64,
}

impl FromStr for Dimension {
    type Err = UnknownDimension;

    fn from_str(name: &str) -> Result<Self, UnknownDimension> {
        match name.trim() {
            "hour" => Ok(Self::Hour),
            "key" => Ok(Self::Key),
            "model" => Ok(Self::Model),
            "upstream" => Ok(Self::Upstream),
            other => Err(UnknownDimension(other.to_owned())),
        }
    }
}

impl Query {
    /// All calls of this hour or later, by key, model and upstream.
    pub fn since(since: Timestamp) -> Self {
        Self {
            since,
            by: vec![Dimension::Key, Dimension::Model, Dimension::Upstream],
            key: None,
            model: None,
        }
    }

    fn wants(&self, line: &Line) -> bool {
        let is = |wanted: &Option<String>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == name)
        };
        is(&self.key, &line.key) && is(&self.model, &line.model)
    }

    fn place(&self, hour: i64, line: Line) -> Place {
        let has = |dimension| self.by.contains(&dimension);
        Place {
            hour: has(Dimension::Hour).then_some(hour),
            key: has(Dimension::Key).then_some(line.key),
            model: has(Dimension::Model).then_some(line.model),
            upstream: has(Dimension::Upstream).then_some(line.upstream),
        }
    }
}

/// What the calls of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    hour: Option<i64>,
    key: Option<String>,
    model: Option<String>,
    upstream: Option<String>,
}

/// Adds up what the store has counted until `now`. It is asked for one hour at a time: this is
/// a rare query, and must not hold up the calls.
///
/// # Errors
/// If the store fails.
pub async fn summarize(
    store: &dyn CallStore,
    query: &Query,
    now: Timestamp,
) -> Result<Summary, Error> {
    let (mut groups, mut total) = (BTreeMap::<Place, Counts>::new(), Counts::default());
    let first = hour(query.since);
    let mut at = first;
    while at <= now.as_millisecond() {
        let lines = store.hour(at).await?.into_iter();
        for (line, counts) in lines.filter(|(line, _)| query.wants(line)) {
            total.add(&counts);
            let mut place = query.place(at, line);
            if groups.len() >= MOST_GROUPS && !groups.contains_key(&place) {
                place = query.place(first, Line::other());
            }
            groups.entry(place).or_default().add(&counts);
        }
        at += HOUR;
    }
    Ok(Summary {
        since: Timestamp::from_millisecond(first).unwrap_or(query.since),
        until: now,
        groups: groups.into_iter().map(Group::from).collect(),
        total: Figures::from(&total),
    })
}

impl From<(Place, Counts)> for Group {
    fn from((place, counts): (Place, Counts)) -> Self {
        let hour = place.hour.map(Timestamp::from_millisecond);
        Self {
            hour: hour.and_then(Result::ok),
            key: place.key,
            model: place.model,
            upstream: place.upstream,
            figures: Figures::from(&counts),
        }
    }
}

impl From<&Counts> for Figures {
    fn from(counts: &Counts) -> Self {
        let [input, cached, output] = counts.tokens();
        Self {
            calls: counts.calls(),
            tokens: Tokens {
                input,
                cached,
                output,
            },
            usd: counts.usd(),
            hits: Hits {
                exact: counts.answered_from(Source::Hit),
                semantic: counts.answered_from(Source::Semantic),
                joined: counts.answered_from(Source::Joined),
            },
            errors: Errors {
                request: counts.failed(Failure::Request),
                limit: counts.failed(Failure::Limit),
                upstream: counts.failed(Failure::Upstream),
                internal: counts.failed(Failure::Internal),
                abandoned: counts.failed(Failure::Abandoned),
            },
            duration_ms: counts.durations().into(),
            first_byte_ms: counts.first_bytes().into(),
        }
    }
}

impl Hits {
    /// All of them.
    pub const fn all(&self) -> u64 {
        self.exact + self.semantic + self.joined
    }
}

impl Errors {
    /// All of them.
    pub const fn all(&self) -> u64 {
        self.request + self.limit + self.upstream + self.internal + self.abandoned
    }
}

impl From<Histogram<'_>> for Latency {
    fn from(histogram: Histogram<'_>) -> Self {
        let bins = histogram.bins();
        Self {
            p50: histogram.quantile(0.5),
            p95: histogram.quantile(0.95),
            p99: histogram.quantile(0.99),
            buckets: bins.map(|(le, count)| Bucket { le, count }).collect(),
        }
    }
}
