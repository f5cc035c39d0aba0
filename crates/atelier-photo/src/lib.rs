#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod kind;
mod raw;
mod jpeg;
mod png;
mod tiff;
mod colour;
mod exif;
mod encode;
mod describe;
mod caption;
mod mask;
#[cfg(test)]
mod tests;

use std::{
    io::{Cursor, Read},
    panic::{AssertUnwindSafe, catch_unwind},
};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage,
    metadata::Orientation,
};

pub use self::{
    caption::{Caption, captioned},
    describe::{Description, describe},
    encode::{
        Format, PREVIEW_BYTES, encode_between, encode_download, encode_original, encode_png,
        encode_preview, encode_scaled, with_exif,
    },
    mask::Mask,
};
use self::{
    colour::Colours,
    exif::Exif,
    kind::{recognise, type_name},
    raw::Raw,
};

/// Why a file is not taken, in words for whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is nothing in it.
    #[error("The file is empty. Choose a photo.")]
    Empty,
    /// Not one of the types that are read; what it is instead, as a sentence.
    #[error("{0} Send a JPEG, PNG, WebP, GIF, BMP or TIFF.")]
    UnknownType(String),
    /// More pixels than `max`.
    #[error(
        "The photo has {width} x {height} pixels; at most {} million in all are taken. Scale it down first.",
        max / 1_000_000
    )]
    TooManyPixels {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Pixels in all.
        max: u64,
    },
    /// More bytes than `max` once it is unpacked.
    #[error(
        "The photo takes {} MB of memory once it is unpacked; at most {} MB are given. Save it with 8 bits a channel.",
        bytes / 1_000_000, max / 1_000_000
    )]
    TooDeep {
        /// What it takes.
        bytes: u64,
        /// What it may take.
        max: u64,
    },
    /// A side that no JPEG can have, now or once it is enlarged.
    #[error(
        "The photo has {width} x {height} pixels; no side of it, enlarged as you wish, may be longer than {LONGEST_SIDE}."
    )]
    TooLong {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// More megapixels than `max` once it is enlarged.
    #[error(
        "The photo would have {megapixels} megapixels once enlarged; at most {max} are made. Choose a smaller size."
    )]
    Enlarged {
        /// What it would have, rounded up.
        megapixels: u64,
        /// What it may have.
        max: u64,
    },
    /// It cannot be read as what its first bytes say; the type with its article.
    #[error("The file is damaged or ends early: it says it is {0}, but cannot be read as that.")]
    Damaged(&'static str),
    /// A variety that is not read; the type without an article.
    #[error(
        "The file may be whole, but this kind of {0} is not read: save it as an ordinary JPEG, PNG or TIFF."
    )]
    Unread(&'static str),
    /// What is wrong with a mask.
    #[error("The mask cannot be used: {0}")]
    Mask(String),
}

/// What a decoder may take for each pixel that is allowed: 8 bits, four channels.
const BYTES_A_PIXEL: u64 = 4;

/// The most pixels of a finished picture: the largest size that a provider makes, with room.
const MOST_FINISHED: u64 = 64_000_000;

/// The longest side of a JPEG, pixels.
const LONGEST_SIDE: u32 = 65_535;

/// Decodes an upload: type found from its bytes, orientation applied, colours
/// converted to sRGB, first frame of an animation, transparency on white, 8
/// bits a channel.
///
/// # Errors
///
/// A [`Refusal`] if the file is not taken: it is of another type, too large, damaged, or cannot be read.
///
/// # Examples
///
/// ```
/// use std::io::Cursor;
///
/// use atelier_photo::{Refusal, decode, encode_original};
/// use image::RgbImage;
///
/// let file = encode_original(&RgbImage::new(40, 30))?;
/// let refusal = decode(Cursor::new(file), 1_000).unwrap_err();
/// assert_eq!(
///     refusal,
///     Refusal::TooManyPixels { width: 40, height: 30, max: 1_000 }
/// );
/// # Ok::<(), image::ImageError>(())
/// ```
pub fn decode(file: impl Read, max_pixels: u64) -> Result<RgbImage, Refusal> {
    decode_with_exif(file, max_pixels).map(|(photo, _)| photo)
}

