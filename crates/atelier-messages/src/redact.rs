//! What is hidden wherever a message is shown: `body, header[Authorization]`.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use crate::{
    Message, Redact,
    names::{self, Headers},
};

/// Why fields to be redacted cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be redacted: there are body, header and header[Name], separated by commas")]
pub struct InvalidRedact(String);

/// What is shown instead of a value: `REDACTED:` and its SHA-256 in hexadecimal digits, so that
/// whoever knows the value recognises it.
pub fn redacted(value: &[u8]) -> String {
    format!("REDACTED:{}", hex(&Sha256::digest(value)))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Redact {
    /// Reads `body`, `header` and `header[Name]`, separated by commas.
    ///
    /// # Errors
    ///
    /// [`InvalidRedact`] if there is anything else.
    ///
    /// # Examples
    ///
    /// ```
    /// use atelier_messages::Redact;
    ///
    /// let redact = Redact::parse("body, header[authorization]")?;
    /// assert!(redact.body && !redact.headers);
    /// assert_eq!(redact.header("Authorization", "secret").len(), "REDACTED:".len() + 64);
    /// # Ok::<(), atelier_messages::redact::InvalidRedact>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, InvalidRedact> {
        let mut redact = Self::default();
        for field in text
            .split(',')
            .map(str::trim)
            .filter(|field| !field.is_empty())
        {
            match field.to_ascii_lowercase().as_str() {
                "body" => redact.body = true,
                "header" | "headers" => redact.headers = true,
                field => redact.names.push(name_in(field)?),
            }
        }
        Ok(redact)
    }

    /// The value of a header field with a canonical name, as it is shown.
    pub fn header<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        if self.headers || self.names.iter().any(|hidden| hidden == name) {
            return redacted(value.as_bytes()).into();
        }
        value.into()
    }

    /// The body, as it is shown.
    pub fn body<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        if self.body && !body.is_empty() {
            return redacted(body).into_bytes().into();
        }
        body.into()
    }
}

/// The canonical name in `header[name]`.
fn name_in(field: &str) -> Result<String, InvalidRedact> {
    let name = field
        .strip_prefix("header[")
        .and_then(|rest| rest.strip_suffix(']'));
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| InvalidRedact(names::shorten(field)))?;
    Ok(names::canonical(name))
}

impl Message {
    /// The message without its header fields and those of its callbacks: what an event keeps.
    #[must_use]
    pub fn without_headers(&self) -> Self {
        let mut message = self.clone();
        message.headers = Headers::new();
        for callback in [&mut message.callback, &mut message.failure_callback]
            .into_iter()
            .flatten()
        {
            callback.headers = Headers::new();
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "REDACTED:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    #[test]
    fn what_is_named_is_hidden() {
        let redact = Redact::parse(" body,header[x-api-key], Header[Cookie] ").unwrap();
        assert_eq!(redact.names, ["X-Api-Key", "Cookie"]);
        assert_eq!(redact.header("X-Api-Key", "secret"), HASH);
        assert_eq!(redact.header("X-Other", "secret"), "secret");
        assert_eq!(redact.body(b"secret").as_ref(), HASH.as_bytes());
        assert_eq!(redact.body(b"").as_ref(), b"");

        let all = Redact::parse("header").unwrap();
        assert_eq!(all.header("X-Other", "secret"), HASH);
        assert_eq!(all.body(b"secret").as_ref(), b"secret");
        assert!(Redact::parse("").unwrap().is_nothing());
    }

    #[test]
    fn other_fields_are_refused() {
        for text in [
            "url",
            "header[",
            "header[]",
            "header[ ]",
            "body;header",
            "header[a",
        ] {
            assert!(Redact::parse(text).is_err(), "{text:?}");
        }
    }
}
