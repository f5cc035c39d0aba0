//! Outcomes travel by HTTP to `POST /api/callback`, signed as Standard
//! Webhooks asks (<https://www.standardwebhooks.com>). API users may have them
//! sent to an address of their own as well: [`outgoing`], behind its [`guard`].

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::Timestamp;
use reqwest::{Client, RequestBuilder, Url};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook, WebhookError,
};
use subtle::ConstantTimeEq as _;

use crate::{job::Outcome, queue::Ticket};

pub mod outgoing;
pub mod guard;

/// How many seconds a signature's time may differ from ours.
const TOLERANCE: i64 = 5 * 60;

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

/// The outcome, and the fencing token that says whose it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Data {
    #[serde(flatten)]
    pub ticket: Ticket,
    pub outcome: Outcome,
}

/// Signs and verifies.
pub struct Signer {
    webhook: Webhook,
    /// Signs beside it.
    second: Option<Webhook>,
}

/// Why a delivery was not believed.
#[derive(Debug, thiserror::Error)]
pub enum Forgery {
    #[error(transparent)]
    Signature(#[from] WebhookError),
    #[error("the body is not a delivery")]
    Body,
}

/// Whether the signature is right and its time within five minutes of `now`.
/// The library knows no clock but the machine's, so it is asked only to sign.
pub fn verify(
    webhook: &Webhook,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Forgery> {
    let id = header(headers, HEADER_WEBHOOK_ID)?;
    let given = header(headers, HEADER_WEBHOOK_SIGNATURE)?;
    let time: i64 = header(headers, HEADER_WEBHOOK_TIMESTAMP)?
        .parse()
        .map_err(|_| WebhookError::InvalidTimestamp)?;
    match now.as_second().saturating_sub(time) {
        age if age > TOLERANCE => return Err(WebhookError::TimestampTooOldError.into()),
        age if age < -TOLERANCE => return Err(WebhookError::FutureTimestampError.into()),
        _ => {}
    }
    let right = webhook.sign(id, time, body)?;
    let same = |one: &str| bool::from(one.as_bytes().ct_eq(right.as_bytes()));
    if given.split(' ').any(same) {
        return Ok(());
    }
    Err(WebhookError::InvalidSignature.into())
}

fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, WebhookError> {
    let value = headers.get(name).ok_or(WebhookError::MissingHeader(name))?;
    value
        .to_str()
        .map_err(|_| WebhookError::InvalidHeader(name))
}

impl Signer {
    /// A signer with the key that `secret` stands for.
    pub fn new(secret: &str) -> Result<Self, WebhookError> {
        Ok(Self {
            webhook: Webhook::from_bytes(key(secret))?,
            second: None,
        })
    }

    /// The signer of messages to API users. They are signed twice: by the
    /// site's secret, and by [`outgoing_secret`], which can be given away.
    pub fn outgoing(secret: &str) -> Result<Self, WebhookError> {
        let second = Webhook::from_bytes(key(&outgoing_secret(secret)))?;
        Ok(Self {
            second: Some(second),
            ..Self::new(secret)?
        })
    }

    /// Believes a delivery whose signature is right and its time within five
    /// minutes of `now`.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Message, Forgery> {
        verify(&self.webhook, headers, body, now)?;
        serde_json::from_slice(body).map_err(|_| Forgery::Body)
    }

    /// A request that carries the JSON in `body` to `url`, signed at `now`.
    fn post(
        &self,
        client: &Client,
        url: Url,
        id: &str,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Result<RequestBuilder, WebhookError> {
        let mut signature = self.webhook.sign(id, now.as_second(), &body)?;
        if let Some(second) = &self.second {
            signature.push(' ');
            signature += &second.sign(id, now.as_second(), &body)?;
        }
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .header(HEADER_WEBHOOK_ID, id)
            .header(HEADER_WEBHOOK_TIMESTAMP, now.as_second())
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .body(body);
        Ok(request)
    }
}

/// The bytes that sign: a `whsec_` secret's base64 decoded, any other text as it is.
pub fn key(secret: &str) -> Vec<u8> {
    let decoded = secret
        .strip_prefix("whsec_")
        .and_then(|encoded| BASE64.decode(encoded).ok());
    decoded.unwrap_or_else(|| secret.as_bytes().to_vec())
}

/// What API users verify callbacks by: derived from the site's secret, so that
/// whoever knows it can verify, but forge nothing that the site believes.
pub fn outgoing_secret(secret: &str) -> String {
    let derived = Sha256::new_with_prefix(b"atelier outgoing callbacks");
    let derived = derived.chain_update(key(secret)).finalize();
    format!("whsec_{}", BASE64.encode(derived))
}

/// Carries outcomes to the callback.
pub struct Courier {
    client: Client,
    url: Url,
    signer: Signer,
}

/// Why a delivery did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the callback could not be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    #[error("the callback answered {0}")]
    Refused(StatusCode),
    #[error("the delivery could not be written: {0}")]
    Unwritable(String),
}

impl Courier {
    /// Delivers to `url`; a bare address gets the callback's path.
    pub fn new(mut url: Url, signer: Signer) -> Result<Self, reqwest::Error> {
        if url.path() == "/" {
            url.set_path(PATH);
        }
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self {
            client,
            url,
            signer,
        })
    }

