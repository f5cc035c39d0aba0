//! What Google's models are asked for: words, pictures, an aspect ratio and a size.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use atelier_api::Size;

use super::super::{
    frame::Frame,
    instruction::instruction,
    ratio::{nearest, nearest_to},
};
use crate::job::{ImageTask, RestorationTask};

/// The aspect ratios that all of the models take.
pub(in crate::providers) const RATIOS: [(u32, u32); 10] = [
    (1, 1),
    (2, 3),
    (3, 2),
    (3, 4),
    (4, 3),
    (4, 5),
    (5, 4),
    (9, 16),
    (16, 9),
    (21, 9),
];

/// The pixels of a picture of the size `1K`.
const PIXELS: f64 = 1024.0 * 1024.0;

/// A picture from words, or from others.
pub(super) fn picture(task: &ImageTask, pictures: &[bytes::Bytes]) -> Value {
    let mut parts = vec![json!({ "text": task.styled() })];
    for (described, bytes) in task.beginnings().into_iter().zip(pictures) {
        parts.push(inline(&described.media_type, bytes));
    }
    content(&parts, config(&task.size))
}

/// A restoration of a photo on a canvas of this aspect ratio.
pub(super) fn restoration(task: &RestorationTask, photo: &[u8], ratio: (u32, u32)) -> Value {
    let parts = [
        json!({ "text": instruction(task) }),
        inline("image/jpeg", photo),
    ];
    content(&parts, json!({ "aspectRatio": written(ratio) }))
}

/// The canvas for a photo, and its aspect ratio.
pub(in crate::providers) fn frame(task: &RestorationTask) -> (Frame, (u32, u32)) {
    let begun = task.beginning();
    let photo = (begun.width, begun.height);
    let asked = f64::from(photo.0) / f64::from(photo.1);
    let ratio = nearest_to(&RATIOS, asked).unwrap_or((1, 1));
    let of_sides = f64::from(ratio.0) / f64::from(ratio.1);
    let width = (PIXELS * of_sides).sqrt();
    let canvas = (width.round() as u32, (width / of_sides).round() as u32);
    (Frame::on(canvas, photo), ratio)
}

/// The aspect ratio and the size. What is left to the provider is left out, and so is the size that it has
/// anyway: not every model has others.
pub(in crate::providers) fn shape(size: &Size) -> (Option<String>, Option<&'static str>) {
    let longest = size.sides().map_or(0, |(width, height)| width.max(height));
    let tier = match longest {
        0..=1_600 => None,
        1_601..=3_000 => Some("2K"),
        _ => Some("4K"),
    };
    (nearest(&RATIOS, size).map(written), tier)
}

fn config(size: &Size) -> Value {
    let (ratio, tier) = shape(size);
    let mut config = json!({});
    if let Some(ratio) = ratio {
        config["aspectRatio"] = ratio.into();
    }
    if let Some(tier) = tier {
        config["imageSize"] = tier.into();
    }
    config
}

fn content(parts: &[Value], image: Value) -> Value {
    let mut generation = json!({ "responseModalities": ["IMAGE"] });
    if image.as_object().is_some_and(|image| !image.is_empty()) {
        generation["imageConfig"] = image;
    }
    json!({
        "contents": [{ "role": "user", "parts": parts }],
        "generationConfig": generation,
    })
}

fn inline(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "inlineData": { "mimeType": media_type, "data": BASE64.encode(bytes) } })
}

fn written((width, height): (u32, u32)) -> String {
    format!("{width}:{height}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_become_ratios_and_tiers() {
        for (size, ratio, tier) in [
            ("auto", None, None),
            ("1024x1024", Some("1:1"), None),
            ("1536x1024", Some("3:2"), None),
            ("1024x1536", Some("2:3"), None),
            ("2048x2048", Some("1:1"), Some("2K")),
            ("3840x2160", Some("16:9"), Some("4K")),
        ] {
            let (asked, of_size) = shape(&size.into());
            assert_eq!((asked.as_deref(), of_size), (ratio, tier), "{size}");
        }
    }
}
