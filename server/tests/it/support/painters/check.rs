//! What each service takes, and nothing else.

use std::collections::BTreeSet;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest as _, Multipart},
    http::{HeaderMap, Method, Request},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};

use super::Wire;

/// The headers that a client of any of them sends.
const HEADERS: [&str; 8] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
];

/// Checks a call; what it carried, and where it went.
pub(super) async fn call(wire: Wire, request: Request<Body>) -> Value {
    assert_eq!(request.method(), Method::POST);
    check_headers(wire, request.headers());
    let path = request.uri().path().to_owned();
    let query = request.uri().query().map(str::to_owned);
    let is_form = request.headers()["content-type"]
        .to_str()
        .unwrap()
        .starts_with("multipart/form-data");
    let mut body = if is_form {
        fields(wire, request).await
    } else {
        assert_eq!(request.headers()["content-type"], "application/json");
        let bytes = to_bytes(request.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&bytes).expect("JSON")
    };
    check_secrets(wire, &body);
    check_query(wire, query.as_deref());
    match wire {
        Wire::Gemini => gemini(&path, &mut body),
        Wire::OpenRouter => openrouter(&path, &mut body),
        Wire::HuggingFace => huggingface(&path, &body),
        _ => openai(wire, &path, &body, is_form),
    }
    body["path"] = path.into();
    body
}

/// None of the visitor's headers, and the key where it belongs.
fn check_headers(wire: Wire, headers: &HeaderMap) {
    let (name, value) = match wire {
        Wire::Gemini => ("x-goog-api-key", wire.key()),
        Wire::Azure => ("api-key", wire.key()),
        _ => (
            "authorization",
            wire.key().map(|key| format!("Bearer {key}")),
        ),
    };
    for header in headers.keys() {
        let header = header.as_str();
        assert!(
            header == name || HEADERS.contains(&header),
            "{wire:?} is sent {header}"
        );
    }
    let sent = headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(sent, value.as_deref(), "the key of {wire:?}");
    let agent = headers["user-agent"].to_str().unwrap();
    assert!(agent.starts_with("atelier/"), "{agent}");
}

/// No key is in a body, neither its own nor another's, and no cookie.
fn check_secrets(wire: Wire, body: &Value) {
    let text = body.to_string();
    for secret in ["secret-", "sk-test", "r8_test", "session="] {
        assert!(!text.contains(secret), "{wire:?} is sent {secret}");
    }
}

fn check_query(wire: Wire, query: Option<&str>) {
    let expected = (wire == Wire::Azure).then_some("api-version=preview");
    assert_eq!(query, expected);
}

/// Fails if there are others than these members.
fn only(body: &Value, names: &[&str]) {
    let known: BTreeSet<_> = names.iter().copied().collect();
    for name in body.as_object().expect("an object").keys() {
        assert!(known.contains(name.as_str()), "{name:?} is refused: {body}");
    }
}

fn gemini(path: &str, body: &mut Value) {
    let model = Wire::Gemini.model();
    assert_eq!(path, format!("/v1beta/models/{model}:generateContent"));
    only(body, &["contents", "generationConfig", "safetySettings"]);
    let settings = &body["generationConfig"];
    only(
        settings,
        &["responseModalities", "imageConfig", "candidateCount"],
    );
    assert_eq!(settings["responseModalities"], json!(["IMAGE"]));
    if let Some(image) = settings.get("imageConfig") {
        only(image, &["aspectRatio", "imageSize"]);
        let ratios = [
            "1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9",
        ];
        let is_one = |ratio: &Value| ratio.as_str().is_some_and(|ratio| ratios.contains(&ratio));
        assert!(image.get("aspectRatio").is_none_or(is_one), "{image}");
        let sizes = ["1K", "2K", "4K"];
        let is_one = |size: &Value| size.as_str().is_some_and(|size| sizes.contains(&size));
        assert!(image.get("imageSize").is_none_or(is_one), "{image}");
    }
    for content in body["contents"].as_array_mut().unwrap() {
        only(content, &["role", "parts"]);
        assert_eq!(content["role"], "user");
        for part in content["parts"].as_array_mut().unwrap() {
            only(part, &["text", "inlineData"]);
            if let Some(inline) = part.get_mut("inlineData") {
                only(inline, &["mimeType", "data"]);
                let kind = inline["mimeType"].as_str().unwrap().to_owned();
                inline["data"] = seen(inline["data"].as_str().unwrap(), &kind);
            }
        }
    }
}

