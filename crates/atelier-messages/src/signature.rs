//! Signatures of deliveries: JWS (RFC 7515) with HMAC-SHA256, as the receivers of
//! `@upstash/qstash` and `qstash` verify them.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::redact::hex;

/// The header field with the signature.
pub const HEADER: http::HeaderName = http::HeaderName::from_static("upstash-signature");

/// Who signs, as receivers expect it.
const ISSUER: &str = "Upstash";

/// How long a signature is valid.
pub const VALIDITY: Duration = Duration::from_mins(5);

/// How far a receiver's clock may be behind: the official ones tolerate nothing by themselves.
const HEAD_START: Duration = Duration::from_secs(10);

/// The longest signature that is read, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Always `Upstash`.
    pub iss: String,
    /// The URL, exactly as it is called.
    pub sub: String,
    /// Valid until then, in Unix seconds.
    pub exp: i64,
    /// Valid from then, in Unix seconds.
    pub nbf: i64,
    /// Signed then, in Unix seconds.
    #[serde(default)]
    pub iat: i64,
    /// Another for each delivery.
    #[serde(default)]
    pub jti: String,
    /// The SHA-256 of the body, in base64url.
    pub body: String,
}

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    alg: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typ: Option<&'a str>,
}

/// Why a delivery is not authentic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It is not a JWS.
    #[error("the signature cannot be read")]
    Malformed,
    /// It was not made with HMAC-SHA256, or with none of the keys.
    #[error("the signature is not by any of the keys")]
    WrongKey,
    /// Somebody else signed.
    #[error("the issuer is not {ISSUER}")]
    WrongIssuer,
    /// It is not valid yet.
    #[error("the signature is not valid yet")]
    TooNew,
    /// It is not valid any more.
    #[error("the signature has expired")]
    Expired,
    /// It was made for another URL.
    #[error("the signature is for another URL")]
    WrongUrl,
    /// It was made for another body.
    #[error("the signature is for another body")]
    WrongBody,
}

/// Signs a delivery of `body` to `url` at `now`. `id` is the signature's own; `key` is used as it
/// is, by its bytes.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use atelier_messages::signature::{Receiver, sign};
/// use jiff::Timestamp;
///
/// let now: Timestamp = "2026-11-27T12:00:00Z".parse()?;
/// let signature = sign("sig_current", "https://example.com/hook", b"{}", "jwt_1", now);
///
/// let receiver = Receiver::new("sig_current", "sig_next");
/// let claims = receiver.verify(&signature, b"{}", Some("https://example.com/hook"), now)?;
/// assert_eq!(claims.exp - claims.iat, 300);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign(key: &str, url: &str, body: &[u8], id: &str, now: Timestamp) -> String {
    let seconds = now.as_second();
    let claims = Claims {
        iss: ISSUER.to_owned(),
        sub: url.to_owned(),
        exp: seconds + as_seconds(VALIDITY),
        nbf: seconds - as_seconds(HEAD_START),
        iat: seconds,
        jti: id.to_owned(),
        body: BASE64.encode(Sha256::digest(body)),
    };
    let header = Header {
        alg: "HS256",
        typ: Some("JWT"),
    };
    let text = format!("{}.{}", encode(&header), encode(&claims));
    let code = authenticate(key, &text).finalize();
    format!("{text}.{}", BASE64.encode(code.into_bytes()))
}

/// The signing key of an owner in a generation, which follows from the site's secret: `sig_` and 64
/// hexadecimal digits.
pub fn key(secret: &[u8], owner: &str, generation: u64) -> String {
    let mut code = mac(secret);
    code.update(b"atelier message signing key\0");
    code.update(&generation.to_be_bytes());
    code.update(owner.as_bytes());
    format!("sig_{}", hex(&code.finalize().into_bytes()))
}

/// Verifies deliveries, with the current key and the next: who rotates them loses no delivery.
#[derive(Clone)]
pub struct Receiver {
    keys: [String; 2],
    tolerance: Duration,
}

impl Receiver {
    /// Accepts signatures by either key.
    pub fn new(current: &str, next: &str) -> Self {
        Self {
            keys: [current.to_owned(), next.to_owned()],
            tolerance: Duration::ZERO,
        }
    }

