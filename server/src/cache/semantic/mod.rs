//! The semantic cache: which earlier requests may have meant the same.
//!
//! Every answered prompt leaves a vector in the store and, by way of the store's
//! sequence of changes, in the [`Index`] of every process. A lookup finds the
//! nearest vectors among the requests with the same parameters; whether they
//! mean the same is for the [`guard`] to say.

mod encoder;
mod index;
mod record;
mod redis;
mod sqlite;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::{
    sync::Mutex,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use tracing::{debug, warn};

pub use self::{
    encoder::{Encoder, OpenAiEncoder, Pocket},
    index::{Candidate, Index, Scope, quantize},
    record::Record,
    redis::RedisMeanings,
    sqlite::SqliteMeanings,
};
use super::{
    Error,
    guard::{self, Reading, Verdict},
};

/// So many neighbours are shown to the guard.
const CANDIDATES: usize = 8;

/// So long a lookup waits for a vector; then it counts as a miss.
const LOOKUP: Duration = Duration::from_millis(300);

/// So long an answered prompt waits for its vector; nobody waits with it.
const KEEPING: Duration = Duration::from_secs(30);

/// Changes are asked for this often.
const RENEWAL: Duration = Duration::from_millis(500);

/// Changes read at a time.
const BATCH: usize = 1000;

/// So long the store remembers that something was removed.
const TOMBSTONE: Duration = Duration::from_secs(24 * 60 * 60);

/// A vector that came, or one that went.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub number: u64,
    pub job: String,
    pub record: Option<Record>,
}

/// The vectors in the store, each by the job that made the picture. Every change
/// has a number; of several changes to one job only the last is kept.
#[async_trait]
pub trait Meanings: Send + Sync + 'static {
    /// Stores, replaces or, without a record, removes the job's vector. What is
    /// stored is kept until `until`, that it was removed as well.
    async fn put(&self, job: &str, record: Option<&Record>, until: Timestamp) -> Result<(), Error>;
    /// At most `limit` changes after the one of that number, in their order.
    async fn changes(&self, after: u64, limit: usize) -> Result<Changes, Error>;
    /// Whether the job has a vector; what an index says may be a moment old.
    async fn holds(&self, job: &str) -> Result<bool, Error>;
    /// Forgets what is kept no longer.
    async fn sweep(&self, now: Timestamp) -> Result<(), Error>;
}

/// What happened since.
#[derive(Debug, Clone, PartialEq)]
pub enum Changes {
    Since(Vec<Change>),
    /// The store knows of fewer changes than that: it has lost some, or all.
    Restarted,
}

/// The semantic cache of one process.
pub struct Semantic {
    encoder: Arc<dyn Encoder>,
    meanings: Arc<dyn Meanings>,
    index: Arc<Index>,
    threshold: f32,
    /// The last change that the index knows.
    known: Mutex<u64>,
}

/// What the guard and the encoder think of two prompts.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Explanation {
    #[serde(rename = "match")]
    pub matches: bool,
    /// Cosine similarity of the two vectors.
    pub similarity: f32,
    pub reason: String,
}

impl Semantic {
    /// A cache that accepts neighbours from `threshold` on and keeps at most
    /// `entries` of them.
    pub fn new(
        encoder: Arc<dyn Encoder>,
        meanings: Arc<dyn Meanings>,
        threshold: f32,
        entries: usize,
    ) -> Self {
        Self {
            encoder,
            meanings,
            index: Arc::new(Index::new(entries)),
            threshold,
            known: Mutex::new(0),
        }
    }

    /// Earlier jobs that may have meant the same, the likeliest first. `parameters`
    /// tell apart what must never be compared. Whatever goes wrong is a miss.
    pub async fn candidates(
        &self,
        parameters: &str,
        asked: &Reading,
        now: Timestamp,
    ) -> Vec<Candidate> {
        let Some(vector) = self.vector(asked, LOOKUP).await else {
            return Vec::new();
        };
        let (scope, index, threshold) = (
            self.scope(parameters),
            Arc::clone(&self.index),
            self.threshold,
        );
        let search = move || index.nearest(scope, &vector, threshold, CANDIDATES, now);
        spawn_blocking(search).await.unwrap_or_default()
    }

    /// The job's prompt may be found from now on, until `until`.
    pub async fn remember(
        &self,
        parameters: &str,
        prompt: &str,
        job: &str,
        now: Timestamp,
        until: Timestamp,
    ) {
        let Some(reading) = read(prompt).await else {
            return;
        };
        let Some(vector) = self.vector(&reading, KEEPING).await else {
            return;
        };
        let (vector, scale) = quantize(&vector);
        let record = Record {
            scope: self.scope(parameters),
            scale,
            vector,
            expires_at: until.as_second(),
            used_at: now.as_second(),
        };
        if let Err(error) = self.meanings.put(job, Some(&record), until).await {
            warn!(%error, job, "a prompt's meaning could not be kept");
            return;
        }
        let gone = self.index.put(job, &record);
        for job in gone {
            self.forget(&job, now).await;
        }
    }

