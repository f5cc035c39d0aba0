//! Responses that upstreams keep: whoever made them, and nobody else, may ask for them again,
//! and only the upstream that has them is asked.

use std::{sync::Arc, time::Duration};

use atelier_gateway::{ApiError, Endpoint, routing::Target};
use serde_json::Value;
use tracing::warn;

use super::{Error, Gateway, request::Asked};
use crate::{
    app::{self, Caller},
    cache::digest,
    calls::Pin,
};

/// How long OpenAI keeps a response.
const KEPT: Duration = Duration::from_hours(30 * 24);

impl Gateway {
    /// Returns whom to ask: for a response that continues another, the upstream that has it.
    pub(super) async fn targets(&self, asked: &Asked, model: &str) -> Result<Vec<Target>, Error> {
        let mut targets = self.routes.targets(model);
        if model.is_empty() {
            targets = self.first().into_iter().collect();
        }
        let Some(previous) = asked.call.previous_response_id() else {
            return Ok(targets);
        };
        let Some(upstream) = self.upstream_of(&asked.caller, &previous).await? else {
            return Ok(targets);
        };
        let mut pinned: Vec<_> = targets
            .into_iter()
            .filter(|target| target.upstream.name() == upstream)
            .collect();
        if pinned.is_empty() {
            pinned = self.routes.targets(&format!("{upstream}/{model}"));
        }
        Ok(pinned)
    }

    /// The first upstream, for what names no model.
    fn first(&self) -> Option<Target> {
        let upstream = self.routes.upstreams().first()?;
        Some(Target {
            upstream: Arc::clone(upstream),
            model: String::new(),
        })
    }

    /// Returns the name of the upstream that has the caller's response. `None` if it was not
    /// made here, where the operator lets clients ask for what the gateway does not know.
    pub async fn upstream_of(&self, caller: &Caller, id: &str) -> Result<Option<String>, Error> {
        match self.pinned(id).await? {
            Some(pin) if pin.owner == caller.counted_as() => Ok(Some(pin.upstream)),
            None if self.settings.passthrough => Ok(None),
            _ => {
                let message = format!("Response with id '{id}' not found.");
                Err(ApiError::not_found(message).into())
            }
        }
    }

    async fn pinned(&self, id: &str) -> Result<Option<Pin>, Error> {
        let (stores, id) = (&self.studio.stores, key(id));
        let now = stores.clock.now();
        let pin = stores.pins.pinned(&id, now).await;
        if let Some(pin) = pin.map_err(app::Error::from)? {
            return Ok(Some(pin));
        }
        // Earlier versions kept them with answers.
        let entry = stores.cache.get(&id, now).await?;
        Ok(entry.and_then(|entry| serde_json::from_str(&entry.value).ok()))
    }

    /// Notes who made a response, and where it is.
    pub(super) async fn note_response(
        &self,
        asked: &Asked,
        target: &Target,
        answer: Option<&Value>,
    ) {
        if asked.call.endpoint() != Endpoint::Responses {
            return;
        }
        let Some(answer) = answer.filter(|answer| answer["store"] != Value::Bool(false)) else {
            return;
        };
        let Some(id) = answer["id"].as_str() else {
            return;
        };
        let pin = Pin {
            upstream: target.upstream.name().to_owned(),
            owner: asked.caller.counted_as().to_owned(),
        };
        let (stores, id) = (&self.studio.stores, key(id));
        let pinned = stores.pins.pin(&id, &pin, stores.clock.now(), KEPT);
        if let Err(error) = pinned.await {
            warn!(%error, "a response could not be noted");
        }
    }
}

fn key(id: &str) -> String {
    digest(&["response", id])
}
