//! Which sizes pictures can have.

use atelier_api::Size;

use crate::{
    http::{Error, Result},
    job::Picture,
};

/// Longest side and most pixels of a picture (OpenAI's own limits).
pub(crate) const LONGEST: u32 = 3840;
pub(crate) const MOST_PIXELS: u32 = 8_294_400;

/// OpenAI's rule for sizes, which the built-in engine shares.
pub(crate) fn checked(size: Size) -> Result<Size> {
    let fits = |(width, height): (u32, u32)| {
        let (long, short) = (width.max(height), width.min(height));
        width.is_multiple_of(16)
            && height.is_multiple_of(16)
            && long <= LONGEST
            && long <= 3 * short
            && (655_360..=MOST_PIXELS).contains(&(width * height))
    };
    if size == Size::Auto || size.sides().is_some_and(fits) {
        return Ok(size);
    }
    Err(Error::invalid(
        "size",
        "The size is auto or WIDTHxHEIGHT: multiples of 16, at most 3840 long and three times as long as wide, \
         655,360 to 8,294,400 pixels in all. Classic: 1024x1024, 1536x1024, 1024x1536.",
    ))
}

/// The size of a picture, if it may be requested.
pub(crate) fn size_of(picture: &Picture) -> Size {
    checked(Size::pixels(picture.width, picture.height)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_rule() {
        for size in [
            "auto",
            "1024x1024",
            "1536x1024",
            "1024x1536",
            "3840x2160",
            "2160x3840",
        ] {
            assert_eq!(checked(size.into()).unwrap().to_string(), size);
        }
        for size in [
            "",
            "big",
            "1024",
            "1024x",
            "1000x1000",
            "512x512",
            "3856x2160",
            "3072x512",
            "-16x16",
            "65536x65536",
            "01024x1024",
        ] {
            assert!(checked(size.into()).is_err(), "{size}");
        }
    }
}
