//! Stand-ins for services that make pictures, each in its own form and as strict as the real one: a request
//! that it would refuse fails the test. So does a header that is none of theirs.

mod check;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{Method, Request, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Setup, picture};

/// Whose form a stand-in has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Gemini,
    HuggingFace,
    Azure,
    OpenRouter,
    SdCpp,
    LocalAi,
    Vllm,
}

/// What a stand-in does with one call.
#[derive(Clone)]
pub(crate) enum Stroke {
    Picture,
    /// Success, and the body is this.
    Json(Value),
    /// This status and body.
    Error(u16, Value),
    /// The same, with `Retry-After`.
    Later(u16, &'static str),
    /// Half an answer, and the connection is cut.
    Cut,
}

/// A stand-in, serving until the test ends.
pub(crate) struct Painter {
    pub(crate) wire: Wire,
    url: String,
    shared: Arc<Shared>,
}

struct Shared {
    wire: Wire,
    script: Mutex<VecDeque<Stroke>>,
    calls: Mutex<Vec<Value>>,
}

impl Wire {
    pub(crate) const ALL: [Self; 7] = [
        Self::Gemini,
        Self::HuggingFace,
        Self::Azure,
        Self::OpenRouter,
        Self::SdCpp,
        Self::LocalAi,
        Self::Vllm,
    ];

    /// The kind of the upstream, which is its name, too.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gemini => "gemini",
            Self::HuggingFace => "huggingface",
            Self::Azure => "azure",
            Self::OpenRouter => "openrouter",
            Self::SdCpp => "sdcpp",
            Self::LocalAi => "localai",
            Self::Vllm => "vllm",
        }
    }

    /// The only model that it has.
    pub(crate) fn model(self) -> &'static str {
        match self {
            Self::Gemini => "gemini-3-pro-image",
            Self::HuggingFace => "maker/fast",
            Self::Azure => "gpt-image-2",
            Self::OpenRouter => "google/gemini-3-pro-image",
            Self::SdCpp => "sd-cpp-local",
            Self::LocalAi => "stablediffusion",
            Self::Vllm => "Qwen/Qwen-Image",
        }
    }

    /// Where OpenAI's paths are below its address.
    fn base(self) -> &'static str {
        match self {
            Self::Gemini => "/v1beta/openai",
            Self::Azure => "/openai/v1",
            Self::OpenRouter => "/api/v1",
            _ => "/v1",
        }
    }

    /// The key that it knows, if it wants one.
    fn key(self) -> Option<String> {
        (!matches!(self, Self::SdCpp | Self::LocalAi)).then(|| format!("secret-{}", self.name()))
    }
}

impl Painter {
    /// Answers with a picture once the script is over.
    pub(crate) async fn start(wire: Wire, script: Vec<Stroke>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            wire,
            script: Mutex::new(script.into()),
            calls: Mutex::default(),
        });
        let router = Router::new().fallback(call).with_state(Arc::clone(&shared));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { wire, url, shared }
    }

    /// `"UPSTREAM/MODEL"`.
    pub(crate) fn model(&self) -> String {
        format!("{}/{}", self.wire.name(), self.wire.model())
    }

    /// It as an upstream of the configuration.
    pub(crate) fn upstream(&self) -> String {
        let Self { wire, url, .. } = self;
        let (name, base) = (wire.name(), wire.base());
        let mut text =
            format!("[[upstreams]]\nname = '{name}'\nkind = '{name}'\nbase_url = '{url}{base}'\n");
        if wire.key().is_some() {
            text += &format!("api_key_env = 'KEY_{name}'\n");
        }
        if *wire == Wire::Azure {
            text += "api_version = 'preview'\nmodels = ['gpt-image-2']\n";
        }
        text
    }

    /// The calls so far: their bodies, and the `path` that each went to.
    pub(crate) fn calls(&self) -> Vec<Value> {
        self.shared.calls.lock().unwrap().clone()
    }
}

