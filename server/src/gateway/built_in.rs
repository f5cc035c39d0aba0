//! What answers when no upstream does: the built-in engines for pictures and photos, and the
//! built-in encoder for vectors.

use std::{io::Cursor, sync::Arc};

use atelier_api::Size;
use atelier_gateway::{
    ApiError, Call, Endpoint, Usage,
    embeddings::{Encoding, encode},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{Error, Gateway, Reply, Source, charging::Due, painting, request::Asked, serve::free};
use crate::{
    cache::semantic::{Encoder, Pocket},
    job::{Picture, Request, RestorationTask, Task},
    limit::{Costs, Standing},
    photo,
    providers::{self, Progress, Provider, local::Local},
};

const PICTURES: &str = "sketch-1";
const PHOTOS: &str = "restorer-1";
const VECTORS: &str = "encoder-1";

/// The names of what is built in.
pub(super) const MODELS: [&str; 3] = [PICTURES, PHOTOS, VECTORS];

/// Maximum number of texts to encode in one request.
const MAX_TEXTS: usize = 2048;

/// The sides that a picture may have.
const SIDES: std::ops::RangeInclusive<u32> = 64..=2048;

/// Largest photo after decoding, in pixels.
const MAX_PIXELS: u64 = 50_000_000;

/// The engines, which take whole cores.
pub(super) struct Engines {
    pictures: Semaphore,
    vectors: Pocket,
}

/// Which of them answers.
enum Engine {
    Sketch,
    Restorer,
    Encoder,
}

impl Default for Engines {
    fn default() -> Self {
        Self {
            pictures: Semaphore::new(1),
            vectors: Pocket::new(),
        }
    }
}

impl Gateway {
    /// Answers a call that no upstream takes.
    pub(super) async fn built_in(
        self: &Arc<Self>,
        asked: Asked,
        model: &str,
    ) -> Result<Reply, Error> {
        match self.engine(&asked.call, model)? {
            Engine::Sketch => self.draw(&asked).await,
            Engine::Restorer => self.restore(&asked).await,
            Engine::Encoder => self.encode(&asked).await,
        }
    }

    /// What a call costs at most that no upstream takes.
    pub(super) fn built_in_costs(&self, call: &Call, model: &str) -> Result<Costs, Error> {
        Ok(match self.engine(call, model)? {
            Engine::Sketch => pictures(call.n().max(1)),
            Engine::Restorer => pictures(1),
            Engine::Encoder => tokens(&texts(call)?),
        })
    }

    fn engine(&self, call: &Call, model: &str) -> Result<Engine, Error> {
        let unconnected = self.routes.upstreams().is_empty();
        let named = |name: &str| unconnected || model == name;
        match call.endpoint() {
            Endpoint::ImageGenerations if named(PICTURES) => Ok(Engine::Sketch),
            Endpoint::ImageEdits if named(PHOTOS) => Ok(Engine::Restorer),
            Endpoint::Embeddings if named(VECTORS) => Ok(Engine::Encoder),
            _ if unconnected => {
                let how = "No upstream is connected that has it: set OPENAI_API_KEY, or name one \
                           under [[upstreams]] in the configuration.";
                let error = ApiError::model_not_found(model);
                let message = format!("{} {how}", error.message);
                Err(ApiError { message, ..error }.into())
            }
            _ => Err(ApiError::model_not_found(model).into()),
        }
    }

    async fn draw(self: &Arc<Self>, asked: &Asked) -> Result<Reply, Error> {
        let task = painting::task(&asked.call)?;
        check(&task.size)?;
        self.make(asked, PICTURES, Task::Image(task), None).await
    }

    async fn restore(self: &Arc<Self>, asked: &Asked) -> Result<Reply, Error> {
        let missing = || ApiError::invalid("There is no image.").param("image");
        let file = asked.call.files("image").into_iter().next();
        let file = file.ok_or_else(missing)?;
        let decoded = tokio::task::spawn_blocking(move || {
            let photo = photo::decode(Cursor::new(file), MAX_PIXELS)?;
            Ok::<_, photo::Refusal>(photo::encode_original(&photo).ok())
        });
        let photo = match decoded.await {
            Ok(Ok(Some(photo))) => Bytes::from(photo),
            Ok(Err(refusal)) => {
                return Err(ApiError::invalid(refusal.to_string()).param("image").into());
            }
            _ => return Err(ApiError::internal().into()),
        };
        let original = Picture {
            key: String::new().into(),
            width: 0,
            height: 0,
            media_type: "image/jpeg".into(),
            bytes: 0,
            thumbhash: String::new(),
        };
        let task = Task::Restoration(RestorationTask {
            original,
            digest: String::new(),
            enlarge: 1,
            strength: 100,
            monochrome: false,
            mask: None,
            base: None,
            name: None,
            exif: None,
        });
        self.make(asked, PHOTOS, task, Some(photo)).await
    }

    async fn make(
        self: &Arc<Self>,
        asked: &Asked,
        model: &str,
        task: Task,
        original: Option<Bytes>,
    ) -> Result<Reply, Error> {
        let request = Request {
            provider: Local.name().into(),
            model: model.into(),
            variation: fastrand::u64(..),
            task,
            found: None,
        };
        let costs = pictures(request.images());
        let (mut charge, standings) = self.reserve(asked, Local.name(), costs).await?;
        let Ok(_permit) = self.engines.pictures.acquire().await else {
            return Err(Error::Closing);
        };
        // Until the end nobody has got anything.
        let (progress, _watched) = Progress::channel();
        let made = Local
            .make(&request, original.into_iter().collect(), progress)
            .await;
        let answer = made.map_err(|error| told(&error))?;
        charge.set(Due::Estimate);
        let pictures = answer.pictures.iter();
        let data: Vec<_> = pictures
            .map(|picture| json!({ "b64_json": BASE64.encode(picture) }))
            .collect();
        let created = self.studio.stores.clock.now().as_second();
        let usage = json!({
            "input_tokens": 0, "output_tokens": 0, "total_tokens": 0,
            "input_tokens_details": { "text_tokens": 0, "image_tokens": 0 },
        });
        let answer = json!({ "created": created, "data": data, "usage": usage });
        Ok(reply(&asked.call, &answer, standings))
    }

    async fn encode(self: &Arc<Self>, asked: &Asked) -> Result<Reply, Error> {
        let texts = texts(&asked.call)?;
        let costs = tokens(&texts);
        let tokens = costs.tokens;
        let (mut charge, standings) = self.reserve(asked, Local.name(), costs).await?;
        let mut data = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let vector = self.engines.vectors.encode(text).await;
            let vector =
                vector.map_err(|error| ApiError::invalid(error.to_string()).param("input"))?;
            data.push(json!({ "object": "embedding", "index": index, "embedding": vector }));
        }
        charge.set(Due::Estimate);
        asked.recording.used(&Usage {
            input: tokens,
            ..Usage::default()
        });
        let usage = json!({ "prompt_tokens": tokens, "total_tokens": tokens });
        let mut answer =
            json!({ "object": "list", "data": data, "model": VECTORS, "usage": usage });
        encode(
            &mut answer,
            asked.call.encoding().unwrap_or(Encoding::Float),
        );
        Ok(reply(&asked.call, &answer, standings))
    }
}