    /// The job's prompt is not to be found any more.
    pub async fn forget(&self, job: &str, now: Timestamp) {
        self.index.remove(job);
        if let Err(error) = self.meanings.put(job, None, now + TOMBSTONE).await {
            warn!(%error, job, "a prompt's meaning could not be removed");
        }
    }

    /// Forgets every prompt; how many there were.
    pub async fn clear(&self, now: Timestamp) -> u64 {
        let jobs = self.index.jobs();
        for job in &jobs {
            self.forget(job, now).await;
        }
        jobs.len() as u64
    }

    /// Whether the job may still be found; it may have been purged a moment ago.
    pub async fn holds(&self, job: &str) -> bool {
        self.meanings.holds(job).await.unwrap_or(false)
    }

    /// The job's answer was given again.
    pub async fn touch(&self, job: &str, now: Timestamp) {
        let Some(record) = self.index.touch(job, now) else {
            return;
        };
        let until = Timestamp::from_second(record.expires_at).unwrap_or(now);
        if let Err(error) = self.meanings.put(job, Some(&record), until).await {
            debug!(%error, job, "that a meaning was of use could not be noted");
        }
    }

    /// Follows the store for as long as the process lives.
    pub async fn keep_renewing(&self) {
        let mut tick = interval(RENEWAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.renew().await {
                debug!(%error, "the semantic cache waits for its store");
            }
        }
    }

    /// Takes in what has changed in the store.
    pub async fn renew(&self) -> Result<(), Error> {
        let mut known = self.known.lock().await;
        loop {
            let Changes::Since(changes) = self.meanings.changes(*known, BATCH).await? else {
                self.index.clear();
                *known = 0;
                continue;
            };
            let Some(last) = changes.last() else {
                return Ok(());
            };
            *known = last.number;
            for Change { job, record, .. } in &changes {
                match record {
                    Some(record) => drop(self.index.put(job, record)),
                    None => self.index.remove(job),
                }
            }
        }
    }

    /// Forgets what has expired.
    pub async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        self.index.sweep(now);
        self.meanings.sweep(now).await
    }

    /// How many prompts can be found.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether none can.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    async fn vector(&self, reading: &Reading, patience: Duration) -> Option<Vec<f32>> {
        let encoding = encoder::encode_within(self.encoder.as_ref(), reading.essence(), patience);
        match encoding.await {
            Ok(vector) => Some(vector),
            Err(error) => {
                warn!(%error, "no vector for a prompt; it is compared exactly only");
                None
            }
        }
    }

    fn scope(&self, parameters: &str) -> Scope {
        let digest = Sha256::new_with_prefix(self.encoder.model())
            .chain_update(parameters)
            .finalize();
        let first: [u8; 8] = std::array::from_fn(|at| digest[at]);
        // SQLite and JSON keep 63 bits.
        Scope::from_be_bytes(first) >> 1
    }
}

/// Takes a prompt apart, off the async threads. `None` where it is to be compared
/// exactly only: it is too long, or in a script that the encoder does not know.
pub async fn read(prompt: &str) -> Option<Arc<Reading>> {
    (prompt.chars().count() <= guard::MOST_CHARS).then_some(())?;
    let prompt = prompt.to_owned();
    let reading = spawn_blocking(move || Reading::new(&prompt)).await.ok()?;
    let letters = || reading.essence().chars().filter(|c| c.is_alphabetic());
    let latin = letters().filter(char::is_ascii).count();
    (latin > 0 && 10 * latin >= 9 * letters().count()).then(|| Arc::new(reading))
}

/// What the guard thinks of a prompt and an earlier one, off the async threads.
pub async fn judge(asked: &Arc<Reading>, earlier: &str) -> Verdict {
    let (asked, earlier) = (Arc::clone(asked), earlier.to_owned());
    let compare = move || asked.compare(&Reading::new(&earlier));
    spawn_blocking(compare)
        .await
        .unwrap_or_else(|error| Verdict {
            agree: false,
            reason: format!("the comparison failed: {error}"),
        })
}

/// Whether the second prompt would be answered with the picture of the first.
pub async fn explain(
    encoder: &dyn Encoder,
    threshold: f32,
    one: &str,
    other: &str,
) -> anyhow::Result<Explanation> {
    let exact_only = |reason: &str| Explanation {
        matches: one.split_whitespace().eq(other.split_whitespace()),
        similarity: 0.0,
        reason: reason.into(),
    };
    let (Some(first), Some(second)) = (read(one).await, read(other).await) else {
        return Ok(exact_only(
            "too long, or in a script that the encoder does not know: compared exactly only",
        ));
    };
    let (a, b) = (
        encoder.encode(first.essence()).await?,
        encoder.encode(second.essence()).await?,
    );
    let similarity = a
        .iter()
        .zip(&b)
        .map(|(x, y)| x * y)
        .sum::<f32>()
        .clamp(0.0, 1.0);
    let verdict = first.compare(&second);
    let near = similarity >= threshold;
    Ok(Explanation {
        matches: near && verdict.agree,
        similarity,
        reason: if near || !verdict.agree {
            verdict.reason
        } else {
            format!("less alike than {threshold}; {}", verdict.reason)
        },
    })
}
