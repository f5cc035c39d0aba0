//! `POST /api/cache/lookup` and `POST /api/cache/store`.

use std::time::Duration;

use axum::{Json, extract::State as AxumState, response::Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::name;
use crate::http::{
    Error, Result, State, api::jobs::no_store, extract::json::JsonBody,
    middleware::scopes::BlocksHolder,
};
use crate::{
    access::Holder,
    app::blocks::{Hit, Lookup, Miss, Nearest, Question},
    cache::guard::Kind,
};

/// Maximum length of a namespace, in characters.
const LONGEST_NAMESPACE: usize = 100;

/// Maximum length of a text, in characters.
const LONGEST_TEXT: usize = 32_000;

/// Maximum size of parameters, in bytes.
const MOST_PARAMS: usize = 16 * 1024;

/// Maximum size of a value, in bytes.
const MOST_VALUE: usize = 256 * 1024;

/// For how long a value may be stored.
const TTL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(366 * 24));

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    namespace: String,
    text: String,
    params: Option<Value>,
    #[serde(default)]
    kind: TextKind,
    #[serde(default)]
    mode: Mode,
}

/// By which rules two texts are compared.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TextKind {
    /// A question, or a request for a text.
    #[default]
    Question,
    /// The description of a picture.
    Picture,
}

impl From<TextKind> for Kind {
    fn from(kind: TextKind) -> Self {
        match kind {
            TextKind::Question => Self::Question,
            TextKind::Picture => Self::Picture,
        }
    }
}

/// How a stored text is found.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// By the same text.
    #[default]
    Exact,
    /// By the same text, or one that means the same.
    Semantic,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    namespace: String,
    text: String,
    params: Option<Value>,
    #[serde(default)]
    kind: TextKind,
    value: Box<RawValue>,
    ttl: Option<Ttl>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "ttl is a number of seconds, or a text such as \"7d\""
)]
enum Ttl {
    Seconds(u64),
    Text(String),
}

/// What was found. A miss tells of the nearest that was compared, or why none was.
#[derive(Default, Serialize)]
struct Found {
    hit: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    similarity: Option<f32>,
    /// The text that was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Stored {
    stored: bool,
    /// Whether texts that mean the same will find it.
    semantic: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

pub(super) async fn lookup(
    AxumState(state): AxumState<State>,
    BlocksHolder(holder): BlocksHolder,
    JsonBody(asked): JsonBody<Asked>,
) -> Result<Response> {
    let question = question(
        &holder,
        asked.kind,
        &asked.namespace,
        &asked.text,
        asked.params.as_ref(),
    )?;
    let found = match asked.mode {
        Mode::Exact => {
            let hit = state.studio.find_exact(&question).await?;
            hit.map_or_else(Found::default, Found::hit)
        }
        Mode::Semantic => match state.studio.find_similar(&question).await? {
            Lookup::Hit(hit) => Found::hit(hit),
            Lookup::Miss(Miss::Compared(nearest)) => Found::near(Some(nearest)),
            Lookup::Miss(Miss::Nothing) => Found::default(),
            Lookup::Miss(Miss::NotCompared(why)) => Found {
                reason: Some(why.into()),
                ..Found::default()
            },
        },
    };
    Ok(no_store(Json(found)))
}

pub(super) async fn store(
    AxumState(state): AxumState<State>,
    BlocksHolder(holder): BlocksHolder,
    JsonBody(given): JsonBody<Given>,
) -> Result<Response> {
    let question = question(
        &holder,
        given.kind,
        &given.namespace,
        &given.text,
        given.params.as_ref(),
    )?;
    if given.value.get().len() > MOST_VALUE {
        let detail = format!("value is at most {} kB of JSON.", MOST_VALUE / 1024);
        return Err(Error::invalid("value", detail));
    }
    let ttl = match given.ttl {
        Some(ttl) => ttl.checked()?,
        None => state.studio.settings.cache_ttl,
    };
    let stored = state.studio.store_answer(question, given.value, ttl);
    let reason = stored.await?;
    Ok(no_store(Json(Stored {
        stored: true,
        semantic: reason.is_none(),
        reason,
    })))
}

fn question(
    holder: &Holder,
    kind: TextKind,
    namespace: &str,
    text: &str,
    params: Option<&Value>,
) -> Result<Question> {
    name("namespace", namespace, LONGEST_NAMESPACE)?;
    if text.trim().is_empty() || text.chars().count() > LONGEST_TEXT {
        let detail = format!("text is 1 to {LONGEST_TEXT} characters, not all of them blank.");
        return Err(Error::invalid("text", detail));
    }
    if params.is_some_and(|params| params.to_string().len() > MOST_PARAMS) {
        let detail = format!("params is at most {} kB of JSON.", MOST_PARAMS / 1024);
        return Err(Error::invalid("params", detail));
    }
    Ok(Question::new(holder, kind.into(), namespace, text, params))
}

impl Ttl {
    fn checked(self) -> Result<Duration> {
        let ttl = match self {
            Self::Seconds(seconds) => Some(Duration::from_secs(seconds)),
            Self::Text(text) => humantime::parse_duration(&text).ok(),
        };
        let ttl = ttl.filter(|ttl| (TTL.0..=TTL.1).contains(ttl));
        let detail =
            "ttl is a number of seconds or a text such as \"7d\": at least 1 s, at most 366 days.";
        ttl.ok_or_else(|| Error::invalid("ttl", detail))
    }
}

impl Found {
    fn hit(hit: Hit) -> Self {
        let mode = match &hit.similar {
            Some(_) => Mode::Semantic,
            None => Mode::Exact,
        };
        Self {
            hit: true,
            mode: Some(mode),
            value: Some(hit.value),
            stored_at: Some(hit.stored_at),
            ..Self::near(hit.similar)
        }
    }

    fn near(nearest: Option<Nearest>) -> Self {
        nearest.map_or_else(Self::default, |nearest| Self {
            similarity: Some(nearest.similarity),
            text: Some(nearest.text),
            reason: Some(nearest.reason),
            ..Self::default()
        })
    }
}
