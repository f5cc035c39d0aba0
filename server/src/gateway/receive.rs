//! Receives an answer: as a whole, or as a stream that is passed on.

use std::sync::Arc;

use atelier_gateway::{ApiError, Counter, Endpoint, Usage, forward::Answer, routing::Target};
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::{Bytes, BytesMut};
use serde_json::Value;

use super::{
    Error,
    call::{Leading, returned},
    charging::{Charge, Due},
    pump::{Pump, produced},
    serve::Head,
};
use crate::limit::{Costs, Standing};

/// Largest answer that does not stream, in bytes: ten large pictures in base64.
const MAX_ANSWER: usize = 256 * 1024 * 1024;

impl Leading {
    pub(super) async fn receive(
        &self,
        answer: Answer,
        mut charge: Charge,
        standings: Vec<Standing>,
    ) -> Result<(), Error> {
        let status = answer.response.status();
        self.asked.recording.answered_by(&answer.target);
        if let Some(error) = not_for_clients(&answer) {
            charge.set(Due::Nothing);
            return Err(error.into());
        }
        let streams = status.is_success() && is_stream(answer.response.headers());
        if streams {
            self.flight.head(Ok(head(&answer, true, None, standings)));
            Pump::new(self, answer, charge).run().await;
            return Ok(());
        }
        self.receive_whole(answer, charge, standings).await
    }

    async fn receive_whole(
        &self,
        mut answer: Answer,
        mut charge: Charge,
        standings: Vec<Standing>,
    ) -> Result<(), Error> {
        let target = answer.target.clone();
        let body = self.read_whole(&mut answer).await;
        let body = body.map_err(|error| self.lost(error))?;
        let (call, status) = (&self.asked.call, answer.response.status());
        let (body, read) = if status.is_success() {
            translated(&target, call.endpoint(), body)
        } else {
            (told_error(&mut answer, call.endpoint(), body), None)
        };
        if status.is_success()
            && let Some(wrong) = what_is_wrong(&answer, call.endpoint(), read.as_ref())
        {
            let message = format!("The upstream {} {wrong}.", target.upstream.name());
            return Err(self.lost(ApiError::bad_gateway(message)));
        }
        let usage = read
            .as_ref()
            .and_then(|read| Usage::read(call.endpoint(), read));
        let costs = status
            .is_success()
            .then(|| self.costs_or_estimate(&target, usage.as_ref()));
        charge.set(costs.map_or_else(|| self.spent.due(), Due::Costs));
        let usd = costs.map_or(0.0, |costs| costs.usd);
        self.gateway
            .note_response(&self.asked, &target, read.as_ref())
            .await;
        drop(charge);
        let keep = async {
            if let Some(read) = read.filter(|_| status.is_success()) {
                self.keep(&target, read, usage, usd).await;
            }
        };
        self.asked.recording.answers(&body);
        let deliver = async {
            self.flight
                .head(Ok(head(&answer, false, Some(usd), standings)));
            let _ = self.flight.write(body).await;
            self.flight.end();
            self.asked.recording.end(status);
        };
        if self.plan.repeat.is_some() {
            // It is there for a repeat before anybody can repeat it.
            keep.await;
            deliver.await;
        } else {
            deliver.await;
            keep.await;
        }
        Ok(())
    }

    async fn read_whole(&self, answer: &mut Answer) -> Result<Bytes, ApiError> {
        let upstream = Arc::clone(&answer.target.upstream);
        tokio::select! {
            body = whole(answer) => body.ok_or_else(|| {
                let upstream = upstream.name();
                ApiError::bad_gateway(format!("The answer of the upstream {upstream} broke off."))
            }),
            () = self.flight.abandoned() => Err(ApiError::invalid("The client has gone.")),
        }
    }

    /// What is charged for what was used. If nobody knows what was, the estimate stands.
    fn costs_or_estimate(&self, target: &Target, usage: Option<&Usage>) -> Costs {
        match usage {
            Some(usage) => self.costs(target, usage),
            None => {
                let estimate = self.asked.call.estimate(Counter::for_model(&target.model));
                self.asked.recording.estimated(&estimate.usage());
                Costs {
                    requests: 0,
                    ..self.gateway.expected(&self.asked.call, target)
                }
            }
        }
    }

