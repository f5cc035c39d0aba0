//! What makes two messages the same.

use sha2::{Digest as _, Sha256};

use crate::{names::Headers, redact::hex};

/// The key of a deduplication id.
pub fn by_id(id: &str) -> String {
    format!("id:{id}")
}

/// The key of a message's content: its destination as it was given, its body, and the header
/// fields that are forwarded, `Content-Type` among them, in any order.
///
/// # Examples
///
/// ```
/// use atelier_messages::dedup::by_content;
///
/// let key = |body: &[u8]| by_content("https://example.com/", &Vec::new(), body);
/// assert_eq!(key(b"a"), key(b"a"));
/// assert_ne!(key(b"a"), key(b"b"));
/// ```
pub fn by_content(destination: &str, headers: &Headers, body: &[u8]) -> String {
    let mut headers: Vec<_> = headers.iter().collect();
    // The order of values of one name means something, and is kept.
    headers.sort_by(|(name, _), (other, _)| name.cmp(other));
    let mut digest = Sha256::new();
    let mut add = |part: &[u8]| {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    };
    add(destination.as_bytes());
    add(body);
    for (name, value) in headers {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    format!("content:{}", hex(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(destination: &str, headers: &[(&str, &str)], body: &str) -> String {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        by_content(destination, &headers.collect(), body.as_bytes())
    }

    #[test]
    fn everything_that_is_sent_counts_but_the_order_of_names() {
        let (a, b) = (("Content-Type", "text/plain"), ("X-A", "1"));
        let one = key("https://e.com", &[a, b], "x");
        assert_eq!(one, key("https://e.com", &[b, a], "x"));
        assert_ne!(one, key("https://e.com/", &[a, b], "x"));
        assert_ne!(one, key("https://e.com", &[a], "x"));
        assert_ne!(one, key("https://e.com", &[a, ("X-A", "2")], "x"));
        assert_ne!(one, key("https://e.com", &[a, b], "y"));
        assert_ne!(one, by_id("x"));
    }

    #[test]
    fn parts_do_not_flow_into_each_other() {
        assert_ne!(key("ab", &[], "c"), key("a", &[], "bc"));
        assert_ne!(key("a", &[("b", "cd")], ""), key("a", &[("bc", "d")], ""));
        assert_ne!(
            key("a", &[("b", "1"), ("b", "2")], ""),
            key("a", &[("b", "2"), ("b", "1")], "")
        );
    }
}
