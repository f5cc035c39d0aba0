//! Calls of the gateway that are made later, and their answers.

use atelier_api::Failure;
use atelier_queue::Cost;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::blob::{self, BlobKey, Blobs};

/// The lane of calls.
pub const CALLS: &str = "gateway";

/// Largest content that is kept in a record, in bytes. Records are read whole whenever a job
/// is claimed or polled, and stay in Redis's memory.
const LARGEST_RECORD: usize = 64 * 1024;

/// A call of the gateway. There is neither the client's key in it nor the provider's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallTask {
    /// The id of the client's request.
    pub request: String,
    /// The path below `/v1`.
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// What of the request's headers the call depends on.
    pub headers: Vec<(String, String)>,
    pub body: Content,
    /// The client's address, as limits count it.
    pub ip: String,
    /// What it is the same in as its repeats: everything that decides the answer.
    pub digest: String,
    /// The pictures and tokens that it is expected to take at most.
    #[serde(default)]
    pub images: u64,
    #[serde(default)]
    pub tokens: u64,
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    pub status: u16,
    /// Those that matter, with names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Content,
    /// What the call cost.
    #[serde(default)]
    pub cost: Cost,
    /// The pictures and tokens that it took.
    #[serde(default)]
    pub images: u64,
    #[serde(default)]
    pub tokens: u64,
    /// Why the call failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// As in [`Outcome::Succeeded`](super::Outcome::Succeeded).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_claims: Vec<u64>,
}

/// Bytes of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Text(String),
    Base64(String),
    /// They are in the blob store.
    Blob {
        key: BlobKey,
        bytes: u64,
    },
}

impl Answered {
    /// The value of the header field with this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(one, _)| one == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A body as it is shown in JSON: as it is if it is JSON itself, otherwise in base64.
pub fn shown(media_type: Option<&str>, body: &[u8]) -> Value {
    let is_json = media_type.is_some_and(|media_type| media_type.contains("json"));
    let json = is_json.then(|| serde_json::from_slice(body).ok()).flatten();
    json.unwrap_or_else(|| BASE64.encode(body).into())
}

impl Content {
    /// The content, and if it is not kept in the record, the blob that is to be stored.
    pub fn new(bytes: Bytes) -> (Self, Option<(BlobKey, Bytes)>) {
        if bytes.len() > LARGEST_RECORD {
            let key = BlobKey::of_bytes();
            let content = Self::Blob {
                key: key.clone(),
                bytes: bytes.len() as u64,
            };
            return (content, Some((key, bytes)));
        }
        let content = match std::str::from_utf8(&bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(BASE64.encode(&bytes)),
        };
        (content, None)
    }

    /// Its blob, if it has one.
    pub const fn blob(&self) -> Option<&BlobKey> {
        match self {
            Self::Blob { key, .. } => Some(key),
            Self::Text(_) | Self::Base64(_) => None,
        }
    }

    /// Its blob, with its size in bytes.
    pub(super) fn file(&self) -> Option<(&BlobKey, u64)> {
        match self {
            Self::Blob { key, bytes } => Some((key, *bytes)),
            Self::Text(_) | Self::Base64(_) => None,
        }
    }

    /// The bytes, if they are in the record.
    pub fn recorded(&self) -> Option<Bytes> {
        match self {
            Self::Text(text) => Some(text.clone().into()),
            Self::Base64(text) => Some(BASE64.decode(text).unwrap_or_default().into()),
            Self::Blob { .. } => None,
        }
    }

    /// The bytes, wherever they are.
    ///
    /// # Errors
    /// If the blob cannot be read.
    pub async fn read(&self, blobs: &Blobs) -> Result<Bytes, blob::Error> {
        match self {
            Self::Blob { key, .. } => blobs.read(key).await,
            Self::Text(_) | Self::Base64(_) => Ok(self.recorded().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_is_shown_as_json() {
        let json = Some("application/json; charset=utf-8");
        assert_eq!(shown(json, b"{\"a\": 1}"), serde_json::json!({ "a": 1 }));
        assert_eq!(shown(json, b"{"), "ew==");
        assert_eq!(shown(Some("text/plain"), b"1"), "MQ==");
        assert_eq!(shown(None, b"1"), "MQ==");
    }

    #[test]
    fn small_contents_are_kept_in_the_record_whatever_they_are() {
        for bytes in [&b""[..], b"{}", "ä".as_bytes(), b"\xff\x00"] {
            let (content, file) = Content::new(Bytes::copy_from_slice(bytes));
            let text = serde_json::to_string(&content).unwrap();
            let read: Content = serde_json::from_str(&text).unwrap();
            assert_eq!(read.recorded().unwrap(), bytes);
            assert_eq!((read.blob(), file), (None, None));
        }
        let large = Bytes::from(vec![0; LARGEST_RECORD + 1]);
        let (content, file) = Content::new(large.clone());
        let (key, stored) = file.unwrap();
        assert_eq!((content.blob(), stored), (Some(&key), large));
        assert_eq!(content.recorded(), None);
    }
}
