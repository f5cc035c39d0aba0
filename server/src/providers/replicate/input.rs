//! The input of each model: there is no common format.

use atelier_api::Size;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};

use super::super::ratio::nearest;
use crate::job::ImageTask;

/// The aspect ratios that FLUX accepts.
const SHAPES: [(u32, u32); 11] = [
    (1, 1),
    (16, 9),
    (21, 9),
    (3, 2),
    (2, 3),
    (4, 5),
    (5, 4),
    (3, 4),
    (4, 3),
    (9, 16),
    (9, 21),
];

/// The input for a picture from a prompt: FLUX and similar models.
pub(super) fn picture(task: &ImageTask) -> Map<String, Value> {
    let (width, height) = shape(&task.size);
    fields([
        ("prompt", json!(task.styled())),
        ("aspect_ratio", json!(format!("{width}:{height}"))),
        ("num_outputs", json!(task.n)),
        ("output_format", json!("png")),
    ])
}

/// The input for a photo, by the name of the model.
pub(super) fn photo(model: &str, photo: &str, enlarge: u32) -> Map<String, Value> {
    let name = model.split(':').next().unwrap_or(model);
    match name {
        "tencentarc/gfpgan" => fields([
            ("img", json!(photo)),
            ("version", json!("v1.4")),
            ("scale", json!(enlarge)),
        ]),
        "sczhou/codeformer" => fields([
            ("image", json!(photo)),
            ("codeformer_fidelity", json!(0.5)),
            ("background_enhance", json!(true)),
            ("face_upsample", json!(true)),
            ("upscale", json!(enlarge)),
        ]),
        _ => fields([
            ("input_image", json!(photo)),
            ("output_format", json!("png")),
            ("safety_tolerance", json!(2)),
        ]),
    }
}

/// Whether the model for photos returns them larger.
pub(super) fn enlarges(model: &str) -> bool {
    let name = model.split(':').next();
    matches!(name, Some("tencentarc/gfpgan" | "sczhou/codeformer"))
}

/// A JPEG as a data URL.
pub(super) fn data_url(photo: &[u8]) -> String {
    format!("data:image/jpeg;base64,{}", BASE64.encode(photo))
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    let fields = fields.into_iter();
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The nearest aspect ratio; square if none is requested.
fn shape(size: &Size) -> (u32, u32) {
    nearest(&SHAPES, size).unwrap_or((1, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_shape_is_taken() {
        for (size, expected) in [
            ("auto", (1, 1)),
            ("1024x1024", (1, 1)),
            ("1536x1024", (3, 2)),
            ("1024x1536", (2, 3)),
            ("3840x2160", (16, 9)),
            ("2160x3840", (9, 16)),
            ("1000x990", (1, 1)),
            ("0x0", (1, 1)),
        ] {
            assert_eq!(shape(&size.into()), expected, "{size}");
        }
    }

    #[test]
    fn each_model_is_given_its_own_fields() {
        let gfpgan = photo("tencentarc/gfpgan:92836085", "url", 2);
        assert_eq!(
            Value::from(gfpgan),
            json!({ "img": "url", "version": "v1.4", "scale": 2 })
        );
        let codeformer = photo("sczhou/codeformer", "url", 1);
        assert_eq!(
            (&codeformer["image"], &codeformer["upscale"]),
            (&json!("url"), &json!(1))
        );
        let flux = photo("flux-kontext-apps/restore-image", "url", 1);
        assert_eq!(flux["input_image"], "url");
        assert!(enlarges("tencentarc/gfpgan:92836085") && enlarges("sczhou/codeformer"));
        assert!(!enlarges("flux-kontext-apps/restore-image"));
    }
}
