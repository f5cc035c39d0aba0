//! What no single setting can tell by itself, and what would only show later.

use std::{collections::HashSet, time::Duration};

use anyhow::{Result, bail, ensure};

use super::{Config, ProviderName, Secret};
use crate::{
    limit::{RESERVED, Unit},
    provider::{openai::find_estimate, replicate::Webhooks},
};

impl Config {
    pub(super) fn check(&self) -> Result<()> {
        self.check_limits()?;
        self.deny.subjects()?;
        ensure!(
            self.workers > 0 || self.redis_url.is_some(),
            "workers (ATELIER_WORKERS) is 0: nothing would ever be painted. Set 1 or more, or a Redis (redis_url) \
             whose other processes work."
        );
        ensure!(
            self.openai.parallel > 0,
            "openai.parallel is 0: no call could ever be made. Set 1 or more."
        );
        ensure!(
            self.openai.partial_images <= 3,
            "openai.partial_images is a number from 0 to 3."
        );
        ensure!(
            self.openai
                .calls_per_second
                .is_none_or(|calls| calls.is_finite() && calls > 0.0),
            "openai.calls_per_second must be above 0. Leave it out for no bound."
        );
        ensure!(
            self.queue.attempts > 0,
            "queue.attempts is 0: no job could ever be tried. Set 1 or more."
        );
        ensure!(
            self.queue.lease >= Duration::from_millis(300),
            "queue.lease is shorter than 300ms: heartbeats could not keep up. The default is \"60s\"."
        );
        ensure!(
            self.photos.max_bytes > 0 && self.photos.max_pixels > 0,
            "photos.max_bytes and photos.max_pixels must be above 0."
        );
        ensure!(
            self.cache.entries > 0 && self.semantic.entries > 0,
            "cache.entries and semantic.entries must be above 0. To compare no meanings set semantic.mode to \"off\"."
        );
        ensure!(
            (0.0..=1.0).contains(&self.semantic.threshold),
            "semantic.threshold is a cosine similarity, from 0 to 1."
        );
        self.check_secrets()?;
        self.check_traffic()?;
        self.check_provider()
    }

    fn check_secrets(&self) -> Result<()> {
        let short =
            |secret: &Option<Secret>| matches!(secret, Some(Secret(text)) if text.len() < 16);
        ensure!(
            !short(&self.secret),
            "secret (ATELIER_SECRET) is shorter than 16 characters. Set a longer one, or unset it to have one made."
        );
        ensure!(
            !short(&self.admin_token),
            "admin_token (ATELIER_ADMIN_TOKEN) is shorter than 16 characters. Set a longer one, or unset it to have no admin routes."
        );
        Ok(())
    }

    fn check_provider(&self) -> Result<()> {
        let own_server = self.openai.base_url.host_str() != Some("api.openai.com");
        if self.provider() == ProviderName::OpenAi && self.openai.api_key.is_none() && !own_server {
            bail!(
                "provider (ATELIER_PROVIDER) is openai, but there is no key. Set OPENAI_API_KEY, or use \"local\"."
            );
        }
        self.check_replicate()
    }

    fn check_replicate(&self) -> Result<()> {
        let replicate = &self.replicate;
        ensure!(
            self.provider() != ProviderName::Replicate || replicate.api_token.is_some(),
            "provider (ATELIER_PROVIDER) is replicate, but there is no token. Set REPLICATE_API_TOKEN, or use \"local\"."
        );
        ensure!(
            replicate.parallel > 0 && replicate.calls_per_second.is_none_or(|rate| rate > 0.0),
            "replicate.parallel and replicate.calls_per_second must be above 0."
        );
        let prices = [replicate.image_usd, replicate.restoration_usd];
        ensure!(
            prices.iter().all(|price| (0.0..=1000.0).contains(price)),
            "replicate.image_usd or replicate.restoration_usd is negative or too large."
        );
        for model in [&replicate.image_model, &replicate.restoration_model] {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let parts: Vec<&str> = model.split(['/', ':']).collect();
            ensure!(
                (2..=3).contains(&parts.len())
                    && model.matches('/').count() == 1
                    && parts
                        .iter()
                        .all(|part| !part.is_empty() && part.chars().all(plain)),
                "replicate: {model:?} is no model. Write \"owner/name\" or \"owner/name:version\"."
            );
        }
        if let Some(Secret(secret)) = &replicate.webhook_secret {
            ensure!(
                Webhooks::new(Some(secret)).is_ok(),
                "replicate.webhook_secret (REPLICATE_WEBHOOK_SECRET) is no such secret. It begins with \"whsec_\"."
            );
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<()> {
        let mut names = HashSet::new();
        for policy in &self.limits {
            let name = &policy.name;
            ensure!(
                !RESERVED.contains(&name.as_str()),
                "the limit {name:?}: this name stands for an API key's own quota, for callbacks or for refusals. \
                 Choose another."
            );
            ensure!(
                names.insert(name),
                "the limit {name:?} stands there twice. Give each limit a name of its own."
            );
        }
        self.check_estimates()
    }

    fn check_estimates(&self) -> Result<()> {
        for entry in &self.openai.estimates {
            let prices = [entry.low, entry.medium, entry.high, entry.photo];
            ensure!(
                prices.iter().all(|price| (0.0..=1000.0).contains(price)),
                "openai.estimates: a price of {:?} is negative or too large.",
                entry.model
            );
        }
        let money = self.limits.iter().find(|policy| policy.unit == Unit::Usd);
        let model = &self.openai.model;
        if let Some(policy) = money
            && self.provider() == ProviderName::OpenAi
            && find_estimate(&self.openai.estimates, model).is_none()
        {
            bail!(
                "the limit {:?} counts money, but openai.estimates has no price for the model {model:?}. \
                 Add an entry for it, or one for \"*\".",
                policy.name
            );
        }
        Ok(())
    }
}
