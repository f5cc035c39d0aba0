//! Photos to upload.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::multipart;

pub(crate) fn form(file: Vec<u8>) -> multipart::Form {
    multipart::Form::new().part("photo", multipart::Part::bytes(file).file_name("photo.jpg"))
}

/// A small photo of nothing in particular.
pub(crate) fn photo(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let wave = |n: u32| ((f64::from(n) / 9.0).sin() * 60.0 + 120.0) as u8;
        Rgb([wave(x), wave(y), wave(x + y)])
    });
    encode(&DynamicImage::ImageRgb8(picture), format)
}

pub(crate) fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
