//! Pictures from outside: uploads decoded within bounds, and what providers
//! answer looked at before it is kept. Everything here blocks; call it off the
//! async threads.

mod kind;
mod caption;
mod mask;
#[cfg(test)]
mod tests;

use std::io::{BufRead, Cursor, Seek};

use axum::body::Bytes;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
    imageops,
    metadata::Orientation,
};
use img_parts::{ImageEXIF as _, jpeg::Jpeg, png::Png};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use self::kind::{ends_with_marker, recognise, type_name};
pub use self::{
    caption::{Caption, captioned},
    mask::Mask,
};
use crate::job::Picture;

/// Why a file is not taken, in words for whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("The file is empty. Choose a photo.")]
    Empty,
    #[error("{0} Send a JPEG, PNG, WebP, GIF, BMP or TIFF.")]
    UnknownType(String),
    #[error(
        "The photo has {width} x {height} pixels; at most {} million in all are taken. Scale it down first.",
        max / 1_000_000
    )]
    TooManyPixels { width: u32, height: u32, max: u64 },
    #[error(
        "The photo takes {} MB of memory once it is unpacked; at most {} MB are given. Save it with 8 bits a channel.",
        bytes / 1_000_000, max / 1_000_000
    )]
    TooDeep { bytes: u64, max: u64 },
    #[error(
        "The photo has {width} x {height} pixels; no side of it, enlarged as you wish, may be longer than {LONGEST_SIDE}."
    )]
    TooLong { width: u32, height: u32 },
    #[error(
        "The photo would have {megapixels} megapixels once enlarged; at most {max} are made. Choose a smaller size."
    )]
    Enlarged { megapixels: u64, max: u64 },
    #[error("The file is damaged or ends early: it says it is {0}, but cannot be read as that.")]
    Damaged(&'static str),
    #[error("The mask cannot be used: {0}")]
    Mask(String),
}

/// Quality of the copy of an upload that is kept: no visible loss.
const ORIGINAL_QUALITY: u8 = 95;

/// What a decoder may take for each pixel that is allowed: 8 bits, four channels.
const BYTES_A_PIXEL: u64 = 4;

/// The most pixels of a finished picture: the largest size that a provider makes, with room.
const MOST_FINISHED: u64 = 64_000_000;

/// The longest side of a JPEG, pixels.
const LONGEST_SIDE: u32 = 65_535;

/// The largest EXIF block that a JPEG holds.
const LARGEST_EXIF: usize = 65_500;

/// Larger colour profiles are no profiles of a photo.
const LARGEST_PROFILE: usize = 4_000_000;

/// Decodes an upload: type found from its bytes, orientation applied, colours
/// converted to sRGB, first frame of an animation, transparency on white, 8
/// bits a channel.
pub fn decode(file: impl BufRead + Seek, max_pixels: u64) -> Result<RgbImage, Refusal> {
    decode_with_exif(file, max_pixels).map(|(photo, _)| photo)
}

/// The same, with the file's EXIF block; the orientation in it is the usual one now.
pub fn decode_with_exif(
    mut file: impl BufRead + Seek,
    max_pixels: u64,
) -> Result<(RgbImage, Option<Vec<u8>>), Refusal> {
    let format = recognise(&mut file)?;
    let name = type_name(format);
    let damaged = |_| Refusal::Damaged(name);
    if format == ImageFormat::Jpeg {
        ends_with_marker(&mut file)?;
    }
    let mut reader = ImageReader::with_format(file, format);
    reader.limits(limits(max_pixels));
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(Refusal::TooManyPixels {
            width,
            height,
            max: max_pixels,
        });
    }
    if width == 0 || height == 0 {
        return Err(Refusal::Damaged(name));
    }
    let (bytes, max) = (
        decoder.total_bytes(),
        max_pixels.saturating_mul(BYTES_A_PIXEL),
    );
    if bytes > max {
        return Err(Refusal::TooDeep { bytes, max });
    }
    // Neither is worth losing the photo for.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().unwrap_or_default();
    let exif = decoder.exif_metadata().unwrap_or_default();
    let exif = exif
        .filter(|exif| exif.len() <= LARGEST_EXIF)
        .map(|mut exif| {
            let _applied_above = Orientation::remove_from_exif_chunk(&mut exif);
            exif
        });
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(orientation);
    let mut photo = flatten(picture);
    if let Some(profile) = profile {
        to_srgb(&mut photo, &profile);
    }
    Ok((photo, exif))
}

/// Refuses what could not be kept once it is `times` as wide and high.
pub fn fits(photo: &RgbImage, times: u32) -> Result<(), Refusal> {
    let (width, height) = photo.dimensions();
    if width.max(height).saturating_mul(times) > LONGEST_SIDE {
        return Err(Refusal::TooLong { width, height });
    }
    let pixels = u64::from(width) * u64::from(height);
    let pixels = pixels * u64::from(times).pow(2);
    if times > 1 && pixels > MOST_FINISHED {
        return Err(Refusal::Enlarged {
            megapixels: pixels.div_ceil(1_000_000),
            max: MOST_FINISHED / 1_000_000,
        });
    }
    Ok(())
}

