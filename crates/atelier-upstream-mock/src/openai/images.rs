//! Pictures: always the same, of one pixel.

use serde_json::{Value, json};

use super::CREATED;
use crate::{
    call::{Call, Fields},
    refusal::Refusal,
    reply::{Event, Reply},
    route::Answer,
};

/// A PNG of one transparent pixel, as base64.
pub(crate) const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

const LONGEST_PROMPT: usize = 32_000;

pub(crate) fn generate(call: &Call) -> Answer {
    draw(&call.fields()?, "image_generation")
}

pub(crate) async fn edit(call: &Call) -> Answer {
    let (fields, files) = call.form().await?;
    let images = files
        .iter()
        .filter(|file| matches!(file.name.as_str(), "image" | "image[]"));
    let images: Vec<_> = images.collect();
    if images.is_empty() {
        return Err(Refusal::missing("image"));
    }
    let masks = files.iter().filter(|file| file.name == "mask");
    for file in images.iter().copied().chain(masks) {
        if !is_picture(&file.bytes) {
            return Err(Refusal::bad(
                "Invalid image file or mode for image, please check your image file.",
            ));
        }
    }
    draw(&fields, "image_edit")
}

/// PNG, JPEG and WebP begin like this.
pub(crate) fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG")
        || bytes.starts_with(b"\xff\xd8\xff")
        || bytes.starts_with(b"RIFF")
}

fn draw(fields: &Fields, kind: &str) -> Answer {
    fields.model()?;
    let prompt = fields.text("prompt")?;
    if prompt.is_empty() || prompt.chars().count() > LONGEST_PROMPT {
        return Err(Refusal::wrong(
            "prompt",
            "1 to 32000 characters",
            &prompt.into(),
        ));
    }
    let n = fields.number("n", 1, 10)?.unwrap_or(1);
    let partial = fields.number("partial_images", 0, 3)?;
    if !fields.flag("stream")? {
        let data: Vec<Value> = (0..n).map(|_| json!({"b64_json": PICTURE})).collect();
        let mut body = appearance();
        body["created"] = CREATED.into();
        body["data"] = data.into();
        body["usage"] = usage(n);
        return Ok(Reply::Json(body));
    }
    let event = |name: &str, more: &[(&str, Value)]| {
        let mut data = appearance();
        data["type"] = format!("{kind}.{name}").into();
        data["created_at"] = CREATED.into();
        data["b64_json"] = PICTURE.into();
        for (name, value) in more {
            data[*name] = value.clone();
        }
        Event::named(data)
    };
    let partial = 0..partial.unwrap_or(0);
    let mut events: Vec<Event> = partial
        .map(|index| event("partial_image", &[("partial_image_index", index.into())]))
        .collect();
    events.push(event("completed", &[("usage", usage(1))]));
    Ok(Reply::Events(events))
}

fn appearance() -> Value {
    json!({"background": "opaque", "output_format": "png", "quality": "low", "size": "1024x1024"})
}

fn usage(pictures: u64) -> Value {
    json!({
        "input_tokens": 20, "input_tokens_details": {"text_tokens": 20, "image_tokens": 0},
        "output_tokens": 272 * pictures, "total_tokens": 20 + 272 * pictures,
    })
}