    /// Accepts signatures so long before and after they are valid.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Verifies a delivery that arrived at `now`, and returns what was signed. `body` is the body as
    /// it was received, byte for byte. The URL is compared if one is given, the receiver's own as
    /// the sender calls it.
    ///
    /// # Errors
    ///
    /// A [`SignatureError`] if the delivery is not authentic.
    pub fn verify(
        &self,
        signature: &str,
        body: &[u8],
        url: Option<&str>,
        now: Timestamp,
    ) -> Result<Claims, SignatureError> {
        let claims = self.authentic(signature)?;
        if claims.iss != ISSUER {
            return Err(SignatureError::WrongIssuer);
        }
        let (now, tolerance) = (now.as_second(), as_seconds(self.tolerance));
        if now >= claims.exp.saturating_add(tolerance) {
            return Err(SignatureError::Expired);
        }
        if now < claims.nbf.saturating_sub(tolerance) {
            return Err(SignatureError::TooNew);
        }
        if url.is_some_and(|url| url != claims.sub) {
            return Err(SignatureError::WrongUrl);
        }
        if claims.body.trim_end_matches('=') != BASE64.encode(Sha256::digest(body)) {
            return Err(SignatureError::WrongBody);
        }
        Ok(claims)
    }

    /// The claims, if one of the keys signed them.
    fn authentic(&self, signature: &str) -> Result<Claims, SignatureError> {
        if signature.len() > MAX_LENGTH {
            return Err(SignatureError::Malformed);
        }
        let (text, code) = signature
            .rsplit_once('.')
            .ok_or(SignatureError::Malformed)?;
        let (header, claims) = text.split_once('.').ok_or(SignatureError::Malformed)?;
        let header = decode(header)?;
        let header: Header<'_> =
            serde_json::from_slice(&header).map_err(|_| SignatureError::Malformed)?;
        let code = decode(code)?;
        let is_right = |key: &String| authenticate(key, text).verify_slice(&code).is_ok();
        if header.alg != "HS256" || !self.keys.iter().any(is_right) {
            return Err(SignatureError::WrongKey);
        }
        serde_json::from_slice(&decode(claims)?).map_err(|_| SignatureError::Malformed)
    }
}

fn as_seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn authenticate(key: &str, text: &str) -> Hmac<Sha256> {
    let mut code = mac(key.as_bytes());
    code.update(text.as_bytes());
    code
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("keys of any length")
}

fn encode(value: &impl Serialize) -> String {
    BASE64.encode(serde_json::to_vec(value).unwrap_or_default())
}

