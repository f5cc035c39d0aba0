//! Which models there are.

use std::{sync::Arc, time::Duration};

use tokio::time::interval;
use tracing::{debug, warn};

use super::{Gateway, built_in};
use crate::app::Caller;
use atelier_gateway::upstream::Upstream;

/// How often upstreams are asked for their models.
const RENEWAL: Duration = Duration::from_secs(300);

/// Maximum time for an upstream's list.
const PATIENCE: Duration = Duration::from_secs(20);

/// Maximum number of models of one upstream.
const MAX_MODELS: usize = 10_000;

impl Gateway {
    /// The models that the caller may use, sorted, each with its owner.
    pub fn models(&self, caller: &Caller) -> Vec<(String, String)> {
        let built_in = built_in::MODELS.map(|name| (name.to_owned(), "atelier".to_owned()));
        let mut models = self.routes.models();
        models.extend(built_in);
        if let Some(holder) = &caller.holder {
            models.retain(|(name, _)| holder.allows_model(name));
        }
        models.sort();
        models.dedup_by(|(a, _), (b, _)| a == b);
        models
    }

    /// Who serves a model, if the caller may use it. It need not be listed: an upstream may serve
    /// more than it tells of.
    pub fn owner_of(&self, caller: &Caller, name: &str) -> Option<String> {
        let models = self.models(caller);
        if let Some((_, owner)) = models.into_iter().find(|(listed, _)| listed == name) {
            return Some(owner);
        }
        let is_allowed = caller
            .holder
            .as_ref()
            .is_none_or(|key| key.allows_model(name));
        let first = self.routes.targets(name).into_iter().next();
        first
            .filter(|_| is_allowed)
            .map(|target| target.upstream.name().to_owned())
    }

    /// Asks the upstreams for their models again and again.
    pub async fn keep_listing(&self) {
        let mut tick = interval(RENEWAL);
        loop {
            tick.tick().await;
            let upstreams = self.routes.upstreams().iter();
            let asked = upstreams.filter(|upstream| upstream.is_asked_for_models());
            futures::future::join_all(asked.map(|upstream| self.list(upstream))).await;
        }
    }

    async fn list(&self, upstream: &Arc<Upstream>) {
        match upstream.ask_for_models(&self.client, PATIENCE).await {
            Ok(asked) => {
                let models = asked.models.into_iter().flatten();
                let models: Vec<_> = models.take(MAX_MODELS).collect();
                debug!(
                    upstream = upstream.name(),
                    models = models.len(),
                    "models listed"
                );
                upstream.list(models);
            }
            Err(error) => {
                warn!(upstream = upstream.name(), %error, "an upstream does not list its models");
            }
        }
    }
}
