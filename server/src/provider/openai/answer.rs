//! The images API's answers: base64 or a URL, with or without usage.

use axum::body::Bytes;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use reqwest::{Client, Response};
use serde::Deserialize;

use super::{
    super::http::{body, broken, garbage},
    Error, error,
};
use crate::config::Prices;

#[derive(Debug, Deserialize)]
pub(super) struct Reply {
    data: Vec<Item>,
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
struct Item {
    b64_json: Option<String>,
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Usage {
    #[serde(default)]
    input_tokens: u64,
    input_tokens_details: Option<InputDetails>,
    #[serde(default)]
    output_tokens: u64,
}

#[derive(Debug, Deserialize)]
struct InputDetails {
    #[serde(default)]
    text_tokens: u64,
    #[serde(default)]
    image_tokens: u64,
}

impl Reply {
    /// One picture in base64.
    pub(super) fn single(text: String, usage: Option<Usage>) -> Self {
        let item = Item {
            b64_json: Some(text),
            url: None,
        };
        Self {
            data: vec![item],
            usage,
        }
    }

    pub(super) async fn read(response: Response) -> Result<Self, Error> {
        let request_id = error::request_id(&response);
        let body = body(response).await?;
        serde_json::from_slice(&body).map_err(|_| Error {
            request_id,
            ..garbage()
        })
    }

    /// US dollars by the usage reported, if it was.
    pub(super) fn cost(&self, prices: Prices) -> Option<f64> {
        let usage = self.usage.as_ref()?;
        // Without details every input token is taken for text, the cheapest.
        let (text, image) = usage
            .input_tokens_details
            .as_ref()
            .map_or((usage.input_tokens, 0), |details| {
                (details.text_tokens, details.image_tokens)
            });
        let millionths = text as f64 * prices.text_input
            + image as f64 * prices.image_input
            + usage.output_tokens as f64 * prices.image_output;
        Some(millionths / 1e6)
    }

    /// The pictures, fetched where the answer only names them.
    pub(super) async fn pictures(self, client: &Client) -> Result<Vec<Bytes>, Error> {
        let mut pictures = Vec::with_capacity(self.data.len());
        for item in self.data {
            pictures.push(item.picture(client).await?);
        }
        if pictures.is_empty() {
            Err(garbage())
        } else {
            Ok(pictures)
        }
    }
}

impl Item {
    async fn picture(self, client: &Client) -> Result<Bytes, Error> {
        match (self.b64_json, self.url) {
            (Some(text), _) => BASE64
                .decode(text.trim())
                .map(Bytes::from)
                .map_err(|_| garbage()),
            (None, Some(url)) => fetch(client, &url).await,
            (None, None) => Err(garbage()),
        }
    }
}

/// The API key stays home: the picture may lie on another host.
async fn fetch(client: &Client, url: &str) -> Result<Bytes, Error> {
    let response = client.get(url).send().await.map_err(broken)?;
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
    };

    fn cost(json: &str) -> Option<f64> {
        serde_json::from_str::<Reply>(json).unwrap().cost(PRICES)
    }

    #[test]
    fn the_cost_follows_the_usage() {
        let usage = r#"{"data":[],"usage":{"input_tokens":300,"output_tokens":1000,"total_tokens":1300,
            "input_tokens_details":{"text_tokens":100,"image_tokens":200}}}"#;
        assert!((cost(usage).unwrap() - 0.0321).abs() < 1e-9);
        let bare = r#"{"data":[],"usage":{"input_tokens":100,"output_tokens":1000}}"#;
        assert!((cost(bare).unwrap() - 0.0305).abs() < 1e-9);
        assert_eq!(cost(r#"{"data":[]}"#), None);
    }
}