fn pictures(count: u32) -> Costs {
    Costs {
        requests: 1,
        images: count.into(),
        ..Costs::default()
    }
}

fn tokens(texts: &[String]) -> Costs {
    Costs {
        requests: 1,
        tokens: texts.iter().map(|text| text.len().div_ceil(4) as u64).sum(),
        ..Costs::default()
    }
}

fn reply(call: &Call, answer: &Value, standings: Vec<Standing>) -> Reply {
    free(call, answer, Source::Off, "built-in".into(), standings)
}

fn told(error: &providers::Error) -> ApiError {
    ApiError::invalid(error.message.clone()).code(error.code)
}

/// Whether the engine can make a picture of this size.
fn check(size: &Size) -> Result<(), ApiError> {
    match size {
        Size::Auto => Ok(()),
        Size::Pixels { width, height } if SIDES.contains(width) && SIDES.contains(height) => Ok(()),
        _ => {
            let message = "The size is auto or WIDTHxHEIGHT, each 64 to 2048 pixels.";
            Err(ApiError::invalid(message).param("size"))
        }
    }
}

/// The texts of a call for vectors.
fn texts(call: &Call) -> Result<Vec<String>, ApiError> {
    let body: Value = serde_json::from_slice(call.body()).unwrap_or_default();
    let texts: Option<Vec<String>> = match &body["input"] {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(texts) => texts
            .iter()
            .map(|text| text.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    };
    let fits = |texts: &Vec<String>| (1..=MAX_TEXTS).contains(&texts.len());
    texts.filter(fits).ok_or_else(|| {
        let message = format!(
            "The input is a text or 1 to {MAX_TEXTS} texts; the built-in encoder reads no tokens."
        );
        ApiError::invalid(message).param("input")
    })
}
