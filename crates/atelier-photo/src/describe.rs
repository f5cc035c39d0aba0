//! Pictures that providers made, looked at before they are kept.

use std::io::Cursor;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use image::{DynamicImage, ImageFormat, ImageReader, imageops};

use super::{
    MOST_FINISHED, Refusal,
    kind::{recognise, type_name},
    limits,
};

/// What there is to know about a finished picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// For example `image/png`.
    pub media_type: &'static str,
    /// Of a file's name: `png`, `jpg` or `webp`.
    pub extension: &'static str,
    /// The colours at a glance (ThumbHash), base64.
    pub thumbhash: String,
}

/// Looks at a picture that is to be kept as it is: PNG, JPEG or WebP.
///
/// # Errors
///
/// A [`Refusal`] if it is of another type, damaged, or too large.
pub fn describe(bytes: &[u8]) -> Result<Description, Refusal> {
    let format = recognise(bytes)?;
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
