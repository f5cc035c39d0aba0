//! What messages are delivered with.

use std::{fs, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use atelier_webhook::HttpClient;

use super::AppContext;
use crate::{
    config::{Config, MessagesConfig},
    worker::{CallbackQueue, MessageDelivery, SigningKeys},
};

/// How long idle connections to receivers are kept: shorter than most servers keep them, as a
/// call on one that has just been closed fails.
const IDLE: Duration = Duration::from_secs(2);

impl AppContext {
    /// What a worker delivers messages with; no calls of this server's own gateway yet.
    pub(super) fn message_delivery(
        &self,
        config: &Config,
        secret: &str,
    ) -> Result<MessageDelivery> {
        let (stores, messages) = (&self.stores, &config.messages);
        Ok(MessageDelivery {
            client: client(messages)?,
            keys: Arc::new(SigningKeys::new(Arc::clone(&stores.messages), secret)),
            callbacks: CallbackQueue {
                queue: Arc::clone(&stores.queue),
                blobs: stores.blobs.clone(),
                per_host: messages.per_host,
            },
            events: Arc::clone(&self.events),
            store: Arc::clone(&stores.messages),
            site: None,
            parallel: messages.parallel,
            timeout: messages.timeout,
            max_answer: messages.max_answer as usize,
        })
    }
}

fn client(messages: &MessagesConfig) -> Result<HttpClient> {
    let testing = &messages.testing;
    let names = testing.resolve.iter();
    let mut client = HttpClient::builder()
        .allow_private(messages.allow_private)
        .keep_idle(IDLE)
        .resolve(names.map(|(name, address)| (name.clone(), *address)));
    if let Some(path) = &testing.ca_file {
        let unread = || format!("cannot read {path:?} (setting messages.testing.ca_file)");
        let certificates = fs::read(path).with_context(unread)?;
        client = client.trust(&certificates).with_context(unread)?;
    }
    client.build().context("cannot make an HTTP client")
}
