//! Hugging Face's own inference, which answers with the bytes of a picture.

use std::time::Duration;

use async_trait::async_trait;
use atelier_api::Kind;
use atelier_gateway::upstream::UpstreamConfig;
use bytes::Bytes;
use reqwest::{
    Response,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answer, Error, Offers, Progress, Provider, Work,
    endpoint::{Endpoint, Unusable, typical},
    http,
    openai::{OpenAi, Reply},
    refused,
    several::several,
    tariff::Tariff,
};
use crate::{
    config::PicturePrice,
    job::{ImageTask, Request, Task},
};

/// The provider at Hugging Face that is Hugging Face.
const OWN: &str = "hf-inference";

/// A client of Hugging Face's router.
pub struct HuggingFace {
    endpoint: Endpoint,
    tariff: Tariff,
    /// Makes the calls to those behind the router that speak OpenAI's images API.
    routed: OpenAi,
}

/// Some models answer with an address.
#[derive(Deserialize)]
struct Outputs {
    output: Vec<String>,
}

impl HuggingFace {
    /// Creates a client without making a call.
    pub fn new(upstream: UpstreamConfig, prices: Vec<PicturePrice>) -> Result<Self, Unusable> {
        Ok(Self {
            tariff: Tariff::Listed(upstream.name.clone(), prices.clone()),
            endpoint: Endpoint::new(upstream.clone())?,
            routed: OpenAi::compatible(upstream, prices)?,
        })
    }

    async fn paint(&self, model: &str, task: &ImageTask) -> Result<Answer, Error> {
        let name = model.rsplit_once(':').map_or(model, |(name, _)| name);
        let body = body(task);
        let estimate = self.tariff.estimate(model, task.into()) / f64::from(task.n);
        several(task.n, estimate, async || self.infer(name, &body).await).await
    }

    /// `POST /hf-inference/models/{owner}/{name}`.
    async fn infer(&self, name: &str, body: &Value) -> Result<Answer, Error> {
        let path = [OWN, "models"].into_iter().chain(name.split('/'));
        let request = self.endpoint.post_beside("/v1", path)?;
        let request = request.header(ACCEPT, "image/png").json(body);
        let response = self.endpoint.send(request).await?;
        if !response.status().is_success() {
            return Err(refused::refused(&self.endpoint, response).await);
        }
        self.read(response).await
    }

    async fn read(&self, response: Response) -> Result<Answer, Error> {
        let media_type = response.headers().get(CONTENT_TYPE);
        let is_json =
            media_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        let body = http::body(response).await?;
        if !is_json {
            return Ok(Answer::of(vec![body], None));
        }
        let reply = match serde_json::from_slice::<Outputs>(&body) {
            Ok(Outputs { output }) => Reply::at(output),
            Err(_) => serde_json::from_slice(&body).map_err(|_| http::garbage())?,
        };
        reply.answer(&self.endpoint.fetcher, None).await
    }
}

#[async_trait]
impl Provider for HuggingFace {
    fn name(&self) -> &str {
        self.endpoint.name()
    }

    fn offers(&self, _: &str) -> Offers {
        Offers::default()
    }

    fn typical(&self, _: Kind) -> Duration {
        typical()
    }

    fn estimate(&self, model: &str, work: Work<'_>) -> f64 {
        self.tariff.estimate(model, work)
    }

    async fn make(
        &self,
        request: &Request,
        pictures: Vec<Bytes>,
        progress: Progress,
    ) -> Result<Answer, Error> {
        let model = &request.model;
        if model.contains(':') && !model.ends_with(&format!(":{OWN}")) {
            return self.routed.make(request, pictures, progress).await;
        }
        let made = match &request.task {
            Task::Image(task) if task.enlarge.is_some() => Err(Error::not_enlarged()),
            Task::Image(task) if task.beginnings().is_empty() => self.paint(model, task).await,
            _ => Err(Error::no_picture()),
        };
        made.map_err(|error| self.endpoint.hiding(error))
    }
}

fn body(task: &ImageTask) -> Value {
    let mut body = json!({ "inputs": task.styled() });
    if let Some((width, height)) = task.size.sides() {
        body["parameters"] = json!({ "width": width, "height": height });
    }
    body
}
