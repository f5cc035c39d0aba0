//! Who answers: an API like OpenAI's, or an echo.

use std::time::Duration;

use anyhow::Result;
use atelier_queue::{CallError, Cost, Ending, Failure};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::{Settings, work::Question};

/// US dollars for a token of the question.
const USD_IN: f64 = 0.40e-6;

/// US dollars for a token of the answer.
const USD_OUT: f64 = 1.60e-6;

/// The longest answer, in tokens.
const LONGEST: u64 = 500;

pub(crate) struct Upstream {
    http: Client,
    /// Where chats are completed; unset: the echo.
    url: Option<Url>,
    key: String,
}

impl Upstream {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let url = settings.upstream.as_ref().map(|base| {
            let base = base.as_str().trim_end_matches('/');
            format!("{base}/chat/completions").parse()
        });
        Ok(Self {
            http: Client::builder().timeout(Duration::from_secs(60)).build()?,
            url: url.transpose()?,
            key: settings.upstream_key.clone(),
        })
    }

    /// Returns US dollars that the answer costs at most: a token is seldom less than a byte.
    pub(crate) fn estimate(&self, question: &Question) -> f64 {
        price(question.text.len() as u64, LONGEST)
    }

    /// The answer, and what it has cost by the upstream's own figures.
    pub(crate) async fn ask(&self, question: &Question) -> Result<Ending<String>, CallError> {
        let Some(url) = &self.url else {
            return Ok(Ending::Succeeded {
                answer: format!("You said: {}", question.text),
                cost: Cost::Nothing,
            });
        };
        let completion = self.complete(url, question).await.map_err(failed)?;
        let tokens = |kind| completion["usage"][kind].as_u64();
        let (asked, answered) = (tokens("prompt_tokens"), tokens("completion_tokens"));
        Ok(Ending::Succeeded {
            answer: completion["choices"][0]["message"]["content"]
                .as_str()
                .unwrap_or_default()
                .into(),
            cost: match (asked, answered) {
                (Some(asked), Some(answered)) => Cost::Usd(price(asked, answered)),
                _ => Cost::Estimate,
            },
        })
    }

    async fn complete(&self, url: &Url, question: &Question) -> reqwest::Result<Value> {
        let body = json!({
            "model": question.model,
            "max_completion_tokens": LONGEST,
            "messages": [{"role": "user", "content": question.text}],
        });
        let request = self.http.post(url.clone()).bearer_auth(&self.key);
        let response = request.json(&body).send().await?.error_for_status()?;
        response.json().await
    }
}

fn price(asked: u64, answered: u64) -> f64 {
    asked as f64 * USD_IN + answered as f64 * USD_OUT
}

fn failed(error: reqwest::Error) -> CallError {
    let error = error.without_url();
    let status = error.status();
    let busy = status == Some(StatusCode::TOO_MANY_REQUESTS);
    // Whoever hangs up in the middle of a call may be billed all the same.
    let free = status.is_some() || error.is_connect();
    CallError {
        failure: Failure {
            code: "upstream".into(),
            message: error.to_string(),
            retryable: busy || status.is_none_or(|status| status.is_server_error()),
        },
        cost: if free { Cost::Nothing } else { Cost::Estimate },
    }
}
