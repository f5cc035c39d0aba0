//! Google's own API, which its models draw by: contents in parts, answers in candidates.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};

use super::usage::THOUGHT;
use crate::{
    Kind,
    call::Call,
    openai::{cut, embeddings::vector, images, reply_to, tokens, words},
    refusal::Refusal,
    reply::{Event, Reply},
    route::Answer,
    upstream::Shared,
};

/// The models that draw, and that embed.
pub(super) const DRAWS: &str = "gemini-3-pro-image";
const EMBEDS: &str = "gemini-embedding-001";

/// What is known at each place; anything else is refused.
const BODY: &[&str] = &[
    "contents",
    "generationConfig",
    "safetySettings",
    "systemInstruction",
];
const GENERATION: &[&str] = &[
    "candidateCount",
    "imageConfig",
    "maxOutputTokens",
    "responseModalities",
    "seed",
    "stopSequences",
    "temperature",
    "topK",
    "topP",
];
const IMAGE: &[&str] = &["aspectRatio", "imageSize"];
const EMBEDDING: &[&str] = &[
    "content",
    "model",
    "outputDimensionality",
    "taskType",
    "title",
];

const RATIOS: [&str; 14] = [
    "1:1", "1:4", "4:1", "1:8", "8:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9",
    "21:9",
];
const SIZES: [&str; 3] = ["1K", "2K", "4K"];

/// The numbers of a vector, unless fewer are asked for.
const LENGTH: u64 = 3072;

/// What is asked of a model.
pub(super) struct Operation<'a> {
    model: &'a str,
    method: &'a str,
}

/// What is asked for at this path, if it is one of Google's own API.
pub(super) fn operation(kind: Kind, path: &str) -> Option<Operation<'_>> {
    let models: &[&str] = match kind {
        Kind::Gemini => &["/v1/models/", "/v1beta/models/"],
        Kind::Vertex => &["/v1/projects/ours/locations/global/publishers/google/models/"],
        _ => return None,
    };
    let mut below = models.iter().filter_map(|models| path.strip_prefix(models));
    let (model, method) = below.next()?.split_once(':')?;
    Some(Operation { model, method })
}

pub(super) fn answer(
    shared: &Shared,
    kind: Kind,
    call: &Call,
    operation: &Operation<'_>,
) -> Answer {
    let Operation { model, method } = *operation;
    let speaks = kind.model().rsplit('/').next().unwrap_or_default();
    let body = members(Some(&call.fields()?.0.into()))?;
    match (method, model) {
        ("batchEmbedContents", EMBEDS) if kind == Kind::Gemini => embed(&body),
        ("generateContent", _) if model == DRAWS || model == speaks => {
            generate(shared, model, &body)
        }
        ("streamGenerateContent", _) if model == DRAWS || model == speaks => {
            if call.uri.query() != Some("alt=sse") {
                return Err(Refusal::bad("Only server-sent events are stood in for."));
            }
            Ok(streamed(generate(shared, model, &body)?))
        }
        _ => Err(Refusal::no_model(model)),
    }
}

fn generate(shared: &Shared, model: &str, body: &Map<String, Value>) -> Answer {
    only(body, BODY)?;
    let contents = body.get("contents").and_then(Value::as_array);
    let contents = contents.filter(|contents| !contents.is_empty());
    let contents = contents.ok_or_else(|| Refusal::bad("contents is not specified"))?;
    let mut said = Vec::new();
    for content in contents {
        said = read(content)?;
    }
    let said = said.join(" ");
    let generation = members(body.get("generationConfig"))?;
    only(&generation, GENERATION)?;
    if generation.get("candidateCount").is_some_and(|n| n != 1) {
        return Err(Refusal::bad(
            "Multiple candidates is not enabled for this model",
        ));
    }
    let draws = draws(model, &generation)?;
    let most = generation.get("maxOutputTokens").and_then(Value::as_u64);
    let (text, is_cut) = cut(&reply_to(&said), most);
    let parts = if draws {
        drawn()
    } else {
        json!([{"text": text}])
    };
    let end = if is_cut { "MAX_TOKENS" } else { "STOP" };
    let (input, kind) = (tokens(&said) + 3, if draws { "IMAGE" } else { "TEXT" });
    let output = if draws { 1_120 } else { tokens(&text) };
    Ok(Reply::Json(json!({
        "candidates": [{
            "content": {"role": "model", "parts": parts}, "finishReason": end, "index": 0,
        }],
        "usageMetadata": {
            "promptTokenCount": input, "candidatesTokenCount": output,
            "thoughtsTokenCount": THOUGHT, "totalTokenCount": (input + output) as u64 + THOUGHT,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": input}],
            "candidatesTokensDetails": [{"modality": kind, "tokenCount": output}],
        },
        "modelVersion": model, "responseId": format!("response-{}", shared.number()),
    })))
}

