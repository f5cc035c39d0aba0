//! Where alone a photo is to be repaired: what its visitor painted over.

use std::io::Cursor;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use image::{
    ExtendedColorType, GrayImage, ImageError, ImageFormat, ImageReader, Luma, RgbImage, Rgba,
    RgbaImage,
    imageops::{self, FilterType},
};

use super::{Refusal, encode_png, limits};

/// The longer side of a mask as it is kept. Strokes are broad, and the record it lies in is small.
const KEPT: u32 = 512;

/// The deviation of the blur that makes its edges soft, as a share of the longer side.
const SOFT: f32 = 1.0 / 256.0;

/// The shapes of mask and photo may differ by this share, or by what rounding a side takes.
const ALIKE: f64 = 0.02;

/// 255 where the photo is to be repaired, 0 where it is to stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask(GrayImage);

impl Mask {
    /// Reads a mask as OpenAI's images API takes it: a PNG of the photo's shape, transparent where
    /// the photo is to be repaired. `photo`: width and height of the photo.
    ///
    /// # Errors
    ///
    /// [`Refusal::Mask`] if it is no PNG, damaged, larger than `max_pixels`, of another shape, or opaque
    /// everywhere.
    pub fn read(file: &[u8], photo: (u32, u32), max_pixels: u64) -> Result<Self, Refusal> {
        let refused = |why: &str| Refusal::Mask(why.into());
        if image::guess_format(file).ok() != Some(ImageFormat::Png) {
            return Err(refused("it is not a PNG."));
        }
        let unreadable = |_| refused("it is damaged or ends early.");
        let reader = || ImageReader::with_format(Cursor::new(file), ImageFormat::Png);
        let (width, height) = reader().into_dimensions().map_err(unreadable)?;
        if u64::from(width) * u64::from(height) > max_pixels {
            return Err(refused("it has more pixels than a photo may have."));
        }
        if !alike((width, height), photo) {
            let (w, h) = photo;
            return Err(Refusal::Mask(format!(
                "it has {width} x {height} pixels, which is not the shape of the photo, {w} x {h}."
            )));
        }
        let mut reader = reader();
        reader.limits(limits(max_pixels));
        let mask = Self::of(&reader.decode().map_err(unreadable)?.into_rgba8());
        if mask.0.iter().all(|value| *value == 0) {
            return Err(refused(
                "nothing of it is transparent, so nothing is to be repaired.",
            ));
        }
        Ok(mask)
    }

    fn of(picture: &RgbaImage) -> Self {
        let (width, height) = kept(picture.dimensions());
        let small = imageops::thumbnail(picture, width, height);
        let painted = |Rgba([.., alpha]): &Rgba<u8>| Luma([if *alpha < 128 { 255 } else { 0 }]);
        Self(GrayImage::from_fn(small.width(), small.height(), |x, y| {
            painted(small.get_pixel(x, y))
        }))
    }

    /// The mask of all that lies around a picture of these sides in the middle of a larger one.
    pub fn around(inner: (u32, u32), outer: (u32, u32)) -> Self {
        let (width, height) = kept(outer);
        // By how far the middle of a pixel is from that of the mask.
        let inside = |at: u32, side: u32, inner: u32, outer: u32| {
            let off = (2.0 * f64::from(at) + 1.0 - f64::from(side)).abs() / f64::from(side);
            off * f64::from(outer) < f64::from(inner)
        };
        Self(GrayImage::from_fn(width, height, |x, y| {
            let stays = inside(x, width, inner.0, outer.0) && inside(y, height, inner.1, outer.1);
            Luma([if stays { 0 } else { 255 }])
        }))
    }

    /// As it is kept in a record: a small PNG in base64.
    ///
    /// # Errors
    ///
    /// If the PNG cannot be encoded.
    pub fn to_text(&self) -> Result<String, ImageError> {
        let (width, height) = self.0.dimensions();
        let png = encode_png(&self.0, width, height, ExtendedColorType::L8)?;
        Ok(BASE64.encode(png))
    }

    /// Reads what [`to_text`](Self::to_text) wrote; `None` if it is anything else.
    pub fn from_text(text: &str) -> Option<Self> {
        let png = BASE64.decode(text).ok()?;
        let mask = image::load_from_memory_with_format(&png, ImageFormat::Png).ok()?;
        Some(Self(mask.into_luma8()))
    }

