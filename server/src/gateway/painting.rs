//! Pictures of upstreams that have APIs of their own for them: made as the studio makes its own,
//! and told as OpenAI tells them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use atelier_api::{Quality, Size};
use atelier_gateway::{
    ApiError, Call, Dialect, Endpoint, Wire,
    forward::{Elsewhere, Unanswered},
    replay,
    routing::Target,
};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use futures::FutureExt as _;
use image::ImageFormat;
use serde_json::{Value, json};

use super::{call::Leading, charging::Due};
use crate::{
    config::Config,
    job::{Attached, Cost, ImageTask, Picture, Request, Task},
    limit::Costs,
    photo,
    providers::{
        self, Answer, CONTENT_REFUSED, Offers, Progress, Provider, Remedy, Unusable, Work,
        draws_in_its_own_way, of_upstream,
    },
};

/// Maximum number of pictures in one request.
const MAX_PICTURES: u32 = 10;

/// When to ask again, to the millisecond.
const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

/// Whoever makes pictures at the upstreams to which calls for them are not passed on.
pub(super) struct Painters(HashMap<String, Arc<dyn Provider>>);

impl Painters {
    pub(super) fn open(config: &Config) -> Result<Self, Unusable> {
        let upstreams = config.upstreams().into_iter();
        let own = upstreams.filter(|upstream| draws_in_its_own_way(upstream.kind));
        let opened = own.map(|upstream| {
            let name = upstream.name.clone();
            Ok((name, of_upstream(config, upstream)?))
        });
        Ok(Self(opened.collect::<Result<_, Unusable>>()?))
    }

    /// Who makes the pictures of a call; `None` if it is passed on.
    fn of(&self, call: &Call, target: &Target) -> Option<&Arc<dyn Provider>> {
        let is_picture = matches!(
            call.endpoint(),
            Endpoint::ImageGenerations | Endpoint::ImageEdits
        );
        self.0.get(target.upstream.name()).filter(|_| is_picture)
    }

    /// What such a call is expected to cost, in US dollars; `None` if the operator has not said.
    pub(super) fn estimate(&self, call: &Call, target: &Target) -> Option<f64> {
        let painter = self.of(call, target)?;
        let work = Work::Images {
            size: &size(call).unwrap_or_default(),
            quality: &quality(call),
            n: call.n(),
            sources: call.files("image").len(),
        };
        let usd = painter.estimate(model(target), work);
        (usd > 0.0).then_some(usd)
    }
}

/// What tries of a call have cost that made no picture, in US dollars.
#[derive(Default)]
pub(super) struct Spent(Mutex<f64>);

impl Spent {
    fn add(&self, usd: f64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += usd;
    }

    fn usd(&self) -> f64 {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be paid if nothing comes of the call.
    pub(super) fn due(&self) -> Due {
        match self.usd() {
            usd if usd > 0.0 => Due::Costs(Costs {
                usd,
                ..Costs::default()
            }),
            _ => Due::Nothing,
        }
    }
}

impl Leading {
    /// Makes the call's pictures, if the target has a way of its own for that.
    pub(super) fn paints(&self, target: &Target) -> Option<Elsewhere<'_>> {
        let painter = self.gateway.painters.of(&self.asked.call, target)?;
        let (painter, model) = (Arc::clone(painter), model(target).to_owned());
        Some(async move { self.paint(&*painter, model).await }.boxed())
    }

    async fn paint(
        &self,
        painter: &dyn Provider,
        model: String,
    ) -> Result<Response<Bytes>, Unanswered> {
        let call = &self.asked.call;
        let (task, pictures) = match order(call, painter.offers(&model)).await {
            Ok(order) => order,
            Err(error) => return Ok(refusal(&error)),
        };
        let estimate = painter.estimate(&model, (&task).into());
        let request = Request {
            provider: painter.name().to_owned(),
            model,
            variation: 0,
            task: Task::Image(task),
            found: None,
        };
        // Until the end nobody has got anything.
        let (progress, _watched) = Progress::channel();
        match painter.make(&request, pictures, progress).await {
            Ok(answer) => {
                let estimate = (estimate > 0.0).then_some(estimate);
                let usd = answer.cost_usd.or(estimate);
                let created = self.gateway.studio.stores.clock.now().as_second();
                let usd = usd.map(|usd| usd + self.spent.usd());
                Ok(success(call, &told(&answer, created, usd)))
            }
            Err(error) => self.refused(&error),
        }
    }

    /// What OpenAI would have said.
    fn refused(&self, error: &providers::Error) -> Result<Response<Bytes>, Unanswered> {
        match error.cost {
            Cost::Nothing => {}
            Cost::Usd(usd) => self.spent.add(usd),
            Cost::Estimate => return Err(Unanswered::Lost),
        }
        let message = error.message.clone();
        let told = match error.code {
            "provider_unreachable" => return Err(Unanswered::Unreachable),
            CONTENT_REFUSED => ApiError::new(400, "image_generation_user_error", message)
                .code("content_policy_violation"),
            "provider_busy" => ApiError::new(429, "rate_limit_error", message),
            "provider_key_refused" => ApiError::unauthenticated(message),
            "provider_credit_exhausted" => ApiError::insufficient_quota(message),
            _ if error.remedy == Remedy::Nothing => ApiError::invalid(message),
            _ => ApiError::bad_gateway(message),
        };
        let mut response = refusal(&told);
        if let Remedy::Retry(Some(pause)) | Remedy::Wait(Some(pause)) = error.remedy
            && let Ok(pause) = HeaderValue::try_from(pause.as_millis().to_string())
        {
            response.headers_mut().insert(RETRY_AFTER_MS, pause);
        }
        Ok(response)
    }
}

