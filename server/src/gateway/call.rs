//! Makes a call that is in flight, and sees to what comes of it.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use atelier_gateway::{
    ApiError, Counter, Endpoint, Retry, Usage,
    forward::{self, Answer, Failure, Outgoing},
    retry_after::asked_pause,
    routing::Target,
};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tracing::{error, warn};

use super::{
    Error, Gateway,
    charging::{Charge, Due},
    flights::Flight,
    lookup::{Plan, is_bought},
    pump::{Pump, produced},
    request::Asked,
    serve::Head,
};
use crate::limit::{Costs, Standing};

/// Largest answer that does not stream, in bytes: ten large pictures in base64.
const MAX_ANSWER: usize = 256 * 1024 * 1024;

/// The headers of upstreams that clients see.
const RETURNED: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::RETRY_AFTER,
    HeaderName::from_static("openai-processing-ms"),
    HeaderName::from_static("openai-version"),
    HeaderName::from_static("x-should-retry"),
];

/// A call that this process makes.
pub(super) struct Leading {
    pub(super) gateway: Arc<Gateway>,
    pub(super) asked: Arc<Asked>,
    pub(super) plan: Arc<Plan>,
    pub(super) targets: Vec<Target>,
    pub(super) flight: Arc<Flight>,
    key: String,
}

impl Drop for Leading {
    /// Whatever happens, nobody waits for ever.
    fn drop(&mut self) {
        self.gateway.flights.remove(&self.key, &self.flight);
        self.flight.close();
    }
}

impl Gateway {
    /// Makes the call in the background.
    pub(super) fn start(
        self: &Arc<Self>,
        asked: Arc<Asked>,
        plan: Arc<Plan>,
        targets: Vec<Target>,
        flight: Arc<Flight>,
        key: String,
    ) {
        let leading = Leading {
            gateway: Arc::clone(self),
            asked,
            plan,
            targets,
            flight,
            key,
        };
        self.calls.spawn(async move {
            if let Err(error) = leading.lead().await {
                leading.flight.head(Err(error));
            }
        });
    }

    /// The price of what a call has used.
    pub(super) fn price(&self, target: &Target, usage: &Usage) -> f64 {
        let serves = |model: &str| target.upstream.serves(model);
        let Some(quote) = self.prices.quote(&target.model, serves) else {
            return 0.0;
        };
        if !quote.is_known && self.unpriced.is_new(&target.model) {
            let (model, as_if) = (&target.model, &quote.price.model);
            warn!(
                model,
                as_if, "a model has no price, and is charged like another"
            );
        }
        quote.price.cost(usage)
    }
}

impl Leading {
    async fn lead(&self) -> Result<(), Error> {
        let Some(first) = self.targets.first() else {
            return Err(nobody().into());
        };
        let expected = self.expected(first);
        let reserved = self
            .gateway
            .reserve(&self.asked, first.upstream.name(), expected);
        let (mut charge, standings) = reserved.await?;
        // From here on the call may cost something.
        charge.set(Due::Estimate);
        let answer = tokio::select! {
            answer = self.call() => answer,
            () = self.flight.abandoned() => {
                if self.asked.call.is_stream() {
                    charge.set(Due::Costs(self.costs_of(first, 0)));
                }
                return Err(ApiError::invalid("The client has gone.").into());
            }
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => {
                if !failure.is_uncertain() {
                    charge.set(Due::Nothing);
                }
                return Err(self.told(failure).into());
            }
        };
        self.receive(answer, charge, standings).await
    }

    /// What the call is expected to cost at most.
    fn expected(&self, target: &Target) -> Costs {
        let call = &self.asked.call;
        let estimate = call.estimate(Counter::for_model(&target.model));
        let usage = estimate.usage();
        Costs {
            requests: 1,
            images: estimate.images.into(),
            tokens: usage.tokens(),
            usd: self.gateway.price(target, &usage),
        }
    }

    async fn call(&self) -> Result<Answer, Failure> {
        let call = &self.asked.call;
        let body = |model: &str| call.for_upstream(model, true);
        let outgoing = Outgoing {
            method: Method::POST,
            path: call.endpoint().path(),
            query: self.asked.query.as_deref(),
            headers: self.asked.headers.clone(),
            body: &body,
            repeatable: !is_bought(call),
        };
        let longest = self.targets.iter().map(|target| target.upstream.timeout());
        let longest = Instant::now() + longest.max().unwrap_or_default();
        let deadline = self.asked.deadline.min(longest);
        forward::forward(&self.gateway.client, &self.targets, &outgoing, deadline).await
    }

