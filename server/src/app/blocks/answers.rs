//! Answers that a key's holder stores, found by the same text or by one that means the same.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    access::Holder,
    app::{Error, Studio},
    cache::{
        Entry, digest,
        guard::Kind,
        semantic::{self, Candidate, Earlier, Semantic},
    },
};

/// What an answer is stored under.
#[derive(Debug, Clone)]
pub struct Question {
    /// By which rules it is compared.
    kind: Kind,
    /// Its words, normalised.
    text: String,
    /// The key, the namespace and the parameters: only questions that have these in common
    /// are compared.
    parameters: String,
}

/// An answer as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    text: String,
    parameters: String,
    value: Box<RawValue>,
}

/// What was found.
#[derive(Debug)]
pub enum Lookup {
    Hit(Hit),
    Miss(Miss),
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Miss {
    /// Nothing similar is stored.
    Nothing,
    /// The nearest means something else.
    Compared(Nearest),
    /// Texts are compared exactly only, and why.
    NotCompared(&'static str),
}

/// A stored answer.
#[derive(Debug)]
pub struct Hit {
    pub value: Box<RawValue>,
    pub stored_at: Timestamp,
    /// The question that it answers, unless that is the same.
    pub similar: Option<Nearest>,
}

/// Another question, and what the guard thinks of it.
#[derive(Debug)]
pub struct Nearest {
    pub text: String,
    pub similarity: f32,
    pub reason: String,
}

const OFF: &str = "the semantic cache is switched off (semantic.mode)";
const EXACT_ONLY: &str =
    "too long, or in a script that the encoder does not know: compared exactly only";

impl Question {
    /// A question in a namespace of the key's, with what else decides its answer.
    pub fn new(
        holder: &Holder,
        kind: Kind,
        namespace: &str,
        text: &str,
        params: Option<&serde_json::Value>,
    ) -> Self {
        let params = params.map(ToString::to_string).unwrap_or_default();
        Self {
            kind,
            text: text.trim().nfc().collect(),
            parameters: digest(&["blocks", &holder.id, rules(kind), namespace, &params]),
        }
    }

    /// The name of its answer in both caches, in the form that ids of vectors have.
    fn id(&self) -> String {
        let mut id = digest(&[&self.parameters, &self.text]);
        id.truncate(32);
        id
    }
}

impl Studio {
    /// Returns the answer that was stored for the same question.
    pub async fn find_exact(&self, question: &Question) -> Result<Option<Hit>, Error> {
        let now = self.stores.clock.now();
        let entry = self.stores.cache.get(&question.id(), now).await?;
        let found = entry.and_then(|entry| read(&entry, question).map(|stored| (entry, stored)));
        Ok(found.map(|(entry, stored)| Hit {
            value: stored.value,
            stored_at: entry.stored_at,
            similar: None,
        }))
    }

    /// Returns the answer that was stored for the same question or, otherwise, for the most
    /// similar one that means the same.
    pub async fn find_similar(&self, question: &Question) -> Result<Lookup, Error> {
        if let Some(hit) = self.find_exact(question).await? {
            return Ok(Lookup::Hit(hit));
        }
        let Some(semantic) = &self.stores.semantic else {
            return Ok(Lookup::Miss(Miss::NotCompared(OFF)));
        };
        let Some(asked) = semantic::read(question.kind, &question.text).await else {
            return Ok(Lookup::Miss(Miss::NotCompared(EXACT_ONLY)));
        };
        let now = self.stores.clock.now();
        let candidates = semantic.candidates(&question.parameters, &asked, now).await;
        let known = self.stored(semantic, candidates, question, now).await?;
        let earlier = known.iter().map(|(_, _, stored)| Earlier {
            prompt: stored.text.clone(),
            stranger: false,
        });
        let verdicts = semantic::judge(&asked, earlier.collect()).await;
        let mut nearest = None;
        for ((candidate, entry, stored), verdict) in known.into_iter().zip(verdicts) {
            let similar = Nearest {
                text: stored.text,
                similarity: candidate.similarity,
                reason: verdict.reason,
            };
            if verdict.agree {
                semantic.touch(&candidate.id, now).await;
                return Ok(Lookup::Hit(Hit {
                    value: stored.value,
                    stored_at: entry.stored_at,
                    similar: Some(similar),
                }));
            }
            nearest.get_or_insert(similar);
        }
        Ok(Lookup::Miss(nearest.map_or(Miss::Nothing, Miss::Compared)))
    }

    /// The candidates' answers, as far as they are still there.
    async fn stored(
        &self,
        semantic: &Arc<Semantic>,
        candidates: Vec<Candidate>,
        question: &Question,
        now: Timestamp,
    ) -> Result<Vec<(Candidate, Entry, Stored)>, Error> {
        let mut stored = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            match self.stores.cache.get(&candidate.id, now).await? {
                Some(entry) => {
                    if let Some(known) = read(&entry, question) {
                        stored.push((candidate, entry, known));
                    }
                }
                // It made room for another.
                None => semantic.forget(&candidate.id, now).await,
            }
        }
        Ok(stored)
    }

    /// Stores or replaces an answer. Returns why it will not be found by its meaning, if so.
    pub async fn store_answer(
        &self,
        question: Question,
        value: Box<RawValue>,
        ttl: std::time::Duration,
    ) -> Result<Option<&'static str>, Error> {
        let (id, now) = (question.id(), self.stores.clock.now());
        let until = now.checked_add(ttl).unwrap_or(Timestamp::MAX);
        let Question {
            kind,
            text,
            parameters,
        } = question;
        let stored = Stored {
            text,
            parameters,
            value,
        };
        let record = serde_json::to_string(&stored).map_err(crate::store::Error::from);
        let record = record.map_err(crate::cache::Error::from)?;
        self.stores.cache.put(&id, &record, now, ttl).await?;
        let Some(semantic) = &self.stores.semantic else {
            return Ok(Some(OFF));
        };
        if semantic::read(kind, &stored.text).await.is_none() {
            return Ok(Some(EXACT_ONLY));
        }
        let Stored {
            text, parameters, ..
        } = &stored;
        semantic
            .remember(kind, parameters, text, &id, now, until)
            .await;
        Ok(None)
    }
}

/// The name of the rules by which texts are compared.
const fn rules(kind: Kind) -> &'static str {
    match kind {
        Kind::Picture => "picture",
        Kind::Question => "question",
    }
}

/// The answer, if it is one to such a question: an index may be out of date.
fn read(entry: &Entry, question: &Question) -> Option<Stored> {
    let stored: Stored = serde_json::from_str(&entry.value).ok()?;
    (stored.parameters == question.parameters).then_some(stored)
}
