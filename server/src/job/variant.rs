//! The variants of a picture that are kept beside it.

use atelier_api::WIDTHS;
use atelier_blob::Variant;

use crate::photo::Format;

/// A WebP that is no wider than this, one of [`WIDTHS`].
pub fn scaled(width: u32) -> Variant {
    Variant::new(format!("{width}.webp"))
}

/// A small JPEG for other sites.
pub fn preview() -> Variant {
    Variant::new("preview.jpg")
}

/// The whole picture in another format.
pub fn encoded(format: Format) -> Variant {
    Variant::new(match format {
        Format::Jpeg => "whole.jpg",
        Format::Png => "whole.png",
    })
}

/// All there may be.
pub fn variants() -> impl Iterator<Item = Variant> {
    let formats = [Format::Jpeg, Format::Png].map(encoded);
    WIDTHS
        .into_iter()
        .map(scaled)
        .chain(formats)
        .chain([preview()])
}