/// The model's name at the target. Vertex AI has those of others elsewhere.
fn model(target: &Target) -> &str {
    let name = &*target.model;
    match target.upstream.dialect() {
        Dialect::Vertex => name.strip_prefix("google/").unwrap_or(name),
        _ => name,
    }
}

/// The pictures that a call asks for, as far as words say.
pub(super) fn task(call: &Call) -> Result<ImageTask, ApiError> {
    let prompt = call.text_of("prompt").unwrap_or_default().trim().to_owned();
    if prompt.is_empty() {
        return Err(wrong("prompt", "The prompt is empty."));
    }
    if call.n() > MAX_PICTURES {
        return Err(wrong("n", format!("n is at most {MAX_PICTURES}.")));
    }
    Ok(ImageTask {
        quality: quality(call),
        ..ImageTask::of(prompt, size(call)?, call.n().max(1))
    })
}

/// The same with the pictures that they are made from, if the model can.
async fn order(call: &Call, offers: Offers) -> Result<(ImageTask, Vec<Bytes>), ApiError> {
    let mut task = task(call)?;
    let background = call.text_of("background").unwrap_or_default();
    if background == "transparent" && !offers.backgrounds {
        return Err(wrong(
            "background",
            "The model makes no transparent pictures.",
        ));
    }
    if call.endpoint() == Endpoint::ImageGenerations {
        return Ok((task, Vec::new()));
    }
    if !offers.edits {
        return Err(wrong("image", "The model makes no pictures from others."));
    }
    if !call.files("mask").is_empty() && !offers.masks {
        let message = "The model knows no masks: describe what is to be changed.";
        return Err(wrong("mask", message));
    }
    let pictures = call.files("image");
    if pictures.is_empty() {
        return Err(wrong("image", "The form has no file named image."));
    }
    task.attached = described(pictures.clone()).await?;
    Ok((task, pictures))
}

/// Sees what the pictures are.
async fn described(pictures: Vec<Bytes>) -> Result<Vec<Attached>, ApiError> {
    let seen = tokio::task::spawn_blocking(move || {
        let described = pictures.iter().map(|picture| {
            let (key, bytes) = (String::new().into(), picture.len() as u64);
            let picture = Picture::kept(photo::describe(picture)?, key, bytes);
            Ok(Attached {
                picture,
                digest: String::new(),
            })
        });
        described.collect::<Result<_, photo::Refusal>>()
    });
    let seen = seen.await.map_err(|_| ApiError::internal())?;
    seen.map_err(|refusal| wrong("image", refusal.to_string()))
}

fn size(call: &Call) -> Result<Size, ApiError> {
    let size = call.text_of("size");
    match size.map_or(Size::Auto, |size| Size::from(&*size)) {
        size @ (Size::Auto | Size::Pixels { .. }) => Ok(size),
        Size::Other(_) => Err(wrong("size", "The size is auto or WIDTHxHEIGHT.")),
    }
}

fn quality(call: &Call) -> Quality {
    let quality = call.text_of("quality");
    quality.map_or(Quality::Auto, |quality| Quality::from(&*quality))
}

fn wrong(param: &str, message: impl Into<String>) -> ApiError {
    ApiError::invalid(message).param(param)
}

/// The answer as OpenAI gives it.
fn told(answer: &Answer, created: i64, usd: Option<f64>) -> Value {
    let pictures = answer.pictures.iter();
    let data: Vec<_> = pictures
        .map(|picture| json!({ "b64_json": BASE64.encode(picture) }))
        .collect();
    let mut told = json!({ "created": created, "data": data });
    if let Some(format) = answer.pictures.first().and_then(format) {
        told["output_format"] = format.into();
    }
    if answer.tokens.is_some() || usd.is_some() {
        let tokens = answer.tokens.unwrap_or_default();
        told["usage"] = json!({
            "input_tokens": tokens.input, "output_tokens": tokens.output,
            "total_tokens": tokens.input + tokens.output,
            "input_tokens_details": {
                "text_tokens": tokens.input.saturating_sub(tokens.image_input),
                "image_tokens": tokens.image_input,
            },
        });
    }
    if let Some(usd) = usd {
        told["usage"]["cost"] = usd.into();
    }
    told
}

fn format(picture: &Bytes) -> Option<&'static str> {
    match image::guess_format(picture).ok()? {
        ImageFormat::Png => Some("png"),
        ImageFormat::Jpeg => Some("jpeg"),
        ImageFormat::WebP => Some("webp"),
        _ => None,
    }
}

fn success(call: &Call, told: &Value) -> Response<Bytes> {
    let (media_type, body) = if call.is_stream() {
        let events = replay(call.endpoint(), told, true);
        ("text/event-stream", events.concat().into())
    } else {
        ("application/json", told.to_string().into())
    };
    response(StatusCode::OK, media_type, body)
}

fn refusal(error: &ApiError) -> Response<Bytes> {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_GATEWAY);
    response(status, "application/json", error.body(Wire::OpenAi, None))
}

fn response(status: StatusCode, media_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let media_type = HeaderValue::from_static(media_type);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    response
}
