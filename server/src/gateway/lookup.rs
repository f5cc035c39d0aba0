//! Answers from before: what is kept, for whom, and what a call may be answered with.

use std::time::Duration;

use atelier_gateway::{
    ApiError, Call, Completion, Endpoint, Question, Usage, completion,
    embeddings::{Encoding, encode},
    routing::Target,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::{debug, warn};

use super::{Error, Gateway, request::Asked};
use crate::{
    cache::{self, guard::Kind},
    config::{CacheMode, CacheScope},
};

/// Headers that an answer depends on.
const CHANGING: [&str; 3] = ["anthropic-version", "anthropic-beta", "openai-beta"];

/// What may be done with answers to a call.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What the call is the same in: its endpoint, everything in its body, and whose it is.
    pub(super) digest: String,
    /// How answers are used again.
    pub(super) mode: Option<CacheMode>,
    /// Whether an earlier answer may be given.
    pub(super) reads: bool,
    /// Whether the answer may be kept.
    pub(super) keeps: bool,
    /// Its words, if calls with others may mean the same.
    pub(super) question: Option<Question>,
    /// Under which the result is kept for a while, so that a repeat does not buy it again.
    pub(super) repeat: Option<String>,
    /// Whether the call may be a repeat.
    pub(super) repeated: bool,
}

/// An answer that is kept, as the store has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The digest of its call.
    digest: String,
    pub(super) upstream: String,
    /// The model's name there; earlier versions did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) routed: Option<String>,
    /// The object, as a call that does not stream gets it.
    pub(super) answer: Value,
    #[serde(default)]
    pub(super) usage: Option<Usage>,
    /// What its call cost.
    pub(super) usd: f64,
    /// The words of the question, if it may answer others that mean the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// An answer from before.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) kept: Kept,
    pub(super) age: Duration,
    /// Cosine similarity of the questions, if they are not the same.
    pub(super) similarity: Option<f32>,
}

impl Hit {
    /// Reads an entry of the cache.
    pub(super) fn read(entry: &cache::Entry, now: Timestamp) -> Option<Self> {
        let age = now.duration_since(entry.stored_at);
        Some(Self {
            kept: serde_json::from_str(&entry.value).ok()?,
            age: age.try_into().unwrap_or_default(),
            similarity: None,
        })
    }

    /// Whether it answers this very request.
    pub(super) fn is_of(&self, plan: &Plan) -> bool {
        self.kept.digest == plan.digest
    }
}

impl Gateway {
    /// Decides what may be done with answers to the call.
    pub(super) fn plan(&self, asked: &Asked, model: &str) -> Plan {
        let (call, wishes) = (&asked.call, &asked.wishes);
        let owner = asked.caller.counted_as();
        let mode = self.mode(asked, model);
        let scope = self.scope(asked, mode);
        let scope = CHANGING.iter().fold(scope.to_owned(), |scope, name| {
            let values = asked.headers.get_all(*name).iter();
            let values: Vec<_> = values
                .map(|value| value.as_bytes().escape_ascii().to_string())
                .collect();
            format!("{scope}\n{}", values.join(","))
        });
        let digest = call.digest(&scope, model);
        let repeat = match &wishes.idempotency_key {
            Some(key) => Some(cache::digest(&["idempotency", owner, key])),
            None if is_bought(call) => Some(cache::digest(&["repeat", owner, &digest])),
            None => None,
        };
        Plan {
            question: (mode == Some(CacheMode::Semantic))
                .then(|| call.question(model))
                .flatten()
                .map(|question| Question {
                    parameters: format!("{scope}\n{}", question.parameters),
                    ..question
                }),
            reads: mode.is_some() && !wishes.fresh && !wishes.unkept,
            keeps: mode.is_some() && !wishes.unkept,
            repeated: wishes.repeated || wishes.idempotency_key.is_some(),
            mode,
            digest,
            repeat,
        }
    }

