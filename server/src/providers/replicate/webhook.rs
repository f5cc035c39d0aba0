//! Webhooks that report the end of predictions, and the calls that wait for them.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use atelier_webhook::{InvalidSecret, Signer, VerifyError};
use axum::http::HeaderMap;
use jiff::Timestamp;
use tokio::sync::watch;

use super::prediction::Prediction;
use crate::callback::ReceiveError;

/// The predictions that this process waits for.
#[derive(Default)]
pub struct Webhooks {
    signer: Option<Signer>,
    waiting: Mutex<HashMap<String, watch::Sender<Option<Prediction>>>>,
}

impl Webhooks {
    /// Accepts webhooks signed with the secret; without one, none.
    pub fn new(secret: Option<&str>) -> Result<Self, InvalidSecret> {
        let secret = secret.map(str::parse).transpose()?;
        Ok(Self {
            signer: secret.map(Signer::new),
            waiting: Mutex::default(),
        })
    }

    /// Receives a webhook. A call that waits in another process learns of the end by
    /// polling.
    pub fn receive(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), ReceiveError> {
        let signer = self.signer.as_ref().ok_or(VerifyError::WrongSignature)?;
        signer.verify(headers, body, now.into())?;
        let prediction: Prediction =
            serde_json::from_slice(body).map_err(|_| ReceiveError::Body)?;
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = waiting.get(&prediction.id) {
            sender.send_replace(Some(prediction));
        }
        Ok(())
    }

    /// Waits for a webhook about the prediction.
    pub(super) fn listen(&self, id: &str) -> watch::Receiver<Option<Prediction>> {
        let (sender, receiver) = watch::channel(None);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, sender| !sender.is_closed());
        waiting.insert(id.to_owned(), sender);
        receiver
    }
}
