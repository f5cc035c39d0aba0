//! One call.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What became of a call, without its contents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The id of its request.
    pub id: String,
    /// When it came in.
    pub at: Timestamp,
    /// The id of the API key; `None` without one.
    pub key: Option<String>,
    /// What was asked of the gateway, such as `chat/completions`.
    pub endpoint: Cow<'static, str>,
    /// The model that the client named.
    pub model: Option<String>,
    /// The model that answered, if an upstream was asked.
    pub routed: Option<String>,
    /// Who answered.
    pub upstream: Option<String>,
    /// The HTTP status of the answer; 499 if the client left before it.
    pub status: u16,
    /// Where the answer came from.
    #[serde(rename = "cache")]
    pub source: Source,
    /// Tokens of the request.
    pub input_tokens: u64,
    /// Of these, those that the upstream had in its own cache.
    pub cached_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Whether the tokens are estimated, because the upstream does not tell them.
    #[serde(default)]
    pub estimated: bool,
    /// What was charged, in US dollars.
    pub usd: f64,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
    /// When the first byte of a stream came, in milliseconds from its beginning.
    pub first_byte_ms: Option<f64>,
    /// Whether the answer was to stream.
    pub stream: bool,
    /// The class of its error.
    pub failure: Option<Failure>,
    /// The code of its error, such as `model_not_found`.
    pub error: Option<Cow<'static, str>>,
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A call whose answer is not kept.
    #[default]
    Off,
    /// A call whose answer may be kept.
    Miss,
    /// The same call, which was in flight.
    Joined,
    /// The cache.
    Hit,
    /// The cache: a question that means the same.
    Semantic,
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failure {
    /// The client's.
    Request,
    /// Nobody's: a limit or a budget.
    Limit,
    /// The upstream's, or of the way to it.
    Upstream,
    /// Ours.
    Internal,
    /// Nobody's: the client left.
    Abandoned,
}

impl Record {
    /// A call of which nothing else is known yet.
    pub fn new(
        id: impl Into<String>,
        endpoint: impl Into<Cow<'static, str>>,
        at: Timestamp,
    ) -> Self {
        Self {
            id: id.into(),
            at,
            key: None,
            endpoint: endpoint.into(),
            model: None,
            routed: None,
            upstream: None,
            status: 0,
            source: Source::Off,
            input_tokens: 0,
            cached_tokens: 0,
            output_tokens: 0,
            estimated: false,
            usd: 0.0,
            duration_ms: 0.0,
            first_byte_ms: None,
            stream: false,
            failure: None,
            error: None,
        }
    }
}

impl Source {
    /// Its name in the API and the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Miss => "miss",
            Self::Joined => "joined",
            Self::Hit => "hit",
            Self::Semantic => "semantic",
        }
    }
}
