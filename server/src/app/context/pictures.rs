//! Builds the models that make pictures.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use atelier_gateway::{Dialect, upstream::UpstreamConfig};

use crate::{
    config::{Config, ModelName},
    job::{CALLS, MESSAGES, OWN_MESSAGES, notice_lanes},
    providers::{
        Choice, Models, Provider, Ranked,
        local::Local,
        of_upstream,
        openai::OpenAi,
        replicate::{Replicate, Webhooks},
    },
    queue::Lane,
};

/// Calls at a time to an upstream, unless it is configured.
const PARALLEL: u32 = 4;

/// The models that are configured.
pub(super) fn models(config: &Config, webhooks: &Arc<Webhooks>) -> Result<Models> {
    let mut providers = HashMap::new();
    let mut opened = |names: Vec<ModelName>| {
        let choices = names.into_iter().map(|ModelName { provider, model }| {
            let opened = match providers.get(&provider) {
                Some(opened) => Arc::clone(opened),
                None => open(config, webhooks, &provider)?,
            };
            providers.insert(provider, Arc::clone(&opened));
            anyhow::Ok(Choice::new(opened, model))
        });
        choices.collect::<Result<Vec<_>>>()
    };
    let mut ranked = |names, choices| {
        let mut models = opened(names)?.into_iter();
        anyhow::Ok(Ranked {
            first: models.next().context("there is no model")?,
            others: models.collect(),
            choices: opened(choices)?,
        })
    };
    Ok(Models {
        pictures: ranked(config.pictures(), config.picture_choices())?,
        photos: ranked(config.photos(), config.photo_choices())?,
    })
}

/// The providers of the models with their lanes, and first the built-in engine, for the few jobs that were
/// accepted before the configuration changed.
pub(super) fn lanes(config: &Config, models: &Models) -> Vec<(Arc<dyn Provider>, Lane)> {
    let engine: Arc<dyn Provider> = Arc::new(Local);
    let open = Lane::open(engine.name());
    let mut lanes = vec![(engine, open)];
    for choice in models.pictures.all().chain(models.photos.all()) {
        let name = choice.name();
        if !lanes.iter().any(|(_, lane)| lane.name == name) {
            lanes.push((Arc::clone(&choice.provider), lane(config, name)));
        }
    }
    lanes
}

fn lane(config: &Config, name: &str) -> Lane {
    let (openai, replicate) = (&config.openai, &config.replicate);
    let (parallel, per_second) = match name {
        "openai" => (openai.parallel, openai.calls_per_second),
        "replicate" => (replicate.parallel, replicate.calls_per_second),
        name => {
            let upstream = upstream(config, name);
            // It draws one picture after the other.
            let usual = match upstream.map(|upstream| upstream.kind) {
                Some(Dialect::SdCpp) => 1,
                _ => PARALLEL,
            };
            let parallel = upstream.and_then(|upstream| upstream.parallel);
            (parallel.unwrap_or(usual), None)
        }
    };
    Lane {
        name: name.to_owned(),
        parallel: Some(parallel),
        per_second,
    }
}

fn upstream<'a>(config: &'a Config, name: &str) -> Option<&'a UpstreamConfig> {
    config
        .upstreams
        .iter()
        .find(|upstream| upstream.name == name)
}

fn open(config: &Config, webhooks: &Arc<Webhooks>, name: &str) -> Result<Arc<dyn Provider>> {
    let unusable = || format!("the provider {name:?} cannot be called");
    Ok(match name {
        "local" => Arc::new(Local),
        "openai" => Arc::new(OpenAi::new(config.openai.clone()).with_context(unusable)?),
        "replicate" => {
            let (settings, public_url) = (config.replicate.clone(), config.public_url.as_ref());
            let replicate = Replicate::new(settings, public_url, Arc::clone(webhooks));
            Arc::new(replicate.with_context(unusable)?)
        }
        name => {
            let lanes = [CALLS, MESSAGES, OWN_MESSAGES].map(str::to_owned);
            let taken = lanes
                .into_iter()
                .chain(notice_lanes())
                .any(|lane| lane == name);
            ensure!(
                !taken,
                "studio: the upstream {name:?} cannot make pictures under this name, which the queue uses for \
                 something else. Give it another."
            );
            let upstream = upstream(config, name).with_context(unusable)?;
            of_upstream(config, upstream.clone()).with_context(unusable)?
        }
    })
}
