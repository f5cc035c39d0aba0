//! One call from its request to its answer.

use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use atelier_gateway::{
    ApiError, Call, Endpoint, Wire,
    embeddings::{Encoding, encode},
    replay,
    routing::Target,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use serde_json::Value;

use super::{
    Error, Gateway,
    flights::Reader,
    lookup::{Hit, Plan, is_bought, key_reused},
    request::Asked,
};
use crate::limit::Standing;

/// What moderations are made with that name no model, as at OpenAI.
const MODERATION: &str = "omni-moderation-latest";

/// What an answer cost whoever gets it.
pub const COST: HeaderName = HeaderName::from_static("x-atelier-cost-usd");

/// US dollars as clients read them.
pub fn dollars(usd: f64) -> String {
    format!("{usd:.6}")
}

/// The beginning of an answer.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    /// Those of the upstream's that the client may see.
    pub(super) headers: HeaderMap,
    pub(super) upstream: String,
    pub(super) streams: bool,
    /// What the call cost, in US dollars; known at the beginning if it does not stream.
    pub(super) usd: Option<f64>,
    /// What is left of the limits for whoever made the call.
    pub(super) standings: Vec<Standing>,
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source {
    /// A call, and nothing is kept.
    Off,
    /// A call.
    Miss,
    /// A call of somebody else that was in flight already.
    Joined,
    /// The cache, after this time.
    Hit(Duration),
    /// The cache, after this time: a question that means the same, with its similarity.
    Semantic(Duration, f32),
}

impl Source {
    /// Its name in `x-atelier-cache`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Miss | Self::Joined => "miss",
            Self::Hit(_) => "hit",
            Self::Semantic(..) => "semantic",
        }
    }
}

/// An answer.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Body,
    pub source: Source,
    pub upstream: String,
    /// What was charged for it, in US dollars, if it is known already.
    pub usd: Option<f64>,
    /// What was charged for it, known at the end of a stream.
    pub cost: Option<Arc<OnceLock<f64>>>,
    pub standings: Vec<Standing>,
}

/// The body of an answer.
pub enum Body {
    Whole(Bytes),
    /// Server-sent events, or other bytes that come bit by bit.
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes, Broken>> + Send>>),
}

impl Body {
    /// A body of parts that cannot fail.
    pub(super) fn of(parts: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self::Stream(parts.map(Ok).boxed())
    }
}

/// The upstream broke off. The client's connection does as well, so that it does not take half
/// an answer for a whole one.
#[derive(Debug, thiserror::Error)]
#[error("the upstream broke off")]
pub struct Broken;

impl Gateway {
    /// Answers a call.
    pub async fn serve(self: &Arc<Self>, asked: Asked) -> Result<Reply, Error> {
        // What a job has begun is finished first.
        if self.studio.drain.is_cancelled() && asked.job.is_none() {
            return Err(Error::Closing);
        }
        let model = self.allowed_model(&asked)?;
        let plan = Arc::new(self.plan(&asked, &model));
        let key = flight_key(&asked, &plan);
        let hit = match self.result_of_repeated(&asked, &plan, &key).await? {
            None => self.look_up(&asked, &plan).await,
            result => result,
        };
        if let Some(hit) = hit {
            let standings = self.charge_free(&asked).await?;
            asked.recording.answered_before(&hit.kept);
            let reply = from_before(&asked.call, hit, standings);
            return Ok(asked.recording.follow(reply));
        }
        let targets = self.speaking_targets(&asked, &model).await?;
        if targets.is_empty() {
            let recording = Arc::clone(&asked.recording);
            let reply = self.built_in(asked, &model).await?;
            return Ok(recording.follow(reply));
        }
        self.fly(Arc::new(asked), plan, targets, key).await
    }

    /// The model that the call is for, if the caller may use it.
    pub(super) fn allowed_model(&self, asked: &Asked) -> Result<String, Error> {
        let model = self.model(&asked.call)?;
        match &asked.caller.holder {
            Some(holder) if !holder.allows_model(&model) => {
                Err(ApiError::model_not_found(&model).into())
            }
            _ => Ok(model),
        }
    }

    /// Whom to ask, as far as they speak the client's language.
    pub(super) async fn speaking_targets(
        &self,
        asked: &Asked,
        model: &str,
    ) -> Result<Vec<Target>, Error> {
        let targets = self.targets(asked, model).await?;
        Ok(speaking(asked.call.endpoint().wire(), targets))
    }

    /// Charges a request that needs no call.
    pub(super) async fn charge_free(&self, asked: &Asked) -> Result<Vec<Standing>, Error> {
        if asked.job.is_some() {
            return Ok(Vec::new());
        }
        let action = asked.call.endpoint().action();
        self.charge_request(&asked.caller, action, "").await
    }

