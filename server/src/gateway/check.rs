//! Checks an upstream for its operator: whether it is there, takes the key and has the models,
//! and how to mend what does not work. Nothing is spent unless it is asked for.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use atelier_gateway::{
    ApiError, Call, Endpoint, Refusal, Usage, Wire,
    forward::{self, Failure, Outgoing},
    routing::{Pattern, Target},
    upstream::{Listed, NoToken, Unlisted, Upstream},
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

/// Maximum time for each answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A clock that is further off than this is told of, in seconds.
const NOTICED: f64 = 30.0;

/// A clock that is further off than this makes signatures invalid, in seconds.
const TOO_FAR: f64 = 300.0;

/// How many models that are missing are named.
const NAMED: usize = 5;

/// What is known of an upstream after a check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checked {
    pub name: String,
    pub kind: &'static str,
    /// Where it is called, without a query.
    pub address: String,
    /// Whether all is well.
    pub ok: bool,
    /// Whether anything answers there.
    pub reachable: bool,
    /// Whether the key is accepted; `None` if there is none, or nobody knows.
    pub key_accepted: Option<bool>,
    /// How many models it lists; `None` if it lists none.
    pub models: Option<usize>,
    /// By how many seconds this machine's clock is ahead of its.
    pub clock_ahead_seconds: Option<f64>,
    /// What a call has used, if one was made and answered.
    pub spent: Option<Spent>,
    /// How to mend what does not work.
    pub advice: Vec<String>,
}

/// What a call has used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spent {
    pub model: String,
    pub milliseconds: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
}

/// Checks an upstream; by a call as well, if it may spend.
pub async fn check(client: &reqwest::Client, upstream: &Arc<Upstream>, spend: bool) -> Checked {
    let mut address = upstream.url("", None);
    address.set_query(None);
    let mut checked = Checked {
        name: upstream.name().to_owned(),
        kind: upstream.dialect().name(),
        address: address.to_string(),
        ok: true,
        reachable: true,
        key_accepted: None,
        models: None,
        clock_ahead_seconds: None,
        spent: None,
        advice: Vec::new(),
    };
    let listed = upstream.ask_for_models(client, PATIENCE).await;
    let first = match &listed {
        Ok(listed) => {
            checked.note_list(upstream, listed);
            listed.models.iter().flatten().next().cloned()
        }
        Err(error) => {
            checked.note_failure(upstream, error);
            None
        }
    };
    if spend && checked.ok {
        let named = upstream.config().models.iter();
        let named = named.filter(|pattern| pattern.is_name());
        let named = named.map(|pattern| pattern.as_str().to_owned()).next();
        match named.or(first) {
            Some(model) => checked.call(client, upstream, model).await,
            None => checked.fails("It has no model that could be called. Name one by models."),
        }
    }
    checked
}

impl Checked {
    fn fails(&mut self, advice: impl Into<String>) {
        self.ok = false;
        self.advice.push(advice.into());
    }

