//! A server that checks nothing and answers with prepared bytes: what stands before it
//! is measured, not this.
//!
//! A body that asks for a stream gets [`EVENTS`] events. One whose user is
//! `"hold"` gets the first of them, and the rest never: such a stream stays open until the
//! client closes it.

use std::{convert::Infallible, io, sync::Arc};

use axum::body::Bytes;
use futures::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Request, Response,
    body::{Frame, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::yield_now};

/// Events of a stream, with the end.
pub const EVENTS: usize = 100;

/// Bytes of a chat's answer, about.
const LENGTH: usize = 1024;

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// What everything is answered with.
struct Prepared {
    chat: Bytes,
    models: Bytes,
    events: Vec<Bytes>,
}

/// Serves until the process ends.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    let prepared = Arc::new(Prepared::new());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let prepared = Arc::clone(&prepared);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(&prepared, request));
            // A client that goes away is no failure of the server.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(prepared: &Prepared, request: Request<Incoming>) -> Result<Answer, hyper::Error> {
    let is_models = request.uri().path().ends_with("/models");
    let body = request.into_body().collect().await?.to_bytes();
    let says = |words: &[u8]| body.windows(words.len()).any(|window| window == words);
    if is_models {
        return Ok(whole(&prepared.models));
    }
    if says(b"\"stream\":true") || says(b"\"stream\": true") {
        return Ok(prepared.stream(says(b"\"hold\"")));
    }
    Ok(whole(&prepared.chat))
}

fn whole(bytes: &Bytes) -> Answer {
    let mut response = Response::new(Full::new(bytes.clone()).boxed_unsync());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

impl Prepared {
    fn new() -> Prepared {
        let text = "All work and no play makes Jack a dull boy. ".repeat(LENGTH / 44 - 8);
        let message = json!({"role": "assistant", "content": text, "refusal": null});
        let chat = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_790_000_000,
            "model": "gpt-4o-mini", "usage": usage(),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        });
        let model = json!({
            "id": "gpt-4o-mini", "object": "model", "created": 1_790_000_000, "owned_by": "mock",
        });
        Prepared {
            chat: chat.to_string().into(),
            models: json!({"object": "list", "data": [model]})
                .to_string()
                .into(),
            events: events(),
        }
    }

    fn stream(&self, is_held: bool) -> Answer {
        let most = if is_held { 1 } else { self.events.len() };
        let events: Vec<Bytes> = self.events[..most].to_vec();
        // Each by itself, as they would come.
        let events = stream::iter(events).then(async |event| {
            yield_now().await;
            Ok(Frame::data(event))
        });
        let body = if is_held {
            StreamBody::new(events.chain(stream::pending())).boxed_unsync()
        } else {
            StreamBody::new(events).boxed_unsync()
        };
        let mut response = Response::new(body);
        let kind = HeaderValue::from_static("text/event-stream");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }
}

fn usage() -> Value {
    json!({"prompt_tokens": 256, "completion_tokens": 256, "total_tokens": 512})
}

fn events() -> Vec<Bytes> {
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000,
            "model": "gpt-4o-mini", "choices": choices, "usage": usage,
        });
        Bytes::from(format!("data: {chunk}\n\n"))
    };
    let of = |delta: Value, reason: Value| json!([{"index": 0, "delta": delta, "finish_reason": reason}]);
    let mut events = vec![chunk(
        of(json!({"role": "assistant", "content": ""}), Value::Null),
        Value::Null,
    )];
    for _ in 0..EVENTS - 4 {
        events.push(chunk(
            of(json!({"content": "word "}), Value::Null),
            Value::Null,
        ));
    }
    events.push(chunk(of(json!({}), "stop".into()), Value::Null));
    events.push(chunk(json!([]), usage()));
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}
