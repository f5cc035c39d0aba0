//! Pictures written: what is kept, what is downloaded, and the copies for pages.

use std::io::Cursor;

use bytes::Bytes;
use image::{
    ExtendedColorType, GenericImageView as _, ImageError, ImageFormat, ImageReader, RgbImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
    imageops,
};
use img_parts::{ImageEXIF as _, jpeg::Jpeg, png::Png};
use rayon::prelude::*;

use super::{colour, colour::Colours, exif::Exif};

/// Quality of the copy of an upload that is kept: no visible loss.
const ORIGINAL_QUALITY: u8 = 95;

/// The size of a preview, bytes: some sites show none that is larger.
pub const PREVIEW_BYTES: usize = 300_000;

/// The longest side of a WebP, pixels.
const LONGEST_WEBP: u32 = 16_383;

/// Encodes the copy of an upload that is kept: a JPEG without metadata.
///
/// # Errors
///
/// If a side is 0, or longer than a JPEG can have.
pub fn encode_original(photo: &RgbImage) -> Result<Vec<u8>, ImageError> {
    encode(photo, Format::Jpeg)
}

/// What a finished photo is downloaded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With losses that nobody sees.
    Jpeg,
    /// Without loss.
    Png,
}

impl Format {
    /// As in the `Content-Type` of HTTP.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// Encodes a finished picture again, without metadata.
///
/// # Errors
///
/// If the picture cannot be decoded, or cannot be encoded in this format.
pub fn encode_download(picture: &[u8], format: Format) -> Result<Vec<u8>, ImageError> {
    let picture = image::load_from_memory(picture)?;
    let picture = colour::to_srgb(picture.into(), &Colours::Unsaid);
    encode(&picture, format)
}

/// Encodes what lies between an original and what was made of it, without metadata: so many per cent of the result.
/// Where they differ in size, it has that of the result.
///
/// # Errors
///
/// If one of them cannot be decoded, or cannot be encoded in this format.
pub fn encode_between(
    original: &[u8],
    result: &[u8],
    percent: u8,
    format: Format,
) -> Result<Vec<u8>, ImageError> {
    let decoded = |picture: &[u8]| {
        let picture = image::load_from_memory(picture)?;
        Ok::<_, ImageError>(colour::to_srgb(picture.into(), &Colours::Unsaid))
    };
    let (original, mut mixed) = (decoded(original)?, decoded(result)?);
    mix(&mut mixed, &original, i32::from(percent.min(100)));
    encode(&mixed, format)
}

/// Leaves so many per cent of a picture, the rest being the original.
fn mix(picture: &mut RgbImage, original: &RgbImage, percent: i32) {
    let (width, height) = picture.dimensions();
    let fits = (width, height) == original.dimensions();
    let rows = picture.par_chunks_mut(3 * width.max(1) as usize);
    rows.enumerate().for_each(|(y, row)| {
        let v = (y as f32 + 0.5) / height as f32;
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let old = if fits {
                Some(*original.get_pixel(x as u32, y as u32))
            } else {
                // Sampled where it is needed: a copy in this size would take as much memory again.
                imageops::sample_bilinear(original, (x as f32 + 0.5) / width as f32, v)
            };
            for (new, old) in pixel.iter_mut().zip(old.iter().flat_map(|old| old.0)) {
                let (old, share) = (i32::from(old), i32::from(*new) - i32::from(old));
                *new = (old + (share * percent + share.signum() * 50) / 100) as u8;
            }
        }
    });
}

/// Returns the finished picture with this EXIF block in it, corrected to its size; unchanged if the picture
/// is neither PNG nor JPEG, or the block cannot be read.
pub fn with_exif(picture: Bytes, exif: Vec<u8>) -> Bytes {
    let reader = ImageReader::new(Cursor::new(&picture)).with_guessed_format();
    let size = reader.ok().and_then(|reader| reader.into_dimensions().ok());
    let Some((exif, (width, height))) = Exif::read(exif).zip(size) else {
        return picture;
    };
    let exif = exif.of_size(width, height).into_bytes();
    if let Ok(mut jpeg) = Jpeg::from_bytes(picture.clone()) {
        jpeg.set_exif(Some(exif.into()));
        return jpeg.encoder().bytes();
    }
    if let Ok(mut png) = Png::from_bytes(picture.clone()) {
        png.set_exif(Some(exif.into()));
        return png.encoder().bytes();
    }
    picture
}