    /// Delivers once. The message's id is the same for every delivery of this outcome.
    pub async fn deliver(
        &self,
        ticket: &Ticket,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<(), Error> {
        let id = format!("{}.{}", ticket.id, ticket.token);
        let body = serde_json::to_vec(&message(ticket, outcome, now))
            .map_err(|e| Error::Unwritable(e.to_string()))?;
        let request = self
            .signer
            .post(&self.client, self.url.clone(), &id, body, now)
            .map_err(|error| Error::Unwritable(error.to_string()))?;
        let status = request.send().await?.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(Error::Refused(status))
        }
    }
}

fn message(ticket: &Ticket, outcome: &Outcome, now: Timestamp) -> Message {
    let kind = match outcome {
        Outcome::Succeeded { .. } => "job.succeeded",
        Outcome::Failed(_) => "job.failed",
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

    fn signed(timestamp: &str, secret: &str) -> (HeaderMap, Vec<u8>) {
        let ticket = Ticket {
            id: "job".into(),
            token: 1,
        };
        let outcome = Outcome::Succeeded {
            pictures: vec![],
            cost_usd: None,
            earlier_claims: Vec::new(),
        };
        let body = serde_json::to_vec(&message(&ticket, &outcome, Timestamp::UNIX_EPOCH)).unwrap();
        let seconds = timestamp.parse().unwrap_or(0);
        let signature = Signer::new(secret)
            .unwrap()
            .webhook
            .sign("id", seconds, &body)
            .unwrap();
        let headers = [
            ("webhook-id", "id"),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", &signature),
        ]
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
        (headers, body)
    }

    #[test]
    fn only_fresh_and_rightly_signed_deliveries_are_believed() {
        let signer = Signer::new("a secret of sixteen").unwrap();
        let time = Timestamp::from_second(1_800_000_000).unwrap();
        let now = time.as_second();
        let (headers, body) = signed(&now.to_string(), "a secret of sixteen");
        assert!(signer.verify(&headers, &body, time).is_ok());
        assert!(signer.verify(&headers, b"{}", time).is_err());
        assert!(signer.verify(&HeaderMap::new(), &body, time).is_err());
        for (timestamp, secret) in [
            (now.to_string(), "another secret, as long"),
            ((now - 301).to_string(), "a secret of sixteen"),
            ((now + 301).to_string(), "a secret of sixteen"),
            (i64::MIN.to_string(), "a secret of sixteen"),
            ("yesterday".into(), "a secret of sixteen"),
        ] {
            let (headers, body) = signed(&timestamp, secret);
            assert!(
                signer.verify(&headers, &body, time).is_err(),
                "{timestamp} {secret}"
            );
        }
    }

    #[test]
    fn a_standard_secret_is_decoded() {
        assert_eq!(key("whsec_AAEC"), [0, 1, 2]);
        assert_eq!(key("plain text"), b"plain text");
    }
}