impl Setup {
    /// With these settings of the studio, and these stand-ins as upstreams.
    pub(crate) fn painters(studio: &str, painters: &[&Painter]) -> Self {
        let queue = "[queue]\nretry_base = '10ms'\n";
        let upstreams: String = painters.iter().map(|painter| painter.upstream()).collect();
        let setup = Self::with_file(&format!(
            "limits = []\n{queue}[studio]\n{studio}\n{upstreams}"
        ));
        setup.with_keys(painters)
    }

    /// With the keys of these stand-ins.
    pub(crate) fn with_keys(self, painters: &[&Painter]) -> Self {
        painters.iter().fold(self, |setup, painter| {
            let name = format!("KEY_{}", painter.wire.name());
            match painter.wire.key() {
                Some(key) => setup.set(&name, &key),
                None => setup,
            }
        })
    }
}

async fn call(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    if request.method() == Method::GET {
        // The gateway asks for its models.
        return Json(json!({ "data": [] })).into_response();
    }
    let wire = shared.wire;
    let call = check::call(wire, request).await;
    let next = shared.script.lock().unwrap().pop_front();
    let n = call["n"].as_u64().unwrap_or(1);
    let path = call["path"].as_str().unwrap_or_default().to_owned();
    shared.calls.lock().unwrap().push(call);
    match next.unwrap_or(Stroke::Picture) {
        Stroke::Picture => painted(wire, &path, n),
        Stroke::Json(body) => Json(body).into_response(),
        Stroke::Error(status, body) => {
            let status = StatusCode::from_u16(status).unwrap();
            (status, [("x-request-id", "req_test")], Json(body)).into_response()
        }
        Stroke::Later(status, pause) => {
            let status = StatusCode::from_u16(status).unwrap();
            (status, [("retry-after", pause)], "later").into_response()
        }
        Stroke::Cut => {
            let half = Ok(Bytes::from_static(b"{\"created\":1,\"data\":["));
            let cut = Err(std::io::Error::other("cut"));
            Body::from_stream(futures::stream::iter([half, cut])).into_response()
        }
    }
}

/// A success in the form of the service.
fn painted(wire: Wire, path: &str, n: u64) -> Response {
    let encoded = BASE64.encode(picture());
    match wire {
        Wire::Gemini => {
            let thought = json!({ "thought": true, "inlineData": { "mimeType": "image/png", "data": "AAAA" } });
            let picture = json!({ "inlineData": { "mimeType": "image/png", "data": encoded } });
            Json(json!({
                "candidates": [{
                    "content": { "role": "model", "parts": [thought, { "text": "Here." }, picture] },
                    "finishReason": "STOP", "index": 0,
                }],
                "usageMetadata": {
                    "promptTokenCount": 10, "candidatesTokenCount": 1000, "thoughtsTokenCount": 100,
                    "totalTokenCount": 1110,
                },
                "modelVersion": "gemini-3-pro-image", "responseId": "r",
            }))
            .into_response()
        }
        Wire::HuggingFace if path.starts_with("/hf-inference/") => {
            ([("content-type", "image/png")], picture()).into_response()
        }
        Wire::OpenRouter => {
            let url = format!("data:image/png;base64,{encoded}");
            let image = json!({ "type": "image_url", "image_url": { "url": url } });
            Json(json!({
                "id": "gen-1", "object": "chat.completion",
                "choices": [{
                    "finish_reason": "stop", "native_finish_reason": "STOP",
                    "message": { "role": "assistant", "content": "Here.", "images": [image] },
                }],
                "usage": { "prompt_tokens": 10, "completion_tokens": 1000, "cost": 0.04 },
            }))
            .into_response()
        }
        _ => {
            let data: Vec<_> = (0..n).map(|_| json!({ "b64_json": encoded })).collect();
            let mut body = json!({ "created": 1, "data": data });
            if wire == Wire::Azure {
                body["usage"] = super::usage();
            }
            Json(body).into_response()
        }
    }
}
