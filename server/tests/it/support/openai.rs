//! A stand-in for OpenAI's images API, strict about what it accepts: a request
//! that the real one would refuse fails the test.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Multipart, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use futures::StreamExt as _;
use image::ImageFormat;
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, sync::Notify};

pub(crate) const KEY: &str = "sk-test";

/// What the stand-in does with one call.
pub(crate) enum Answer {
    /// A picture as base64, with usage.
    Picture,
    /// A picture by its address, without usage, as compatible servers do.
    Url,
    /// This status, headers and body.
    Error(u16, Vec<(&'static str, &'static str)>, Value),
    /// Success, but the body is this.
    Garbage(&'static str),
    /// Success, and the body is this.
    Json(Value),
    /// Success, and the stream is this.
    Events(String),
    /// Half an answer, and the connection is cut.
    Cut,
    /// The streamed beginning of a picture, and the rest when `release` is called.
    Partly,
    /// Nothing, until the client gives up or `release` is called.
    Hang,
}

/// The stand-in, serving until the test ends.
pub(crate) struct OpenAi {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Answer>>,
    calls: Mutex<Vec<Value>>,
    called: Notify,
    release: Arc<Notify>,
    /// Calls whose client went away before the answer.
    dropped: Mutex<usize>,
    drop: Notify,
    address: Mutex<String>,
    embedded: Mutex<usize>,
    slow: Mutex<bool>,
}

/// The same vector for every text: it is left to the guard to tell them apart.
async fn embeddings(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let authorization = headers
        .get("authorization")
        .map(|value| value.to_str().unwrap());
    assert_eq!(authorization, Some(format!("Bearer {KEY}").as_str()));
    let fields = json!({ "model": "text-embedding-3-small", "input": body["input"], "encoding_format": "float" });
    assert_eq!(body, fields);
    assert!(body["input"].as_str().is_some_and(|text| !text.is_empty()));
    *shared.embedded.lock().unwrap() += 1;
    if *shared.slow.lock().unwrap() {
        std::future::pending::<()>().await;
    }
    let embedding = vec![0.5; 1536];
    Json(json!({ "object": "list", "data": [{ "object": "embedding", "index": 0, "embedding": embedding }] })).into_response()
}

impl OpenAi {
    /// Answers with a picture once the script is over.
    pub(crate) async fn start(script: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            script: Mutex::new(script.into()),
            ..Shared::default()
        });
        shared.address.lock().unwrap().clone_from(&address);
        let router = Router::new()
            .route("/v1/images/generations", post(generations))
            .route("/v1/images/edits", post(edits))
            .route("/v1/embeddings", post(embeddings))
            .route("/files/picture.png", get(async || picture()))
            .with_state(Arc::clone(&shared));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self {
            url: format!("{address}/v1"),
            shared,
        }
    }

    /// How many texts were turned into vectors.
    pub(crate) fn embedded(&self) -> usize {
        *self.shared.embedded.lock().unwrap()
    }

    /// From now on vectors are a long time coming.
    pub(crate) fn think_long(&self) {
        *self.shared.slow.lock().unwrap() = true;
    }

    /// The calls so far, each as the fields it carried.
    pub(crate) fn calls(&self) -> Vec<Value> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// Waits until so many calls have arrived.
    pub(crate) async fn called(&self, times: usize) {
        let arrived = async {
            loop {
                let next = self.shared.called.notified();
                if self.calls().len() >= times {
                    return;
                }
                next.await;
            }
        };
        tokio::time::timeout(super::PATIENCE, arrived)
            .await
            .expect("the provider is called");
    }

    /// Waits until the client of a call that hangs has given up.
    pub(crate) async fn abandoned(&self) {
        let gone = async {
            loop {
                let next = self.shared.drop.notified();
                if *self.shared.dropped.lock().unwrap() > 0 {
                    return;
                }
                next.await;
            }
        };
        tokio::time::timeout(super::PATIENCE, gone)
            .await
            .expect("the call is dropped");
    }

    /// Lets a call that hangs be answered with a picture.
    pub(crate) fn release(&self) {
        self.shared.release.notify_waiters();
    }
}

