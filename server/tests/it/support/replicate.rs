//! A stand-in for Replicate's API, strict about what it accepts.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Multipart, Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use image::ImageFormat;
use jiff::Timestamp;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

pub(crate) const TOKEN: &str = "r8_test";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// What becomes of a prediction.
#[derive(Clone)]
pub(crate) enum Fate {
    /// Pictures, after it was asked for twice.
    Done,
    /// This end, in the fields of a prediction.
    Ends(Value),
    /// It goes on for ever, whoever asks; a webhook tells of its end.
    Tells,
    /// It goes on for ever.
    Hangs,
    /// None is made: this status and body.
    Refused(u16, Value),
}

pub(crate) struct Replicate {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    address: String,
    fates: Mutex<VecDeque<Fate>>,
    predictions: Mutex<BTreeMap<String, (Fate, usize)>>,
    calls: Mutex<Vec<Value>>,
    cancelled: Mutex<Vec<String>>,
    files: Mutex<usize>,
    early: Mutex<bool>,
}

impl Replicate {
    pub(crate) async fn start(fates: Vec<Fate>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            address: address.clone(),
            fates: Mutex::new(fates.into()),
            ..Shared::default()
        });
        let router = Router::new()
            .route("/v1/models/{owner}/{name}/predictions", post(official))
            .route("/v1/predictions", post(versioned))
            .route("/v1/predictions/{id}", get(status))
            .route("/v1/predictions/{id}/cancel", post(cancel))
            .route("/v1/files", post(upload))
            .route("/out/picture.png", get(output))
            .with_state(Arc::clone(&shared));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self {
            url: format!("{address}/v1"),
            shared,
        }
    }

    /// The predictions asked for, each with its `model`.
    pub(crate) fn calls(&self) -> Vec<Value> {
        self.shared.calls.lock().unwrap().clone()
    }

    pub(crate) fn cancelled(&self) -> Vec<String> {
        self.shared.cancelled.lock().unwrap().clone()
    }

    pub(crate) fn files(&self) -> usize {
        *self.shared.files.lock().unwrap()
    }

    /// Where a picture lies that is no prediction's.
    pub(crate) fn picture(&self) -> String {
        format!("{}/out/picture.png", self.shared.address)
    }
}

/// The first time somebody asks it is not there yet.
async fn output(State(shared): State<Arc<Shared>>) -> Response {
    let mut early = shared.early.lock().unwrap();
    if !std::mem::replace(&mut *early, true) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    super::photo(64, 64, ImageFormat::Png).into_response()
}

fn authorized(headers: &HeaderMap) {
    let authorization = headers
        .get("authorization")
        .map(|value| value.to_str().unwrap());
    assert_eq!(authorization, Some(format!("Bearer {TOKEN}").as_str()));
}

async fn official(
    State(shared): State<Arc<Shared>>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    assert!(body.get("version").is_none());
    create(&shared, &headers, &format!("{owner}/{name}"), body)
}

async fn versioned(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let version = super::text(&body["version"]).to_owned();
    create(&shared, &headers, &version, body)
}

fn create(shared: &Arc<Shared>, headers: &HeaderMap, model: &str, body: Value) -> Response {
    authorized(headers);
    check(model, &body);
    let fate = shared.fates.lock().unwrap().pop_front();
    let fate = fate.unwrap_or(Fate::Done);
    let mut call = body;
    call["model"] = model.into();
    shared.calls.lock().unwrap().push(call.clone());
    if let Fate::Refused(status, body) = fate {
        return (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
    }
    let mut predictions = shared.predictions.lock().unwrap();
    let id = format!("prediction{}", predictions.len());
    if matches!(fate, Fate::Tells) {
        let url = super::text(&call["webhook"]).to_owned();
        tokio::spawn(tell(url, done(shared, &id)));
    }
    predictions.insert(id.clone(), (fate, 0));
    let begun = json!({ "id": id, "status": "starting", "output": null, "error": null });
    (StatusCode::CREATED, Json(begun)).into_response()
}

/// Only what the model takes.
fn check(model: &str, body: &Value) {
    for field in body.as_object().unwrap().keys() {
        let known = ["input", "version", "webhook", "webhook_events_filter"];
        assert!(known.contains(&field.as_str()), "{field}");
    }
    if body.get("webhook").is_some() {
        assert_eq!(body["webhook_events_filter"], json!(["completed"]));
    }
    let input = body["input"].as_object().unwrap();
    let (photo, known): (&str, &[&str]) = match model {
        "black-forest-labs/flux-schnell" => (
            "",
            &["prompt", "aspect_ratio", "num_outputs", "output_format"],
        ),
        "flux-kontext-apps/restore-image" => (
            "input_image",
            &["input_image", "output_format", "safety_tolerance"],
        ),
        // A version of GFPGAN.
        "0123abcd" => ("img", &["img", "version", "scale"]),
        other => panic!("there is no model {other}"),
    };
    for field in input.keys() {
        assert!(known.contains(&field.as_str()), "{field} for {model}");
    }
    if let Some(photo) = input.get(photo) {
        let photo = photo.as_str().unwrap();
        let inline = photo.starts_with("data:image/jpeg;base64,");
        assert!(inline || photo.starts_with("http"), "{photo}");
        assert!(photo.len() <= 256 * 1024, "too long for a data URL");
    }
}

fn done(shared: &Shared, id: &str) -> Value {
    let output = format!("{}/out/picture.png", shared.address);
    json!({ "id": id, "status": "succeeded", "output": [output], "error": null })
}

async fn tell(url: String, prediction: Value) {
    tokio::time::sleep(Duration::from_millis(300)).await;
    let answer = sign(&url, &prediction, WEBHOOK_SECRET)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 204);
}

/// A webhook as Replicate sends it.
pub(crate) fn sign(url: &str, prediction: &Value, secret: &str) -> reqwest::RequestBuilder {
    let (id, now) = ("msg_1", Timestamp::now().as_second());
    let body = prediction.to_string();
    let webhook = Webhook::new(secret).unwrap();
    let signature = webhook.sign(id, now, body.as_bytes()).unwrap();
    super::server::client()
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", now)
        .header("webhook-signature", signature)
        .body(body)
}

async fn status(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Json<Value> {
    authorized(&headers);
    let mut predictions = shared.predictions.lock().unwrap();
    let (fate, asked) = predictions.get_mut(&id).unwrap();
    *asked += 1;
    let under_way = json!({ "id": id, "status": "processing", "output": null, "error": null });
    Json(match fate {
        Fate::Ends(end) => {
            let mut end = end.clone();
            end["id"] = id.into();
            end
        }
        Fate::Done if *asked > 2 => done(&shared, &id),
        _ => under_way,
    })
}

async fn cancel(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Json<Value> {
    authorized(&headers);
    shared.cancelled.lock().unwrap().push(id.clone());
    Json(json!({ "id": id, "status": "canceled" }))
}

async fn upload(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    mut form: Multipart,
) -> Response {
    authorized(&headers);
    let field = form.next_field().await.unwrap().unwrap();
    assert_eq!(field.name(), Some("content"));
    assert_eq!(field.content_type(), Some("image/jpeg"));
    let bytes = field.bytes().await.unwrap();
    image::load_from_memory(&bytes).unwrap();
    *shared.files.lock().unwrap() += 1;
    let url = format!("{}/v1/files/photo", shared.address);
    (
        StatusCode::CREATED,
        Json(json!({ "id": "photo", "urls": { "get": url } })),
    )
        .into_response()
}
