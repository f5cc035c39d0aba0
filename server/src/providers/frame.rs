//! Fits photos to an API with fixed sizes: a photo is placed on a canvas of such a size, and cropped
//! out of the result.

use bytes::Bytes;
use image::{
    ExtendedColorType, ImageError, Luma, RgbImage, Rgba, RgbaImage,
    imageops::{self, FilterType},
};

use super::ratio::nearest_to;
use crate::photo::{self, Mask};

/// The sizes of older models and of compatible servers.
const CLASSIC: [(u32, u32); 3] = [(1024, 1024), (1536, 1024), (1024, 1536)];
/// Pixels of a canvas of free size: as many as the largest fixed size has, for the same price.
const PIXELS: f64 = 1536.0 * 1024.0;
/// Sides of a free canvas are multiples of this, and no more than three to one.
const UNIT: f64 = 16.0;
const LONGEST: f64 = 3.0;
/// A result whose aspect ratio differs from the canvas by more than this does not follow it.
const ALIKE: f64 = 0.02;

/// The position of a photo on a canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    canvas: (u32, u32),
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl Frame {
    /// Chooses the model's canvas that loses the least of a photo of this size.
    pub(super) fn of(model: &str, photo: (u32, u32)) -> Self {
        let ratio = f64::from(photo.0) / f64::from(photo.1);
        let canvas = if model.starts_with("gpt-image-2") {
            free(ratio)
        } else {
            nearest_to(&CLASSIC, ratio).unwrap_or(CLASSIC[0])
        };
        Self::on(canvas, photo)
    }

    /// A photo of this size in the middle of a canvas of this size.
    pub(super) fn on(canvas: (u32, u32), (width, height): (u32, u32)) -> Self {
        let scale =
            (f64::from(canvas.0) / f64::from(width)).min(f64::from(canvas.1) / f64::from(height));
        let side = |of: u32, most: u32| ((f64::from(of) * scale).round() as u32).clamp(1, most);
        let (width, height) = (side(width, canvas.0), side(height, canvas.1));
        Self {
            canvas,
            left: (canvas.0 - width) / 2,
            top: (canvas.1 - height) / 2,
            width,
            height,
        }
    }

    /// The canvas' size in the API's format.
    pub(super) fn size(&self) -> String {
        format!("{}x{}", self.canvas.0, self.canvas.1)
    }

    /// Draws the photo on its canvas, surrounded by its own border pixels, so that the model adds nothing there.
    pub(super) fn laid_out(&self, photo: &RgbImage) -> RgbImage {
        let inside = if self.width < photo.width() {
            // Needs no memory besides its result.
            imageops::thumbnail(photo, self.width, self.height)
        } else {
            imageops::resize(photo, self.width, self.height, FilterType::CatmullRom)
        };
        RgbImage::from_fn(self.canvas.0, self.canvas.1, |x, y| {
            let x = x.saturating_sub(self.left).min(self.width - 1);
            let y = y.saturating_sub(self.top).min(self.height - 1);
            *inside.get_pixel(x, y)
        })
    }

    /// Draws the photo's mask on the canvas, as the API expects it: transparent where the model may draw.
    pub(super) fn laid_out_mask(&self, mask: &Mask) -> Result<Vec<u8>, ImageError> {
        let inside = mask.over(self.width, self.height);
        let (width, height) = self.canvas;
        let picture = RgbaImage::from_fn(width, height, |x, y| {
            let place = x.checked_sub(self.left).zip(y.checked_sub(self.top));
            let painted = place.and_then(|(x, y)| inside.get_pixel_checked(x, y));
            Rgba([0, 0, 0, painted.map_or(255, |Luma([share])| 255 - share)])
        });
        photo::encode_png(&picture, width, height, ExtendedColorType::Rgba8)
    }

    /// Crops the photo out of a result, as a JPEG. A result of another shape is returned unchanged.
    pub(super) fn cut_out(&self, answer: Bytes) -> Bytes {
        if (self.width, self.height) == self.canvas {
            return answer;
        }
        let Ok(picture) = image::load_from_memory(&answer) else {
            // Unreadable results are refused later, with all others.
            return answer;
        };
        let scale = f64::from(picture.width()) / f64::from(self.canvas.0);
        let down = f64::from(picture.height()) / f64::from(self.canvas.1);
        if (scale / down).ln().abs() > ALIKE {
            return answer;
        }
        let place = |value: u32, scale: f64| (f64::from(value) * scale).round() as u32;
        let cut = picture.crop_imm(
            place(self.left, scale),
            place(self.top, down),
            place(self.width, scale),
            place(self.height, down),
        );
        photo::encode_original(&cut.into_rgb8()).map_or(answer, Bytes::from)
    }
}

