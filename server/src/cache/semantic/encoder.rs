//! Prompts become vectors. A vector is compared only with those of its model.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use serde::Deserialize;
use tokio::{
    sync::{OnceCell, Semaphore},
    task::spawn_blocking,
    time::timeout,
};
use url::Url;

use crate::config::Secret;

/// Makes vectors of unit length.
#[async_trait]
pub trait Encoder: Send + Sync + 'static {
    /// Names the model and what is done before and after it.
    fn model(&self) -> String;
    /// The vector of a text that is not empty.
    async fn encode(&self, text: &str) -> Result<Vec<f32>>;
}

/// As [`Encoder::encode`], but not longer than that.
pub(super) async fn encode_within(
    encoder: &dyn Encoder,
    text: &str,
    patience: Duration,
) -> Result<Vec<f32>> {
    timeout(patience, encoder.encode(text))
        .await
        .with_context(|| format!("no vector within {} ms", patience.as_millis()))?
}

/// The encoder inside the binary. It is loaded when first used, and reads the first
/// [`atelier_encoder::MAX_TOKENS`].
pub struct Pocket {
    loaded: OnceCell<Arc<atelier_encoder::Encoder>>,
    /// An encoding takes a core for milliseconds; more at once would only wait.
    permits: Arc<Semaphore>,
}

impl Pocket {
    /// An encoder that is not loaded yet.
    pub fn new() -> Self {
        Self {
            loaded: OnceCell::new(),
            permits: Arc::new(Semaphore::new(2)),
        }
    }

    async fn loaded(&self) -> Result<Arc<atelier_encoder::Encoder>> {
        let loaded = self.loaded.get_or_try_init(|| async {
            anyhow::Ok(Arc::new(
                spawn_blocking(atelier_encoder::Encoder::new).await??,
            ))
        });
        Ok(Arc::clone(loaded.await?))
    }
}

impl Default for Pocket {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Encoder for Pocket {
    fn model(&self) -> String {
        atelier_encoder::MODEL.into()
    }

    async fn encode(&self, text: &str) -> Result<Vec<f32>> {
        let encoder = self.loaded().await?;
        let permit = Arc::clone(&self.permits).acquire_owned().await?;
        let text = text.to_owned();
        spawn_blocking(move || {
            let _permit = permit;
            Ok(encoder.encode(&text)?)
        })
        .await?
    }
}

/// OpenAI's embeddings, or those of a server that speaks their API.
pub struct OpenAiEncoder {
    client: reqwest::Client,
    url: String,
    key: Option<Secret>,
    model: String,
}

impl OpenAiEncoder {
    /// An encoder that asks `base_url`.
    pub fn new(base_url: &Url, key: Option<Secret>, model: String) -> Result<Self> {
        let client = reqwest::Client::builder().connect_timeout(Duration::from_secs(10));
        Ok(Self {
            client: client.build().context("cannot make an HTTP client")?,
            url: format!("{}/embeddings", base_url.as_str().trim_end_matches('/')),
            key,
            model,
        })
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Embedding>,
}

#[derive(Deserialize)]
struct Embedding {
    embedding: Vec<f32>,
}

#[async_trait]
impl Encoder for OpenAiEncoder {
    fn model(&self) -> String {
        format!("openai/{}", self.model)
    }

    async fn encode(&self, text: &str) -> Result<Vec<f32>> {
        let body =
            serde_json::json!({ "model": self.model, "input": text, "encoding_format": "float" });
        let mut request = self.client.post(&self.url).json(&body);
        if let Some(Secret(key)) = &self.key {
            request = request.bearer_auth(key);
        }
        let answer: Answer = request.send().await?.error_for_status()?.json().await?;
        let vector = answer
            .data
            .into_iter()
            .next()
            .context("no vector")?
            .embedding;
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        ensure!(norm.is_finite() && norm > 0.0, "the vector has no length");
        Ok(vector.into_iter().map(|x| x / norm).collect())
    }
}
