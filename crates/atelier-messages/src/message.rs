//! What is to be called, and how.

use serde::{Deserialize, Serialize};

/// A call that is to be made, without its body: as it is stored with its job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// The URL, as it is called.
    pub url: String,
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The header fields that are sent, with canonical names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The URL group that it was published to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The name of its endpoint in the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The API that it was published to instead of a URL, for example `llm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// The queue that it waits in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The schedule that published it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// How often a call that failed is repeated.
    pub retries: u32,
    /// The pause before a repetition, as an expression for milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_delay: Option<String>,
    /// How long a call may take, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// Not called before, in Unix milliseconds.
    pub not_before: i64,
    /// Published at, in Unix milliseconds.
    pub created_at: i64,
    /// Who is told of every call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<Callback>,
    /// Who is told if the last call failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_callback: Option<Callback>,
    /// What it shares its rate and its parallelism with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<Flow>,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// What is not shown of it.
    #[serde(skip_serializing_if = "Redact::is_nothing")]
    pub redact: Redact,
    /// The address of whoever published it.
    pub caller_ip: String,
    /// The call that it tells of, if it is a callback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
}

/// How somebody is told what became of a call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Callback {
    /// The URL.
    pub url: String,
    /// As in [`Message::method`]; empty for `POST`.
    pub method: String,
    /// As in [`Message::headers`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// As in [`Message::retries`]; `None` for the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// As in [`Message::retry_delay`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_delay: Option<String>,
    /// As in [`Message::timeout`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// As in [`Message::flow`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<Flow>,
}

/// A flow control key, and what it allows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Messages with the same key share what it allows.
    pub key: String,
    /// Maximum number of calls at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<u32>,
    /// Maximum number of calls that start in a period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// The period, in seconds.
    pub period: u64,
}

/// What is hidden wherever a message is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Redact {
    /// The body.
    pub body: bool,
    /// All header fields.
    pub headers: bool,
    /// Header fields with these canonical names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// What a callback tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The message whose call it was.
    pub message: String,
    /// Whether it is the failure callback.
    pub failure: bool,
}

impl Redact {
    /// Whether everything is shown.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}
