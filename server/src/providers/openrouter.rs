//! OpenRouter, whose models draw in answers to chats.

use std::time::Duration;

use async_trait::async_trait;
use atelier_api::Kind;
use atelier_gateway::upstream::UpstreamConfig;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::{
    Answer, Error, Offers, Progress, Provider, Tokens, Work,
    bench::Bench,
    encoded::in_data_url,
    endpoint::{Endpoint, Unusable, typical},
    gemini::{frame, shape},
    http,
    instruction::instruction,
    refused::{self, told, unsafe_content},
    several::several,
    tariff::Tariff,
};
use crate::{
    config::PicturePrice,
    job::{ImageTask, Request, RestorationTask, Task},
};

/// How an answer ends whose content is refused, in OpenRouter's words and in those of the models behind it.
const REFUSED: [&str; 6] = [
    "content_filter",
    "SAFETY",
    "PROHIBITED_CONTENT",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "BLOCKLIST",
];

/// The makers whose models write as well as draw; those of others only draw.
const WRITERS: [&str; 2] = ["google/", "openai/"];

/// A client of OpenRouter.
pub struct OpenRouter {
    endpoint: Endpoint,
    tariff: Tariff,
    bench: Bench,
}

impl OpenRouter {
    /// Creates a client without making a call.
    pub fn new(upstream: UpstreamConfig, prices: Vec<PicturePrice>) -> Result<Self, Unusable> {
        Ok(Self {
            tariff: Tariff::Listed(upstream.name.clone(), prices),
            endpoint: Endpoint::new(upstream)?,
            bench: Bench::default(),
        })
    }

    async fn chat(&self, body: &Value) -> Result<Answer, Error> {
        let request = self.endpoint.post("chat/completions").json(body);
        let response = self.endpoint.send(request).await?;
        if !response.status().is_success() {
            return Err(refused::refused(&self.endpoint, response).await);
        }
        let headers = response.headers().clone();
        read(&http::body(response).await?, &headers)
    }

    async fn paint(
        &self,
        model: &str,
        task: &ImageTask,
        pictures: &[Bytes],
    ) -> Result<Answer, Error> {
        let described = task.beginnings().into_iter().zip(pictures);
        let urls = described.map(|(described, bytes)| data_url(&described.media_type, bytes));
        let (ratio, tier) = shape(&task.size);
        let body = call(model, &task.styled(), urls, ratio, tier);
        let estimate = self.tariff.estimate(model, task.into()) / f64::from(task.n);
        several(task.n, estimate, async || self.chat(&body).await).await
    }

    async fn restore(
        &self,
        model: &str,
        task: &RestorationTask,
        original: Bytes,
    ) -> Result<Answer, Error> {
        let (frame, (width, height)) = frame(task);
        let laid = self.bench.lay_out(task.mask(), frame, original).await?;
        let photo = data_url("image/jpeg", &laid.photo);
        let ratio = format!("{width}:{height}");
        let body = call(model, &instruction(task), [photo], Some(ratio), None);
        let answer = self.chat(&body).await?;
        self.bench.finish(laid, answer).await
    }
}

fn data_url(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", BASE64.encode(bytes))
}

fn call(
    model: &str,
    words: &str,
    pictures: impl IntoIterator<Item = String>,
    ratio: Option<String>,
    tier: Option<&str>,
) -> Value {
    let mut content = vec![json!({ "type": "text", "text": words })];
    let pictures = pictures.into_iter();
    content.extend(pictures.map(|url| json!({ "type": "image_url", "image_url": { "url": url } })));
    let writes = WRITERS.iter().any(|maker| model.starts_with(maker));
    let modalities: &[&str] = if writes {
        &["image", "text"]
    } else {
        &["image"]
    };
    let mut call = json!({
        "model": model,
        "messages": [{ "role": "user", "content": content }],
        "modalities": modalities,
    });
    if let Some(ratio) = ratio {
        call["image_config"]["aspect_ratio"] = ratio.into();
    }
    if let Some(tier) = tier {
        call["image_config"]["image_size"] = tier.into();
    }
    call
}

