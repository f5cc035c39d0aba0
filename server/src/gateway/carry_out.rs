//! Carries out the jobs of calls: the same call as one that is waited for, but that its job
//! has been charged for it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use atelier_api::Failure;
use atelier_gateway::{ApiError, Call, Endpoint, Retry, Wire};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;

use super::{
    Body, Error, Gateway, JobCharge, Reply, Wishes,
    charging::Due,
    forwarded,
    lookup::is_bought,
    repeats::interrupted,
    request::Asked,
    serve::{COST, dollars, flight_key, from_before},
};
use crate::{
    access::{Holder, NotAdmitted, Scope},
    app::Caller,
    job::{CallTask, Cost, Owner},
    queue::Job,
    worker::{Called, Calls, Failed},
};

/// Maximum time for one call, if its upstreams allow more.
const LONGEST: Duration = Duration::from_hours(1);

#[async_trait]
impl Calls for Gateway {
    async fn call(self: Arc<Self>, job: &Job, task: &CallTask, body: Bytes) -> Called {
        let charge = Arc::new(JobCharge::default());
        let answered = self.answer(job, task, body, &charge).await;
        let (status, headers, body, usd, failed) = match answered {
            Ok(answered) => told(answered),
            Err(error) => refused(task, &error),
        };
        let (cost, images, tokens) = match (charge.due(), usd) {
            (Due::Nothing, _) => (Cost::Nothing, 0, 0),
            (Due::Estimate, Some(usd)) => (Cost::Usd(usd), task.images, task.tokens),
            (Due::Estimate, None) => (Cost::Estimate, task.images, 0),
            (Due::Costs(costs), _) => (Cost::Usd(costs.usd), costs.images, costs.tokens),
        };
        Called {
            status,
            headers,
            body,
            cost,
            images,
            tokens,
            failed,
        }
    }
}

/// A whole answer.
struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: Bytes,
    usd: Option<f64>,
}

type Told = (
    u16,
    Vec<(String, String)>,
    Bytes,
    Option<f64>,
    Option<Failed>,
);

impl Gateway {
    async fn answer(
        self: &Arc<Self>,
        job: &Job,
        task: &CallTask,
        body: Bytes,
        charge: &Arc<JobCharge>,
    ) -> Result<Answer, Error> {
        let asked = self.asked(job, task, body, charge).await?;
        let (request, recording) = (asked.id.clone(), Arc::clone(&asked.recording));
        let replied = if is_uncertain(job, &asked.call) {
            self.bought_before(asked).await
        } else {
            self.serve(asked).await
        };
        let reply = replied.inspect_err(|error| recording.fail(error.class(), &error_of(error)))?;
        let headers = told_headers(&request, &reply);
        Ok(Answer {
            status: reply.status,
            headers,
            usd: reply.usd,
            body: whole(reply.body).await?,
        })
    }

    async fn asked(
        &self,
        job: &Job,
        task: &CallTask,
        body: Bytes,
        charge: &Arc<JobCharge>,
    ) -> Result<Asked, Error> {
        let headers = read(&task.headers);
        let unknown = || ApiError::invalid("The call is not known any more.");
        let endpoint = Endpoint::from_path(&task.path).ok_or_else(unknown)?;
        let media_type = headers.get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok());
        let call = Call::read(endpoint, media_type, body)?;
        let invalid = |error: super::InvalidHeader| ApiError::invalid(error.to_string());
        let mut wishes = Wishes::read(&headers).map_err(invalid)?;
        wishes.repeated |= is_uncertain(job, &call);
        let owner = Owner::of(job);
        let caller = Caller {
            ip: task.ip.clone(),
            holder: self.holder(&owner).await?,
            owner: Some(owner),
            held: None,
        };
        let name = endpoint.path().trim_start_matches('/');
        let recording = self.record(&task.request, name, &caller);
        recording.asks(&call);
        Ok(Asked {
            id: task.request.clone(),
            caller,
            recording,
            call,
            query: task.query.clone(),
            headers: forwarded(&headers),
            wishes,
            deadline: Instant::now() + LONGEST,
            job: Some(Arc::clone(charge)),
        })
    }

    /// The holder of the key that the call was accepted for, if it is still valid.
    async fn holder(&self, owner: &Owner) -> Result<Option<Arc<Holder>>, Error> {
        let Owner::Key(id) = owner else {
            return Ok(None);
        };
        let now = self.studio.stores.clock.now();
        match self.gate.holder(id, now).await {
            Ok(holder) if holder.may(Scope::Gateway) => Ok(Some(holder)),
            Ok(_) => {
                Err(ApiError::forbidden("The API key does not open the gateway any more.").into())
            }
            Err(NotAdmitted::Away(error)) => Err(error.into()),
            Err(error) => {
                Err(ApiError::unauthenticated(format!("The call was not made: {error}.")).into())
            }
        }
    }

    /// What an earlier attempt has bought, if it is known. It is not bought again.
    async fn bought_before(self: &Arc<Self>, asked: Asked) -> Result<Reply, Error> {
        let model = self.allowed_model(&asked)?;
        let plan = self.plan(&asked, &model);
        let key = flight_key(&asked, &plan);
        if let Some(hit) = self.result_of_repeated(&asked, &plan, &key).await? {
            let reply = from_before(&asked.call, hit, Vec::new());
            return Ok(asked.recording.follow(reply));
        }
        if self.flights.holds(&key) {
            return self.serve(asked).await;
        }
        Err(interrupted().into())
    }
}

