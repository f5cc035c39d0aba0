//! The providers that are upstreams of the gateway as well.

use std::sync::Arc;

use atelier_gateway::{Dialect, upstream::UpstreamConfig};

use super::{
    Provider, Unusable, gemini::Gemini, huggingface::HuggingFace, openai::OpenAi,
    openrouter::OpenRouter,
};
use crate::config::Config;

/// Whether an upstream of this kind makes pictures by an API of its own, and not by OpenAI's.
pub const fn draws_in_its_own_way(kind: Dialect) -> bool {
    matches!(
        kind,
        Dialect::Gemini | Dialect::Vertex | Dialect::HuggingFace | Dialect::OpenRouter
    )
}

/// Makes pictures by an upstream, without making a call yet.
///
/// # Errors
/// If the upstream lacks a setting, or its key cannot be sent.
pub fn of_upstream(
    config: &Config,
    upstream: UpstreamConfig,
) -> Result<Arc<dyn Provider>, Unusable> {
    let prices = config.studio.prices.clone();
    Ok(match upstream.kind {
        Dialect::Gemini | Dialect::Vertex => Arc::new(Gemini::new(upstream, prices)?),
        Dialect::HuggingFace => Arc::new(HuggingFace::new(upstream, prices)?),
        Dialect::OpenRouter => Arc::new(OpenRouter::new(upstream, prices)?),
        Dialect::OpenAi | Dialect::Azure => {
            Arc::new(OpenAi::like_openai(upstream, config.openai.clone())?)
        }
        _ => Arc::new(OpenAi::compatible(upstream, prices)?),
    })
}
