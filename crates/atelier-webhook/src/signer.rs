//! Signatures of messages, made and verified.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::Mac as _;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::secret::Secret;

/// The header with the message's id, which is the same each time that the message is sent.
pub const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");

/// The header with the time of sending, seconds since the Unix epoch.
pub const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");

/// The header with the signatures, separated by spaces.
pub const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// How far the time of sending may lie from the receiver's, in either direction.
pub const TOLERANCE: Duration = Duration::from_mins(5);

/// What a signature by a shared secret begins with.
const VERSION: &str = "v1,";

/// Signs messages and verifies them, with one secret or several.
///
/// # Examples
///
/// A secret is replaced without a message lost. The sender signs with both for as long as receivers know the old one
/// alone:
///
/// ```
/// use std::time::SystemTime;
///
/// use atelier_webhook::{Secret, Signer};
///
/// let (old, new) = (Secret::from_bytes(*b"old, 24 bytes, or longer"), Secret::from_bytes(*b"new, 24 bytes, or longer"));
/// let sender = Signer::new(new.clone()).and(old.clone());
///
/// let now = SystemTime::now();
/// let headers = sender.sign("msg_1", now, b"{}")?;
/// for receiver in [Signer::new(old), Signer::new(new)] {
///     assert_eq!(receiver.verify(&headers, b"{}", now)?, "msg_1");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Signer {
    /// One or more.
    secrets: Vec<Secret>,
}

/// An id that cannot be sent: it is empty, or has characters other than visible ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message's id is not a word of visible ASCII characters")]
pub struct InvalidId;

/// Why a message is not authentic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header is missing.
    #[error("the header {0} is missing")]
    MissingHeader(HeaderName),
    /// A header cannot be read.
    #[error("the header {0} cannot be read")]
    MalformedHeader(HeaderName),
    /// Sent longer than [`TOLERANCE`] ago.
    #[error("the timestamp lies too far in the past")]
    TooOld,
    /// Sent in the future, beyond [`TOLERANCE`].
    #[error("the timestamp lies too far in the future")]
    TooNew,
    /// None of the signatures is one by any of the secrets.
    #[error("no signature is right")]
    WrongSignature,
}

impl Signer {
    /// Signs with `secret`, and accepts its signatures.
    pub fn new(secret: Secret) -> Self {
        Self {
            secrets: vec![secret],
        }
    }

    /// Signs with `secret` as well, and accepts its signatures as well.
    #[must_use]
    pub fn and(mut self, secret: Secret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Returns the three headers of a message that is sent at `now`, by whole seconds.
    ///
    /// # Errors
    ///
    /// [`InvalidId`] if the id is empty or has characters other than visible ASCII.
    pub fn sign(&self, id: &str, now: SystemTime, body: &[u8]) -> Result<HeaderMap, InvalidId> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidId);
        }
        let seconds = unix_seconds(now);
        let sign = |secret: &Secret| {
            let code = secret.authenticate(id, seconds, body).finalize();
            format!("{VERSION}{}", BASE64.encode(code.into_bytes()))
        };
        let signatures: Vec<String> = self.secrets.iter().map(sign).collect();
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| InvalidId);
        Ok(HeaderMap::from_iter([
            (WEBHOOK_ID, value(id)?),
            (WEBHOOK_TIMESTAMP, seconds.into()),
            (WEBHOOK_SIGNATURE, value(&signatures.join(" "))?),
        ]))
    }

    /// Returns the id of a message whose signature is right and whose time is within [`TOLERANCE`] of `now`. `body`
    /// is the body as it was received, byte for byte.
    ///
    /// Senders repeat a message under the same id: whoever acts upon it remembers the ids of the last minutes.
    ///
    /// # Errors
    ///
    /// A [`VerifyError`] if the message is not to be believed. Answer 401, and nothing about the reason.
    pub fn verify<'a>(
        &self,
        headers: &'a HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Result<&'a str, VerifyError> {
        let id = text(headers, WEBHOOK_ID)?;
        let signatures = text(headers, WEBHOOK_SIGNATURE)?;
        let seconds = text(headers, WEBHOOK_TIMESTAMP)?
            .parse()
            .map_err(|_| VerifyError::MalformedHeader(WEBHOOK_TIMESTAMP))?;
        check_age(seconds, now)?;
        let codes: Vec<Vec<u8>> = signatures.split(' ').filter_map(code).collect();
        let signed = |secret: &Secret| {
            let expected = secret.authenticate(id, seconds, body);
            // In constant time.
            let is_right = |code: &Vec<u8>| expected.clone().verify_slice(code).is_ok();
            codes.iter().any(is_right)
        };
        if self.secrets.iter().any(signed) {
            Ok(id)
        } else {
            Err(VerifyError::WrongSignature)
        }
    }
}

