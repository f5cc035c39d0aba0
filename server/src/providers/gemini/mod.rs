//! Google's models that draw, by Google's own API: OpenAI's dialect of it knows no edits and drops what it does
//! not know.

mod answer;
mod request;

use std::time::Duration;

use async_trait::async_trait;
use atelier_api::Kind;
use atelier_gateway::{Dialect, upstream::UpstreamConfig};
use bytes::Bytes;
use serde_json::Value;

pub(super) use self::request::{frame, shape};
use self::request::{picture, restoration};
use super::{
    Answer, Error, Offers, Progress, Provider, Work,
    bench::Bench,
    endpoint::{Endpoint, Unusable, typical},
    http, refused,
    several::several,
    tariff::Tariff,
};
use crate::{
    config::PicturePrice,
    job::{ImageTask, Request, RestorationTask, Task},
};

/// A client of Google AI Studio, or of Vertex AI.
pub struct Gemini {
    endpoint: Endpoint,
    tariff: Tariff,
    bench: Bench,
}

impl Gemini {
    /// Creates a client without making a call.
    pub fn new(upstream: UpstreamConfig, prices: Vec<PicturePrice>) -> Result<Self, Unusable> {
        Ok(Self {
            tariff: Tariff::Listed(upstream.name.clone(), prices),
            endpoint: Endpoint::new(upstream)?,
            bench: Bench::default(),
        })
    }

    /// `POST …/models/{model}:generateContent`.
    async fn generate(&self, model: &str, body: &Value) -> Result<Answer, Error> {
        let method = format!("{model}:generateContent");
        let request = if self.endpoint.dialect() == Dialect::Vertex {
            let path = ["publishers", "google", "models", &method];
            self.endpoint.post_beside("/endpoints/openapi", path)
        } else {
            self.endpoint.post_beside("/openai", ["models", &method])
        };
        let response = self.endpoint.send(request?.json(body)).await?;
        if !response.status().is_success() {
            return Err(refused::refused(&self.endpoint, response).await);
        }
        let body = http::body(response).await?;
        answer::read(&body, self.tariff.prices(model))
    }

    async fn paint(
        &self,
        model: &str,
        task: &ImageTask,
        pictures: &[Bytes],
    ) -> Result<Answer, Error> {
        let body = picture(task, pictures);
        let estimate = self.tariff.estimate(model, task.into()) / f64::from(task.n);
        several(task.n, estimate, async || self.generate(model, &body).await).await
    }

    async fn restore(
        &self,
        model: &str,
        task: &RestorationTask,
        original: Bytes,
    ) -> Result<Answer, Error> {
        let (frame, ratio) = frame(task);
        let laid = self.bench.lay_out(task.mask(), frame, original).await?;
        let body = restoration(task, &laid.photo, ratio);
        let answer = self.generate(model, &body).await?;
        self.bench.finish(laid, answer).await
    }
}

#[async_trait]
impl Provider for Gemini {
    fn name(&self) -> &str {
        self.endpoint.name()
    }

    fn offers(&self, _: &str) -> Offers {
        Offers {
            edits: true,
            photos: true,
            ..Offers::default()
        }
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
        _: Progress,
    ) -> Result<Answer, Error> {
        let model = &request.model;
        let made = match &request.task {
            Task::Image(task) if task.enlarge.is_some() => Err(Error::not_enlarged()),
            Task::Image(task) => self.paint(model, task, &pictures).await,
            Task::Restoration(task) => match pictures.into_iter().next() {
                Some(photo) => self.restore(model, task, photo).await,
                None => Err(Error::photo_lost()),
            },
            Task::Notice(_) | Task::Call(_) | Task::Message(_) => Err(Error::no_picture()),
        };
        made.map_err(|error| self.endpoint.hiding(error))
    }
}
