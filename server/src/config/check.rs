//! Validates combinations of settings.

use std::collections::HashSet;

use anyhow::{Result, ensure};

use super::Config;
use crate::policies::{ACTIONS, is_reserved};

impl Config {
    pub(super) fn check(&self) -> Result<()> {
        self.check_bounds()?;
        self.check_limits()?;
        self.deny.subjects()?;
        ensure!(
            self.workers > 0 || self.redis_url.is_some(),
            "workers (ATELIER_WORKERS) is 0: nothing would ever be painted. Set 1 or more, or a Redis (redis_url) \
             whose other processes work."
        );
        ensure!(
            self.queue.retry_base <= self.queue.retry_cap,
            "queue.retry_base is longer than queue.retry_cap, which bounds it."
        );
        self.check_traffic()?;
        self.check_gateway()?;
        self.check_messages()?;
        self.check_studio()?;
        self.check_replicate_models()?;
        self.check_pictures()
    }

    pub(super) fn check_openai(&self) -> Result<()> {
        let own_server = self.openai.base_url.host_str() != Some("api.openai.com");
        ensure!(
            self.openai.api_key.is_some() || own_server,
            "provider (ATELIER_PROVIDER) is openai, but there is no key. Set OPENAI_API_KEY, or use \"local\"."
        );
        Ok(())
    }

    pub(super) fn check_replicate(&self, model: &str) -> Result<()> {
        ensure!(
            self.replicate.api_token.is_some(),
            "provider (ATELIER_PROVIDER) is replicate, but there is no token. Set REPLICATE_API_TOKEN, or use \"local\"."
        );
        check_replicate_model(model)
    }

    fn check_replicate_models(&self) -> Result<()> {
        let replicate = &self.replicate;
        check_replicate_model(&replicate.image_model)?;
        check_replicate_model(&replicate.restoration_model)
    }

    fn check_limits(&self) -> Result<()> {
        let mut names = HashSet::new();
        for policy in &self.limits {
            let name = &policy.name;
            ensure!(
                !is_reserved(name),
                "the limit {name:?}: this name stands for an API key's own quota, for callbacks or for refusals. \
                 Choose another."
            );
            ensure!(
                names.insert(name),
                "the limit {name:?} stands there twice. Give each limit a name of its own."
            );
            for action in &policy.actions {
                ensure!(
                    ACTIONS.contains(&action.as_str()),
                    "the limit {name:?}: there is no action {action:?}. There are {}.",
                    ACTIONS.join(", ")
                );
            }
        }
        Ok(())
    }
}

fn check_replicate_model(model: &str) -> Result<()> {
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
    Ok(())
}