    /// What the client is told of a failure.
    fn told(&self, failure: Failure) -> ApiError {
        warn!(%failure, id = self.asked.id, "a call failed");
        let error = told(failure);
        if is_bought(&self.asked.call) && matches!(error.status, 502 | 504) {
            // It may have been made and paid for.
            return error.retry(Retry::Never);
        }
        error
    }

    async fn receive(
        &self,
        answer: Answer,
        mut charge: Charge,
        standings: Vec<Standing>,
    ) -> Result<(), Error> {
        let status = answer.response.status();
        if status.is_redirection() || status.is_informational() {
            charge.set(Due::Nothing);
            let upstream = answer.target.upstream.name();
            let message = format!("The upstream {upstream} answered with a redirect.");
            return Err(ApiError::bad_gateway(message).into());
        }
        if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            charge.set(Due::Nothing);
            return Err(rejected_key(&answer).into());
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
        let body = self.read_whole(&mut answer).await?;
        let (call, status) = (&self.asked.call, answer.response.status());
        let read: Option<Value> = serde_json::from_slice(&body).ok();
        if status.is_success()
            && let Some(wrong) = what_is_wrong(&answer, call.endpoint(), read.as_ref())
        {
            let message = format!("The upstream {} {wrong}.", target.upstream.name());
            return Err(ApiError::bad_gateway(message).into());
        }
        let usage = read
            .as_ref()
            .and_then(|read| Usage::read(call.endpoint(), read));
        let costs = status
            .is_success()
            .then(|| self.costs_or_estimate(&target, usage.as_ref()));
        charge.set(costs.map_or(Due::Nothing, Due::Costs));
        let usd = costs.map_or(0.0, |costs| costs.usd);
        self.gateway
            .note_response(&self.asked, &target, read.as_ref())
            .await;
        drop(charge);
        let keep = async {
            if let Some(read) = read.filter(|_| status.is_success()) {
                let upstream = target.upstream.name();
                self.gateway
                    .keep(call, &self.plan, upstream, read, usage, usd)
                    .await;
            }
        };
        let deliver = async {
            self.flight
                .head(Ok(head(&answer, false, Some(usd), standings)));
            let _ = self.flight.write(body).await;
            self.flight.end();
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
            None => Costs {
                requests: 0,
                ..self.expected(target)
            },
        }
    }

    /// What is charged for what was used.
    pub(super) fn costs(&self, target: &Target, usage: &Usage) -> Costs {
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
        self.costs(target, &produced(&estimate, bytes))
    }
}

/// What a client is told of a failure.
pub(super) fn told(failure: Failure) -> ApiError {
    match failure {
        Failure::Refused {
            status,
            headers,
            body,
            ..
        } => refused(status, &headers, &body),
        Failure::Unreachable { upstream } => {
            ApiError::bad_gateway(format!("The upstream {upstream} cannot be reached."))
        }
        Failure::Broken { upstream } => {
            ApiError::bad_gateway(format!("The connection to the upstream {upstream} broke."))
        }
        Failure::Late { upstream } => {
            ApiError::timeout(format!("The upstream {upstream} did not answer in time."))
        }
        Failure::Resting(pause) => {
            let message = "No upstream takes calls at the moment.";
            ApiError::unavailable(message, Some(pause.max(Duration::from_secs(1))))
        }
        Failure::Nobody => nobody(),
    }
}

fn nobody() -> ApiError {
    ApiError::unavailable("No upstream serves the model.", None)
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

/// What clients see of an upstream's headers.
pub(super) fn returned(theirs: &HeaderMap) -> HeaderMap {
    let returned = RETURNED.into_iter().filter_map(|name| {
        let value = theirs.get(&name)?.clone();
        Some((name, value))
    });
    returned.collect()
}

/// An upstream's refusal, as clients know it.
fn refused(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> ApiError {
    let error = ApiError::from_upstream(status.as_u16(), body);
    match asked_pause(headers, SystemTime::now()) {
        Some(pause) => error.retry(Retry::After(pause)),
        None => error,
    }
}

/// The operator's key is wrong, not the client's.
fn rejected_key(answer: &Answer) -> ApiError {
    let (upstream, status) = (answer.target.upstream.name(), answer.response.status());
    error!(upstream, %status, "an upstream refuses our key");
    let message = format!("The upstream {upstream} refuses the gateway's key.");
    ApiError::bad_gateway(message).retry(Retry::Never)
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