    /// The model that the client names, or the one that pictures are made with.
    fn model(&self, call: &Call) -> Result<String, Error> {
        let missing = || ApiError::invalid("You must provide a model parameter.").param("model");
        let named = call.model().map(str::to_owned);
        let model = named.or_else(|| match call.endpoint() {
            Endpoint::Moderations => Some(MODERATION.to_owned()),
            // A stored prompt names its own.
            Endpoint::Responses if !self.routes.upstreams().is_empty() => Some(String::new()),
            _ if is_bought(call) => Some(self.settings.picture_model.clone()),
            _ => None,
        });
        Ok(model.ok_or_else(missing)?)
    }

    /// Joins the same call in flight, or makes it.
    async fn fly(
        self: &Arc<Self>,
        asked: Arc<Asked>,
        plan: Arc<Plan>,
        targets: Vec<Target>,
        key: String,
    ) -> Result<Reply, Error> {
        // A client without patience must not lose what it has bought.
        let finished_anyway = is_bought(&asked.call) || asked.wishes.idempotency_key.is_some();
        let mut shared = plan.reads || plan.repeated;
        loop {
            let (reader, own) =
                self.flights
                    .join_or_begin(&key, &plan.digest, shared, finished_anyway);
            let Some(flight) = own else {
                if !reader.reads(&plan.digest) {
                    return Err(key_reused());
                }
                match reader.head().await {
                    Ok(head) => {
                        let standings = self.charge_free(&asked).await?;
                        asked.recording.answered_among(&targets, &head.upstream);
                        let reply = joined(&head, reader, standings).await;
                        return Ok(asked.recording.follow(reply));
                    }
                    // It may have failed for a reason that is not this client's.
                    Err(_) => shared = false,
                }
                continue;
            };
            let caching = plan.mode.is_some();
            let source = if caching { Source::Miss } else { Source::Off };
            asked.recording.comes_from(source);
            self.start(asked, plan, targets, flight, key);
            let head = reader.head().await.map_err(|error| error.copy())?;
            return Ok(answer(&head, reader, source).await);
        }
    }
}

/// What calls share to be one: an `Idempotency-Key`, or else all that their answers depend on,
/// and the form of these.
pub(super) fn flight_key(asked: &Asked, plan: &Plan) -> String {
    let (call, same) = (&asked.call, &plan.digest);
    match (&asked.wishes.idempotency_key, &plan.repeat) {
        (Some(_), Some(key)) => key.clone(),
        _ => format!(
            "{same} {} {} {:?}",
            call.is_stream(),
            call.wants_usage(),
            call.encoding()
        ),
    }
}

/// Those of the targets that speak the client's language; if none does, all of them: some
/// servers speak both.
fn speaking(wire: Wire, targets: Vec<Target>) -> Vec<Target> {
    let speaks = |target: &Target| target.upstream.wire() == wire;
    if targets.iter().any(speaks) {
        return targets.into_iter().filter(speaks).collect();
    }
    targets
}

async fn joined(head: &Head, reader: Reader, standings: Vec<Standing>) -> Reply {
    let reply = answer(head, reader, Source::Joined).await;
    Reply {
        standings,
        usd: Some(0.0),
        cost: None,
        ..reply
    }
}

async fn answer(head: &Head, reader: Reader, source: Source) -> Reply {
    Reply {
        status: head.status,
        headers: head.headers.clone(),
        cost: head.streams.then(|| reader.cost()),
        body: if head.streams {
            Body::of(reader.stream())
        } else {
            Body::Whole(reader.rest().await)
        },
        source,
        upstream: head.upstream.clone(),
        usd: head.usd,
        standings: head.standings.clone(),
    }
}

/// An answer that was kept, in the form that is asked for.
pub(super) fn from_before(call: &Call, hit: Hit, standings: Vec<Standing>) -> Reply {
    let Hit {
        mut kept,
        age,
        similarity,
    } = hit;
    if call.endpoint() == Endpoint::Embeddings
        && let Some(encoding @ Encoding::Float) = call.encoding()
    {
        encode(&mut kept.answer, encoding);
    }
    let source = similarity.map_or(Source::Hit(age), |similarity| {
        Source::Semantic(age, similarity)
    });
    free(call, &kept.answer, source, kept.upstream, standings)
}

/// An answer that costs nothing, as an object or as a stream, as it is asked for.
pub(super) fn free(
    call: &Call,
    answer: &Value,
    source: Source,
    upstream: String,
    standings: Vec<Standing>,
) -> Reply {
    let (media_type, body) = if call.is_stream() {
        let events = replay(call.endpoint(), answer, call.wants_usage());
        ("text/event-stream", Body::of(stream::iter(events)))
    } else {
        let body = Bytes::from(answer.to_string());
        ("application/json", Body::Whole(body))
    };
    let media_type = (header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    Reply {
        status: StatusCode::OK,
        headers: HeaderMap::from_iter([media_type]),
        body,
        source,
        upstream,
        usd: Some(0.0),
        cost: None,
        standings,
    }
}
