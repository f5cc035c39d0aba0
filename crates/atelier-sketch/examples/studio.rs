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

/// As large as a picture that the studio makes: the engine's strokes are as fine as there.
const SIDE: u32 = 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder] = &arguments[..] else {
        return Err("usage: studio FOLDER".into());
    };
    let folder = Path::new(folder).join("examples");
    fs::create_dir_all(&folder)?;
    for (name, prompt, style, side, quality) in EXAMPLES {
        let mut sketch = Sketch::new(prompt, SIDE, SIDE);
        sketch.style = style;
        let file = folder.join(format!("{name}.webp"));
        fs::write(file, picture(&sketch, side, quality)?)?;
    }
    Ok(())
}

/// The sketch as WebP, smaller.
fn picture(sketch: &Sketch<'_>, side: u32, quality: f32) -> Result<Vec<u8>, Box<dyn Error>> {
    let drawn = sketch.draw(|_| ControlFlow::Continue(()))?;
    let small = imageops::resize(&drawn, side, side, FilterType::Lanczos3);
    let small = DynamicImage::ImageRgba8(small).into_rgb8();
    let encoded = webp::Encoder::from_rgb(&small, side, side).encode(quality);
    Ok(encoded.to_vec())
}
