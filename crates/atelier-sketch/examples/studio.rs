//! Draws the pictures of the studio's own pages, as `cargo xtask pictures` does: `studio FOLDER`.

use std::{env, error::Error, fs, ops::ControlFlow, path::Path};

use atelier_sketch::{Sketch, Style};
use image::{DynamicImage, imageops, imageops::FilterType};

/// Name, prompt, style, pixels to a side, and quality. The prompts are the English texts of the pages.
const EXAMPLES: [(&str, &str, Option<Style>, u32, f32); 3] = [
    (
        "boat",
        "a red boat on a calm sea at sunset",
        Some(Style::Watercolour),
        720,
        58.0,
    ),
    (
        "lighthouse",
        "a lighthouse on a cliff at dusk, gulls in the wind",
        Some(Style::Oil),
        440,
        50.0,
    ),
    ("fox", "a fox in the snow under tall pines", None, 440, 60.0),
];

/// What is shown where there is nothing: name, prompt, style. At twice the side at which it is shown.
const EMPTY: [(&str, &str, Option<Style>); 3] = [
    ("shore", "a beach under the moon", Some(Style::Watercolour)),
    ("fog", "a lighthouse in the fog", Some(Style::Watercolour)),
    (
        "winter",
        "a bare tree in the snow",
        Some(Style::Watercolour),
    ),
];
const STILL: u32 = 240;

/// What each style is shown with: a prompt, the square of the picture that is shown (left, top and side), and the
/// pixels of a thumbnail: twice the side at which it is shown.
const SUBJECT: &str = "a red boat on a calm sea at sunset";
const PART: [u32; 3] = [400, 430, 512];
const THUMBNAIL: u32 = 144;

const STYLES: [(&str, Option<Style>); 8] = [
    ("none", None),
    ("watercolour", Some(Style::Watercolour)),
    ("ink", Some(Style::Ink)),
    ("oil", Some(Style::Oil)),
    ("pencil", Some(Style::Pencil)),
    ("poster", Some(Style::Poster)),
    ("pixel", Some(Style::Pixel)),
    ("photo", Some(Style::Photo)),
];

/// As large as a picture that the studio makes: the engine's strokes are as fine as there.
const SIDE: u32 = 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder] = &arguments[..] else {
        return Err("usage: studio FOLDER".into());
    };
    let folder = Path::new(folder);
    for (name, prompt, style, side, quality) in EXAMPLES {
        let whole = [0, 0, SIDE];
        let encoded = picture(prompt, style, whole, (side, quality))?;
        keep(&folder.join("examples"), name, &encoded)?;
    }
    for (name, prompt, style) in EMPTY {
        let whole = [0, 0, SIDE];
        let encoded = picture(prompt, style, whole, (STILL, 60.0))?;
        keep(&folder.join("empty"), name, &encoded)?;
    }
    for (name, style) in STYLES {
        let encoded = picture(SUBJECT, style, PART, (THUMBNAIL, 75.0))?;
        keep(&folder.join("styles"), name, &encoded)?;
    }
    Ok(())
}

fn keep(folder: &Path, name: &str, picture: &[u8]) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(format!("{name}.webp")), picture)?;
    Ok(())
}

/// A part of a sketch as WebP of this side and quality.
fn picture(
    prompt: &str,
    style: Option<Style>,
    [left, top, part]: [u32; 3],
    (side, quality): (u32, f32),
) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut sketch = Sketch::new(prompt, SIDE, SIDE);
    sketch.style = style;
    let drawn = sketch.draw(|_| ControlFlow::Continue(()))?;
    let shown = imageops::crop_imm(&drawn, left, top, part, part).to_image();
    let small = imageops::resize(&shown, side, side, FilterType::Lanczos3);
    let small = DynamicImage::ImageRgba8(small).into_rgb8();
    let encoded = webp::Encoder::from_rgb(&small, side, side).encode(quality);
    Ok(encoded.to_vec())
}