/// Converts from the colours of an ICC profile (ICC.1:2022); one that cannot be
/// read, or is not of red, green and blue, counts as none.
fn to_srgb(photo: &mut RgbImage, profile: &[u8]) {
    if profile.len() > LARGEST_PROFILE {
        return;
    }
    let Ok(profile) = ColorProfile::new_from_slice(profile) else {
        return;
    };
    if profile.color_space != DataColorSpace::Rgb {
        return;
    }
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    let Ok(transform) = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options)
    else {
        return;
    };
    let row = 3 * photo.width() as usize;
    let mut from = vec![0; row];
    for line in photo.chunks_exact_mut(row) {
        from.copy_from_slice(line);
        if transform.transform(&from, line).is_err() {
            line.copy_from_slice(&from);
        }
    }
}

/// Encodes the copy of an upload that is kept: a JPEG without metadata.
pub fn encode_original(photo: &RgbImage) -> Result<Vec<u8>, image::ImageError> {
    encode(photo, Format::Jpeg)
}

/// What a finished photo is downloaded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
}

impl Format {
    /// As it is told in HTTP.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// Encodes a finished picture anew, without metadata.
pub fn encode_download(picture: &[u8], format: Format) -> Result<Vec<u8>, image::ImageError> {
    let picture = flatten(image::load_from_memory(picture)?);
    encode(&picture, format)
}

/// A finished picture with this EXIF block in it, as it is where it is neither
/// PNG nor JPEG.
pub fn with_exif(picture: Bytes, exif: Vec<u8>) -> Bytes {
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

fn encode(photo: &RgbImage, format: Format) -> Result<Vec<u8>, image::ImageError> {
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
pub fn encode_png(
    pixels: &[u8],
    width: u32,
    height: u32,
    color: ExtendedColorType,
) -> Result<Vec<u8>, image::ImageError> {
    let mut bytes = Cursor::new(Vec::new());
    image::write_buffer_with_format(&mut bytes, pixels, width, height, color, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

/// A copy of a finished picture that is no wider than `width`, as WebP for pages.
pub fn encode_scaled(picture: &[u8], width: u32) -> Option<Vec<u8>> {
    const QUALITY: f32 = 82.0;
    let mut picture = image::load_from_memory(picture).ok()?;
    if picture.width() > width {
        let height = u64::from(picture.height()) * u64::from(width) / u64::from(picture.width());
        let height = u32::try_from(height).ok()?.max(1);
        picture = picture.resize_exact(width, height, imageops::FilterType::CatmullRom);
    }
    let (width, height) = (picture.width(), picture.height());
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

/// What there is to know about a finished picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub width: u32,
    pub height: u32,
    pub media_type: &'static str,
    pub extension: &'static str,
    /// Base64.
    pub thumbhash: String,
}

impl Description {
    /// The record of this picture, kept under `key` with `bytes` bytes.
    pub fn kept(self, key: String, bytes: u64) -> Picture {
        Picture {
            key,
            width: self.width,
            height: self.height,
            media_type: self.media_type.into(),
            bytes,
            thumbhash: self.thumbhash,
        }
    }
}

/// Looks at a picture that is to be kept as it is: PNG, JPEG or WebP.
pub fn describe(bytes: &[u8]) -> Result<Description, Refusal> {
    let format = recognise(&mut Cursor::new(bytes))?;
    let (media_type, extension) = match format {
        ImageFormat::Png => ("image/png", "png"),
        ImageFormat::Jpeg => ("image/jpeg", "jpg"),
        ImageFormat::WebP => ("image/webp", "webp"),
        _ => {
            return Err(Refusal::UnknownType(format!(
                "This is {}.",
                type_name(format)
            )));
        }
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits(MOST_FINISHED));
    let picture = reader
        .decode()
        .map_err(|_| Refusal::Damaged(type_name(format)))?;
    Ok(Description {
        width: picture.width(),
        height: picture.height(),
        media_type,
        extension,
        thumbhash: thumbhash(&picture),
    })
}

/// Base64 of the picture's ThumbHash.
fn thumbhash(picture: &DynamicImage) -> String {
    // The algorithm takes at most 100 x 100 pixels.
    let small = imageops::thumbnail(picture, 100.min(picture.width()), 100.min(picture.height()));
    let hash = thumbhash::rgba_to_thumb_hash(
        small.width() as usize,
        small.height() as usize,
        small.as_raw(),
    );
    BASE64.encode(hash)
}

fn limits(max_pixels: u64) -> Limits {
    let mut limits = Limits::default();
    // Twice: what it unpacks, and what it unpacks it to.
    limits.max_alloc = Some(max_pixels.saturating_mul(2 * BYTES_A_PIXEL));
    limits
}

fn flatten(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    let (width, height) = picture.dimensions();
    // In place: a second copy of a large photo is what memory there is.
    let mut samples = picture.into_raw();
    let pixels = samples.len() / 4;
    for pixel in 0..pixels {
        let alpha = u32::from(samples[4 * pixel + 3]);
        for channel in 0..3 {
            let value = u32::from(samples[4 * pixel + channel]);
            let on_white = (value * alpha + 255 * (255 - alpha)) / 255;
            samples[3 * pixel + channel] = u8::try_from(on_white).unwrap_or(u8::MAX);
        }
    }
    samples.truncate(3 * pixels);
    RgbImage::from_raw(width, height, samples).unwrap_or_default()
}