/// Reads the body of a response with status 200, which may hold an error.
fn read(body: &[u8], headers: &HeaderMap) -> Result<Answer, Error> {
    let answer: Value = serde_json::from_slice(body).map_err(|_| http::garbage())?;
    let cost_usd = answer["usage"]["cost"].as_f64().filter(|usd| *usd >= 0.0);
    let choices = || answer["choices"].as_array().into_iter().flatten();
    let images = choices().flat_map(|choice| choice["message"]["images"].as_array());
    let pictures: Vec<Bytes> = images
        .flatten()
        .filter_map(|image| in_data_url(image["image_url"]["url"].as_str()?))
        .collect();
    if !pictures.is_empty() {
        return Ok(Answer {
            tokens: tokens(&answer["usage"]),
            ..Answer::of(pictures, cost_usd)
        });
    }
    let errors = [&answer["error"]]
        .into_iter()
        .chain(choices().map(|choice| &choice["error"]));
    let error = errors.into_iter().find(|error| !error.is_null());
    let mut ends = choices().flat_map(|choice| {
        let ends = [&choice["finish_reason"], &choice["native_finish_reason"]];
        ends.into_iter().filter_map(Value::as_str)
    });
    let refuses = choices().any(|choice| choice["message"]["refusal"].is_string());
    let failed = match error {
        Some(error) => told(error, headers),
        None if refuses || ends.any(|end| REFUSED.contains(&end)) => unsafe_content(),
        None => http::garbage(),
    };
    Err(failed.charged(cost_usd))
}

fn tokens(usage: &Value) -> Option<Tokens> {
    Some(Tokens {
        input: usage["prompt_tokens"].as_u64()?,
        image_input: 0,
        output: usage["completion_tokens"].as_u64()?,
    })
}

#[async_trait]
impl Provider for OpenRouter {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{job::Cost, providers::Remedy};

    fn answer(value: &Value) -> Result<Answer, Error> {
        read(value.to_string().as_bytes(), &HeaderMap::new())
    }

    #[test]
    fn pictures_come_with_their_cost() {
        let image =
            json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,AAEC" } });
        let message = json!({ "role": "assistant", "content": "Here.", "images": [image] });
        let made =
            answer(&json!({ "choices": [{ "message": message }], "usage": { "cost": 0.039 } }));
        let made = made.unwrap();
        assert_eq!((made.pictures.len(), made.cost_usd), (1, Some(0.039)));
    }

    #[test]
    fn an_answer_without_a_picture_says_why() {
        let choice = |choice: Value| json!({ "choices": [choice], "usage": { "cost": 0.001 } });
        for (value, code, remedy) in [
            (
                choice(json!({ "finish_reason": "content_filter" })),
                "content_refused",
                Remedy::Nothing,
            ),
            (
                choice(json!({ "finish_reason": "stop", "native_finish_reason": "IMAGE_SAFETY" })),
                "content_refused",
                Remedy::Nothing,
            ),
            (
                choice(json!({ "message": { "refusal": "No." } })),
                "content_refused",
                Remedy::Nothing,
            ),
            (
                choice(json!({ "message": { "content": "Words." } })),
                "bad_answer",
                Remedy::Retry(None),
            ),
            (
                json!({ "error": { "code": 429, "message": "slow" }, "usage": { "cost": 0.001 } }),
                "provider_busy",
                Remedy::Wait(None),
            ),
            (
                choice(json!({ "error": { "code": 502, "message": "down" } })),
                "provider_failed",
                Remedy::Retry(None),
            ),
        ] {
            let error = answer(&value).unwrap_err();
            assert_eq!((error.code, error.remedy), (code, remedy), "{value}");
            assert_eq!(error.cost, Cost::Usd(0.001), "{value}");
        }
    }
}
