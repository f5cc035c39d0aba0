//! OpenAI's images API, and the servers that speak it: Azure's, those of Hugging Face's router, and servers of
//! one's own.

mod answer;
mod call;
mod embeddings;
mod shape;
mod stream;
mod usage;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use atelier_api::{Extend, Kind};
use atelier_gateway::{
    Dialect,
    upstream::{ApiKey, UpstreamConfig},
};
use bytes::Bytes;
use reqwest::RequestBuilder;
use serde::Deserialize;

pub(super) use self::answer::Reply;
pub use self::embeddings::OpenAiEncoder;
use self::{call::Calls, shape::Shape, usage::Usage};
use super::{
    Answer, Error, Offers, Progress, Provider, Work,
    bench::{Bench, Laid},
    endpoint::{Endpoint, Unusable, typical},
    frame::Frame,
    refused,
    several::several,
    tariff::Tariff,
};
use crate::{
    config::{OpenAiConfig, PicturePrice, Prices, Secret},
    job::{ImageTask, Request, RestorationTask, Task},
    photo::Mask,
};

/// A client of the images API.
pub struct OpenAi {
    endpoint: Endpoint,
    tariff: Tariff,
    /// Number of previews while a picture is drawn.
    partial_images: u8,
    bench: Bench,
    /// Whether the server has refused to stream.
    streams_not: AtomicBool,
}

impl OpenAi {
    /// Creates a client with this configuration, without making a call.
    pub fn new(config: OpenAiConfig) -> Result<Self, Unusable> {
        let key = config.api_key.clone();
        let upstream = UpstreamConfig {
            api_key: key.map(|Secret(key)| ApiKey::new(key)),
            timeout: config.timeout,
            ..UpstreamConfig::new("openai", config.base_url.clone())
        };
        Self::at(upstream, config.partial_images, tokens(config))
    }

    /// The same at an upstream that has OpenAI's models for OpenAI's prices, such as Azure.
    pub fn like_openai(upstream: UpstreamConfig, config: OpenAiConfig) -> Result<Self, Unusable> {
        Self::at(upstream, config.partial_images, tokens(config))
    }

    /// A client of another server that speaks the images API.
    pub fn compatible(
        upstream: UpstreamConfig,
        prices: Vec<PicturePrice>,
    ) -> Result<Self, Unusable> {
        let tariff = Tariff::Listed(upstream.name.clone(), prices);
        Self::at(upstream, 0, tariff)
    }

    fn at(upstream: UpstreamConfig, partial_images: u8, tariff: Tariff) -> Result<Self, Unusable> {
        Ok(Self {
            endpoint: Endpoint::new(upstream)?,
            tariff,
            partial_images,
            bench: Bench::default(),
            streams_not: AtomicBool::new(false),
        })
    }

    fn calls<'a>(&'a self, model: &'a str) -> Calls<'a> {
        let shape = Shape::of(self.endpoint.dialect(), model);
        let model = match self.endpoint.dialect() {
            Dialect::HuggingFace => model.rsplit_once(':').map_or(model, |(name, _)| name),
            _ => model,
        };
        Calls {
            endpoint: &self.endpoint,
            shape,
            model,
        }
    }

    async fn paint(
        &self,
        model: &str,
        task: &ImageTask,
        pictures: Vec<Bytes>,
        progress: &Progress,
    ) -> Result<Answer, Error> {
        if let (Some(mask), [picture]) = (task.mask(), &pictures[..]) {
            return self.paint_there(model, task, mask, picture.clone()).await;
        }
        if let (Some(extend), [picture]) = (&task.extend, &pictures[..]) {
            return self.extend(model, task, extend, picture.clone()).await;
        }
        let (calls, prices) = (self.calls(model), self.tariff.prices(model));
        let call = |n, partial_images| calls.picture(task, n, &pictures, partial_images);
        if calls.shape.is_openai && task.n == 1 {
            return self
                .ask_for_one(|partial| call(1, partial), prices, progress)
                .await;
        }
        if calls.shape.makes_several {
            return self.answer(call(task.n, 0)?, prices).await;
        }
        let estimate = self.tariff.estimate(model, task.into()) / f64::from(task.n);
        several(task.n, estimate, async || {
            self.answer(call(1, 0)?, prices).await
        })
        .await
    }

    /// Changes only a part of an attached picture, in the size of that.
    async fn paint_there(
        &self,
        model: &str,
        task: &ImageTask,
        mask: Mask,
        picture: Bytes,
    ) -> Result<Answer, Error> {
        let frame = Frame::of(model, begun_with(task)?);
        let laid = self.bench.lay_out(Some(mask), frame, picture).await?;
        self.change(model, task, frame, laid).await
    }

    /// Continues a picture beyond its frame.
    async fn extend(
        &self,
        model: &str,
        task: &ImageTask,
        extend: &Extend,
        picture: Bytes,
    ) -> Result<Answer, Error> {
        let sides = extend.sides(begun_with(task)?);
        let frame = Frame::of(model, sides);
        let laid = (self.bench.lay_in_the_middle(sides, frame, picture)).await?;
        self.change(model, task, frame, laid).await
    }

    /// Has what the mask leaves open drawn.
    async fn change(
        &self,
        model: &str,
        task: &ImageTask,
        frame: Frame,
        laid: Laid,
    ) -> Result<Answer, Error> {
        let request = self.calls(model).change(task, frame, &laid)?;
        let answer = self.answer(request, self.tariff.prices(model)).await?;
        self.bench.finish(laid, answer).await
    }

