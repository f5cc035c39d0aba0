//! What is peculiar about an upstream: it is asked as it wants to be, what it refuses is
//! refused, and the rest is done as OpenAI does it.

mod google;
mod pictures;
mod troubles;
mod usage;
mod watsonx;

use axum::http::Method;
use serde_json::{Map, Value, json};

pub(crate) use self::{
    troubles::{Told, refusal, trouble},
    usage::UsageAt,
};
use crate::{
    KEY, Kind, anthropic,
    call::Call,
    openai::{chat, embeddings, images},
    refusal::Refusal,
    reply::Reply,
    route::{self, Answer},
    upstream::Shared,
};

/// What is peculiar about an upstream.
pub(crate) struct Manner {
    pub(crate) name: &'static str,
    pub(crate) base: &'static str,
    pub(crate) shown: Shown,
    /// A parameter that every address must have.
    pub(crate) query: Option<&'static str>,
    pub(crate) model: &'static str,
    /// The fields that it knows; any others are refused.
    pub(crate) known: Option<&'static [&'static str]>,
    /// Fields that it refuses.
    pub(crate) refuses: &'static [&'static str],
    pub(crate) usage: UsageAt,
    pub(crate) form: Form,
    pub(crate) lists: bool,
    pub(crate) chats: bool,
    pub(crate) embeds: bool,
}

/// How the key is to be shown.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shown {
    Bearer,
    /// In this header.
    In(&'static str),
    /// A token that was given for it.
    Token,
    /// As Anthropic wants it.
    Anthropic,
    /// Not at all.
    Nothing,
    /// It does not matter.
    Anything,
}

/// How its errors are written.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    OpenAi,
    Anthropic,
    /// Google's, in a list of one.
    Google,
    /// A list of errors, and a trace.
    Ibm,
    /// As FastAPI says what is wrong with a field, and else a bare message.
    FastApi,
    /// OpenAI's, but the code is the status.
    Number,
    /// `error` is the text.
    Text,
}

impl Manner {
    pub(crate) const OPENAI: Manner = Manner {
        name: "openai",
        base: "/v1",
        shown: Shown::Bearer,
        query: None,
        model: INNER,
        known: None,
        refuses: &[],
        usage: UsageAt::Asked,
        form: Form::OpenAi,
        lists: true,
        chats: true,
        embeds: true,
    };
}

/// The model that does the work of all.
const INNER: &str = "gpt-4o-mini";

/// Answers a call or refuses it, as this kind of upstream does.
pub(crate) async fn answer(shared: &Shared, kind: Kind, call: &Call) -> Answer {
    let manner = kind.manner();
    if let Some(answer) = shared.tokens.answer(kind, call) {
        return answer;
    }
    if let Some(operation) = google::operation(kind, call.path()) {
        authorize_natively(shared, kind, call)?;
        return google::answer(shared, kind, call, &operation);
    }
    if kind == Kind::HuggingFace
        && let Some(answer) = pictures::routed(call)
    {
        authorize(shared, &manner, call, call.path())?;
        return answer;
    }
    let path = call.path().strip_prefix(manner.base);
    let path = path.ok_or_else(|| Refusal::not_found("No such path."))?;
    authorize(shared, &manner, call, path)?;
    if let Some(name) = manner.query {
        let query = call.uri.query().unwrap_or_default();
        let mut names = query.split('&').filter_map(|pair| pair.split_once('='));
        if !names.any(|(one, value)| one == name && !value.is_empty()) {
            return Err(Refusal::bad(format!(
                "The query parameter {name} is missing."
            )));
        }
    }
    match (call.method.clone(), path) {
        (Method::GET, "/models") if manner.lists && kind != Kind::Watsonx => Ok(models(kind)),
        (Method::GET, "/foundation_model_specs") if kind == Kind::Watsonx => {
            Ok(watsonx::models(manner.model))
        }
        (Method::POST, "/text/chat" | "/text/chat_stream" | "/text/embeddings")
            if kind == Kind::Watsonx =>
        {
            watsonx::answer(shared, &manner, call, path)
        }
        (Method::POST, "/chat/completions") if manner.chats && kind != Kind::Watsonx => {
            chatted(shared, kind, &manner, call)
        }
        (Method::POST, "/embeddings") if manner.embeds && kind != Kind::Watsonx => {
            let inner = inner(&manner, call, "text-embedding-3-small")?;
            embeddings::create(&inner)
        }
        (Method::POST, "/images/generations") if kind == Kind::SdCpp => {
            images::generate(&inner(&manner, call, "gpt-image-2")?)
        }
        (Method::POST, "/messages" | "/messages/count_tokens") if kind == Kind::Anthropic => {
            route::answer(shared, call).await
        }
        _ => Err(Refusal::not_found("No such path.")),
    }
}