fn free(ratio: f64) -> (u32, u32) {
    let ratio = ratio.clamp(1.0 / LONGEST, LONGEST);
    let side = |length: f64| ((length / UNIT).floor() * UNIT) as u32;
    let width = (PIXELS * ratio).sqrt();
    (side(width), side(width / ratio))
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn the_canvas_is_one_the_model_draws() {
        for photo in [
            (4000, 3000),
            (3000, 4000),
            (500, 500),
            (9000, 100),
            (1, 5000),
        ] {
            assert!(CLASSIC.contains(&Frame::of("gpt-image-1.5", photo).canvas));
            let (width, height) = Frame::of("gpt-image-2", photo).canvas;
            assert!(width % 16 == 0 && height % 16 == 0 && width.max(height) <= 3840);
            assert!(
                (655_360..=8_294_400).contains(&(width * height)),
                "{width}x{height}"
            );
            assert!(
                width <= 3 * height && height <= 3 * width,
                "{width}x{height}"
            );
        }
        assert_eq!(Frame::of("gpt-image-1.5", (3000, 4000)).size(), "1024x1536");
    }

    #[test]
    fn what_was_laid_out_is_cut_out_again() {
        let photo = RgbImage::from_fn(900, 300, |x, _| match x {
            0..450 => Rgb([200, 30, 30]),
            _ => Rgb([30, 30, 200]),
        });
        let frame = Frame::of("gpt-image-1.5", photo.dimensions());
        let answer = Bytes::from(photo::encode_original(&frame.laid_out(&photo)).unwrap());
        let back = image::load_from_memory(&frame.cut_out(answer))
            .unwrap()
            .into_rgb8();
        assert_eq!(back.dimensions(), (1536, 512));
        assert!(back.get_pixel(10, 10)[0] > 180 && back.get_pixel(1525, 500)[2] > 180);
    }

    #[test]
    fn an_answer_of_half_the_canvas_is_cut_out_right() {
        for (photo, canvas, expected) in [
            ((900, 300), (768, 512), (768, 256)),
            ((300, 900), (512, 768), (256, 768)),
        ] {
            let frame = Frame::of("gpt-image-1.5", photo);
            let half = |value: u32| value / 2;
            let (left, top) = (half(frame.left), half(frame.top));
            // Green where the photo lies on the canvas, white around it.
            let answer = RgbImage::from_fn(canvas.0, canvas.1, |x, y| {
                let inside =
                    (left..left + expected.0).contains(&x) && (top..top + expected.1).contains(&y);
                Rgb(if inside { [0, 160, 0] } else { [255; 3] })
            });
            let answer = Bytes::from(photo::encode_original(&answer).unwrap());
            let cut = image::load_from_memory(&frame.cut_out(answer)).unwrap();
            let cut = cut.into_rgb8();
            assert_eq!(cut.dimensions(), expected);
            // Nothing but the photo, to its rims; JPEG blurs a little.
            let green = |pixel: &Rgb<u8>| pixel[0] < 60 && pixel[2] < 60;
            assert!(cut.pixels().all(green), "{photo:?}");
        }
    }

    #[test]
    fn an_answer_of_another_shape_stays_whole() {
        let frame = Frame::of("gpt-image-1.5", (900, 300));
        let square = Bytes::from(photo::encode_original(&RgbImage::new(1024, 1024)).unwrap());
        assert_eq!(frame.cut_out(square.clone()), square);
        let text = Bytes::from_static(b"no picture");
        assert_eq!(frame.cut_out(text.clone()), text);
    }
}
