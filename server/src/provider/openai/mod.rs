//! OpenAI's images API, and the many servers that speak it.

mod answer;
mod error;
mod estimate;
mod frame;

use std::{io::Cursor, time::Duration};

use async_trait::async_trait;
use atelier_app::wire::Kind;
use axum::body::Bytes;
use reqwest::{
    Client, RequestBuilder, Url,
    multipart::{Form, Part},
};
use serde_json::json;
use tokio::{sync::Semaphore, task::spawn_blocking};

use self::answer::Reply;
pub(crate) use self::estimate::find as find_estimate;
use self::frame::Frame;
use super::{Answer, Error, Progress, Provider, Work, http};
use crate::{
    config::OpenAiConfig,
    job::{ImageTask, Request, RestorationTask, Task},
    photo,
};

/// What a restoration asks for: repair, not invention.
const RESTORATION: &str = "Restore this old photograph faithfully. Keep every person's identity, facial features, \
expression, age, hair, pose and clothing, the background, the framing and the composition exactly as they are. \
Repair only damage: scratches, dust, creases, stains, tears, noise, fading and colour cast. Recover natural contrast, \
and natural colour where the photo had colour; keep a black-and-white photo black and white. Add nothing, remove \
nothing, do not beautify, do not crop.";

/// Added where the visitor wants no colour.
const COLOURLESS: &str = " The result is black and white.";

/// A client of the images API.
pub struct OpenAi {
    client: Client,
    config: OpenAiConfig,
    /// One photo at a time is unpacked: a large one takes some hundred megabytes.
    unpacking: Semaphore,
}

impl OpenAi {
    /// A client with this configuration; makes no call yet.
    pub fn new(config: OpenAiConfig) -> Result<Self, reqwest::Error> {
        let client = http::client().timeout(config.timeout).build()?;
        Ok(Self {
            client,
            config,
            unpacking: Semaphore::new(1),
        })
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

    /// `POST /images/edits` with the photo on a canvas that the model can draw.
    fn edit(
        &self,
        model: &str,
        task: &RestorationTask,
        frame: Frame,
        photo: Bytes,
    ) -> Result<RequestBuilder, Error> {
        let length = photo.len() as u64;
        let photo = Part::stream_with_length(photo, length)
            .file_name("photo.jpg")
            .mime_str("image/jpeg")
            .map_err(|_| Error::last("misconfigured", "The photo could not be sent."))?;
        let mut form = Form::new()
            .text("model", model.to_owned())
            .text("prompt", instruction(task))
            .text("size", frame.size())
            .text("quality", "high")
            .part("image", photo);
        if keeps_faces(model) {
            form = form.text("input_fidelity", "high");
        }
        Ok(self.post("images/edits")?.multipart(form))
    }

    async fn restore(
        &self,
        model: &str,
        task: &RestorationTask,
        original: Bytes,
    ) -> Result<Answer, Error> {
        let frame = Frame::of(model, (task.original.width, task.original.height));
        let photo = self.aside(move || {
            let photo = photo::decode(Cursor::new(original), u64::MAX).ok()?;
            photo::encode_original(&frame.laid_out(&photo)).ok()
        });
        let photo = photo.await?.ok_or_else(Error::photo_lost)?;
        let mut answer = self
            .answer(self.edit(model, task, frame, photo.into())?)
            .await?;
        let pictures = answer.pictures.into_iter();
        let pictures = pictures.map(move |picture| frame.cut_out(picture));
        answer.pictures = self.aside(move || pictures.collect()).await?;
        Ok(answer)
    }

    /// Work on pixels, off the async threads.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let failed = || Error::last("engine_failed", "The photo could not be prepared.");
        let permit = self.unpacking.acquire().await.map_err(|_| failed())?;
        let done = spawn_blocking(work).await.map_err(|_| failed());
        drop(permit);
        done
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let reply = self.send(request).await?;
        let cost_usd = reply.cost(self.config.prices);
        Ok(Answer {
            pictures: reply.pictures(&self.client).await?,
            cost_usd,
        })
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
        let model = &request.model;
        match (&request.task, original) {
            (Task::Image(task), _) => self.answer(self.generation(model, task)?).await,
            (Task::Restoration(task), Some(photo)) => self.restore(model, task, photo).await,
            (Task::Restoration(_), None) => Err(Error::photo_lost()),
            (Task::Notice(_), _) => Err(Error::no_picture()),
        }
    }
}

fn instruction(task: &RestorationTask) -> String {
    let colours = if task.monochrome { COLOURLESS } else { "" };
    format!("{RESTORATION}{colours}")
}

/// Whether a model takes `input_fidelity`; its imitators and small ones may refuse what they do not know.
fn keeps_faces(model: &str) -> bool {
    model.starts_with("gpt-image-") && !model.contains("mini")
}
