//! Asks an upstream for its models.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use reqwest::Client;
use serde_json::Value;

use super::{NoToken, Upstream};
use crate::{ApiError, Refusal};

/// What an upstream has answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The names of its models; `None` if it lists none.
    pub models: Option<Vec<String>>,
    /// What its clock says.
    pub date: Option<SystemTime>,
}

/// Why it did not.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unlisted {
    /// There is no token for its key.
    #[error(transparent)]
    Token(#[from] NoToken),
    /// It cannot be reached.
    #[error("it cannot be reached")]
    Unreachable,
    /// The connection broke, or it took too long.
    #[error("it did not answer, or not in time")]
    Silent,
    /// It has refused.
    #[error("it answered {status}: {message}")]
    Refused {
        /// With this status.
        status: StatusCode,
        /// And these words, without the key.
        message: String,
        /// What that means.
        refusal: Refusal,
        /// What its clock says.
        date: Option<SystemTime>,
    },
    /// The answer is no list.
    #[error("it answered with something that is no list of models")]
    Strange,
}

impl Upstream {
    /// Asks for the models. An upstream that does not list them is asked all the same: what it
    /// says then shows that it is there and what it thinks of the key.
    ///
    /// # Errors
    /// If it does not answer, refuses, or answers with something else.
    pub async fn ask_for_models(
        &self,
        client: &Client,
        patience: Duration,
    ) -> Result<Listed, Unlisted> {
        let listing = self.dialect().listing();
        let mut headers = HeaderMap::new();
        let path = listing.path().unwrap_or("/models");
        self.authorize(client, path, &mut headers).await?;
        for (name, value) in listing.headers() {
            let name = HeaderName::from_static(name);
            headers.insert(name, HeaderValue::from_static(value));
        }
        let request = client.get(self.url(path, None)).headers(headers);
        let response = request.timeout(patience).send().await;
        let response = response.map_err(|error| {
            if error.is_connect() {
                Unlisted::Unreachable
            } else {
                Unlisted::Silent
            }
        })?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(|_| Unlisted::Silent)?;
        let is_unlisted = status == StatusCode::NOT_FOUND && listing.path().is_none();
        if is_unlisted {
            return Ok(Listed {
                models: None,
                date: date(&headers),
            });
        }
        if !status.is_success() {
            return Err(self.unlisted(status, &headers, &self.hidden(body)));
        }
        let read: Value = serde_json::from_slice(&body).map_err(|_| Unlisted::Strange)?;
        let models = listing.names(&read);
        if models.is_none() && self.is_asked_for_models() {
            return Err(Unlisted::Strange);
        }
        Ok(Listed {
            models,
            date: date(&headers),
        })
    }

    fn unlisted(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Unlisted {
        let now = SystemTime::now();
        Unlisted::Refused {
            status,
            message: ApiError::from_upstream(status.as_u16(), body).message,
            refusal: Refusal::read(self.dialect(), status, headers, body, now),
            date: date(headers),
        }
    }
}

fn date(headers: &HeaderMap) -> Option<SystemTime> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    httpdate::parse_http_date(text).ok()
}
