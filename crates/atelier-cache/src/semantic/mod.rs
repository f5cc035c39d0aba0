//! The semantic cache: which earlier requests may have meant the same.
//!
//! Every answered prompt leaves a vector in the store. A lookup finds the nearest
//! [`Vectors`] among the requests with the same parameters: in the memory of the
//! process, or in Redis where that can search them. Whether they mean the same is
//! for the [`guard`](crate::guard) to say.

mod encoder;
mod backend;
mod comparison;
mod recent;
mod index;
mod indexed;
mod log;
mod record;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "redis")]
mod vector_set;
mod vectors;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::{
    sync::OnceCell,
    time::{MissedTickBehavior, interval},
};
use tracing::{debug, warn};

#[cfg(feature = "encoder")]
pub use self::encoder::Pocket;
use self::recent::Recent;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteVectorLog;
pub use self::{
    backend::Backend,
    comparison::{Earlier, Explanation, explain, judge, read},
    encoder::{EncodeError, Encoder},
    index::{Candidate, Index, quantize},
    indexed::InProcessIndex,
    log::{Change, Changes, VectorLog},
    record::{Record, Scope},
    vectors::Vectors,
};
#[cfg(feature = "redis")]
pub use self::{redis::RedisVectorLog, vector_set::VectorSet};
use super::{Error, guard::Reading};

/// So many neighbours are shown to the guard.
const CANDIDATES: usize = 8;

/// So long a lookup waits for a vector; then it counts as a miss.
const LOOKUP: Duration = Duration::from_millis(300);

/// So long an answered prompt waits for its vector; nobody waits with it.
const KEEPING: Duration = Duration::from_secs(30);

/// Changes are asked for this often.
const RENEWAL: Duration = Duration::from_millis(500);

/// The semantic cache of one process.
pub struct Semantic {
    encoder: Arc<dyn Encoder>,
    /// What was asked for has its vector already when it is answered.
    recent: Recent,
    backend: Backend,
    /// Known once the store has told what it can do.
    vectors: OnceCell<Box<dyn Vectors>>,
    threshold: f32,
    entries: usize,
}

/// An earlier request that means the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it was [remembered](Semantic::remember) as.
    pub id: String,
    /// Cosine similarity.
    pub similarity: f32,
    /// Why it means the same, in words for an operator.
    pub reason: String,
}

impl Semantic {
    /// A cache that accepts neighbours from `threshold` on and keeps at most
    /// `entries` of them.
    pub fn new(
        encoder: Arc<dyn Encoder>,
        backend: Backend,
        threshold: f32,
        entries: usize,
    ) -> Self {
        Self {
            encoder,
            recent: Recent::default(),
            backend,
            vectors: OnceCell::new(),
            threshold,
            entries,
        }
    }

    /// Returns earlier requests that may have meant the same, the likeliest first. `parameters`
    /// tell apart what must never be compared. Whatever goes wrong is a miss.
    pub async fn candidates(
        &self,
        parameters: &str,
        asked: &Reading,
        now: Timestamp,
    ) -> Vec<Candidate> {
        let candidates = self.search(parameters, asked, now).await;
        candidates.unwrap_or_else(|error| {
            debug!(%error, "the semantic cache cannot be asked");
            Vec::new()
        })
    }

    /// Returns the likeliest of the earlier requests that mean the same as `prompt`.
    /// `earlier` returns the prompt of an id, or nothing if its answer is of no use.
    pub async fn find<F: Future<Output = Option<String>> + Send>(
        &self,
        parameters: &str,
        prompt: &str,
        now: Timestamp,
        earlier: impl Fn(String) -> F + Send + Sync,
    ) -> Option<Found> {
        let asked = read(prompt).await?;
        for candidate in self.candidates(parameters, &asked, now).await {
            let Some(words) = earlier(candidate.id.clone()).await else {
                continue;
            };
            let one = Earlier {
                prompt: words,
                stranger: false,
            };
            let verdicts = judge(&asked, vec![one]).await;
            if let Some(verdict) = verdicts.into_iter().find(|verdict| verdict.agree) {
                return Some(Found {
                    id: candidate.id,
                    similarity: candidate.similarity,
                    reason: verdict.reason,
                });
            }
        }
        None
    }

    async fn search(
        &self,
        parameters: &str,
        asked: &Reading,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, Error> {
        let vectors = self.vectors().await?;
        if vectors.count().await? == 0 {
            return Ok(Vec::new());
        }
        let Some(vector) = self.vector(asked, LOOKUP).await else {
            return Ok(Vec::new());
        };
        let (scope, threshold) = (self.scope(parameters), self.threshold);
        vectors
            .nearest(scope, &vector, threshold, CANDIDATES, now)
            .await
    }

    /// Lets the prompt be found under an id, a UUID without hyphens, from now on until `until`.
    pub async fn remember(
        &self,
        parameters: &str,
        prompt: &str,
        id: &str,
        now: Timestamp,
        until: Timestamp,
    ) {
        let Some(reading) = read(prompt).await else {
            return;
        };
        let Some(vector) = self.vector(&reading, KEEPING).await else {
            return;
        };
        let scope = self.scope(parameters);
        let kept = async {
            self.vectors()
                .await?
                .put(id, scope, &vector, now, until)
                .await
        };
        if let Err(error) = kept.await {
            warn!(%error, id, "a prompt's meaning could not be kept");
        }
    }

    /// Lets the id be found no more.
    pub async fn forget(&self, id: &str, now: Timestamp) {
        let forgotten = async { self.vectors().await?.remove(id, now).await };
        if let Err(error) = forgotten.await {
            warn!(%error, id, "a prompt's meaning could not be removed");
        }
    }

    /// Forgets every prompt, and returns how many there were.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn clear(&self, now: Timestamp) -> Result<u64, Error> {
        self.vectors().await?.clear(now).await
    }

    /// Returns whether the id may still be found; it may have been removed a moment ago.
    pub async fn holds(&self, id: &str) -> bool {
        let holds = async { self.vectors().await?.holds(id).await };
        holds.await.unwrap_or(false)
    }

    /// Notes that the answer was of use.
    pub async fn touch(&self, id: &str, now: Timestamp) {
        let touched = async { self.vectors().await?.touch(id, now).await };
        if let Err(error) = touched.await {
            debug!(%error, id, "that a meaning was of use could not be noted");
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
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn renew(&self) -> Result<(), Error> {
        self.vectors().await?.renew().await
    }

    /// Forgets what has expired.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        self.vectors().await?.sweep(now).await
    }

    /// Returns how many prompts can be found.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn count(&self) -> Result<u64, Error> {
        self.vectors().await?.count().await
    }

    async fn vectors(&self) -> Result<&dyn Vectors, Error> {
        let open = || self.backend.open(self.entries);
        Ok(self.vectors.get_or_try_init(open).await?.as_ref())
    }

    async fn vector(&self, reading: &Reading, patience: Duration) -> Option<Vec<f32>> {
        let text = reading.essence();
        if let Some(vector) = self.recent.find(text) {
            return Some(vector);
        }
        match encoder::encode_within(self.encoder.as_ref(), text, patience).await {
            Ok(vector) => {
                self.recent.keep(text, &vector);
                Some(vector)
            }
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
