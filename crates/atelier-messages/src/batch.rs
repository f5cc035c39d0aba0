//! Many messages in one request.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One message of a batch. Its options are in its own header fields, not in those of the request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Item {
    /// A URL, the name of a URL group, or an API.
    pub destination: String,
    /// Header fields; see [`Options::of_fields`](crate::options::Options::of_fields).
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: Option<String>,
    /// The queue that the message is put into.
    #[serde(default)]
    pub queue: Option<String>,
}

/// Why a batch cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InvalidBatch {
    /// It is not a list of messages.
    #[error("the batch cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It has too many messages.
    #[error("a batch can have {0} messages at most")]
    TooMany(usize),
}

/// Reads a batch of at most `most` messages. Empty names of queues count as none.
///
/// # Errors
///
/// An [`InvalidBatch`].
///
/// # Examples
///
/// ```
/// let body = br#"[{"destination":"https://example.com","headers":{"upstash-retries":"1"},"body":null}]"#;
/// let items = atelier_messages::batch::read(body, 100)?;
/// assert_eq!(items[0].headers["upstash-retries"], "1");
/// # Ok::<(), atelier_messages::batch::InvalidBatch>(())
/// ```
pub fn read(body: &[u8], most: usize) -> Result<Vec<Item>, InvalidBatch> {
    let mut items: Vec<Item> = serde_json::from_slice(body)?;
    if items.len() > most {
        return Err(InvalidBatch::TooMany(most));
    }
    for item in &mut items {
        item.queue = item.queue.take().filter(|queue| !queue.is_empty());
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read() {
        let body = r#"[
            {"destination": "https://e.com", "headers": {"upstash-method": "GET"}, "body": "x", "queue": "q", "y": 1},
            {"destination": "g", "body": null, "queue": ""}
        ]"#;
        let items = read(body.as_bytes(), 2).unwrap();
        assert_eq!(
            (items[0].body.as_deref(), items[0].queue.as_deref()),
            (Some("x"), Some("q"))
        );
        assert_eq!((&items[1].body, &items[1].queue), (&None, &None));
        assert!(items[1].headers.is_empty());
        assert!(read(b"[]", 2).unwrap().is_empty());
    }

    #[test]
    fn other_bodies_are_refused() {
        for body in [
            "",
            "{}",
            "[1]",
            "[{}]",
            r#"[{"destination":1}]"#,
            r#"[{"destination":"a","headers":{"a":1}}]"#,
        ] {
            assert!(
                matches!(read(body.as_bytes(), 2), Err(InvalidBatch::Malformed(_))),
                "{body}"
            );
        }
        let nested = "[".repeat(100_000);
        assert!(matches!(
            read(nested.as_bytes(), 2),
            Err(InvalidBatch::Malformed(_))
        ));
        let many = format!("[{}]", vec![r#"{"destination":"a"}"#; 10_000].join(","));
        let error = read(many.as_bytes(), 100).unwrap_err();
        assert_eq!(error.to_string(), "a batch can have 100 messages at most");
    }
}