    fn note_list(&mut self, upstream: &Upstream, listed: &Listed) {
        let has_key = upstream.key().is_some();
        self.key_accepted = has_key.then_some(true);
        self.models = listed.models.as_ref().map(Vec::len);
        self.note_clock(listed.date);
        let named = upstream.config().models.iter();
        let named = named.filter(|pattern| pattern.is_name());
        let named: Vec<_> = named.map(Pattern::as_str).collect();
        let Some(models) = &listed.models else {
            return;
        };
        if models.is_empty() && named.is_empty() {
            self.fails("It lists no models. Load or enable one there, or name them by models.");
        }
        let is_missing = |name: &&&str| !models.iter().any(|model| model == **name);
        let missing: Vec<_> = named
            .iter()
            .filter(is_missing)
            .take(NAMED)
            .copied()
            .collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            self.fails(format!(
                "It does not list {missing}. Check the names under models; it may call them otherwise."
            ));
        }
    }

    fn note_clock(&mut self, date: Option<SystemTime>) {
        let Some(date) = date else {
            return;
        };
        let ahead = match SystemTime::now().duration_since(date) {
            Ok(ahead) => ahead.as_secs_f64(),
            Err(behind) => -behind.duration().as_secs_f64(),
        };
        // Dates have no fractions.
        let ahead = ahead.round();
        self.clock_ahead_seconds = Some(ahead);
        let way = if ahead > 0.0 { "ahead of" } else { "behind" };
        let seconds = ahead.abs();
        let advice = format!("This machine's clock is {seconds} seconds {way} its. Set it by NTP.");
        if seconds > TOO_FAR {
            self.fails(advice);
        } else if seconds > NOTICED {
            self.advice.push(advice);
        }
    }

    fn note_failure(&mut self, upstream: &Upstream, error: &Unlisted) {
        match error {
            Unlisted::Token(error) => self.note_no_token(upstream, error),
            Unlisted::Unreachable => {
                self.reachable = false;
                self.fails(format!(
                    "Nothing answers at {}. Check base_url, that the server runs, and that this machine may reach it.",
                    self.address
                ));
            }
            Unlisted::Silent => {
                self.reachable = false;
                self.fails("It does not answer in time. Check its load, and proxies on the way.");
            }
            Unlisted::Refused {
                status,
                message,
                refusal,
                date,
            } => {
                self.note_clock(*date);
                self.note_refusal(upstream, *status, message, *refusal);
            }
            Unlisted::Strange => self.fails(format!(
                "It answers, but with no list of models. Check base_url: its list should be at {}.",
                upstream
                    .url(
                        upstream.dialect().listing().path().unwrap_or_default(),
                        None
                    )
                    .path()
            )),
        }
    }

    fn note_no_token(&mut self, upstream: &Upstream, error: &NoToken) {
        match error {
            NoToken::Unreachable => self.fails(
                "The server that gives tokens for the key does not answer. Check token_url, and that this machine may reach it.",
            ),
            NoToken::Refused { status, code } => {
                self.key_accepted = Some(false);
                let clock = if code == "invalid_grant" {
                    " Google says so, too, if this machine's clock is off by minutes."
                } else {
                    ""
                };
                self.fails(format!(
                    "No token is given for the key ({status} {code}). Check {}: it may have been deleted or may belong to another account.{clock}",
                    key_setting(upstream)
                ));
            }
        }
    }

    fn note_refusal(
        &mut self,
        upstream: &Upstream,
        status: StatusCode,
        message: &str,
        refusal: Refusal,
    ) {
        if refusal.is_bad_key {
            self.key_accepted = Some(false);
            return self.fails(if upstream.key().is_some() {
                format!(
                    "It refuses the key ({status}). Check {}: it may be expired, of another project, or not allowed to do this.",
                    key_setting(upstream)
                )
            } else {
                format!(
                    "It wants a key ({status}). Name the variable that holds it by {}.",
                    key_setting(upstream)
                )
            });
        }
        if refusal.is_final {
            return self.fails(format!(
                "There is nothing left to spend there: {message} Top up the account or wait for its next day."
            ));
        }
        self.fails(match status.as_u16() {
            404 | 405 => format!(
                "There is no such path ({status}). Check base_url: should it end with /v1, or not?"
            ),
            429 => format!("It asks for a pause: {message} Try again later."),
            500.. => format!("It fails: {message} ({status}). Try again later; see its own log."),
            _ => format!("It refuses to list its models: {message} ({status})."),
        });
    }

    /// Makes the smallest call there is.
    async fn call(&mut self, client: &reqwest::Client, upstream: &Arc<Upstream>, model: String) {
        let (endpoint, body) = smallest(upstream);
        let json = Some("application/json");
        let Ok(call) = Call::read(endpoint, json, Bytes::from(body.to_string())) else {
            return;
        };
        let target = Target {
            upstream: Arc::clone(upstream),
            model: model.clone(),
        };
        let body = |target: &Target| call.sent_to(target.upstream.config(), &target.model);
        let outgoing = Outgoing {
            method: Method::POST,
            path: endpoint.path(),
            query: None,
            headers: headers(endpoint),
            stream: false,
            body: &body,
            repeatable: false,
            elsewhere: &|_| None,
        };
        let began = Instant::now();
        let longest = began + upstream.first_byte().max(PATIENCE);
        let answer = forward::forward(client, &[target], &outgoing, longest).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => return self.note_failed_call(upstream, &failure),
        };
        let status = answer.response.status();
        let body = answer.response.bytes().await.unwrap_or_default();
        if !status.is_success() {
            let body = upstream.hidden(body);
            let error = ApiError::from_upstream(status.as_u16(), &body);
            return self.fails(format!("A call of {model} was refused ({status}): {error}"));
        }
        let mut read: Value = serde_json::from_slice(&body).unwrap_or_default();
        upstream.dialect().read_answer(endpoint, &mut read);
        let usage = Usage::read(endpoint, &read).unwrap_or_default();
        self.spent = Some(Spent {
            model,
            milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            input_tokens: usage.input,
            output_tokens: usage.output,
        });
    }

    fn note_failed_call(&mut self, upstream: &Upstream, failure: &Failure) {
        match failure {
            Failure::Rejected { .. } => {
                self.key_accepted = Some(false);
                self.fails(format!(
                    "It refuses the key for a call, though not for the list. Check what {} may do.",
                    key_setting(upstream)
                ));
            }
            Failure::Refused { refusal, .. } if refusal.is_final => {
                self.fails("A call was refused: there is nothing left to spend there.");
            }
            failure => self.fails(format!("A call failed: {failure}.")),
        }
    }
}

/// The setting that names the key.
fn key_setting(upstream: &Upstream) -> String {
    let config = upstream.config();
    match (&config.api_key_env, &config.credentials_file) {
        (Some(name), _) => name.clone(),
        (None, Some(path)) => path.display().to_string(),
        (None, None) => "api_key_env".to_owned(),
    }
}

/// The smallest call that such an upstream answers.
fn smallest(upstream: &Upstream) -> (Endpoint, Value) {
    let hello = json!([{ "role": "user", "content": "Hi" }]);
    if upstream.dialect().makes_pictures_only() {
        let body = json!({ "prompt": "a dot", "size": "64x64" });
        return (Endpoint::ImageGenerations, body);
    }
    match upstream.wire() {
        Wire::Anthropic => {
            let body = json!({ "model": "m", "max_tokens": 1, "messages": hello });
            (Endpoint::Messages, body)
        }
        Wire::OpenAi => {
            let body = json!({ "model": "m", "max_completion_tokens": 16, "messages": hello });
            (Endpoint::ChatCompletions, body)
        }
    }
}

fn headers(endpoint: Endpoint) -> HeaderMap {
    let json = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let mut headers = HeaderMap::from_iter([json]);
    if endpoint.wire() == Wire::Anthropic {
        let version = HeaderName::from_static("anthropic-version");
        headers.insert(version, HeaderValue::from_static("2023-06-01"));
    }
    headers
}
