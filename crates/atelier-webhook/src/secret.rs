//! Secrets, and what they compute.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// What the text of a secret begins with.
const PREFIX: &str = "whsec_";

/// A key that a sender and a receiver share.
///
/// Its text is `whsec_` and the key in base64. The prefix may be missing when it is parsed. The standard asks for a
/// random key of 24 to 64 bytes. `Debug` does not show the key.
///
/// # Examples
///
/// ```
/// use atelier_webhook::Secret;
///
/// let secret: Secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".parse()?;
/// assert_eq!(secret.as_bytes().len(), 24);
/// assert_eq!(secret.expose(), "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// # Ok::<(), atelier_webhook::InvalidSecret>(())
/// ```
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// A text that is not a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret is \"whsec_\" followed by the base64 of one byte or more")]
pub struct InvalidSecret;

impl Secret {
    /// A secret whose key is `key` itself, not base64.
    pub fn from_bytes(key: impl Into<Vec<u8>>) -> Self {
        Self(key.into())
    }

    /// The key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The secret as text, to be given to the other side.
    pub fn expose(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(&self.0))
    }

    /// The message authentication code of a message that was sent at `seconds` after the Unix epoch.
    pub(crate) fn authenticate(&self, id: &str, seconds: i64, body: &[u8]) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let code = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length");
        code.chain_update(format!("{id}.{seconds}."))
            .chain_update(body)
    }
}

impl FromStr for Secret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
        match BASE64.decode(encoded) {
            Ok(key) if !key.is_empty() => Ok(Self(key)),
            _ => Err(InvalidSecret),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_with_its_prefix_or_without() {
        for text in ["whsec_AAEC", "AAEC"] {
            let secret: Secret = text.parse().unwrap();
            assert_eq!(secret.as_bytes(), [0, 1, 2]);
            assert_eq!(secret.expose(), "whsec_AAEC");
        }
    }

    #[test]
    fn what_is_no_key_in_base64_is_no_secret() {
        for text in [
            "",
            "whsec_",
            "whsec_AAE",
            "whsec_not base64",
            "Whsec_AAEC",
            "whsec_whsec_AAEC",
        ] {
            assert_eq!(
                text.parse::<Secret>().unwrap_err(),
                InvalidSecret,
                "{text:?}"
            );
        }
    }
}
