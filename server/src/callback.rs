//! Delivers outcomes by HTTP to `POST /api/callback`, signed by Standard Webhooks
//! (<https://www.standardwebhooks.com>). API users may have them sent to their own URL
//! as well, by a [`CallbackClient`](atelier_webhook::CallbackClient).

use std::time::Duration;

use atelier_queue::Outcome as _;
use atelier_webhook::{InvalidId, Secret, Signer, VerifyError};
use axum::http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{job::Outcome, queue::Ticket};

/// The path under which deliveries arrive.
pub const PATH: &str = "/api/callback";

/// The body of a delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// `job.succeeded` or `job.failed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When the outcome was delivered.
    pub timestamp: Timestamp,
    pub data: Data,
}

/// The outcome, with the fencing token of its claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Data {
    #[serde(flatten)]
    pub ticket: Ticket,
    pub outcome: Outcome,
}

/// Why a delivery was rejected.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error("the body is not a delivery")]
    Body,
}

/// Returns the message in a delivery that `signer` signed within five minutes of `now`.
pub fn receive(
    signer: &Signer,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Message, ReceiveError> {
    signer.verify(headers, body, now.into())?;
    serde_json::from_slice(body).map_err(|_| ReceiveError::Body)
}

/// The key of the site's secret: a `whsec_` secret is base64, any other text is the key
/// itself.
pub fn key(secret: &str) -> Secret {
    let standard = secret.starts_with("whsec_").then(|| secret.parse().ok());
    let plain = || Secret::from_bytes(secret);
    standard.flatten().unwrap_or_else(plain)
}

/// Signs deliveries, and verifies those of processes with the same secret.
pub fn signer(secret: &str) -> Signer {
    Signer::new(key(secret))
}

/// Signs messages to API users: with the site's secret, and with the derived one that
/// can be given away.
pub fn outgoing_signer(secret: &str) -> Signer {
    signer(secret).and(outgoing_key(secret))
}

/// The secret by which API users verify callbacks, as text.
pub fn outgoing_secret(secret: &str) -> String {
    outgoing_key(secret).expose()
}

/// Derived from the site's secret: who has it can verify callbacks, but cannot forge
/// deliveries to the site.
fn outgoing_key(secret: &str) -> Secret {
    let derived = Sha256::new_with_prefix(b"atelier outgoing callbacks");
    let derived = derived.chain_update(key(secret).as_bytes()).finalize();
    Secret::from_bytes(derived.as_slice())
}

/// The key that signs an owner's messages in one generation of keys, as text: whoever has
/// it can verify these, and forge nothing else.
pub fn signing_key(secret: &str, owner: &str, generation: u64) -> String {
    let derived = Sha256::new_with_prefix(b"atelier messages");
    let derived = derived.chain_update(key(secret).as_bytes()).finalize();
    let derived = Sha256::new_with_prefix(derived)
        .chain_update(generation.to_be_bytes())
        .chain_update(owner);
    format!("sig_{}", URL_SAFE_NO_PAD.encode(derived.finalize()))
}

/// Delivers outcomes to the callback.
pub struct DeliveryClient {
    http: Client,
    url: Url,
    signer: Signer,
}

/// Why a delivery did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error("the callback could not be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    #[error("the callback answered {0}")]
    Refused(StatusCode),
    #[error("the delivery could not be signed: {0}")]
    Unsignable(#[from] InvalidId),
    #[error("the delivery could not be written: {0}")]
    Unwritable(#[from] serde_json::Error),
}

impl DeliveryClient {
    /// Creates a client that delivers to `url`; without a path, to the callback's.
    pub fn new(mut url: Url, signer: Signer) -> Result<Self, reqwest::Error> {
        if url.path() == "/" {
            url.set_path(PATH);
        }
        let http = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self { http, url, signer })
    }

    /// Delivers once. The message's id is the same for every delivery of this outcome.
    pub async fn deliver(
        &self,
        ticket: &Ticket,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let id = format!("{}.{}", ticket.id, ticket.token);
        let body = serde_json::to_vec(&message(ticket, outcome, now))?;
        let request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .headers(self.signer.sign(&id, now.into(), &body)?)
            .body(body);
        let status = request.send().await?.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(DeliveryError::Refused(status))
        }
    }
}

fn message(ticket: &Ticket, outcome: &Outcome, now: Timestamp) -> Message {
    let kind = match outcome.failure() {
        None => "job.succeeded",
        Some(_) => "job.failed",
    };
    let data = Data {
        ticket: ticket.clone(),
        outcome: outcome.clone(),
    };
    Message {
        kind: kind.into(),
        timestamp: now,
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of sixteen";

    #[test]
    fn only_deliveries_that_the_site_signed_are_believed() {
        let ticket = Ticket {
            id: "job".into(),
            token: 1,
        };
        let outcome = Outcome::Succeeded {
            pictures: vec![],
            cost_usd: None,
            left_out: Vec::new(),
            earlier_claims: Vec::new(),
            made_by: None,
        };
        let now = Timestamp::UNIX_EPOCH;
        let sent = message(&ticket, &outcome, now);
        let body = serde_json::to_vec(&sent).unwrap();
        let received = |signed_by: &Signer, body: &[u8]| {
            let headers = signed_by.sign("job.1", now.into(), body).unwrap();
            receive(&signer(SECRET), &headers, body, now)
        };
        assert_eq!(received(&signer(SECRET), &body).unwrap(), sent);
        let other = received(&signer(SECRET), b"{}");
        assert!(matches!(other, Err(ReceiveError::Body)));
        let forger = Signer::new(outgoing_secret(SECRET).parse().unwrap());
        let forged = received(&forger, &body);
        let wrong = VerifyError::WrongSignature;
        assert!(matches!(forged, Err(ReceiveError::Verify(error)) if error == wrong));
    }

    #[test]
    fn callbacks_to_users_are_verified_by_either_secret() {
        let now = Timestamp::UNIX_EPOCH;
        let headers = outgoing_signer(SECRET).sign("id", now.into(), b"{}");
        let headers = headers.unwrap();
        let given = Signer::new(outgoing_secret(SECRET).parse().unwrap());
        for verifier in [signer(SECRET), given] {
            assert_eq!(verifier.verify(&headers, b"{}", now.into()), Ok("id"));
        }
    }

    #[test]
    fn every_owner_and_every_generation_has_another_signing_key() {
        let keys = [("ada", 0), ("ada", 1), ("ben", 0)];
        let keys = keys.map(|(owner, generation)| signing_key(SECRET, owner, generation));
        assert!(keys[0] != keys[1] && keys[0] != keys[2]);
        assert_eq!(keys[0], signing_key(SECRET, "ada", 0));
        assert!(keys[0].starts_with("sig_") && keys[0].is_ascii());
    }

    #[test]
    fn a_standard_secret_is_decoded_and_any_other_text_is_the_key() {
        assert_eq!(key("whsec_AAEC").as_bytes(), [0, 1, 2]);
        for text in ["plain text", "AAEC", "whsec_not base64"] {
            assert_eq!(key(text).as_bytes(), text.as_bytes());
        }
    }
}
