//! Replicate: a call is a prediction, which is polled until it has ended or reports its
//! end by a webhook, whichever comes first.

mod input;
mod prediction;
mod webhook;

use std::{io::Cursor, sync::Arc, time::Duration};

use async_trait::async_trait;
use atelier_api::Kind;
use bytes::Bytes;
use reqwest::{
    Client, Method, RequestBuilder, Url,
    multipart::{Form, Part},
    redirect,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{sleep, timeout},
};
use tracing::warn;

use self::prediction::{Outlook, Prediction, refused};
pub use self::webhook::Webhooks;
use super::{Answer, Error, Offers, Progress, Provider, Work, encoded, http};
use crate::{
    config::ReplicateConfig,
    job::{Cost, Request, Task},
    photo,
};

/// The path under which webhooks arrive.
pub const PATH: &str = "/api/callback/replicate";

/// The first and the longest pause between polls.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Maximum number of attempts to fetch a picture.
const FETCH_TRIES: u32 = 4;

/// One answer of the API.
const PATIENCE: Duration = Duration::from_secs(60);

/// Replicate accepts data URLs up to about 256 KB; base64 makes four bytes of three.
const LARGEST_INLINE: usize = 190_000;

/// A client of Replicate's API.
pub struct Replicate {
    client: Client,
    config: ReplicateConfig,
    webhooks: Arc<Webhooks>,
    /// The URL for webhooks, if they can be verified.
    webhook: Option<Url>,
}

impl Replicate {
    /// Creates a client with this configuration, without making a call. Webhooks arrive
    /// at the site's public URL.
    pub fn new(
        config: ReplicateConfig,
        public_url: Option<&Url>,
        webhooks: Arc<Webhooks>,
    ) -> Result<Self, reqwest::Error> {
        let client = http::client()
            .timeout(PATIENCE)
            // A redirect would bypass the check of hosts.
            .redirect(redirect::Policy::none())
            .build()?;
        let webhook = public_url
            .filter(|_| config.webhook_secret.is_some())
            .and_then(|url| url.join(PATH).ok());
        Ok(Self {
            client,
            config,
            webhooks,
            webhook,
        })
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Error> {
        let base = self.config.base_url.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}/{path}"))
            .map_err(|_| Error::last("misconfigured", "The image service's address is wrong."))?;
        let request = self.client.request(method, url);
        Ok(match &self.config.api_token {
            Some(token) => request.bearer_auth(&token.0),
            None => request,
        })
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let response = request.send().await.map_err(http::broken)?;
        if !response.status().is_success() {
            return Err(refused(response).await);
        }
        let body = http::body(response).await?;
        serde_json::from_slice(&body).map_err(|_| http::garbage())
    }

    /// The photo for the model: inside the request, or uploaded and given by URL.
    async fn upload(&self, photo: Bytes) -> Result<String, Error> {
        if photo.len() <= LARGEST_INLINE {
            return Ok(input::data_url(&photo));
        }
        #[derive(serde::Deserialize)]
        struct File {
            urls: Urls,
        }
        #[derive(serde::Deserialize)]
        struct Urls {
            get: String,
        }
        let length = photo.len() as u64;
        let part = Part::stream_with_length(photo, length)
            .file_name("photo.jpg")
            .mime_str("image/jpeg")
            .map_err(|_| Error::last("misconfigured", "The photo could not be sent."))?;
        let form = Form::new().part("content", part);
        let request = self.request(Method::POST, "files")?.multipart(form);
        let kept = self.ask::<File>(request).await;
        // Storing files is free.
        let free = |error| Error {
            cost: Cost::Nothing,
            ..error
        };
        Ok(kept.map_err(free)?.urls.get)
    }

    /// `model` is `owner/name`, or `owner/name:version` if the model has no official
    /// version.
    async fn create(&self, model: &str, input: Map<String, Value>) -> Result<Prediction, Error> {
        let mut body = json!({ "input": input });
        let path = match model.split_once(':') {
            Some((_, version)) => {
                body["version"] = version.into();
                "predictions".to_owned()
            }
            None => format!("models/{model}/predictions"),
        };
        if let Some(webhook) = &self.webhook {
            body["webhook"] = webhook.as_str().into();
            body["webhook_events_filter"] = json!(["completed"]);
        }
        let request = self.request(Method::POST, &path)?.json(&body);
        self.ask(request).await
    }

