mod profiles;
mod tiffs;
mod strips;
mod colours;
mod jpegs;
mod kinds;
mod exif;

use std::io::Cursor;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use flate2::Crc;
use image::{
    ImageEncoder as _, Rgb, Rgba, RgbaImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
};
use proptest::prelude::*;

use super::{kind::TAKEN, *};

fn photo() -> RgbImage {
    RgbImage::from_fn(40, 20, |x, y| Rgb([x as u8 * 6, y as u8 * 12, 90]))
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn decode_bytes(bytes: &[u8]) -> Result<RgbImage, Refusal> {
    decode(Cursor::new(bytes), 1_000_000)
}

#[test]
fn every_accepted_type_is_read() {
    let picture = DynamicImage::ImageRgb8(photo());
    for format in TAKEN {
        let decoded = decode_bytes(&encoded(&picture, format)).unwrap();
        assert_eq!(decoded.dimensions(), (40, 20), "{format:?}");
    }
}

#[test]
fn sixteen_bits_and_transparency_become_plain_pixels() {
    let deep = DynamicImage::ImageRgb8(photo()).into_rgb16();
    let decoded =
        decode_bytes(&encoded(&DynamicImage::ImageRgb16(deep), ImageFormat::Png)).unwrap();
    assert_eq!(decoded, photo());
    let clear = RgbaImage::from_pixel(4, 4, Rgba([0, 0, 0, 0]));
    let decoded =
        decode_bytes(&encoded(&DynamicImage::ImageRgba8(clear), ImageFormat::Png)).unwrap();
    assert_eq!(decoded.get_pixel(0, 0), &Rgb([255, 255, 255]));
}

#[test]
fn refusals_say_what_was_found() {
    let jpeg = encoded(&DynamicImage::ImageRgb8(photo()), ImageFormat::Jpeg);
    let png = encoded(&DynamicImage::ImageRgb8(photo()), ImageFormat::Png);
    assert_eq!(decode_bytes(b""), Err(Refusal::Empty));
    assert_eq!(
        decode_bytes(&jpeg[..jpeg.len() / 2]),
        Err(Refusal::Damaged("a JPEG"))
    );
    assert_eq!(
        decode_bytes(&png[..png.len() / 2]),
        Err(Refusal::Damaged("a PNG"))
    );
    let text = decode_bytes(b"Dear grandmother, here is your photo.").unwrap_err();
    assert!(text.to_string().contains("text file"), "{text}");
    let heic = decode_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap_err();
    assert!(heic.to_string().contains("HEIC"), "{heic}");
}

#[test]
fn pixels_are_counted_before_they_are_decoded() {
    // The header of a PNG that claims 30,000 x 30,000 pixels.
    let mut bomb = encoded(&DynamicImage::ImageRgb8(photo()), ImageFormat::Png);
    bomb[16..20].copy_from_slice(&30_000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&30_000_u32.to_be_bytes());
    let mut crc = Crc::new();
    crc.update(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    let refusal = decode_bytes(&bomb).unwrap_err();
    assert_eq!(
        refusal,
        Refusal::TooManyPixels {
            width: 30_000,
            height: 30_000,
            max: 1_000_000
        }
    );
}

#[test]
fn what_would_be_too_large_enlarged_is_refused() {
    let photo = RgbImage::new(5000, 4000);
    assert_eq!(fits(&photo, 1), Ok(()));
    let refusal = fits(&photo, 2).unwrap_err();
    assert!(refusal.to_string().contains("80 megapixels"), "{refusal}");
}

/// A picture of each format.
fn any_file() -> impl Strategy<Value = Vec<u8>> {
    let picture = DynamicImage::ImageRgb8(photo());
    prop::sample::select(TAKEN.map(|format| encoded(&picture, format)).to_vec())
}

proptest! {
    /// Whatever is done to a file, it is decoded within bounds or refused.
    #[test]
    fn no_bytes_break_the_decoder(
        mut file in any_file(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        for (place, value) in changes {
            let place = place.index(file.len());
            file[place] = value;
        }
        if cut {
            file.truncate(end.index(file.len()));
        }
        if let Ok(photo) = decode_bytes(&file) {
            prop_assert!(u64::from(photo.width()) * u64::from(photo.height()) <= 1_000_000);
        }
    }
}

/// A copy fits a WebP whichever side is the long one.
#[test]
fn copies_of_any_shape_are_made() {
    for (photo, width, right) in [
        ((200, 20_000), 320, (164, 16_383)),
        ((40, 60_000), 320, (11, 16_383)),
        ((3, 30_000), 320, (2, 16_383)),
        ((20_000, 200), 640, (640, 6)),
        ((30_000, 2), 320, (320, 1)),
        ((100, 50), 320, (100, 50)),
        ((1000, 500), 320, (320, 160)),
    ] {
        let photo = RgbImage::new(photo.0, photo.1);
        let photo = encoded(&DynamicImage::ImageRgb8(photo), ImageFormat::Png);
        let copy = encode_scaled(&photo, width).unwrap();
        let copy = image::load_from_memory(&copy).unwrap();
        assert_eq!((copy.width(), copy.height()), right);
    }
}

/// Grain, which hardly gets smaller, does as well.
#[test]
fn a_preview_is_small() {
    let mut seed = 1_u32;
    let grain = RgbaImage::from_fn(1500, 2000, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgba(seed.to_be_bytes())
    });
    let photo = encoded(&DynamicImage::ImageRgba8(grain), ImageFormat::Png);
    let preview = encode_preview(&photo, 1200).unwrap();
    assert!(preview.len() <= PREVIEW_BYTES, "{} bytes", preview.len());
    let preview = image::load_from_memory_with_format(&preview, ImageFormat::Jpeg).unwrap();
    assert_eq!((preview.width(), preview.height()), (900, 1200));
}

#[test]
fn a_description_tells_size_and_type() {
    let png = encoded(&DynamicImage::ImageRgb8(photo()), ImageFormat::Png);
    let description = describe(&png).unwrap();
    assert_eq!(
        (description.width, description.height, description.extension),
        (40, 20, "png")
    );
    assert!(!description.thumbhash.is_empty());
    assert!(describe(b"{\"error\":\"not a picture\"}").is_err());
}
