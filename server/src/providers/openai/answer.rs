//! Responses of the images API: base64 or a URL, with or without usage.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, Response, Url};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::sleep;
use tracing::warn;

use super::{
    super::{
        Answer, Error,
        encoded::decode,
        http::{body, broken, garbage},
        refused::{self, leniently},
    },
    usage::Usage,
};
use crate::config::Prices;

/// Maximum number of attempts to fetch a picture from its URL, and the first pause between them.
const FETCH_TRIES: u32 = 4;
const FETCH_PAUSE: Duration = Duration::from_millis(250);

/// A response in JSON. Malformed parts count as missing: they must not hide the others, least of
/// all the usage.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::providers) struct Reply {
    #[serde(deserialize_with = "leniently")]
    data: Vec<Item>,
    #[serde(deserialize_with = "leniently")]
    pub(super) usage: Option<Usage>,
    #[serde(deserialize_with = "leniently")]
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Item {
    #[serde(deserialize_with = "leniently")]
    pub(super) b64_json: Option<String>,
    #[serde(deserialize_with = "leniently")]
    pub(super) url: Option<String>,
}

impl Reply {
    /// The pictures at these URLs.
    pub(in crate::providers) fn at(urls: Vec<String>) -> Self {
        let item = |url| Item {
            b64_json: None,
            url: Some(url),
        };
        Self {
            data: urls.into_iter().map(item).collect(),
            ..Self::default()
        }
    }

    /// One picture.
    pub(super) fn single(item: Item, usage: Option<Usage>) -> Self {
        Self {
            data: vec![item],
            usage,
            error: None,
        }
    }

    pub(in crate::providers) async fn read(
        response: Response,
        prices: Option<Prices>,
    ) -> Result<Self, Error> {
        let (request_id, headers) = (refused::request_id(&response), response.headers().clone());
        let body = body(response).await?;
        let told = |error: Error| Error {
            request_id: request_id.clone(),
            ..error
        };
        let reply: Self = serde_json::from_slice(&body).map_err(|_| told(garbage()))?;
        match &reply.error {
            Some(error) if reply.data.is_empty() => {
                let usage = reply.usage.as_ref();
                let cost = usage.and_then(|usage| usage.cost(prices));
                Err(told(refused::told(error, &headers).charged(cost)))
            }
            _ => Ok(reply),
        }
    }

    /// The cost in US dollars by the reported usage, if any.
    pub(super) fn cost(&self, prices: Option<Prices>) -> Option<f64> {
        self.usage.as_ref()?.cost(prices)
    }

    /// The pictures, those given by URL fetched without a key, and what they cost.
    pub(in crate::providers) async fn answer(
        self,
        client: &Client,
        prices: Option<Prices>,
    ) -> Result<Answer, Error> {
        let cost_usd = self.cost(prices);
        let pictures = self.pictures(client).await;
        let pictures = pictures.map_err(|error| error.lost().charged(cost_usd))?;
        Ok(Answer::of(pictures, cost_usd))
    }

    /// Returns the pictures, at least one, fetching those given by URL. They are paid for, so one that
    /// cannot be read does not discard the others.
    async fn pictures(self, client: &Client) -> Result<Vec<Bytes>, Error> {
        let mut pictures = Vec::with_capacity(self.data.len());
        let mut failure = garbage();
        for item in self.data {
            match item.picture(client).await {
                Ok(picture) => pictures.push(picture),
                Err(error) => {
                    warn!(
                        code = error.code,
                        "a picture of an answer could not be read"
                    );
                    failure = error;
                }
            }
        }
        if pictures.is_empty() {
            Err(failure)
        } else {
            Ok(pictures)
        }
    }
}

impl Item {
    async fn picture(self, client: &Client) -> Result<Bytes, Error> {
        if let Some(picture) = self.b64_json.as_deref().and_then(decode) {
            return Ok(picture);
        }
        let text = self.url.as_deref().unwrap_or_default();
        match Url::parse(text.trim()) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => fetch(client, &url).await,
            _ => decode(text).ok_or_else(garbage),
        }
    }
}

/// Fetches a picture with retries: it is paid for, and a network error must not cost a second one.
async fn fetch(client: &Client, url: &Url) -> Result<Bytes, Error> {
    let mut tries = 1;
    loop {
        match download(client, url).await {
            Err(error) if tries < FETCH_TRIES => {
                warn!(code = error.code, "a picture could not be fetched");
                sleep(FETCH_PAUSE * 2_u32.pow(tries)).await;
                tries += 1;
            }
            result => return result,
        }
    }
}

/// Fetches without the API key, as the picture may be on another host.
async fn download(client: &Client, url: &Url) -> Result<Bytes, Error> {
    let response = client.get(url.clone()).send().await.map_err(broken)?;
    if !response.status().is_success() {
        return Err(garbage());
    }
    body(response).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICES: Prices = Prices {
        text_input: 5.0,
        image_input: 8.0,
        image_output: 30.0,
        text_output: None,
    };

    fn cost(json: &str) -> Option<f64> {
        serde_json::from_str::<Reply>(json)
            .unwrap()
            .cost(Some(PRICES))
    }

    #[test]
    fn the_cost_follows_the_usage() {
        let usage = r#"{"data":[],"usage":{"input_tokens":300,"output_tokens":1000,"total_tokens":1300,
            "input_tokens_details":{"text_tokens":100,"image_tokens":200}}}"#;
        assert!((cost(usage).unwrap() - 0.0321).abs() < 1e-9);
        let bare = r#"{"data":[],"usage":{"input_tokens":100,"output_tokens":1000}}"#;
        assert!((cost(bare).unwrap() - 0.0305).abs() < 1e-9);
        for silent in [
            r#"{"data":[]}"#,
            r#"{"data":[],"usage":null}"#,
            r#"{"data":[],"usage":{}}"#,
            r#"{"data":[],"usage":"much"}"#,
        ] {
            assert_eq!(cost(silent), None, "{silent}");
        }
    }

    #[test]
    fn the_usage_counts_whatever_else_is_told() {
        let usage = r#""usage":{"input_tokens":100,"output_tokens":1000}"#;
        for data in ["[{}]", "null", "\"pictures\"", "[1]", "{\"b64_json\":3}"] {
            let json = format!(r#"{{"data":{data},{usage}}}"#);
            assert!((cost(&json).unwrap() - 0.0305).abs() < 1e-9, "{json}");
        }
        let json = format!("{{{usage}}}");
        assert!(cost(&json).is_some());
    }
}