    /// Returns the mask in the size in which it is kept: at most 512 pixels a side.
    pub fn as_gray(&self) -> &GrayImage {
        &self.0
    }

    /// Returns the mask in the size of a photo: 0 to 255, with soft edges.
    pub fn over(&self, width: u32, height: u32) -> GrayImage {
        let longest = self.0.width().max(self.0.height());
        let soft = imageops::blur(&self.0, longest as f32 * SOFT);
        imageops::resize(&soft, width, height, FilterType::Triangle)
    }

    /// Copies what is masked from another picture into the photo. The other is scaled to the photo's size.
    pub fn blend(&self, photo: &mut RgbImage, repaired: &RgbImage) {
        let (width, height) = photo.dimensions();
        let shares = self.over(width, height);
        let fitted;
        let repaired = if repaired.dimensions() == photo.dimensions() {
            repaired
        } else {
            fitted = imageops::resize(repaired, width, height, FilterType::CatmullRom);
            &fitted
        };
        let pixels = photo.pixels_mut().zip(repaired.pixels());
        for ((here, there), Luma([share])) in pixels.zip(shares.pixels()) {
            for (value, new) in here.0.iter_mut().zip(there.0) {
                let (old, share) = (i32::from(*value), i32::from(*share));
                *value = (old + (i32::from(new) - old) * share / 255) as u8;
            }
        }
    }
}

/// Width and height in which the mask of such a picture is kept.
fn kept((width, height): (u32, u32)) -> (u32, u32) {
    let scale = f64::from(KEPT) / f64::from(width.max(height).max(KEPT));
    let side = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
    (side(width), side(height))
}

fn alike((width, height): (u32, u32), photo: (u32, u32)) -> bool {
    let (width, height) = (f64::from(width), f64::from(height));
    let ratio = f64::from(photo.0) / f64::from(photo.1);
    let near = |side: f64, exact: f64| {
        (side / exact).ln().abs() <= ALIKE || side.min(exact) < 16.0 && (side - exact).abs() < 1.0
    };
    near(width, height * ratio) || near(height, width / ratio)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    /// A mask whose left half is transparent.
    fn left_half(width: u32, height: u32) -> Vec<u8> {
        let picture = RgbaImage::from_fn(width, height, |x, _| {
            Rgba([0, 0, 0, if x < width / 2 { 0 } else { 255 }])
        });
        encode_png(&picture, width, height, ExtendedColorType::Rgba8).unwrap()
    }

    #[test]
    fn a_mask_is_kept_as_text() {
        let mask = Mask::read(&left_half(1600, 1200), (4000, 3000), 50_000_000).unwrap();
        assert_eq!(mask.0.dimensions(), (512, 384));
        let text = mask.to_text().unwrap();
        assert!(text.len() < 10_000, "{} characters", text.len());
        assert_eq!(Mask::from_text(&text), Some(mask));
        assert_eq!(Mask::from_text("no picture"), None);
    }

    #[test]
    fn only_what_is_masked_changes() {
        let mask = Mask::read(&left_half(80, 60), (80, 60), 1_000_000).unwrap();
        let mut photo = RgbImage::from_pixel(80, 60, Rgb([10, 20, 30]));
        mask.blend(&mut photo, &RgbImage::from_pixel(40, 30, Rgb([200; 3])));
        assert_eq!(photo.get_pixel(10, 30), &Rgb([200; 3]));
        assert_eq!(photo.get_pixel(70, 30), &Rgb([10, 20, 30]));
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let whole = RgbaImage::from_pixel(8, 8, Rgba([0, 0, 0, 255]));
        let whole = encode_png(&whole, 8, 8, ExtendedColorType::Rgba8).unwrap();
        let half = left_half(80, 60);
        for (file, photo, words) in [
            (&whole[..], (8, 8), "nothing of it is transparent"),
            (&half[..], (60, 80), "not the shape"),
            (&half[..half.len() / 2], (80, 60), "damaged"),
            (b"GIF89a", (80, 60), "not a PNG"),
            (b"", (80, 60), "not a PNG"),
        ] {
            let refusal = Mask::read(file, photo, 1_000_000).unwrap_err();
            assert!(refusal.to_string().contains(words), "{refusal}");
        }
        let refusal = Mask::read(&half, (80, 60), 100).unwrap_err();
        assert!(refusal.to_string().contains("more pixels"), "{refusal}");
    }
}