fn authorize(shared: &Shared, manner: &Manner, call: &Call, path: &str) -> Result<(), Refusal> {
    let bearer = call.header("authorization");
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
    let is_right = match manner.shown {
        Shown::Bearer => bearer == Some(KEY),
        Shown::In(name) => call.header(name) == Some(KEY) && bearer.is_none(),
        Shown::Token => bearer.is_some_and(|token| shared.tokens.is_valid(token)),
        Shown::Anthropic if path == "/chat/completions" => bearer == Some(KEY),
        Shown::Anthropic => return anthropic::authorize(call),
        Shown::Nothing => bearer.is_none(),
        Shown::Anything => true,
    };
    if is_right {
        Ok(())
    } else {
        Err(Refusal::key())
    }
}

/// Google's own API takes a key in a header of its own.
fn authorize_natively(shared: &Shared, kind: Kind, call: &Call) -> Result<(), Refusal> {
    let manner = kind.manner();
    let shown = match manner.shown {
        Shown::Bearer => Shown::In("x-goog-api-key"),
        shown => shown,
    };
    authorize(shared, &Manner { shown, ..manner }, call, "")
}

fn models(kind: Kind) -> Reply {
    let id = kind.manner().model;
    let ids = match kind {
        Kind::Gemini => [id, google::DRAWS, "veo-9"]
            .map(|id| format!("models/{id}"))
            .into(),
        _ => vec![id.to_owned()],
    };
    let models = ids.iter().map(|id| json!({"id": id, "object": "model"}));
    Reply::Json(json!({"object": "list", "data": models.collect::<Vec<_>>()}))
}

/// The call as OpenAI would know it, once its fields are found right.
fn inner(manner: &Manner, call: &Call, model: &str) -> Result<Call, Refusal> {
    let mut fields = call.fields()?.0;
    check(manner, &fields)?;
    fields.insert("model".into(), model.into());
    Ok(call.with(&fields))
}

fn check(manner: &Manner, fields: &Map<String, Value>) -> Result<(), Refusal> {
    let is_unknown = |name: &&String| {
        let knows = manner
            .known
            .is_none_or(|known| known.contains(&name.as_str()));
        !knows || manner.refuses.contains(&name.as_str())
    };
    if let Some(name) = fields.keys().find(is_unknown) {
        return Err(Refusal::unknown_field(name));
    }
    let model = fields.get("model").or(fields.get("model_id"));
    match model.and_then(Value::as_str) {
        Some(model) if model == manner.model => Ok(()),
        Some(other) => Err(Refusal::no_model(other)),
        None => Err(Refusal::missing("model")),
    }
}

fn chatted(shared: &Shared, kind: Kind, manner: &Manner, call: &Call) -> Answer {
    let fields = call.fields()?;
    particular(kind, &fields.0)?;
    if kind == Kind::OpenRouter && fields.get("model") == Some(&json!(pictures::DRAWS)) {
        return Ok(manner.usage.told(pictures::chatted(&fields)?, false));
    }
    let wants_usage = fields.get("stream_options").is_some();
    let mut inner = inner(manner, call, INNER)?.fields()?.0;
    // Those that know the older name only read over the other.
    if !matches!(
        kind,
        Kind::Azure | Kind::Gemini | Kind::Vertex | Kind::Groq | Kind::Vllm
    ) {
        inner.remove("max_completion_tokens");
    }
    if inner.get("stream") == Some(&json!(true)) {
        inner.insert("stream_options".into(), json!({"include_usage": true}));
    }
    let reply = chat::create(shared, &call.with(&inner))?;
    let reply = reply.changed(|value| {
        if value.get("model").is_some() {
            value["model"] = manner.model.into();
        }
        signed(kind, value);
    });
    Ok(manner.usage.told(reply, wants_usage))
}

/// What single ones refuse of what their fields say.
fn particular(kind: Kind, fields: &Map<String, Value>) -> Result<(), Refusal> {
    let text = fields
        .get("messages")
        .map(Value::to_string)
        .unwrap_or_default();
    match kind {
        Kind::Groq if fields.get("n").is_some_and(|n| n != 1) => {
            Err(Refusal::bad("'n' : number must be at most 1"))
        }
        Kind::DeepSeek if fields.get("response_format").is_some_and(is_schema) => {
            Err(Refusal::bad("This response_format type is unavailable now"))
        }
        Kind::Ollama if text.contains("\"url\":\"http") => Err(Refusal::bad(
            "image URLs are not currently supported, please use base64 encoded data instead",
        )),
        Kind::Gemini | Kind::Vertex
            if text.contains("\"tool_calls\"")
                && !text.contains("\"thought_signature\":\"sig-1\"") =>
        {
            Err(Refusal::bad(
                "Function call is missing a thought_signature.",
            ))
        }
        _ => Ok(()),
    }
}

fn is_schema(format: &Value) -> bool {
    format["type"] == "json_schema"
}

/// Google signs what the model has thought before it called a tool.
fn signed(kind: Kind, value: &mut Value) {
    if !matches!(kind, Kind::Gemini | Kind::Vertex) {
        return;
    }
    for place in ["message", "delta"] {
        let call = value.pointer_mut(&format!("/choices/0/{place}/tool_calls/0"));
        if let Some(call) = call.filter(|call| call.get("id").is_some()) {
            call["extra_content"] = json!({"google": {"thought_signature": "sig-1"}});
        }
    }
}