    /// What is charged for what was used.
    pub(super) fn costs(&self, target: &Target, usage: &Usage) -> Costs {
        self.asked.recording.used(usage);
        self.priced(target, usage)
    }

    fn priced(&self, target: &Target, usage: &Usage) -> Costs {
        Costs {
            requests: 0,
            images: usage.images,
            tokens: usage.tokens(),
            usd: self.gateway.price(target, usage),
        }
    }

    /// What is charged for a stream that told no usage, after so many bytes.
    pub(super) fn costs_of(&self, target: &Target, bytes: u64) -> Costs {
        let call = &self.asked.call;
        let estimate = call.estimate(Counter::for_model(&target.model));
        let usage = produced(&estimate, bytes);
        self.asked.recording.estimated(&usage);
        self.priced(target, &usage)
    }
}

fn head(answer: &Answer, streams: bool, usd: Option<f64>, standings: Vec<Standing>) -> Head {
    Head {
        status: answer.response.status(),
        headers: returned(answer.response.headers()),
        upstream: answer.target.upstream.name().to_owned(),
        streams,
        usd,
        standings,
    }
}

/// What a client is told instead of an answer that is not meant for it.
pub(super) fn not_for_clients(answer: &Answer) -> Option<ApiError> {
    let status = answer.response.status();
    if status.is_redirection() || status.is_informational() {
        let upstream = answer.target.upstream.name();
        let message = format!("The upstream {upstream} answered with a redirect.");
        return Some(ApiError::bad_gateway(message));
    }
    None
}

/// The answer in OpenAI's form, and what it says.
fn translated(target: &Target, endpoint: Endpoint, body: Bytes) -> (Bytes, Option<Value>) {
    let mut read: Option<Value> = serde_json::from_slice(&body).ok();
    let dialect = target.upstream.dialect();
    let mut answer = read.iter_mut();
    if answer.any(|answer| dialect.read_answer(endpoint, answer)) {
        let body = read.as_ref().map(Value::to_string).unwrap_or_default();
        return (body.into(), read);
    }
    (body, read)
}

/// An upstream's error in the client's form, without the upstream's key.
fn told_error(answer: &mut Answer, endpoint: Endpoint, body: Bytes) -> Bytes {
    let body = answer.target.upstream.hidden(body);
    let status = answer.response.status().as_u16();
    let Some(body) = ApiError::reshaped(status, &body, endpoint.wire()) else {
        return body;
    };
    let json = HeaderValue::from_static("application/json");
    let headers = answer.response.headers_mut();
    headers.insert(header::CONTENT_TYPE, json);
    body
}

/// What is wrong with an answer that claims to be a success, if anything.
fn what_is_wrong(
    answer: &Answer,
    endpoint: Endpoint,
    read: Option<&Value>,
) -> Option<&'static str> {
    let kind = media_type(answer.response.headers()).unwrap_or_default();
    // A transcription may be plain text or subtitles, and speech is sound.
    let may_be_text = matches!(
        endpoint,
        Endpoint::Speech | Endpoint::Transcriptions | Endpoint::Translations
    );
    match read {
        Some(read) => (read["error"].is_object() && read["id"].is_null())
            .then_some("answered with an error, as if it were a success"),
        None if kind.contains("json") => Some("answered with broken JSON"),
        None if kind.starts_with("text/html") => Some("answered with a page"),
        None if may_be_text => None,
        None => Some("answered with something that is not JSON"),
    }
}

fn is_stream(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|kind| kind.starts_with("text/event-stream"))
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.trim().to_ascii_lowercase())
}

/// Reads a whole answer; `None` if it breaks off or is too large.
async fn whole(answer: &mut Answer) -> Option<Bytes> {
    let first = answer.response.chunk().await.ok()?.unwrap_or_default();
    let Some(second) = answer.response.chunk().await.ok()? else {
        return Some(first);
    };
    let mut body = BytesMut::from(first);
    body.extend_from_slice(&second);
    while let Some(chunk) = answer.response.chunk().await.ok()? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body.freeze())
}