/// Notices that a call was dropped.
struct Waiting<'a>(&'a Shared);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        *self.0.dropped.lock().unwrap() += 1;
        self.0.drop.notify_waiters();
    }
}

async fn generations(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    assert_eq!(headers["content-type"], "application/json");
    let body: Map<String, Value> = serde_json::from_str(&body).expect("JSON");
    for field in body.keys() {
        let known = [
            "prompt",
            "model",
            "n",
            "size",
            "quality",
            "background",
            "moderation",
            "output_format",
            "output_compression",
            "stream",
            "partial_images",
            "user",
        ];
        assert!(
            known.contains(&field.as_str()),
            "the images API refuses {field:?}"
        );
    }
    check_common(&body);
    assert!(
        body.get("n")
            .is_none_or(|n| (1..=10).contains(&n.as_u64().unwrap()))
    );
    answer(&shared, &headers, Value::Object(body)).await
}

async fn edits(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    mut form: Multipart,
) -> Response {
    let mut body = Map::new();
    while let Some(field) = form.next_field().await.unwrap() {
        let name = field.name().unwrap().to_owned();
        if matches!(name.as_str(), "image" | "image[]") {
            let media_type = field.content_type().unwrap().to_owned();
            assert!(["image/png", "image/webp", "image/jpeg"].contains(&media_type.as_str()));
            let file_name = field.file_name().expect("a file name").to_owned();
            let bytes = field.bytes().await.unwrap();
            let picture = image::load_from_memory(&bytes).expect("a picture");
            let seen = json!({"type": media_type, "name": file_name, "size": [picture.width(), picture.height()]});
            let all = body.entry("images").or_insert_with(|| json!([]));
            all.as_array_mut().unwrap().push(seen.clone());
            body.insert("image".into(), seen);
        } else if name == "mask" {
            assert_eq!(field.content_type(), Some("image/png"));
            assert!(field.file_name().is_some());
            let mask = image::load_from_memory(&field.bytes().await.unwrap()).expect("a mask");
            assert!(mask.color().has_alpha(), "the images API reads its alpha");
            let mask = mask.into_rgba8();
            let open = mask.pixels().filter(|pixel| pixel[3] == 0).count();
            let seen = json!({"size": [mask.width(), mask.height()], "open": open * 100 / (mask.len() / 4)});
            body.insert("mask".into(), seen);
        } else {
            let known = [
                "prompt",
                "model",
                "n",
                "size",
                "quality",
                "background",
                "input_fidelity",
                "output_format",
                "stream",
                "partial_images",
            ];
            assert!(
                known.contains(&name.as_str()),
                "the images API refuses {name:?}"
            );
            let text = field.text().await.unwrap();
            let value = match name.as_str() {
                // What is a number or a truth value in JSON is read as that.
                "n" | "partial_images" | "stream" => serde_json::from_str(&text).unwrap(),
                _ => text.into(),
            };
            body.insert(name, value);
        }
    }
    assert!(body.contains_key("image"));
    if let Some(mask) = body.get("mask") {
        assert_eq!(mask["size"], body["image"]["size"], "one size for both");
    }
    check_common(&body);
    answer(&shared, &headers, Value::Object(body)).await
}

fn check_common(body: &Map<String, Value>) {
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    assert!(
        text("model").is_some_and(|model| !model.is_empty()),
        "the server's own default models are retired"
    );
    assert!(
        text("prompt").is_some_and(|prompt| !prompt.is_empty() && prompt.chars().count() <= 32_000)
    );
    assert!(["auto", "low", "medium", "high"].contains(&text("quality").unwrap_or("auto")));
    let size = text("size").unwrap_or("auto");
    assert!(size == "auto" || size.split_once('x').is_some(), "{size}");
}