fn openrouter(path: &str, body: &mut Value) {
    assert_eq!(path, "/api/v1/chat/completions");
    only(body, &["model", "messages", "modalities", "image_config"]);
    assert_eq!(body["model"], Wire::OpenRouter.model());
    assert_eq!(body["modalities"], json!(["image", "text"]));
    for message in body["messages"].as_array_mut().unwrap() {
        only(message, &["role", "content"]);
        for part in message["content"].as_array_mut().unwrap() {
            let Some(url) = part["image_url"]["url"].as_str() else {
                assert_eq!(part["type"], "text");
                continue;
            };
            let (kind, data) = url
                .strip_prefix("data:")
                .unwrap()
                .split_once(";base64,")
                .unwrap();
            part["image_url"] = seen(data, kind);
        }
    }
}

/// A picture in base64, as its type and its size.
fn seen(data: &str, kind: &str) -> Value {
    let bytes = BASE64.decode(data).expect("base64");
    let picture = image::load_from_memory(&bytes).expect("a picture");
    assert!(
        ["image/png", "image/jpeg", "image/webp"].contains(&kind),
        "{kind}"
    );
    json!({ "type": kind, "size": [picture.width(), picture.height()] })
}

fn huggingface(path: &str, body: &Value) {
    if path == "/hf-inference/models/maker/fast" {
        only(body, &["inputs", "parameters"]);
        assert!(body["inputs"].is_string());
        let settings = body.get("parameters").cloned().unwrap_or(json!({}));
        return only(
            &settings,
            &["width", "height", "seed", "num_inference_steps"],
        );
    }
    assert_eq!(
        body["model"], "maker/fast",
        "the provider is no part of the name"
    );
    if path == "/together/v1/images/generations" {
        only(
            body,
            &[
                "model",
                "prompt",
                "width",
                "height",
                "steps",
                "response_format",
            ],
        );
        return assert_eq!(body["response_format"], "base64");
    }
    assert_eq!(path, "/nscale/v1/images/generations");
    only(body, &["model", "prompt", "size", "response_format"]);
    assert_eq!(body["response_format"], "b64_json");
}

fn openai(wire: Wire, path: &str, body: &Value, is_form: bool) {
    let end = if is_form { "edits" } else { "generations" };
    assert_eq!(path, format!("{}/images/{end}", wire.base()));
    let known: &[&str] = match wire {
        Wire::SdCpp => &["prompt", "n", "size", "output_format", "image[]", "mask"],
        Wire::LocalAi => &[
            "model",
            "prompt",
            "n",
            "size",
            "response_format",
            "step",
            "seed",
        ],
        Wire::Vllm => &[
            "model",
            "prompt",
            "n",
            "size",
            "response_format",
            "seed",
            "image",
            "mask",
        ],
        _ => &[
            "model",
            "prompt",
            "n",
            "size",
            "quality",
            "background",
            "stream",
            "partial_images",
            "image",
            "mask",
            "input_fidelity",
            "output_format",
        ],
    };
    only(body, known);
    assert_eq!(body.get("model").is_some(), wire != Wire::SdCpp);
    assert!(body.get("model").is_none_or(|model| model == wire.model()));
    assert!(
        wire != Wire::LocalAi || !is_form,
        "it makes none from others"
    );
    let prompt = body["prompt"].as_str().unwrap();
    assert!(
        !prompt.is_empty() && !prompt.contains("sd_cpp_extra_args"),
        "{prompt}"
    );
    let size = body["size"].as_str().unwrap();
    assert!(size.split_once('x').is_some() || (size == "auto" && wire == Wire::Azure));
}

/// The fields of a form: texts as they are, pictures as what they show.
async fn fields(wire: Wire, request: Request<Body>) -> Value {
    let mut form = Multipart::from_request(request, &()).await.unwrap();
    let mut body = Map::new();
    while let Some(field) = form.next_field().await.unwrap() {
        let name = field.name().unwrap().to_owned();
        let value = match field.content_type().map(str::to_owned) {
            Some(kind) => seen(&BASE64.encode(field.bytes().await.unwrap()), &kind),
            None => Value::from(field.text().await.unwrap()),
        };
        let is_number = matches!(name.as_str(), "n" | "partial_images" | "stream");
        let value = match &value {
            Value::String(text) if is_number => serde_json::from_str(text).unwrap(),
            _ => value,
        };
        assert!(
            body.insert(name, value).is_none(),
            "{wire:?} is sent a field twice"
        );
    }
    Value::Object(body)
}
