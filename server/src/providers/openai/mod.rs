//! OpenAI's images API, and compatible servers.

mod answer;
mod embeddings;
mod error;
mod estimate;
mod frame;
mod instruction;
mod stream;
mod usage;

use std::{
    borrow::Cow,
    io::Cursor,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use atelier_api::{Background, Kind};
use bytes::Bytes;
use reqwest::{
    Client, RequestBuilder, Url,
    multipart::{Form, Part},
};
use serde_json::json;
use tokio::{sync::Semaphore, task::spawn_blocking};

use self::answer::Reply;
pub use self::embeddings::OpenAiEncoder;
use self::{frame::Frame, instruction::instruction};
use super::{Answer, Error, Offers, Progress, Provider, Work, http};
use crate::{
    config::OpenAiConfig,
    job::{ImageTask, Picture, Request, RestorationTask, Task},
    photo::{self, Mask},
};

/// A client of the images API.
pub struct OpenAi {
    client: Client,
    config: OpenAiConfig,
    /// Limits decoding to one photo at a time: a large one takes some hundred megabytes.
    unpacking: Semaphore,
    /// Whether the server has refused to stream.
    streams_not: AtomicBool,
}

impl OpenAi {
    /// Creates a client with this configuration, without making a call.
    pub fn new(config: OpenAiConfig) -> Result<Self, reqwest::Error> {
        let client = http::client().timeout(config.timeout).build()?;
        Ok(Self {
            client,
            config,
            unpacking: Semaphore::new(1),
            streams_not: AtomicBool::new(false),
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

    /// Makes the call for a task: with a prompt alone, or with a picture.
    fn call(
        &self,
        model: &str,
        task: &ImageTask,
        source: Option<&Bytes>,
        partial_images: u8,
    ) -> Result<RequestBuilder, Error> {
        match (&task.source, source) {
            (Some(described), Some(picture)) => self.alteration(
                model,
                task,
                file_of(&described.picture, picture)?,
                partial_images,
            ),
            (Some(_), None) => Err(Error::photo_lost()),
            (None, _) => self.generation(model, task, partial_images),
        }
    }

    /// `POST /images/edits` with an earlier picture.
    fn alteration(
        &self,
        model: &str,
        task: &ImageTask,
        picture: Part,
        partial_images: u8,
    ) -> Result<RequestBuilder, Error> {
        let mut form = Form::new()
            .text("model", model.to_owned())
            .text("prompt", task.styled())
            .text("n", task.n.to_string())
            .text("size", task.size.to_string())
            .text("quality", task.quality.to_string())
            .part("image", picture);
        if task.background != Background::Auto {
            form = form.text("background", task.background.to_string());
        }
        Ok(self
            .post("images/edits")?
            .multipart(streamed(form, partial_images)))
    }

    /// `POST /images/generations`.
    fn generation(
        &self,
        model: &str,
        task: &ImageTask,
        partial_images: u8,
    ) -> Result<RequestBuilder, Error> {
        let mut call = json!({
            "model": model,
            "prompt": task.styled(),
            "n": task.n,
            "size": task.size,
            "quality": task.quality,
        });
        if task.background != Background::Auto {
            call["background"] = json!(task.background);
        }
        if partial_images > 0 {
            call["stream"] = json!(true);
            call["partial_images"] = json!(partial_images);
        }
        Ok(self.post("images/generations")?.json(&call))
    }

    async fn paint(
        &self,
        model: &str,
        task: &ImageTask,
        source: Option<Bytes>,
        progress: &Progress,
    ) -> Result<Answer, Error> {
        let call = |partial_images| self.call(model, task, source.as_ref(), partial_images);
        match task.n {
            1 => self.ask_for_one(call, progress).await,
            _ => self.answer(call(0)?).await,
        }
    }

    /// Streams a single picture, to show previews. If the server refuses streaming, the call is repeated
    /// without it; a refusal costs nothing. `call` takes the number of partial pictures.
    async fn ask_for_one(
        &self,
        call: impl Fn(u8) -> Result<RequestBuilder, Error>,
        progress: &Progress,
    ) -> Result<Answer, Error> {
        let partial_images = self.config.partial_images;
        if partial_images > 0 && !self.streams_not.load(Ordering::Relaxed) {
            let response = call(partial_images)?.send().await.map_err(http::broken)?;
            let prices = self.config.prices;
            if response.status().is_success() {
                let reply = if stream::is_stream(&response) {
                    stream::read(response, prices, progress).await?
                } else {
                    Reply::read(response, prices).await?
                };
                return self.finish(reply).await;
            }
            let (refusal, words) = error::refused_in_words(response, prices).await;
            let unknown = ["stream", "partial_images"]
                .iter()
                .any(|field| words.contains(field));
            if refusal.code != "provider_refused" || !unknown {
                return Err(refusal);
            }
            self.streams_not.store(true, Ordering::Relaxed);
        }
        self.answer(call(0)?).await
    }

    /// `POST /images/edits` with the photo on a canvas that the model can draw.
    fn edit(
        &self,
        model: &str,
        task: &RestorationTask,
        frame: Frame,
        photo: Vec<u8>,
        mask: Option<Vec<u8>>,
        partial_images: u8,
    ) -> Result<RequestBuilder, Error> {
        let mut form = Form::new()
            .text("model", model.to_owned())
            .text("prompt", instruction(task))
            .text("size", frame.size())
            .text("quality", "high")
            .part("image", file(photo, "photo.jpg", "image/jpeg")?);
        if let Some(mask) = mask {
            form = form.part("mask", file(mask, "mask.png", "image/png")?);
        }
        if keeps_faces(model) {
            form = form.text("input_fidelity", "high");
        }
        Ok(self
            .post("images/edits")?
            .multipart(streamed(form, partial_images)))
    }

    async fn restore(
        &self,
        model: &str,
        task: &RestorationTask,
        original: Bytes,
        progress: &Progress,
    ) -> Result<Answer, Error> {
        let begun = task.beginning();
        let frame = Frame::of(model, (begun.width, begun.height));
        let mask = task.mask();
        let (wanted, photo) = (mask.clone(), original.clone());
        let sent = self.aside(move || {
            let photo = photo::decode(Cursor::new(photo), u64::MAX).ok()?;
            let photo = photo::encode_original(&frame.laid_out(&photo)).ok()?;
            let wanted = wanted.map(|mask| frame.laid_out_mask(&mask)).transpose();
            Some((photo, wanted.ok()?))
        });
        let (photo, wanted) = sent.await?.ok_or_else(Error::photo_lost)?;
        let call = |partial_images| {
            self.edit(
                model,
                task,
                frame,
                photo.clone(),
                wanted.clone(),
                partial_images,
            )
        };
        // No previews of a masked photo: they would show the parts outside the mask redrawn, too.
        let mut answer = match mask {
            None => self.ask_for_one(call, progress).await?,
            Some(_) => self.answer(call(0)?).await?,
        };
        let pictures = answer.pictures;
        let finish = move |picture| {
            let picture = frame.cut_out(picture);
            let blended = (mask.as_ref()).and_then(|mask| put_into(&original, mask, &picture));
            // Unreadable results are refused later, with all others.
            blended.unwrap_or(picture)
        };
        let finished = move || pictures.into_iter().map(finish).collect();
        let finished = self.aside(finished).await;
        answer.pictures = finished.map_err(|error| error.lost().charged(answer.cost_usd))?;
        Ok(answer)
    }

    /// Runs work on pixels on a blocking thread.
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

    /// The cost of the previews in US dollars.
    fn partial_pictures(&self, work: Work<'_>) -> f64 {
        const TOKENS: f64 = 100.0;
        let streamed = matches!(work, Work::Images { n: 1, .. } | Work::Restoration);
        let pictures = if streamed {
            self.config.partial_images
        } else {
            0
        };
        f64::from(pictures) * TOKENS * self.config.prices.image_output / 1e6
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let response = request.send().await.map_err(http::broken)?;
        let prices = self.config.prices;
        if response.status().is_success() {
            self.finish(Reply::read(response, prices).await?).await
        } else {
            Err(error::refused(response, prices).await)
        }
    }

    async fn finish(&self, reply: Reply) -> Result<Answer, Error> {
        let cost_usd = reply.cost(self.config.prices);
        let pictures = reply.pictures(&self.client).await;
        Ok(Answer {
            pictures: pictures.map_err(|error| error.lost().charged(cost_usd))?,
            cost_usd,
            left_out: Vec::new(),
        })
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

    fn offers(&self) -> Offers {
        Offers {
            masks: true,
            backgrounds: true,
            edits: true,
            enlarges: false,
        }
    }

    fn typical(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Image => Duration::from_secs(30),
            Kind::Restoration => Duration::from_secs(45),
        }
    }

    fn estimate(&self, work: Work<'_>) -> f64 {
        let entry = self.config.estimate();
        entry.map_or(0.0, |entry| {
            estimate::estimate(entry, work) + self.partial_pictures(work)
        })
    }

    async fn make(
        &self,
        request: &Request,
        original: Option<Bytes>,
        progress: Progress,
    ) -> Result<Answer, Error> {
        let model = &request.model;
        let made = match (&request.task, original) {
            (Task::Image(task), _) if task.enlarge.is_some() => Err(Error::not_enlarged()),
            (Task::Image(task), source) => self.paint(model, task, source, &progress).await,
            (Task::Restoration(task), Some(photo)) => {
                self.restore(model, task, photo, &progress).await
            }
            (Task::Restoration(_), None) => Err(Error::photo_lost()),
            (Task::Notice(_) | Task::Call(_) | Task::Message(_), _) => Err(Error::no_picture()),
        };
        made.map_err(|error| error.hiding(self.config.api_key.as_ref()))
    }
}

/// Adds the request for partial pictures to the form.
fn streamed(form: Form, partial_images: u8) -> Form {
    if partial_images == 0 {
        return form;
    }
    form.text("stream", "true")
        .text("partial_images", partial_images.to_string())
}

/// A picture as a form file. Its key would open it to anybody who knows it, so it gets another name.
fn file_of(picture: &Picture, bytes: &Bytes) -> Result<Part, Error> {
    let name = format!("picture.{}", picture.extension());
    file(bytes.to_vec(), name, &picture.media_type)
}

fn file(
    bytes: Vec<u8>,
    name: impl Into<Cow<'static, str>>,
    media_type: &str,
) -> Result<Part, Error> {
    Part::bytes(bytes)
        .file_name(name)
        .mime_str(media_type)
        .map_err(|_| Error::last("misconfigured", "The photo could not be sent."))
}

/// Combines the original photo with the masked parts of the result: models treat a mask as a hint only and
/// redraw the rest as well. `None` if either cannot be read.
fn put_into(original: &[u8], mask: &Mask, answer: &[u8]) -> Option<Bytes> {
    let answer = image::load_from_memory(answer).ok()?.into_rgb8();
    let mut photo = photo::decode(Cursor::new(original), u64::MAX).ok()?;
    mask.blend(&mut photo, &answer);
    photo::encode_original(&photo).ok().map(Bytes::from)
}

/// Whether a model accepts `input_fidelity`; compatible servers and small models may refuse it.
fn keeps_faces(model: &str) -> bool {
    model.starts_with("gpt-image-") && !model.contains("mini")
}