async fn answer(shared: &Shared, headers: &HeaderMap, call: Value) -> Response {
    assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
    let n = call["n"].as_u64().unwrap_or(1);
    let streamed = call["stream"] == true;
    assert_eq!(streamed, call["partial_images"].is_u64(), "{call}");
    shared.calls.lock().unwrap().push(call);
    let release = shared.release.notified();
    let next = shared
        .script
        .lock()
        .unwrap()
        .pop_front()
        .unwrap_or(Answer::Picture);
    shared.called.notify_waiters();
    match next {
        Answer::Picture if streamed => stream(async {}, 2),
        Answer::Picture => pictures(n),
        Answer::Partly => {
            assert!(streamed, "there is nothing to see before the end");
            let release = shared.release.clone().notified_owned();
            stream(release, 1)
        }
        Answer::Url => {
            let url = format!("{}/files/picture.png", shared.address.lock().unwrap());
            Json(json!({ "created": 1, "data": [{ "url": url }] })).into_response()
        }
        Answer::Error(status, headers, body) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
                .headers_mut()
                .insert("x-request-id", "req_test".parse().unwrap());
            response
        }
        Answer::Garbage(body) => body.into_response(),
        Answer::Json(body) => Json(body).into_response(),
        Answer::Events(text) => ([("content-type", "text/event-stream")], text).into_response(),
        Answer::Cut => {
            let half = Ok(Bytes::from_static(
                b"{\"created\":1,\"data\":[{\"b64_json\":\"iVBO",
            ));
            let cut = Err(std::io::Error::other("cut"));
            Body::from_stream(futures::stream::iter([half, cut])).into_response()
        }
        Answer::Hang => {
            let waiting = Waiting(shared);
            release.await;
            std::mem::forget(waiting);
            if streamed {
                stream(async {}, 0)
            } else {
                pictures(n)
            }
        }
    }
}

/// What is answered where nothing else is asked for.
pub(crate) fn picture() -> Vec<u8> {
    super::photo(64, 48, ImageFormat::Png)
}

/// Server-sent events: so many partial pictures, and after `hold` the finished one.
fn stream(hold: impl Future<Output = ()> + Send + 'static, partial: u8) -> Response {
    let event = |kind: &str, mut fields: Value| {
        let kind = format!("image_generation.{kind}");
        fields["type"] = json!(kind);
        format!("event: {kind}\ndata: {fields}\n\n")
    };
    let partial = (0..partial).map(|index| {
        let small = super::photo(32, 24 + u32::from(index), ImageFormat::Png);
        let fields = json!({ "b64_json": BASE64.encode(small), "partial_image_index": index });
        event("partial_image", fields)
    });
    let begun = partial.collect::<String>();
    let fields = json!({ "b64_json": BASE64.encode(picture()), "usage": usage() });
    let ended = event("completed", fields);
    let rest = async move {
        hold.await;
        Ok::<_, std::io::Error>(ended)
    };
    let events = futures::stream::iter([Ok(begun)]).chain(futures::stream::once(rest));
    let headers = [
        ("content-type", "text/event-stream"),
        ("x-request-id", "req_test"),
    ];
    (headers, Body::from_stream(events)).into_response()
}

/// What it is said to have taken.
pub(crate) fn usage() -> Value {
    json!({
        "input_tokens": 20, "input_tokens_details": {"text_tokens": 20, "image_tokens": 0},
        "output_tokens": 1000, "total_tokens": 1020,
    })
}

fn pictures(n: u64) -> Response {
    let data: Vec<Value> = (0..n)
        .map(|_| json!({ "b64_json": BASE64.encode(picture()) }))
        .collect();
    let body = json!({ "created": 1, "data": data, "size": "1024x1024", "quality": "low", "usage": usage() });
    ([("x-request-id", "req_test")], Json(body)).into_response()
}
