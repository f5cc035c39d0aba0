//! Vectors of texts, for the semantic cache.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use serde::Deserialize;
use url::Url;

use crate::{
    cache::semantic::{EncodeError, Encoder},
    config::Secret,
};

/// OpenAI's embeddings, or those of a compatible server.
pub struct OpenAiEncoder {
    client: reqwest::Client,
    url: String,
    key: Option<Secret>,
    model: String,
}

impl OpenAiEncoder {
    /// Creates an encoder that calls `base_url`.
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

    async fn encode(&self, text: &str) -> Result<Vec<f32>, EncodeError> {
        Ok(self.ask(text).await?)
    }
}

impl OpenAiEncoder {
    async fn ask(&self, text: &str) -> Result<Vec<f32>> {
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
