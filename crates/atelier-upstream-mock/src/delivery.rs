//! How an answer is sent: as it should be, or as the script says.

use std::{collections::BTreeMap, io, sync::Arc, task::Poll, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header::DATE},
    response::{IntoResponse as _, Response},
};
use futures::{
    FutureExt as _, StreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use serde_json::Value;
use tokio::{sync::futures::OwnedNotified, task::yield_now, time::sleep};

use crate::{
    behaviour::Behaviour,
    call::Call,
    kind::Kind,
    manner::{self, Told},
    reply::{self, Event, Reply},
    route::{Answer, speaks_anthropic},
    upstream::Shared,
    wire::Breaker,
};

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream; charset=utf-8";

/// A page as a proxy shows it.
const PAGE: &str = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";

/// What is between the pieces of a body, or in place of the rest.
type Pause = BoxFuture<'static, io::Result<()>>;

/// What is to become of an answer, and the means.
pub(crate) struct Disturbance {
    pub(crate) behaviour: Behaviour,
    pub(crate) breaker: Breaker,
    /// When what hangs goes on.
    pub(crate) released: OwnedNotified,
}

/// Sends an answer, or what the script has instead.
pub(crate) async fn send(
    shared: &Arc<Shared>,
    call: &Call,
    answer: Answer,
    disturbance: Disturbance,
) -> Response {
    let request_id = format!("req_{}", shared.number());
    let mut response = match disturbance.behaviour.clone() {
        Behaviour::Status {
            status,
            headers,
            body,
        } => refusal(status, headers, &body),
        Behaviour::Trouble(trouble) => {
            let token = shared.tokens.current().unwrap_or_default();
            told(manner::trouble(shared.kind, call, trouble, &token))
        }
        Behaviour::Html => (StatusCode::OK, [("content-type", "text/html")], PAGE).into_response(),
        Behaviour::Redirect { to } => {
            (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response()
        }
        Behaviour::Close => {
            disturbance.breaker.close();
            Response::default()
        }
        _ => match answer {
            Ok(reply) => body(shared, reply, disturbance).await,
            Err(refused) => {
                if shared.kind == Kind::OpenAi && speaks_anthropic(call) {
                    let body = refused.anthropic(&request_id);
                    refusal(refused.status, BTreeMap::new(), &body)
                } else {
                    told(manner::refusal(shared.kind, call, &refused))
                }
            }
        },
    };
    stamp(&mut response, call, &request_id);
    if let Some(date) = shared.date() {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// Headers that the real ones send, those that must not be passed on among them.
fn stamp(response: &mut Response, call: &Call, request_id: &str) {
    let id_header = if speaks_anthropic(call) {
        "request-id"
    } else {
        "x-request-id"
    };
    let headers = [
        (id_header, request_id),
        ("openai-organization", "org-upstream"),
        ("x-ratelimit-remaining-requests", "4999"),
        ("set-cookie", "__cf_bm=upstream; path=/; HttpOnly"),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            let headers = response.headers_mut();
            headers
                .entry(HeaderName::from_static(name))
                .or_insert(value);
        }
    }
}

fn told(told: Told) -> Response {
    refusal(told.status, told.headers, &told.body)
}

fn refusal(status: u16, headers: BTreeMap<String, String>, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = match body {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut response = (status, [("content-type", JSON)], body).into_response();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// A success, with what is odd about it.
async fn body(shared: &Arc<Shared>, reply: Reply, disturbance: Disturbance) -> Response {
    let waiting = Waiting(Some(Arc::clone(shared)));
    let Disturbance {
        behaviour: odd,
        breaker,
        released,
    } = disturbance;
    let (media_type, mut begin) = pieces(altered(reply, &odd));
    let mut rest = begin.split_off(begin.len().div_ceil(2));
    if matches!(odd, Behaviour::HalfJson | Behaviour::HalfEvent) {
        rest.clear();
    }
    if let (Behaviour::HalfEvent, Some(last)) = (&odd, begin.last_mut()) {
        last.truncate(last.len() / 2);
    }
    let late = |milliseconds| sleep(Duration::from_millis(milliseconds));
    // Whatever was written before is flushed while some of them yield.
    let pause: Option<Pause> = match odd {
        Behaviour::SlowFirstByte { milliseconds } => {
            late(milliseconds).await;
            None
        }
        Behaviour::Hang => {
            released.await;
            None
        }
        Behaviour::Silence { milliseconds } => Some(Box::pin(late(milliseconds).map(Ok))),
        Behaviour::HangMidway => Some(Box::pin(released.map(Ok))),
        Behaviour::CloseMidway => Some(Box::pin(async {
            yield_now().await;
            Err(io::Error::other("closed"))
        })),
        Behaviour::GarbageChunks => Some(Box::pin(async move {
            yield_now().await;
            breaker.garble();
            Ok(())
        })),
        _ => None,
    };
    let stream = paused(begin, pause, rest).chain(waiting.until_here());
    ([("content-type", media_type)], Body::from_stream(stream)).into_response()
}

/// The reply, if its content is to be odd.
fn altered(reply: Reply, odd: &Behaviour) -> Reply {
    match (odd, reply) {
        (Behaviour::Usage { tokens }, reply) => reply.with_usage(*tokens),
        (Behaviour::ErrorInside, Reply::Events(mut events)) => {
            events.truncate(1);
            let error = Event::error_after(events.first());
            events.push(error);
            Reply::Events(events)
        }
        (Behaviour::ErrorInside, _) => Reply::Json(reply::error()),
        (_, reply) => reply,
    }
}

/// The pieces in which a reply is sent: two halves, or every event by itself.
fn pieces(reply: Reply) -> (&'static str, Vec<Bytes>) {
    let (media_type, mut bytes) = match reply {
        Reply::Events(events) => {
            let events = events.iter().map(|event| event.render().into());
            return (EVENTS, events.collect());
        }
        Reply::Json(body) => (JSON, Bytes::from(body.to_string())),
        Reply::Bytes(media_type, bytes) => (media_type, Bytes::from(bytes)),
    };
    let rest = bytes.split_off(bytes.len() / 2);
    (media_type, vec![bytes, rest])
}

type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// The pieces, with a pause before the rest; one that fails ends the body.
fn paused(begin: Vec<Bytes>, pause: Option<Pause>, rest: Vec<Bytes>) -> Pieces {
    let begin = stream::iter(begin).map(Ok);
    let rest = stream::iter(rest).map(Ok);
    let Some(pause) = pause else {
        return begin.chain(rest).boxed();
    };
    let pause = stream::once(pause).filter_map(async |done| done.err().map(Err));
    begin.chain(pause).chain(rest).boxed()
}

/// Notices that a client went away before the end of its answer.
struct Waiting(Option<Arc<Shared>>);

impl Waiting {
    fn over(mut self) {
        self.0 = None;
    }

    /// An empty stream, behind a body: whoever reads as far has read all.
    fn until_here(self) -> Pieces {
        let mut waiting = Some(self);
        stream::poll_fn(move |_| {
            if let Some(waiting) = waiting.take() {
                waiting.over();
            }
            Poll::Ready(None)
        })
        .boxed()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.abandon();
        }
    }
}
