//! Makes a call that is in flight, and sees to what comes of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use atelier_gateway::{
    ApiError, Call, Counter, Refusal, Retry, Usage,
    forward::{self, Answer, Failure, Outgoing},
    routing::Target,
};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use bytes::Bytes;
use serde_json::Value;
use tokio::sync::Mutex;
use tracing::warn;

use super::{
    Error, Gateway,
    charging::{Charge, Due},
    flights::Flight,
    lookup::{Plan, is_bought},
    painting::Spent,
    repeats::Marked,
    request::Asked,
};
use crate::limit::{Costs, Standing};

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
    /// What tries have cost that made no picture, in US dollars.
    pub(super) spent: Spent,
    /// By which other processes know of the call.
    mark: Mutex<Option<Marked>>,
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
            spent: Spent::default(),
            mark: Mutex::default(),
        };
        self.calls.spawn(async move {
            if let Err(error) = leading.lead().await {
                leading.flight.head(Err(error));
            }
        });
    }

    /// What the call is expected to cost at most.
    pub(super) fn expected(&self, call: &Call, target: &Target) -> Costs {
        let estimate = call.estimate(Counter::for_model(&target.model));
        let usage = estimate.usage();
        Costs {
            requests: 1,
            images: estimate.images.into(),
            tokens: usage.tokens(),
            usd: self
                .painters
                .estimate(call, target)
                .unwrap_or_else(|| self.price(target, &usage)),
        }
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
        let expected = self.gateway.expected(&self.asked.call, first);
        let reserved = self
            .gateway
            .reserve(&self.asked, first.upstream.name(), expected);
        let (mut charge, standings) = reserved.await?;
        *self.mark.lock().await = self.gateway.mark(&self.plan).await;
        // From here on the call may cost something.
        charge.set(Due::Estimate);
        let made = self.make(charge, standings).await;
        if let Some(mark) = self.mark.lock().await.take()
            && !matches!(made, Err(Error::Uncertain(_)))
        {
            mark.remove().await;
        }
        made
    }

    /// Keeps the answer, as far as it may be given again.
    pub(super) async fn keep(
        &self,
        target: &Target,
        answer: Value,
        usage: Option<Usage>,
        usd: f64,
    ) {
        if let Some(mark) = self.mark.lock().await.as_mut() {
            // A late renewal would replace the result.
            mark.stop().await;
        }
        let (call, plan) = (&self.asked.call, &self.plan);
        self.gateway
            .keep(call, plan, target, answer, usage, usd)
            .await;
    }

    async fn make(&self, mut charge: Charge, standings: Vec<Standing>) -> Result<(), Error> {
        let answer = tokio::select! {
            answer = self.call() => answer,
            () = self.flight.abandoned() => {
                if let Some(first) = self.targets.first().filter(|_| self.asked.call.is_stream()) {
                    charge.set(Due::Costs(self.costs_of(first, 0)));
                }
                return Err(ApiError::invalid("The client has gone.").into());
            }
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => {
                if !failure.is_uncertain() {
                    charge.set(self.spent.due());
                }
                return Err(self.told(failure));
            }
        };
        self.receive(answer, charge, standings).await
    }

    async fn call(&self) -> Result<Answer, Failure> {
        let call = &self.asked.call;
        let body = |target: &Target| call.sent_to(target.upstream.config(), &target.model);
        let elsewhere = |target: &Target| self.paints(target);
        let outgoing = Outgoing {
            method: Method::POST,
            path: call.endpoint().path(),
            query: self.asked.query.as_deref(),
            headers: self.asked.headers.clone(),
            stream: call.is_stream(),
            body: &body,
            repeatable: !is_bought(call),
            elsewhere: &elsewhere,
        };
        let longest = self.targets.iter().map(|target| target.upstream.timeout());
        let longest = Instant::now() + longest.max().unwrap_or_default();
        let deadline = self.asked.deadline.min(longest);
        forward::forward(&self.gateway.client, &self.targets, &outgoing, deadline).await
    }

    /// What the client is told of a failure.
    fn told(&self, failure: Failure) -> Error {
        warn!(%failure, id = self.asked.id, "a call failed");
        self.asked.recording.failed_by(&failure, &self.targets);
        let uncertain = failure.is_uncertain();
        let error = told(failure);
        if uncertain {
            self.lost(error)
        } else {
            error.into()
        }
    }

    /// The answer is lost: a picture may have been made and paid for.
    pub(super) fn lost(&self, error: ApiError) -> Error {
        if is_bought(&self.asked.call) {
            Error::Uncertain(error.retry(Retry::Never))
        } else {
            error.into()
        }
    }
}

/// What a client is told of a failure.
pub(super) fn told(failure: Failure) -> ApiError {
    match failure {
        Failure::Refused {
            status,
            body,
            refusal,
            ..
        } => refused(status, &body, refusal),
        Failure::Rejected { upstream } => {
            // The operator's key is wrong, not the client's.
            let message = format!("The upstream {upstream} refuses the gateway's key.");
            ApiError::bad_gateway(message).retry(Retry::Never)
        }
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

/// What clients see of an upstream's headers.
pub(super) fn returned(theirs: &HeaderMap) -> HeaderMap {
    let returned = RETURNED.into_iter().filter_map(|name| {
        let value = theirs.get(&name)?.clone();
        Some((name, value))
    });
    returned.collect()
}

/// An upstream's refusal, as clients know it.
fn refused(status: StatusCode, body: &Bytes, refusal: Refusal) -> ApiError {
    // A quota that is spent is not a matter of permission.
    let is_quota = refusal.is_final && status == StatusCode::FORBIDDEN;
    let status = if is_quota { 429 } else { status.as_u16() };
    let error = ApiError::from_upstream(status, body);
    match refusal.pause {
        _ if refusal.is_final => error.retry(Retry::Never),
        Some(pause) => error.retry(Retry::After(pause)),
        None => error,
    }
}