/// Whether an earlier attempt may have bought what would be bought again.
fn is_uncertain(job: &Job, call: &Call) -> bool {
    is_bought(call) && job.failures.iter().any(|failed| !failed.cost.is_nothing())
}

fn read(fields: &[(String, String)]) -> HeaderMap {
    let fields = fields.iter().filter_map(|(name, value)| {
        let name = HeaderName::try_from(name).ok()?;
        Some((name, HeaderValue::try_from(value).ok()?))
    });
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(name, value);
    }
    headers
}

/// The headers of an answer that matter to whoever gets it later.
pub(super) fn told_headers(request: &str, reply: &Reply) -> Vec<(String, String)> {
    let theirs = reply.headers.iter();
    let theirs = theirs.filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    });
    let ours = [
        ("x-request-id", request.to_owned()),
        ("x-atelier-cache", reply.source.name().to_owned()),
        ("x-atelier-upstream", reply.upstream.clone()),
    ];
    let ours = ours.map(|(name, value)| (name.to_owned(), value));
    let usd = reply.usd.map(|usd| (COST.to_string(), dollars(usd)));
    theirs.chain(ours).chain(usd).collect()
}

async fn whole(body: Body) -> Result<Bytes, ApiError> {
    match body {
        Body::Whole(bytes) => Ok(bytes),
        Body::Stream(mut parts) => {
            let mut whole = BytesMut::new();
            while let Some(part) = parts.next().await {
                let broken = |_| ApiError::bad_gateway("The answer broke off.");
                whole.extend_from_slice(&part.map_err(broken)?);
            }
            Ok(whole.freeze())
        }
    }
}

fn told(answer: Answer) -> Told {
    let status = answer.status.as_u16();
    let failed = (!answer.status.is_success()).then(|| {
        let error = ApiError::from_upstream(status, &answer.body);
        Failed {
            failure: failure(&error, false),
            pause: None,
        }
    });
    (status, answer.headers, answer.body, answer.usd, failed)
}

/// What is told of a call that failed, in the form of its API, and whether it is repeated.
fn refused(task: &CallTask, error: &Error) -> Told {
    let error = error_of(error);
    let passing = error.status == 429 || error.status >= 500;
    let again = passing && error.retry != Retry::Never;
    let pause = match error.retry {
        Retry::After(pause) => Some(pause),
        Retry::ByStatus | Retry::Never => None,
    };
    let wire = Endpoint::from_path(&task.path).map_or(Wire::OpenAi, Endpoint::wire);
    let ours = [
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-request-id".to_owned(), task.request.clone()),
    ];
    let theirs = error.headers().into_iter();
    let theirs = theirs.map(|(name, value)| (name.to_owned(), value));
    let failed = Failed {
        failure: failure(&error, again),
        pause,
    };
    let body = error.body(wire, Some(&task.request));
    (
        error.status,
        ours.into_iter().chain(theirs).collect(),
        body,
        None,
        Some(failed),
    )
}

fn error_of(error: &Error) -> ApiError {
    match error {
        Error::Api(error) | Error::Uncertain(error) => error.clone(),
        Error::Limited(_) => ApiError::rate_limited("over a limit", Duration::from_secs(1)),
        error => ApiError::unavailable(error.to_string(), None),
    }
}

fn failure(error: &ApiError, retryable: bool) -> Failure {
    let code = error.code.as_ref().unwrap_or(&error.kind);
    Failure {
        code: code.to_string(),
        message: error.message.clone(),
        retryable,
    }
}
