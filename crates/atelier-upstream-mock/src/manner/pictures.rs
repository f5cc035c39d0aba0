//! Pictures where they are not made as OpenAI makes them: Hugging Face's bytes, and OpenRouter's
//! in the answer to a chat.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};

use super::INNER;
use crate::{
    call::{Call, Fields},
    openai::images,
    refusal::Refusal,
    reply::Reply,
    route::Answer,
};

/// The model that draws at Hugging Face, and at OpenRouter.
const FAST: &str = "maker/fast";
pub(super) const DRAWS: &str = "google/gemini-3-pro-image";

/// What those behind Hugging Face's router know of a picture's fields.
const NSCALE: &[&str] = &["model", "prompt", "response_format", "size"];
const TOGETHER: &[&str] = &[
    "height",
    "model",
    "prompt",
    "response_format",
    "steps",
    "width",
];
const PARAMETERS: &[&str] = &[
    "guidance_scale",
    "height",
    "negative_prompt",
    "num_inference_steps",
    "scheduler",
    "seed",
    "width",
];
const CHAT: &[&str] = &["image_config", "messages", "modalities", "model"];

/// Answers if a path of Hugging Face's router is one for pictures.
pub(super) fn routed(call: &Call) -> Option<Answer> {
    match call.path().strip_prefix("/hf-inference/models/") {
        Some(model) => Some(bytes(call, model)),
        None => match call.path() {
            "/nscale/v1/images/generations" => Some(as_openai(call, NSCALE, "b64_json")),
            "/together/v1/images/generations" => Some(as_openai(call, TOGETHER, "base64")),
            _ => None,
        },
    }
}

fn bytes(call: &Call, model: &str) -> Answer {
    if model != FAST {
        return Err(Refusal::no_model(model));
    }
    let fields = call.fields()?;
    only(&fields.0, &["inputs", "parameters"])?;
    fields.text("inputs")?;
    match fields.get("parameters") {
        None => {}
        Some(Value::Object(parameters)) => only(parameters, PARAMETERS)?,
        Some(other) => return Err(Refusal::wrong("parameters", "an object", other)),
    }
    let picture = BASE64.decode(images::PICTURE).unwrap_or_default();
    Ok(Reply::Bytes("image/png", picture))
}

fn as_openai(call: &Call, known: &[&str], format: &str) -> Answer {
    let mut fields = call.fields()?;
    only(&fields.0, known)?;
    let model = fields.text("model")?;
    if model != FAST {
        return Err(Refusal::no_model(model));
    }
    if fields
        .get("response_format")
        .is_some_and(|one| one != format)
    {
        return Err(Refusal::bad("response_format is not known"));
    }
    fields.0.insert("model".into(), "gpt-image-2".into());
    let reply = images::generate(&call.with(&fields.0))?;
    Ok(reply.changed(|body| *body = json!({"created": body["created"], "data": body["data"]})))
}

/// OpenRouter's answer to a chat with a model that draws.
pub(super) fn chatted(fields: &Fields) -> Answer {
    only(&fields.0, CHAT)?;
    let modalities = fields.list("modalities")?;
    if !modalities.iter().any(|one| one == "image") {
        return Err(Refusal::bad(
            "No endpoints found that support the modalities",
        ));
    }
    for message in fields.list("messages")? {
        for part in message["content"].as_array().into_iter().flatten() {
            let url = part["image_url"]["url"].as_str();
            let data = url.map(|url| url.split_once(";base64,").unwrap_or_default().1);
            let is_picture = |data| {
                BASE64
                    .decode(data)
                    .is_ok_and(|data| images::is_picture(&data))
            };
            if data.is_some_and(|data| !is_picture(data)) {
                return Err(Refusal::bad("The image cannot be read"));
            }
        }
    }
    let url = format!("data:image/png;base64,{}", images::PICTURE);
    Ok(Reply::Json(json!({
        "id": "gen-1", "object": "chat.completion", "created": 1_790_000_000, "model": INNER,
        "choices": [{
            "index": 0, "finish_reason": "stop", "native_finish_reason": "STOP",
            "message": {
                "role": "assistant", "content": "Here it is.", "refusal": null,
                "images": [{"type": "image_url", "image_url": {"url": url}}],
            },
        }],
        "usage": {"prompt_tokens": 10, "completion_tokens": 1_120, "total_tokens": 1_130},
    })))
}

fn only(fields: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refusal::unknown_field(name)),
        None => Ok(()),
    }
}
