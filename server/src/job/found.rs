//! Earlier answers that requests are answered with.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{JobId, Picture};

/// An earlier answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The job that was answered by the provider.
    pub job: JobId,
    pub painted_at: Timestamp,
    /// Set if its prompt is not the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similar: Option<Likeness>,
    /// Its prompt, if that is not the same and from the same owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_words: Option<String>,
    /// Its first picture, if it is shown beside the answer for as long as the job may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
    /// Why they mean the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The similarity of an earlier request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Likeness {
    /// Cosine similarity, 0 to 1.
    pub similarity: f32,
}