/// The code in a signature by a shared secret.
fn code(signature: &str) -> Option<Vec<u8>> {
    BASE64.decode(signature.strip_prefix(VERSION)?).ok()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Result<&str, VerifyError> {
    let Some(value) = headers.get(&name) else {
        return Err(VerifyError::MissingHeader(name));
    };
    value
        .to_str()
        .map_err(|_| VerifyError::MalformedHeader(name))
}

fn check_age(seconds: i64, now: SystemTime) -> Result<(), VerifyError> {
    let tolerance = whole_seconds(TOLERANCE);
    match unix_seconds(now).saturating_sub(seconds) {
        age if age > tolerance => Err(VerifyError::TooOld),
        age if age < -tolerance => Err(VerifyError::TooNew),
        _ => Ok(()),
    }
}

fn unix_seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => whole_seconds(since),
        Err(before) => -whole_seconds(before.duration()),
    }
}

fn whole_seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use standardwebhooks::Webhook;

    use super::*;

    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;

    fn signer(key: &str) -> Signer {
        Signer::new(Secret::from_bytes(key))
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn with(headers: &HeaderMap, name: HeaderName, value: &str) -> HeaderMap {
        let mut headers = headers.clone();
        headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        headers
    }

    /// The example of the reference implementation.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".parse().unwrap();
        let signer = Signer::new(secret);
        let (id, now) = ("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", at(1_649_367_553));
        let headers = signer.sign(id, now, BODY).unwrap();
        assert_eq!(headers.len(), 3);
        assert_eq!(headers["webhook-id"], id);
        assert_eq!(headers["webhook-timestamp"], "1649367553");
        let signature = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
        assert_eq!(headers["webhook-signature"], signature);
        assert_eq!(signer.verify(&headers, BODY, now), Ok(id));
    }

    #[test]
    fn other_implementations_believe_us_and_are_believed() {
        let (ours, now) = (signer("a key"), SystemTime::now());
        let theirs = Webhook::from_bytes(b"a key".to_vec()).unwrap();
        let headers = ours.sign("id", now, BODY).unwrap();
        theirs.verify(BODY, &headers).unwrap();
        let signature = theirs.sign("id", unix_seconds(now), BODY).unwrap();
        let headers = with(&headers, WEBHOOK_SIGNATURE, &signature);
        assert_eq!(ours.verify(&headers, BODY, now), Ok("id"));
    }

    #[test]
    fn what_was_not_signed_like_this_is_not_authentic() {
        let (signer, now) = (signer("a key"), at(1_800_000_000));
        let headers = signer.sign("id", now, BODY).unwrap();
        let wrong = Err(VerifyError::WrongSignature);
        assert_eq!(signer.verify(&headers, b"{}", now), wrong);
        for (name, value) in [
            (WEBHOOK_ID, "another"),
            (WEBHOOK_TIMESTAMP, "1800000001"),
            (WEBHOOK_SIGNATURE, ""),
            (WEBHOOK_SIGNATURE, "v1,"),
            (WEBHOOK_SIGNATURE, "v1,bm9uc2Vuc2U="),
            (WEBHOOK_SIGNATURE, "v1,no base64"),
        ] {
            let altered = with(&headers, name, value);
            assert_eq!(signer.verify(&altered, BODY, now), wrong, "{value}");
        }
        let signature = headers["webhook-signature"].to_str().unwrap();
        for altered in [
            signature.replace("v1,", "v2,"),
            signature.replace("v1,", ""),
            signature[..20].to_owned(),
        ] {
            let altered = with(&headers, WEBHOOK_SIGNATURE, &altered);
            assert_eq!(signer.verify(&altered, BODY, now), wrong);
        }
    }

    #[test]
    fn one_right_signature_among_others_is_enough() {
        let (signer, now) = (signer("a key"), at(1_800_000_000));
        let headers = signer.sign("id", now, BODY).unwrap();
        let right = headers["webhook-signature"].to_str().unwrap();
        for signatures in [
            format!("{right} v1,bm9uc2Vuc2U="),
            format!("v1a,bm9uc2Vuc2U= v1,no-base64 {right}"),
        ] {
            let headers = with(&headers, WEBHOOK_SIGNATURE, &signatures);
            assert_eq!(signer.verify(&headers, BODY, now), Ok("id"));
        }
    }

    #[test]
    fn each_of_several_secrets_signs_and_is_accepted() {
        let now = at(1_800_000_000);
        let both = signer("old").and(Secret::from_bytes("new"));
        for one in ["old", "new"].map(signer) {
            let headers = both.sign("id", now, BODY).unwrap();
            assert_eq!(one.verify(&headers, BODY, now), Ok("id"));
            let headers = one.sign("id", now, BODY).unwrap();
            assert_eq!(both.verify(&headers, BODY, now), Ok("id"));
        }
        let headers = signer("another").sign("id", now, BODY).unwrap();
        assert_eq!(
            both.verify(&headers, BODY, now),
            Err(VerifyError::WrongSignature)
        );
    }

    #[test]
    fn the_time_may_differ_by_five_minutes() {
        const NOW: u64 = 1_800_000_000;
        let signer = signer("a key");
        for (sent, verified) in [
            (NOW, Ok("id")),
            (NOW - 300, Ok("id")),
            (NOW + 300, Ok("id")),
            (NOW - 301, Err(VerifyError::TooOld)),
            (NOW + 301, Err(VerifyError::TooNew)),
        ] {
            let headers = signer.sign("id", at(sent), BODY).unwrap();
            assert_eq!(signer.verify(&headers, BODY, at(NOW)), verified, "{sent}");
        }
    }

    #[test]
    fn times_far_from_today_are_told_apart() {
        let signer = signer("a key");
        let headers = signer.sign("id", UNIX_EPOCH, BODY).unwrap();
        for (timestamp, error) in [
            (i64::MIN.to_string(), VerifyError::TooOld),
            (i64::MAX.to_string(), VerifyError::TooNew),
            (
                "yesterday".into(),
                VerifyError::MalformedHeader(WEBHOOK_TIMESTAMP),
            ),
            (
                "1e9".into(),
                VerifyError::MalformedHeader(WEBHOOK_TIMESTAMP),
            ),
        ] {
            let headers = with(&headers, WEBHOOK_TIMESTAMP, &timestamp);
            assert_eq!(signer.verify(&headers, BODY, UNIX_EPOCH), Err(error));
        }
        let before = UNIX_EPOCH - Duration::from_secs(7);
        let headers = signer.sign("id", before, BODY).unwrap();
        assert_eq!(headers["webhook-timestamp"], "-7");
        assert_eq!(signer.verify(&headers, BODY, before), Ok("id"));
    }

    #[test]
    fn every_header_is_needed_and_has_to_be_text() {
        let (signer, now) = (signer("a key"), at(1_800_000_000));
        let whole = signer.sign("id", now, BODY).unwrap();
        for name in [WEBHOOK_ID, WEBHOOK_TIMESTAMP, WEBHOOK_SIGNATURE] {
            let mut headers = whole.clone();
            headers.remove(&name);
            let missing = VerifyError::MissingHeader(name.clone());
            assert_eq!(signer.verify(&headers, BODY, now), Err(missing));
            let headers = with(&whole, name.clone(), "é");
            let malformed = VerifyError::MalformedHeader(name);
            assert_eq!(signer.verify(&headers, BODY, now), Err(malformed));
        }
    }

    #[test]
    fn bodies_are_any_bytes_and_ids_visible_ascii() {
        let (signer, now) = (signer("a key"), at(1_800_000_000));
        let headers = signer.sign("~job.1!", now, &[0xff, 0]).unwrap();
        assert_eq!(signer.verify(&headers, &[0xff, 0], now), Ok("~job.1!"));
        for id in ["", " ", "two words", "line\nbreak", "é", "\u{7f}"] {
            assert_eq!(signer.sign(id, now, BODY).unwrap_err(), InvalidId, "{id:?}");
        }
    }
}
