//! OpenAI's images API, and the many servers that speak it.

mod answer;
mod error;
mod estimate;

use std::time::Duration;

use async_trait::async_trait;
use atelier_app::wire::Kind;
use axum::body::Bytes;
use reqwest::{
    Client, RequestBuilder, Url,
    multipart::{Form, Part},
};
use serde_json::json;

use self::answer::Reply;
pub(crate) use self::estimate::find as find_estimate;
use super::{Answer, Error, Progress, Provider, Work, http};
use crate::{
    config::OpenAiConfig,
    job::{ImageTask, Request, Task},
};

/// What a restoration asks for: repair, not invention.
const RESTORATION: &str = "Restore this old photograph faithfully. Keep every person's identity, facial features, \
expression, age, hair, pose and clothing, the background, the framing and the composition exactly as they are. \
Repair only damage: scratches, dust, creases, stains, tears, noise, fading and colour cast. Recover natural contrast, \
and natural colour where the photo had colour; keep a black-and-white photo black and white. Add nothing, remove \
nothing, do not beautify, do not crop.";

/// A client of the images API.
pub struct OpenAi {
    client: Client,
    config: OpenAiConfig,
}

impl OpenAi {
    /// A client with this configuration; makes no call yet.
    pub fn new(config: OpenAiConfig) -> Result<Self, reqwest::Error> {
        let client = http::client().timeout(config.timeout).build()?;
        Ok(Self { client, config })
    }

    /// `path` below the base URL, with the key.
    fn post(&self, path: &str) -> Result<RequestBuilder, Error> {
        let url = format!(
            "{}/{path}",
            self.config.base_url.as_str().trim_end_matches('/')
        );
        let url = Url::parse(&url)
            .map_err(|_| Error::last("misconfigured", "The image service's address is wrong."))?;
        let request = self.client.post(url);
        Ok(match &self.config.api_key {
            Some(key) => request.bearer_auth(&key.0),
            None => request,
        })
    }

    /// `POST /images/generations`.
    fn generation(&self, model: &str, task: &ImageTask) -> Result<RequestBuilder, Error> {
        Ok(self.post("images/generations")?.json(&json!({
            "model": model,
            "prompt": task.styled(),
            "n": task.n,
            "size": task.size,
            "quality": task.quality,
        })))
    }

    /// `POST /images/edits`.
    fn restoration(&self, model: &str, photo: Bytes) -> Result<RequestBuilder, Error> {
        let length = photo.len() as u64;
        let photo = Part::stream_with_length(photo, length)
            .file_name("photo.jpg")
            .mime_str("image/jpeg")
            .map_err(|_| Error::last("misconfigured", "The photo could not be sent."))?;
        let form = Form::new()
            .text("model", model.to_owned())
            .text("prompt", RESTORATION)
            .text("size", "auto")
            .text("quality", "high")
            .part("image", photo);
        Ok(self.post("images/edits")?.multipart(form))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Reply, Error> {
        let response = request.send().await.map_err(http::broken)?;
        if !response.status().is_success() {
            return Err(error::refused(response).await);
        }
        Reply::read(response).await
    }
}

#[async_trait]
impl Provider for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn model(&self, _: Kind) -> &str {
        &self.config.model
    }

    fn typical(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Image => Duration::from_secs(30),
            Kind::Restoration => Duration::from_secs(45),
        }
    }

    fn estimate(&self, work: Work<'_>) -> f64 {
        find_estimate(&self.config.estimates, &self.config.model)
            .map_or(0.0, |entry| estimate::estimate(entry, work))
    }

    async fn make(
        &self,
        request: &Request,
        original: Option<Bytes>,
        _: Progress,
    ) -> Result<Answer, Error> {
        let call = match (&request.task, original) {
            (Task::Image(task), _) => self.generation(&request.model, task)?,
            (Task::Restoration(_), Some(photo)) => self.restoration(&request.model, photo)?,
            (Task::Restoration(_), None) => return Err(Error::photo_lost()),
            (Task::Notice(_), _) => return Err(Error::no_picture()),
        };
        let reply = self.send(call).await?;
        let cost_usd = reply.cost(self.config.prices);
        Ok(Answer {
            pictures: reply.pictures(&self.client).await?,
            cost_usd,
        })
    }
}
