//! The semantic cache: which earlier requests may have meant the same.
//!
//! Every answered prompt leaves a vector in the store. A lookup finds the nearest
//! [`Vectors`] among the requests with the same parameters: in the memory of the
//! process, or in Redis where that can search them. Whether they mean the same is
//! for the [`guard`] to say.

mod encoder;
mod home;
mod recent;
mod index;
mod indexed;
mod meanings;
mod record;
mod redis;
mod sqlite;
mod vector_set;
mod vectors;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::{
    sync::OnceCell,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use tracing::{debug, warn};

use self::recent::Recent;
pub use self::{
    encoder::{Encoder, OpenAiEncoder, Pocket},
    home::Home,
    index::{Candidate, Index, quantize},
    indexed::Indexed,
    meanings::{Change, Changes, Meanings},
    record::{Record, Scope},
    redis::RedisMeanings,
    sqlite::SqliteMeanings,
    vector_set::VectorSet,
    vectors::Vectors,
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

/// The semantic cache of one process.
pub struct Semantic {
    encoder: Arc<dyn Encoder>,
    /// What was asked for has its vector already when it is answered.
    recent: Recent,
    home: Home,
    /// Known once the store has told what it can do.
    vectors: OnceCell<Box<dyn Vectors>>,
    threshold: f32,
    entries: usize,
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
    pub fn new(encoder: Arc<dyn Encoder>, home: Home, threshold: f32, entries: usize) -> Self {
        Self {
            encoder,
            recent: Recent::default(),
            home,
            vectors: OnceCell::new(),
            threshold,
            entries,
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
        let candidates = self.search(parameters, asked, now).await;
        candidates.unwrap_or_else(|error| {
            debug!(%error, "the semantic cache cannot be asked");
            Vec::new()
        })
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
        let scope = self.scope(parameters);
        let kept = async {
            self.vectors()
                .await?
                .put(job, scope, &vector, now, until)
                .await
        };
        if let Err(error) = kept.await {
            warn!(%error, job, "a prompt's meaning could not be kept");
        }
    }

    /// The job's prompt is not to be found any more.
    pub async fn forget(&self, job: &str, now: Timestamp) {
        let forgotten = async { self.vectors().await?.remove(job, now).await };
        if let Err(error) = forgotten.await {
            warn!(%error, job, "a prompt's meaning could not be removed");
        }
    }

    /// Forgets every prompt; how many there were.
    pub async fn clear(&self, now: Timestamp) -> Result<u64, Error> {
        self.vectors().await?.clear(now).await
    }

    /// Whether the job may still be found; it may have been purged a moment ago.
    pub async fn holds(&self, job: &str) -> bool {
        let holds = async { self.vectors().await?.holds(job).await };
        holds.await.unwrap_or(false)
    }

    /// The job's answer was given again.
    pub async fn touch(&self, job: &str, now: Timestamp) {
        let touched = async { self.vectors().await?.touch(job, now).await };
        if let Err(error) = touched.await {
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
        self.vectors().await?.renew().await
    }

    /// Forgets what has expired.
    pub async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        self.vectors().await?.sweep(now).await
    }

    /// How many prompts can be found.
    pub async fn count(&self) -> Result<u64, Error> {
        self.vectors().await?.count().await
    }

    async fn vectors(&self) -> Result<&dyn Vectors, Error> {
        let open = || self.home.open(self.entries);
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

/// What the guard thinks of a prompt and an earlier one, off the async threads. An
/// earlier one of a `stranger`'s that tells of a person is like none.
pub async fn judge(asked: &Arc<Reading>, earlier: &str, stranger: bool) -> Verdict {
    let (asked, earlier) = (Arc::clone(asked), earlier.to_owned());
    let compare = move || {
        let earlier = Reading::new(&earlier);
        if stranger && earlier.is_personal() {
            return Verdict {
                agree: false,
                reason: "the earlier prompt tells of a person".into(),
            };
        }
        asked.compare(&earlier)
    };
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