/// The texts of a content, whose pictures must be pictures.
fn read(content: &Value) -> Result<Vec<String>, Refusal> {
    let content = members(Some(content))?;
    only(&content, &["parts", "role"])?;
    let role = content.get("role").and_then(Value::as_str);
    if !matches!(role, None | Some("user" | "model")) {
        return Err(Refusal::bad("Please use a valid role: user, model."));
    }
    let parts = content.get("parts").and_then(Value::as_array);
    let mut texts = Vec::new();
    for part in parts.ok_or_else(|| Refusal::bad("contents.parts must not be empty."))? {
        let part = members(Some(part))?;
        only(&part, &["inlineData", "text"])?;
        texts.extend(part.get("text").and_then(Value::as_str).map(str::to_owned));
        if let Some(inline) = part.get("inlineData") {
            let inline = members(Some(inline))?;
            only(&inline, &["data", "mimeType"])?;
            let text = |name: &str| inline.get(name).and_then(Value::as_str).unwrap_or_default();
            let data = BASE64.decode(text("data")).unwrap_or_default();
            if !text("mimeType").starts_with("image/") || !images::is_picture(&data) {
                return Err(Refusal::bad("Unable to process input image."));
            }
        }
    }
    Ok(texts)
}

/// Whether a picture is asked for, in a form that the model has.
fn draws(model: &str, generation: &Map<String, Value>) -> Result<bool, Refusal> {
    let modalities = generation.get("responseModalities");
    let asked = modalities.and_then(Value::as_array);
    let asked = asked.is_some_and(|all| all.iter().any(|one| one == "IMAGE"));
    let image = members(generation.get("imageConfig"))?;
    only(&image, IMAGE)?;
    if model != DRAWS && (asked || !image.is_empty()) {
        return Err(Refusal::bad(
            "The requested combination of response modalities is not supported by the model.",
        ));
    }
    let among = |name: &str, all: &[&str]| {
        let one = image.get(name);
        one.is_none_or(|one| one.as_str().is_some_and(|one| all.contains(&one)))
    };
    if !among("aspectRatio", &RATIOS) || !among("imageSize", &SIZES) {
        return Err(Refusal::bad(
            "Invalid value at 'generation_config.image_config'",
        ));
    }
    Ok(model == DRAWS && (asked || modalities.is_none()))
}

/// A picture on the way, words, and the picture.
fn drawn() -> Value {
    let picture = json!({"mimeType": "image/png", "data": images::PICTURE});
    json!([
        {"thought": true, "inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"text": "Here it is."},
        {"inlineData": picture, "thoughtSignature": "c2lnLTE="},
    ])
}

/// A word with each event, and the usage so far.
fn streamed(reply: Reply) -> Reply {
    let Reply::Json(whole) = reply else {
        return reply;
    };
    let candidate = &whole["candidates"][0];
    let parts: Vec<Value> = match candidate["content"]["parts"][0]["text"].as_str() {
        Some(text) => words(text)
            .iter()
            .map(|word| json!({"text": word}))
            .collect(),
        None => candidate["content"]["parts"]
            .as_array()
            .cloned()
            .unwrap_or_default(),
    };
    let last = parts.len();
    let events = (1..).zip(parts).map(|(number, part)| {
        let mut event = whole.clone();
        event["candidates"][0]["content"]["parts"] = json!([part]);
        if number < last {
            event["candidates"][0]["finishReason"] = Value::Null;
            event["usageMetadata"]["candidatesTokenCount"] = number.into();
        }
        Event::data(event)
    });
    Reply::Events(events.collect())
}

fn embed(body: &Map<String, Value>) -> Answer {
    only(body, &["requests"])?;
    let requests = body.get("requests").and_then(Value::as_array);
    let requests = requests.ok_or_else(|| Refusal::bad("requests is not specified"))?;
    let vectors = requests.iter().map(|request| {
        let request = members(Some(request))?;
        only(&request, EMBEDDING)?;
        if request.get("model") != Some(&json!(format!("models/{EMBEDS}"))) {
            return Err(Refusal::bad("model must match the one in the address"));
        }
        let texts = read(request.get("content").unwrap_or(&Value::Null))?;
        let length = request.get("outputDimensionality").and_then(Value::as_u64);
        let values = vector(&texts.join(" "), length.unwrap_or(LENGTH));
        Ok(json!({"values": values}))
    });
    let vectors: Vec<_> = vectors.collect::<Result<_, Refusal>>()?;
    Ok(Reply::Json(json!({"embeddings": vectors})))
}

/// The members of an object. Their names may be in snake case as well, as in all of Google's JSON.
fn members(value: Option<&Value>) -> Result<Map<String, Value>, Refusal> {
    match value {
        None => Ok(Map::new()),
        Some(Value::Object(members)) => {
            let members = members.iter();
            Ok(members
                .map(|(name, value)| (camel(name), value.clone()))
                .collect())
        }
        Some(_) => Err(Refusal::bad("Invalid JSON payload received.")),
    }
}

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let (letter, rest) = part.split_at(part.ceil_char_boundary(1));
        name + &letter.to_ascii_uppercase() + rest
    })
}

fn only(members: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refusal::bad(format!(
            "Invalid JSON payload received. Unknown name \"{name}\": Cannot find field."
        ))),
        None => Ok(()),
    }
}