/// The same, with the file's EXIF block, made true of a photo that is now upright and in sRGB.
///
/// # Errors
///
/// As with [`decode`]. An EXIF block that cannot be read is left out.
pub fn decode_with_exif(
    mut file: impl Read,
    max_pixels: u64,
) -> Result<(RgbImage, Option<Vec<u8>>), Refusal> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)
        .map_err(|_| Refusal::UnknownType("The file cannot be read.".into()))?;
    let File {
        raw,
        colours,
        orientation,
        exif,
    } = read(bytes, Bounds { max_pixels })?;
    // Neither is worth losing the photo for.
    let exif = exif.and_then(Exif::read);
    let orientation = orientation.or_else(|| exif.as_ref()?.orientation());
    let mut photo = DynamicImage::ImageRgb8(colour::to_srgb(raw, &colours));
    photo.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
    let exif = exif.map(|exif| exif.of_upright_srgb().into_bytes());
    Ok((photo.into_rgb8(), exif))
}

fn read(mut bytes: Vec<u8>, bounds: Bounds) -> Result<File, Refusal> {
    let format = recognise(&bytes)?;
    let read = || match format {
        ImageFormat::Png => {
            png::without_foreign_code_points(&mut bytes);
            plainly_read(&bytes, format, bounds)
        }
        ImageFormat::Jpeg => jpeg::read(&bytes, bounds),
        ImageFormat::Tiff => tiff::read(bytes, bounds),
        format => plainly_read(&bytes, format, bounds),
    };
    // A library that stumbles over a file has not read it.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(Refusal::Damaged(type_name(format))))
}

/// What is in a file.
struct File {
    raw: Raw,
    colours: Colours,
    /// Where the file says so outside of EXIF.
    orientation: Option<Orientation>,
    exif: Option<Vec<u8>>,
}

/// Formats of which a library tells all that is needed here.
fn plainly_read(bytes: &[u8], format: ImageFormat, bounds: Bounds) -> Result<File, Refusal> {
    let name = type_name(format);
    let refusal = |error| match error {
        ImageError::Unsupported(_) => Refusal::Unread(&name[2..]),
        _ => Refusal::Damaged(name),
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits(bounds.max_pixels));
    let mut decoder = reader.into_decoder().map_err(refusal)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(Refusal::Damaged(name));
    }
    let channels = decoder.color_type().bytes_per_pixel();
    bounds.check(width, height, channels.into())?;
    let colours = match (format, decoder.icc_profile()) {
        (ImageFormat::Png, _) => png::colours(bytes),
        (_, Ok(Some(profile))) => Colours::Profile(profile),
        _ => Colours::Unsaid,
    };
    let exif = decoder.exif_metadata().unwrap_or_default();
    let picture = DynamicImage::from_decoder(decoder).map_err(refusal)?;
    Ok(File {
        raw: picture.into(),
        colours,
        orientation: None,
        exif,
    })
}

/// How large a picture may be.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    max_pixels: u64,
}

impl Bounds {
    fn check(self, width: u32, height: u32, bytes_a_pixel: u64) -> Result<(), Refusal> {
        let (pixels, max) = (u64::from(width) * u64::from(height), self.max_pixels);
        if pixels > max {
            return Err(Refusal::TooManyPixels { width, height, max });
        }
        let bytes = pixels.saturating_mul(bytes_a_pixel);
        let max = max.saturating_mul(BYTES_A_PIXEL);
        if bytes > max {
            return Err(Refusal::TooDeep { bytes, max });
        }
        Ok(())
    }
}

/// Refuses what could not be kept once it is `times` as wide and high.
///
/// # Errors
///
/// [`Refusal::TooLong`] or [`Refusal::Enlarged`].
pub fn fits(photo: &RgbImage, times: u32) -> Result<(), Refusal> {
    sides_fit(photo.dimensions(), times)
}

/// The same for a picture of this width and height.
///
/// # Errors
///
/// [`Refusal::TooLong`] or [`Refusal::Enlarged`].
pub fn sides_fit((width, height): (u32, u32), times: u32) -> Result<(), Refusal> {
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

fn limits(max_pixels: u64) -> Limits {
    let mut limits = Limits::default();
    // Twice: what it unpacks, and what it unpacks it to.
    limits.max_alloc = Some(max_pixels.saturating_mul(2 * BYTES_A_PIXEL));
    limits
}
