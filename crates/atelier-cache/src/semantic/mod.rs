//! The semantic cache finds earlier requests that may have meant the same.
//!
//! Every answered prompt leaves a vector in the store. A lookup finds the nearest
//! [`Vectors`] among the requests with the same parameters: in the memory of the
//! process, or in Redis if that can search them. The [`guard`](crate::guard) decides
//! whether they mean the same.

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
use super::{
    Error,
    guard::{Kind, Reading},
};

/// Maximum number of neighbours passed to the guard.
const CANDIDATES: usize = 8;

/// Maximum time that a lookup waits for a vector; then it is a miss.
const LOOKUP: Duration = Duration::from_millis(300);

/// Maximum time for the vector of an answered prompt; no client waits for it.
const KEEPING: Duration = Duration::from_secs(30);

/// Interval between reads of changes.
const RENEWAL: Duration = Duration::from_millis(500);

/// The semantic cache of one process.
pub struct Semantic {
    encoder: Arc<dyn Encoder>,
    /// The vectors of recent prompts, which are needed again once they are answered.
    recent: Recent,
    backend: Backend,
    /// Set once the store's capabilities are known.
    vectors: OnceCell<Box<dyn Vectors>>,
    threshold: f32,
    entries: usize,
}

/// An earlier request that means the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The id under which it was [remembered](Semantic::remember).
    pub id: String,
    /// Cosine similarity.
    pub similarity: f32,
    /// The reason, for an operator.
    pub reason: String,
}

impl Semantic {
    /// Creates a cache of at most `entries` prompts that accepts neighbours from `threshold`
    /// on.
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

    /// Returns earlier requests that may have meant the same, likeliest first. Only requests
    /// with the same `parameters` are compared. Any error is a miss.
    pub async fn candidates(
        &self,
        parameters: &str,
        asked: &Reading,
        now: Timestamp,
    ) -> Vec<Candidate> {
        let candidates = self.search(parameters, asked, now).await;
        candidates.unwrap_or_else(|error| {
            debug!(%error, "semantic cache lookup failed");
            Vec::new()
        })
    }

    /// Returns the likeliest of the earlier requests that mean the same as `prompt`.
    /// `parameters` holds whatever else decides the answer, since only the prompt is
    /// compared by its meaning: the model and its settings, for a chat also the system
    /// prompt and the format of the answer. A conversation of several turns, tools or
    /// attachments cannot be compared.
    /// `earlier` returns the prompt of an id, or nothing if its answer is of no use.
    pub async fn find<F: Future<Output = Option<String>> + Send>(
        &self,
        kind: Kind,
        parameters: &str,
        prompt: &str,
        now: Timestamp,
        earlier: impl Fn(String) -> F + Send + Sync,
    ) -> Option<Found> {
        let asked = read(kind, prompt).await?;
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
        let (scope, threshold) = (self.scope(asked.kind(), parameters), self.threshold);
        vectors
            .nearest(scope, &vector, threshold, CANDIDATES, now)
            .await
    }

    /// Adds the prompt under an id, a UUID without hyphens, until `until`.
    pub async fn remember(
        &self,
        kind: Kind,
        parameters: &str,
        prompt: &str,
        id: &str,
        now: Timestamp,
        until: Timestamp,
    ) {
        let Some(reading) = read(kind, prompt).await else {
            return;
        };
        let Some(vector) = self.vector(&reading, KEEPING).await else {
            return;
        };
        let scope = self.scope(kind, parameters);
        let kept = async {
            self.vectors()
                .await?
                .put(id, scope, &vector, now, until)
                .await
        };
        if let Err(error) = kept.await {
            warn!(%error, id, "a prompt's vector could not be stored");
        }
    }

    /// Removes the id.
    pub async fn forget(&self, id: &str, now: Timestamp) {
        let forgotten = async { self.vectors().await?.remove(id, now).await };
        if let Err(error) = forgotten.await {
            warn!(%error, id, "a prompt's vector could not be removed");
        }
    }

    /// Removes all prompts. Returns how many there were.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn clear(&self, now: Timestamp) -> Result<u64, Error> {
        self.vectors().await?.clear(now).await
    }

    /// Returns whether the id is still present: a candidate may have been removed meanwhile.
    pub async fn holds(&self, id: &str) -> bool {
        let holds = async { self.vectors().await?.holds(id).await };
        holds.await.unwrap_or(false)
    }

    /// Records a use of the answer.
    pub async fn touch(&self, id: &str, now: Timestamp) {
        let touched = async { self.vectors().await?.touch(id, now).await };
        if let Err(error) = touched.await {
            debug!(%error, id, "the use of a vector could not be recorded");
        }
    }

    /// Applies the store's changes until the process ends.
    pub async fn keep_renewing(&self) {
        let mut tick = interval(RENEWAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.renew().await {
                debug!(%error, "the semantic cache could not be refreshed");
            }
        }
    }

    /// Applies the changes in the store.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn renew(&self) -> Result<(), Error> {
        self.vectors().await?.renew().await
    }

    /// Removes expired prompts.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        self.vectors().await?.sweep(now).await
    }

    /// Returns the number of prompts.
    ///
    /// # Errors
    /// If the store fails.
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

    /// Texts of two kinds share no vectors, whatever their parameters are.
    fn scope(&self, kind: Kind, parameters: &str) -> Scope {
        let mark = match kind {
            Kind::Picture => "",
            Kind::Question => "\0question\0",
        };
        let digest = Sha256::new_with_prefix(self.encoder.model())
            .chain_update(mark)
            .chain_update(parameters)
            .finalize();
        let first: [u8; 8] = std::array::from_fn(|at| digest[at]);
        // SQLite and JSON keep 63 bits.
        Scope::from_be_bytes(first) >> 1
    }
}