fn encode(photo: &RgbImage, format: Format) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    match format {
        Format::Jpeg => {
            let encoder = JpegEncoder::new_with_quality(&mut bytes, ORIGINAL_QUALITY);
            photo.write_with_encoder(encoder)?;
        }
        Format::Png => photo.write_with_encoder(PngEncoder::new(&mut bytes))?,
    }
    Ok(bytes)
}

/// Encodes a picture without loss.
///
/// # Errors
///
/// If a side is 0, or PNG does not have this kind of colour.
///
/// # Panics
///
/// If `pixels` has another length than the size and colour ask for.
pub fn encode_png(
    pixels: &[u8],
    width: u32,
    height: u32,
    color: ExtendedColorType,
) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Cursor::new(Vec::new());
    image::write_buffer_with_format(&mut bytes, pixels, width, height, color, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

/// Returns a copy of a finished picture that is no wider than `width` pixels, as WebP for pages; `None` if the
/// picture cannot be read.
pub fn encode_scaled(picture: &[u8], width: u32) -> Option<Vec<u8>> {
    const QUALITY: f32 = 82.0;
    let mut picture = image::load_from_memory(picture).ok()?;
    let (width, height) = fitted(picture.dimensions(), width);
    if (width, height) != picture.dimensions() {
        picture = picture.resize_exact(width, height, imageops::FilterType::CatmullRom);
    }
    let encode = |pixels: &[u8], layout| {
        let encoder = webp::Encoder::new(pixels, layout, width, height);
        encoder
            .encode_simple(false, QUALITY)
            .ok()
            .map(|webp| webp.to_vec())
    };
    if picture.color().has_alpha() {
        encode(picture.into_rgba8().as_raw(), webp::PixelLayout::Rgba)
    } else {
        encode(picture.into_rgb8().as_raw(), webp::PixelLayout::Rgb)
    }
}

/// Returns a small JPEG of a finished picture for other sites, whose sides are no longer than `side` pixels; `None` if
/// the picture cannot be read. It has at most [`PREVIEW_BYTES`].
pub fn encode_preview(picture: &[u8], side: u32) -> Option<Vec<u8>> {
    const QUALITIES: [u8; 5] = [85, 70, 50, 25, 5];
    let mut picture = image::load_from_memory(picture).ok()?;
    let share = f64::from(side) / f64::from(picture.width().max(picture.height()).max(1));
    if share < 1.0 {
        let scaled = |side: u32| ((f64::from(side) * share).round() as u32).max(1);
        let (width, height) = (scaled(picture.width()), scaled(picture.height()));
        picture = picture.resize_exact(width, height, imageops::FilterType::CatmullRom);
    }
    let picture = colour::to_srgb(picture.into(), &Colours::Unsaid);
    QUALITIES.into_iter().find_map(|quality| {
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
        picture.write_with_encoder(encoder).ok()?;
        Some(bytes).filter(|bytes| bytes.len() <= PREVIEW_BYTES)
    })
}

/// The size of a copy that is no wider than this, and fits a WebP.
fn fitted((width, height): (u32, u32), widest: u32) -> (u32, u32) {
    let share = |most: u32, side: u32| f64::from(most) / f64::from(side.max(1));
    let share = share(widest.min(LONGEST_WEBP), width)
        .min(share(LONGEST_WEBP, height))
        .min(1.0);
    let side = |side: u32| ((f64::from(side) * share).round() as u32).clamp(1, LONGEST_WEBP);
    (side(width), side(height))
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn between_two_pictures_lie_their_shares_in_the_size_of_the_result() {
        let plain = |side: u32, shade: u8| {
            let picture = RgbImage::from_pixel(side, side, Rgb([shade; 3]));
            encode(&picture, Format::Png).unwrap()
        };
        for (side, percent, expected) in [(8, 100, 200), (8, 0, 100), (8, 25, 125), (16, 50, 150)] {
            let mixed = encode_between(&plain(8, 100), &plain(side, 200), percent, Format::Png);
            let mixed = image::load_from_memory(&mixed.unwrap())
                .unwrap()
                .into_rgb8();
            assert_eq!(mixed.dimensions(), (side, side));
            let near = |value: &u8| value.abs_diff(expected) <= 1;
            assert!(
                mixed.iter().all(near),
                "{percent} %: {:?}",
                mixed.get_pixel(3, 3)
            );
        }
        assert!(encode_between(b"?", &plain(8, 1), 50, Format::Png).is_err());
    }
}