    /// Who shares answers with the caller.
    fn scope<'a>(&self, asked: &'a Asked, mode: Option<CacheMode>) -> &'a str {
        let owner = asked.caller.counted_as();
        let tagged = asked.caller.holder.as_ref();
        let tagged = tagged.and_then(|holder| holder.tags.get("owner"));
        match self.settings.cache.scope {
            // What is not given again is still told apart.
            _ if mode.is_none() => owner,
            CacheScope::Key => owner,
            CacheScope::Owner => tagged.map_or(owner, String::as_str),
            CacheScope::Site => "",
        }
    }

    /// How answers to the call are used again, if at all.
    fn mode(&self, asked: &Asked, model: &str) -> Option<CacheMode> {
        let call = &asked.call;
        if !call.endpoint().answers_json() || call.is_stateful() {
            return None;
        }
        let settings = &self.settings.cache;
        let configured = settings.models.iter().find(|(one, _)| one.matches(model));
        let by_key = asked.caller.holder.as_ref();
        let by_key = by_key.and_then(|holder| settings.keys.get(&holder.id));
        let configured = configured.map(|(_, mode)| *mode).or(by_key.copied());
        let configured = configured.or(settings.mode);
        let by_itself = call.is_deterministic().then_some(CacheMode::Exact);
        let mode = asked.wishes.cache.or(configured).or(by_itself)?;
        (mode != CacheMode::Off).then_some(mode)
    }

    /// Looks for an answer that the call may be given.
    pub(super) async fn look_up(&self, asked: &Asked, plan: &Plan) -> Option<Hit> {
        if !plan.reads {
            return None;
        }
        let now = self.studio.stores.clock.now();
        let young = |hit: &Hit| asked.wishes.max_age.is_none_or(|most| hit.age <= most);
        if let Some(hit) = self.kept(key_of(&plan.digest), now).await.filter(young) {
            return Some(hit);
        }
        let question = plan.question.as_ref()?;
        self.similar(&asked.call, question, now).await.filter(young)
    }

    /// An answer by its key. A store that is away is a miss.
    async fn kept(&self, key: &str, now: Timestamp) -> Option<Hit> {
        let entry = match self.studio.stores.cache.get(key, now).await {
            Ok(entry) => entry?,
            Err(error) => {
                debug!(%error, "the cache cannot be asked");
                return None;
            }
        };
        Hit::read(&entry, now)
    }

    /// An answer to a question that means the same.
    async fn similar(&self, call: &Call, question: &Question, now: Timestamp) -> Option<Hit> {
        let semantic = self.studio.stores.semantic.as_ref()?;
        let kind = kind_of(call);
        let words = async |id: String| self.kept(&id, now).await?.kept.text;
        let found = semantic
            .find(kind, &question.parameters, &question.text, now, words)
            .await?;
        let hit = self.kept(&found.id, now).await?;
        Some(Hit {
            similarity: Some(found.similarity),
            ..hit
        })
    }

    /// Keeps a whole answer, as far as the plan says so.
    pub(super) async fn keep(
        &self,
        call: &Call,
        plan: &Plan,
        target: &Target,
        mut answer: Value,
        usage: Option<Usage>,
        usd: f64,
    ) {
        let completion = completion(call.endpoint(), &answer);
        let whole = match completion {
            Completion::Whole => true,
            Completion::ToolCalls => self.settings.cache.tool_calls,
            Completion::Partial => false,
        };
        // A repeat gets what came, whole or cut; an error it may hope to avoid.
        let failed = answer.get("error").is_some_and(|error| !error.is_null());
        let repeated = plan.repeat.as_ref().filter(|_| !failed);
        if !(plan.keeps && whole) && repeated.is_none() {
            return;
        }
        // What was asked for in base64 is kept as it came, even if it came as numbers.
        if call.endpoint() == Endpoint::Embeddings && call.encoding() != Some(Encoding::Base64) {
            encode(&mut answer, Encoding::Base64);
        }
        let kept = Kept {
            digest: plan.digest.clone(),
            upstream: target.upstream.name().to_owned(),
            routed: Some(target.model.clone()),
            answer,
            usage,
            usd,
            text: plan.question.as_ref().map(|question| question.text.clone()),
        };
        let Ok(value) = serde_json::to_string(&kept) else {
            return;
        };
        let now = self.studio.stores.clock.now();
        if let Some(key) = repeated {
            self.put(key, &value, now, self.settings.repeats).await;
        }
        if plan.keeps && whole && value.len() <= self.settings.cache.max_bytes {
            let ttl = self.settings.cache.ttl;
            let key = key_of(&plan.digest);
            self.put(key, &value, now, ttl).await;
            if let (Some(semantic), Some(question), Ok(until)) = (
                &self.studio.stores.semantic,
                &plan.question,
                now.checked_add(ttl),
            ) {
                let (parameters, text) = (&question.parameters, &question.text);
                semantic
                    .remember(kind_of(call), parameters, text, key, now, until)
                    .await;
            }
        }
    }

    async fn put(&self, key: &str, value: &str, now: Timestamp, ttl: Duration) {
        if let Err(error) = self.studio.stores.cache.put(key, value, now, ttl).await {
            warn!(%error, "an answer could not be kept");
        }
    }
}

/// An `Idempotency-Key` stands for one request.
pub(super) fn key_reused() -> Error {
    let message = "This Idempotency-Key was sent before with another request.";
    let error = ApiError::invalid(message).code("idempotency_key_reused");
    error.into()
}

/// What is compared: the prompts of pictures, or questions.
fn kind_of(call: &Call) -> Kind {
    if is_bought(call) {
        Kind::Picture
    } else {
        Kind::Question
    }
}

/// Whether a repeat of the call would buy something twice that is finished in any case.
pub(super) fn is_bought(call: &Call) -> bool {
    call.endpoint().action() == "image"
}

/// The key under which an answer is kept: also its id among those that mean the same, which
/// has the length of a UUID.
fn key_of(digest: &str) -> &str {
    digest.get(..32).unwrap_or(digest)
}
