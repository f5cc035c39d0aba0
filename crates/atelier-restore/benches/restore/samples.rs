//! The photos that visitors may try, and one of them before and after. `public/samples/LICENCES.txt` has their origin.

use std::{fs, path::Path};

use image::{RgbImage, codecs::jpeg::JpegEncoder, imageops};

use super::{
    ageing::{Fault, aged},
    open, restored,
};

/// Faults, and their strength.
type Age = (&'static [Fault], usize);

/// Photos with what they suffer in turn.
const SAMPLES: [(&str, &[Age]); 3] = [
    (
        "astronaut",
        &[
            (&[Fault::Fading, Fault::Cast], 2),
            (&[Fault::Grain], 0),
            (&[Fault::Scratches, Fault::Dust], 1),
        ],
    ),
    (
        "camera",
        &[
            (&[Fault::Fading, Fault::Cast, Fault::Grain], 1),
            (&[Fault::Scratches], 0),
            (&[Fault::Dust], 1),
        ],
    ),
    ("coffee", &[(&[Fault::Fading, Fault::Cast], 2)]),
];

/// Shown before and after on the page.
const SHOWN: &str = "astronaut";

const SEED: u64 = 3;
/// Of thumbnails, in pixels: twice the side at which they are shown.
const SIDE: u32 = 224;

/// Writes all into a folder.
pub(crate) fn make(photos: &Path, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (name, ages) in SAMPLES {
        let photo = open(&photos.join(format!("{name}.png")));
        let old = ages.iter().fold(photo, |photo, (faults, strength)| {
            aged(&photo, faults, *strength, SEED)
        });
        let file = fs::File::create(folder.join(format!("{name}.jpg"))).unwrap();
        old.write_with_encoder(JpegEncoder::new_with_quality(file, 85))
            .unwrap();
        webp(&thumbnail(&old), &folder.join(format!("{name}.webp")), 60.0);
        if name == SHOWN {
            webp(&old, &folder.join("before.webp"), 50.0);
            webp(&restored(old), &folder.join("after.webp"), 60.0);
        }
    }
}

/// The square in its middle, small.
fn thumbnail(photo: &RgbImage) -> RgbImage {
    let (width, height) = photo.dimensions();
    let side = width.min(height);
    let square = imageops::crop_imm(photo, (width - side) / 2, (height - side) / 2, side, side);
    imageops::resize(
        &square.to_image(),
        SIDE,
        SIDE,
        imageops::FilterType::Lanczos3,
    )
}

fn webp(photo: &RgbImage, file: &Path, quality: f32) {
    let (width, height) = photo.dimensions();
    let encoded = webp::Encoder::from_rgb(photo, width, height).encode(quality);
    fs::write(file, &*encoded).unwrap();
}
