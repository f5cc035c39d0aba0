//! Names: of header fields, queues, groups, schedules and keys.

use http::{HeaderName, HeaderValue, header};

/// Header fields in the order in which they are sent; a name may repeat.
pub type Headers = Vec<(String, String)>;

/// Maximum length of a name, in bytes.
pub const MAX_NAME: usize = 256;

/// Header fields that belong to one connection (RFC 9110, 7.6.1) or to one message's framing, and
/// are never passed on.
const OF_CONNECTION: [HeaderName; 12] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Header fields that each delivery sets anew, so that nobody can pretend to be the sender.
const OF_DELIVERY: [&str; 7] = [
    "upstash-signature",
    "upstash-message-id",
    "upstash-retried",
    "upstash-schedule-id",
    "upstash-topic-name",
    "upstash-caller-ip",
    "upstash-region",
];

/// Header fields of a request that are meant for this server alone: they are not passed on with
/// all others, but may be by their name.
const OF_REQUEST: [HeaderName; 3] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::ACCEPT_ENCODING,
];

/// Why a header field or a name cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The name of a header field has characters that no name has.
    #[error("{0:?} is not the name of a header field")]
    Header(String),
    /// The value of a header field has line breaks or other control characters.
    #[error("the value has line breaks or other characters that no header field has")]
    Value,
    /// A name has other characters than those allowed, none, or too many.
    #[error("a name consists of 1 to {MAX_NAME} letters, digits, hyphens, underscores and periods")]
    Word,
    /// A key has control characters, is empty, or too long.
    #[error("a key consists of 1 to {MAX_NAME} bytes without control characters")]
    Key,
}

/// The name of a header field as Go writes it: a capital at the beginning and after each hyphen,
/// `x-request-id` as `X-Request-Id`.
pub fn canonical(name: &str) -> String {
    let mut is_first = true;
    let write = |char: char| {
        let written = if is_first {
            char.to_ascii_uppercase()
        } else {
            char.to_ascii_lowercase()
        };
        is_first = char == '-';
        written
    };
    name.chars().map(write).collect()
}

/// A header field with its canonical name; `None` if a delivery does not carry it: what belongs to
/// the connection, and what it sets itself.
///
/// # Errors
///
/// [`InvalidName::Header`] and [`InvalidName::Value`].
pub fn forwarded(name: &str, value: &str) -> Result<Option<(String, String)>, InvalidName> {
    let parsed = HeaderName::from_bytes(name.as_bytes());
    let parsed = parsed.map_err(|_| InvalidName::Header(shorten(name)))?;
    HeaderValue::from_bytes(value.as_bytes()).map_err(|_| InvalidName::Value)?;
    let is_kept = !OF_CONNECTION.contains(&parsed) && !OF_DELIVERY.contains(&parsed.as_str());
    Ok(is_kept.then(|| (canonical(name), value.to_owned())))
}

/// Adds the fields whose names are not there yet.
pub fn add_missing(headers: &mut Headers, defaults: &Headers) {
    let known = headers.len();
    for (name, value) in defaults {
        if !headers[..known].iter().any(|(own, _)| own == name) {
            headers.push((name.clone(), value.clone()));
        }
    }
}

/// Whether a header field of a request goes on where all do (`Upstash-Header-Forward: true`).
/// `name` is in lower case.
pub(crate) fn goes_on_with_all(name: &str) -> bool {
    let is_for_us = OF_REQUEST.iter().any(|own| own.as_str() == name);
    !is_for_us && !name.starts_with("upstash-")
}

/// The name of a queue, a group or a schedule: letters, digits, `-`, `_` and `.`.
///
/// # Errors
///
/// [`InvalidName::Word`].
pub fn word(name: &str) -> Result<&str, InvalidName> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_word = (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_part);
    is_word.then_some(name).ok_or(InvalidName::Word)
}

/// A flow control key or a deduplication id: any text on one line.
///
/// # Errors
///
/// [`InvalidName::Key`].
pub fn key(name: &str) -> Result<&str, InvalidName> {
    let is_key = (1..=MAX_NAME).contains(&name.len()) && !name.chars().any(char::is_control);
    is_key.then_some(name).ok_or(InvalidName::Key)
}

/// As much of a text as an error repeats.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_written_as_go_does() {
        for (name, written) in [
            ("bypass-tunnel-reminder", "Bypass-Tunnel-Reminder"),
            ("CONTENT-TYPE", "Content-Type"),
            ("x_y-z1", "X_y-Z1"),
            ("etag", "Etag"),
            ("-a--b-", "-A--B-"),
            ("", ""),
        ] {
            assert_eq!(canonical(name), written);
        }
    }

    #[test]
    fn what_belongs_to_a_connection_or_to_the_sender_stays() {
        for name in [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "CONNECTION",
            "Upstash-Signature",
            "keep-alive",
        ] {
            assert_eq!(forwarded(name, "x"), Ok(None), "{name}");
        }
        let kept = |name: &str| (canonical(name), "x".to_owned());
        for name in [
            "Authorization",
            "cookie",
            "x-a",
            "User-Agent",
            "Upstash-Workflow-RunId",
        ] {
            assert_eq!(forwarded(name, "x"), Ok(Some(kept(name))), "{name}");
        }
        assert!(!goes_on_with_all("authorization") && !goes_on_with_all("upstash-retries"));
        assert!(goes_on_with_all("x-a"));
    }

    #[test]
    fn line_breaks_reach_no_header() {
        assert_eq!(forwarded("x-a", "1\r\nx-b: 2"), Err(InvalidName::Value));
        assert_eq!(forwarded("x-a", "1\n2"), Err(InvalidName::Value));
        assert_eq!(forwarded("x-a", "\0"), Err(InvalidName::Value));
        for name in ["x-a\r\nx-b", "x a", "", "é", "x:a"] {
            assert_eq!(
                forwarded(name, "1"),
                Err(InvalidName::Header(name.to_owned())),
                "{name:?}"
            );
        }
        let umlauts = ("X-A".to_owned(), "Grüße".to_owned());
        assert_eq!(forwarded("x-a", "Grüße"), Ok(Some(umlauts)));
    }

    #[test]
    fn words_and_keys_are_bounded() {
        let long = "a".repeat(MAX_NAME + 1);
        assert!(word("my-queue_1.x").is_ok() && word(&long[1..]).is_ok());
        for name in ["", "a/b", "a b", "é", "a:b", "a\n", &long] {
            assert_eq!(word(name), Err(InvalidName::Word), "{name:?}");
        }
        assert!(key("user:1 / é").is_ok());
        for name in ["", "a\nb", "\u{7f}", "\u{85}", &long] {
            assert_eq!(key(name), Err(InvalidName::Key), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn canonical_names_stay_names_and_stay_the_same(name in "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}") {
            let written = canonical(&name);
            prop_assert_eq!(canonical(&written), written.clone());
            prop_assert!(written.eq_ignore_ascii_case(&name));
        }

        #[test]
        fn any_header_is_answered(name in ".*", value in ".*") {
            if let Ok(Some((name, value))) = forwarded(&name, &value) {
                prop_assert!(HeaderName::from_bytes(name.as_bytes()).is_ok());
                prop_assert!(!value.contains(['\r', '\n']));
            }
        }
    }
}
