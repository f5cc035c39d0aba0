//! Predictions that tell of their end themselves, and who waits for them.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::http::HeaderMap;
use jiff::Timestamp;
use standardwebhooks::{Webhook, WebhookError};
use tokio::sync::watch;

use super::prediction::Prediction;
use crate::callback::{Forgery, verify};

/// The predictions that this process waits for.
#[derive(Default)]
pub struct Webhooks {
    webhook: Option<Webhook>,
    waiting: Mutex<HashMap<String, watch::Sender<Option<Prediction>>>>,
}

impl Webhooks {
    /// Believes what is signed with the secret; without one, nothing.
    pub fn new(secret: Option<&str>) -> Result<Self, WebhookError> {
        Ok(Self {
            webhook: secret.map(Webhook::new).transpose()?,
            waiting: Mutex::default(),
        })
    }

    /// Takes a webhook in. Whoever waits in another process learns of the end
    /// by asking.
    pub fn receive(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Forgery> {
        let webhook = self
            .webhook
            .as_ref()
            .ok_or(WebhookError::InvalidSignature)?;
        verify(webhook, headers, body, now)?;
        let prediction: Prediction = serde_json::from_slice(body).map_err(|_| Forgery::Body)?;
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = waiting.get(&prediction.id) {
            sender.send_replace(Some(prediction));
        }
        Ok(())
    }

    /// What a webhook will tell of the prediction.
    pub(super) fn listen(&self, id: &str) -> watch::Receiver<Option<Prediction>> {
        let (sender, receiver) = watch::channel(None);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, sender| !sender.is_closed());
        waiting.insert(id.to_owned(), sender);
        receiver
    }
}