    /// Streams a single picture, to show previews. If the server refuses streaming, the call is repeated
    /// without it; a refusal costs nothing. `call` takes the number of partial pictures.
    async fn ask_for_one(
        &self,
        call: impl Fn(u8) -> Result<RequestBuilder, Error>,
        prices: Option<Prices>,
        progress: &Progress,
    ) -> Result<Answer, Error> {
        if self.partial_images > 0 && !self.streams_not.load(Ordering::Relaxed) {
            let response = self.endpoint.send(call(self.partial_images)?).await?;
            if response.status().is_success() {
                let reply = if stream::is_stream(&response) {
                    stream::read(response, prices, progress).await?
                } else {
                    Reply::read(response, prices).await?
                };
                return self.finish(reply, prices).await;
            }
            let (refusal, words) = refused::refused_in_words(&self.endpoint, response).await;
            let unknown = ["stream", "partial_images"];
            let words = String::from_utf8_lossy(&words);
            let speaks_of_it = unknown.iter().any(|field| words.contains(field));
            if refusal.code != "provider_refused" || !speaks_of_it {
                return Err(refusal.charged(usage_in(words.as_bytes(), prices)));
            }
            self.streams_not.store(true, Ordering::Relaxed);
        }
        self.answer(call(0)?, prices).await
    }

    async fn restore(
        &self,
        model: &str,
        task: &RestorationTask,
        original: Bytes,
        progress: &Progress,
    ) -> Result<Answer, Error> {
        let (calls, prices) = (self.calls(model), self.tariff.prices(model));
        let begun = task.beginning();
        let frame = Frame::of(model, (begun.width, begun.height));
        let laid = self.bench.lay_out(task.mask(), frame, original).await?;
        let call = |partial_images| calls.restoration(task, frame, &laid, partial_images);
        // No previews of a masked photo: they would show the parts outside the mask redrawn, too.
        let shows = calls.shape.is_openai && laid.mask.is_none();
        let answer = if shows {
            self.ask_for_one(call, prices, progress).await?
        } else {
            self.answer(call(0)?, prices).await?
        };
        self.bench.finish(laid, answer).await
    }

    /// The cost of the previews in US dollars.
    fn partial_pictures(&self, model: &str, work: Work<'_>) -> f64 {
        const TOKENS: f64 = 100.0;
        let streamed = matches!(work, Work::Images { n: 1, .. } | Work::Restoration);
        let prices = self.tariff.prices(model).filter(|_| streamed);
        prices.map_or(0.0, |prices| {
            f64::from(self.partial_images) * TOKENS * prices.image_output / 1e6
        })
    }

    async fn answer(
        &self,
        request: RequestBuilder,
        prices: Option<Prices>,
    ) -> Result<Answer, Error> {
        let response = self.endpoint.send(request).await?;
        if response.status().is_success() {
            self.finish(Reply::read(response, prices).await?, prices)
                .await
        } else {
            let (error, words) = refused::refused_in_words(&self.endpoint, response).await;
            Err(error.charged(usage_in(&words, prices)))
        }
    }

    async fn finish(&self, reply: Reply, prices: Option<Prices>) -> Result<Answer, Error> {
        reply.answer(&self.endpoint.fetcher, prices).await
    }
}

#[async_trait]
impl Provider for OpenAi {
    fn name(&self) -> &str {
        self.endpoint.name()
    }

    fn offers(&self, model: &str) -> Offers {
        let shape = Shape::of(self.endpoint.dialect(), model);
        Offers {
            masks: shape.edits.is_some(),
            backgrounds: shape.is_openai,
            edits: shape.edits.is_some(),
            photos: shape.edits.is_some(),
            ..Offers::default()
        }
    }

    fn typical(&self, kind: Kind) -> Duration {
        match (self.endpoint.dialect(), kind) {
            (Dialect::OpenAi | Dialect::Azure, Kind::Image) => Duration::from_secs(30),
            (Dialect::OpenAi | Dialect::Azure, Kind::Restoration) => Duration::from_secs(45),
            _ => typical(),
        }
    }

    fn estimate(&self, model: &str, work: Work<'_>) -> f64 {
        let usd = self.tariff.estimate(model, work);
        if usd > 0.0 {
            usd + self.partial_pictures(model, work)
        } else {
            usd
        }
    }

    async fn make(
        &self,
        request: &Request,
        pictures: Vec<Bytes>,
        progress: Progress,
    ) -> Result<Answer, Error> {
        let model = &request.model;
        let made = match &request.task {
            Task::Image(task) if task.enlarge.is_some() => Err(Error::not_enlarged()),
            Task::Image(task) => self.paint(model, task, pictures, &progress).await,
            Task::Restoration(task) => match pictures.into_iter().next() {
                Some(photo) => self.restore(model, task, photo, &progress).await,
                None => Err(Error::photo_lost()),
            },
            Task::Notice(_) | Task::Call(_) | Task::Message(_) => Err(Error::no_picture()),
        };
        made.map_err(|error| self.endpoint.hiding(error))
    }
}

/// Width and height of the picture that it begins with.
fn begun_with(task: &ImageTask) -> Result<(u32, u32), Error> {
    let described = task.beginnings().first().map(|at| (at.width, at.height));
    described.ok_or_else(Error::photo_lost)
}

fn tokens(config: OpenAiConfig) -> Tariff {
    Tariff::Tokens(config.prices, config.estimates)
}

/// The cost in US dollars of a call that was refused, where the refusal tells.
fn usage_in(body: &[u8], prices: Option<Prices>) -> Option<f64> {
    #[derive(Deserialize)]
    struct Envelope {
        usage: Usage,
    }
    let Envelope { usage } = serde_json::from_slice(body).ok()?;
    usage.cost(prices)
}