    /// Polls a prediction until its end.
    async fn follow(&self, mut prediction: Prediction) -> Result<Vec<String>, Error> {
        let id = prediction.id.clone();
        let mut told = self.webhooks.listen(&id);
        let mut pause = FIRST_PAUSE;
        loop {
            match prediction.outlook()? {
                Outlook::Done(outputs) => return Ok(outputs),
                Outlook::UnderWay => {}
            }
            prediction = tokio::select! {
                told = hear(&mut told) => told,
                () = sleep(pause) => {
                    let path = format!("predictions/{id}");
                    match self.ask(self.request(Method::GET, &path)?).await {
                        Ok(prediction) => prediction,
                        // The prediction continues regardless of failed polls.
                        Err(error) if error.remedy != super::Remedy::Nothing => {
                            warn!(code = error.code, "a prediction could not be polled");
                            prediction
                        }
                        Err(error) => return Err(error.lost()),
                    }
                }
            };
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Fetches the pictures of a successful prediction. One that cannot be fetched does not discard the
    /// others.
    async fn pictures(&self, outputs: Vec<String>) -> Result<Vec<Bytes>, Error> {
        let (mut pictures, mut failure) = (Vec::new(), http::garbage());
        for output in outputs {
            match self.fetch(&output).await {
                Ok(picture) => pictures.push(picture),
                Err(error) => failure = error.lost(),
            }
        }
        if pictures.is_empty() {
            Err(failure)
        } else {
            Ok(pictures)
        }
    }

    async fn fetch(&self, output: &str) -> Result<Bytes, Error> {
        if let Some(picture) = encoded::in_data_url(output) {
            return Ok(picture);
        }
        let url = Url::parse(output).map_err(|_| http::garbage())?;
        if !prediction::is_trusted(&url, &self.config.base_url) {
            warn!(
                host = url.host_str(),
                "a prediction's output lies elsewhere"
            );
            return Err(Error::last(
                "bad_answer",
                "The image service named a picture on a host that is not its own.",
            ));
        }
        // It is paid for: a network error must not cost a second one.
        let mut tries = 1;
        loop {
            match self.download(url.clone()).await {
                Err(error) if tries < FETCH_TRIES => {
                    warn!(code = error.code, "a picture could not be fetched");
                    sleep(FIRST_PAUSE * 2_u32.pow(tries)).await;
                    tries += 1;
                }
                result => return result,
            }
        }
    }

    async fn download(&self, url: Url) -> Result<Bytes, Error> {
        let response = self.client.get(url).send().await.map_err(http::broken)?;
        if !response.status().is_success() {
            return Err(http::garbage());
        }
        http::body(response).await
    }

    /// Creates a prediction and waits for its end.
    async fn predict(&self, request: &Request, original: Option<Bytes>) -> Result<Answer, Error> {
        let input = match (&request.task, original) {
            (Task::Image(task), source) => match (task.enlarge, source) {
                (None, _) => input::picture(task),
                (Some(times), Some(picture)) => {
                    let picture = self.upload(jpeg(picture).await?).await?;
                    input::photo(&request.model, &picture, times)
                }
                (Some(_), None) => return Err(Error::photo_lost()),
            },
            (Task::Restoration(task), Some(photo)) => {
                input::photo(&request.model, &self.upload(photo).await?, task.enlarge)
            }
            (Task::Restoration(_), None) => return Err(Error::photo_lost()),
            (Task::Notice(_) | Task::Call(_) | Task::Message(_), _) => {
                return Err(Error::no_picture());
            }
        };
        let prediction = self.create(&request.model, input).await?;
        let cancel = format!("predictions/{}/cancel", prediction.id);
        let mut guard = Guard {
            request: Some(self.request(Method::POST, &cancel)?),
        };
        let outputs = timeout(self.config.timeout, self.follow(prediction))
            .await
            .map_err(|_| {
                Error::passing("provider_failed", "The image service took too long.").lost()
            })?;
        // It has ended.
        guard.request = None;
        // Replicate reports seconds of hardware, not a price.
        Ok(Answer::of(self.pictures(outputs?).await?, None))
    }
}

/// A picture of any kind as models for photos are sent them.
async fn jpeg(picture: Bytes) -> Result<Bytes, Error> {
    let encoded = spawn_blocking(move || {
        let picture = photo::decode(Cursor::new(picture), u64::MAX).ok()?;
        photo::encode_original(&picture).ok()
    });
    let encoded = encoded.await.ok().flatten();
    encoded.map(Bytes::from).ok_or_else(Error::photo_lost)
}

/// Waits for the prediction's webhook, for ever if none arrives.
async fn hear(told: &mut watch::Receiver<Option<Prediction>>) -> Prediction {
    loop {
        if told.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        if let Some(prediction) = told.borrow_and_update().clone() {
            return prediction;
        }
    }
}

/// Cancels a prediction that nobody waits for any more.
struct Guard {
    request: Option<RequestBuilder>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            tokio::spawn(async move {
                if let Err(error) = request.send().await {
                    warn!(error = %error.without_url(), "a prediction could not be cancelled");
                }
            });
        }
    }
}

#[async_trait]
impl Provider for Replicate {
    fn name(&self) -> &str {
        "replicate"
    }

    fn offers(&self, model: &str) -> Offers {
        Offers {
            photos: true,
            enlarges: input::enlarges(model),
            ..Offers::default()
        }
    }

    fn typical(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Image => Duration::from_secs(5),
            Kind::Restoration => Duration::from_secs(15),
        }
    }

    fn estimate(&self, _: &str, work: Work<'_>) -> f64 {
        match work {
            Work::Images { n, .. } => self.config.image_usd * f64::from(n),
            Work::Restoration => self.config.restoration_usd,
            Work::Nothing => 0.0,
        }
    }

    async fn make(
        &self,
        request: &Request,
        pictures: Vec<Bytes>,
        _: Progress,
    ) -> Result<Answer, Error> {
        let made = self.predict(request, pictures.into_iter().next()).await;
        made.map_err(|error| error.hiding(self.config.api_token.as_ref()))
    }
}