fn decode(text: &str) -> Result<Vec<u8>, SignatureError> {
    BASE64
        .decode(text.trim_end_matches('='))
        .map_err(|_| SignatureError::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const URL: &str = "https://example.com/hook?a=1";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    fn signed() -> String {
        sign("sig_a", URL, b"body", "jwt_1", at(0))
    }

    #[test]
    fn claims_are_those_that_receivers_read() {
        let signature = signed();
        let mut parts = signature
            .split('.')
            .map(|part| BASE64.decode(part).unwrap());
        let header = parts.next().unwrap();
        assert_eq!(header, br#"{"alg":"HS256","typ":"JWT"}"#);
        let claims: serde_json::Value = serde_json::from_slice(&parts.next().unwrap()).unwrap();
        let expected = serde_json::json!({
            "iss": "Upstash", "sub": URL, "exp": 1_795_000_300, "nbf": 1_794_999_990, "iat": 1_795_000_000,
            "jti": "jwt_1", "body": "Iw2DWOlFpf29-TIVT8fIftpo2l43gE3xVVXgwjxJ_Wg",
        });
        let body = BASE64.encode(Sha256::digest(b"body"));
        assert_eq!(claims["body"], body);
        for name in ["iss", "sub", "exp", "nbf", "iat", "jti"] {
            assert_eq!(claims[name], expected[name], "{name}");
        }
    }

    /// The example of RFC 7515, appendix A.1: HMAC-SHA256 over header and payload.
    #[test]
    fn the_code_is_that_of_the_rfc() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let text = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
            eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let mut code = mac(&BASE64.decode(key).unwrap());
        code.update(text.as_bytes());
        let code = BASE64.encode(code.finalize().into_bytes());
        assert_eq!(code, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn both_keys_are_accepted_for_five_minutes() {
        let verify = |receiver: &Receiver, seconds| {
            receiver.verify(&signed(), b"body", Some(URL), at(seconds))
        };
        for receiver in [
            Receiver::new("sig_a", "sig_b"),
            Receiver::new("sig_z", "sig_a"),
        ] {
            assert!(verify(&receiver, 0).is_ok());
        }
        let receiver = Receiver::new("sig_a", "sig_b");
        assert!(verify(&receiver, -10).is_ok() && verify(&receiver, 299).is_ok());
        assert_eq!(verify(&receiver, -11), Err(SignatureError::TooNew));
        assert_eq!(verify(&receiver, 300), Err(SignatureError::Expired));
        let tolerant = receiver.tolerance(Duration::from_secs(5));
        assert!(verify(&tolerant, -15).is_ok() && verify(&tolerant, 304).is_ok());
        assert_eq!(verify(&tolerant, 305), Err(SignatureError::Expired));
    }

    #[test]
    fn what_was_changed_is_refused() {
        let receiver = Receiver::new("sig_a", "sig_b");
        let verify =
            |signature: &str, body: &[u8], url| receiver.verify(signature, body, url, at(0));
        assert!(verify(&signed(), b"body", None).is_ok());
        assert_eq!(
            verify(&signed(), b"Body", None),
            Err(SignatureError::WrongBody)
        );
        assert_eq!(
            verify(&signed(), b"body", Some("https://example.com/")),
            Err(SignatureError::WrongUrl)
        );
        let other = sign("sig_c", URL, b"body", "jwt_1", at(0));
        assert_eq!(verify(&other, b"body", None), Err(SignatureError::WrongKey));
        for text in ["", ".", "..", "a.b.c", "é.é.é", &"a.".repeat(100_000)] {
            assert_eq!(verify(text, b"body", None), Err(SignatureError::Malformed));
        }
    }

    #[test]
    fn another_algorithm_or_issuer_is_refused() {
        let signed_as = |header: &str, claims: &str| {
            let text = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
            let code = authenticate("sig_a", &text).finalize().into_bytes();
            let signature = format!("{text}.{}", BASE64.encode(code));
            Receiver::new("sig_a", "sig_b").verify(&signature, b"", None, at(0))
        };
        let hash = BASE64.encode(Sha256::digest(b""));
        let claims = |issuer: &str, padding: &str| {
            format!(
                r#"{{"iss":"{issuer}","sub":"u","exp":9999999999,"nbf":0,"body":"{hash}{padding}"}}"#
            )
        };
        assert!(signed_as(r#"{"alg":"HS256"}"#, &claims("Upstash", "=")).is_ok());
        assert_eq!(
            signed_as(r#"{"alg":"none"}"#, &claims("Upstash", "")),
            Err(SignatureError::WrongKey)
        );
        assert_eq!(
            signed_as(r#"{"alg":"HS256"}"#, &claims("Else", "")),
            Err(SignatureError::WrongIssuer)
        );
        assert_eq!(
            signed_as(r#"{"alg":"HS256"}"#, "{}"),
            Err(SignatureError::Malformed)
        );
    }

    #[test]
    fn keys_follow_from_secret_owner_and_generation() {
        let first = key(b"secret", "owner", 0);
        assert!(first.starts_with("sig_") && first.len() == 68);
        assert_eq!(first, key(b"secret", "owner", 0));
        for other in [
            key(b"secret", "owner", 1),
            key(b"secret", "other", 0),
            key(b"Secret", "owner", 0),
        ] {
            assert_ne!(first, other);
        }
    }

    proptest! {
        #[test]
        fn any_signature_is_answered(signature in ".*") {
            let receiver = Receiver::new("sig_a", "sig_b");
            prop_assert!(receiver.verify(&signature, b"body", None, at(0)).is_err());
        }

        #[test]
        fn what_was_signed_is_verified(body: Vec<u8>, url in ".{0,40}", id in ".{0,40}") {
            let signature = sign("sig_a", &url, &body, &id, at(0));
            let claims = Receiver::new("sig_b", "sig_a").verify(&signature, &body, Some(&url), at(1)).unwrap();
            prop_assert_eq!(claims.jti, id);
        }
    }
}
