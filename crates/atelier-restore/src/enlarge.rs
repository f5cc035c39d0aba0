//! Enlargement to twice the size: Lanczos with three lobes, then a touch of sharpening.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer, pixels::U8x3};
use image::RgbImage;
use rayon::prelude::*;

/// Rows of the small picture that one task enlarges: keeps the intermediate pictures small.
const STRIP: usize = 48;
/// Rows above and below that the filters reach into.
const MARGIN: usize = 6;
/// Share of the difference from the four neighbours that is added.
const AMOUNT: f32 = 0.2;

/// A picture twice as wide and twice as high.
pub(super) fn doubled(small: &RgbImage) -> RgbImage {
    let mut large = RgbImage::new(2 * small.width(), 2 * small.height());
    let row = 3 * large.width() as usize;
    large
        .par_chunks_mut(row * 2 * STRIP)
        .enumerate()
        .for_each(|(strip, out)| {
            let top = strip * STRIP;
            let above = top.min(MARGIN);
            let last = (top + STRIP + MARGIN).min(small.height() as usize);
            if let Some(wide) = resized(small, top - above, last) {
                sharpened(&wide, row, 2 * above, out);
            }
        });
    large
}

/// Rows `from..to` of a picture, twice the size. Typed, so that only what RGB needs is compiled.
fn resized(small: &RgbImage, from: usize, to: usize) -> Option<Vec<u8>> {
    let (width, rows) = (small.width(), (to - from) as u32);
    let stride = 3 * width as usize;
    let samples = &small.as_raw()[from * stride..to * stride];
    let mut wide = vec![0; 4 * samples.len()];
    let strip = TypedImageRef::<U8x3>::from_buffer(width, rows, samples).ok()?;
    let mut out = TypedImage::<U8x3>::from_buffer(2 * width, 2 * rows, &mut wide).ok()?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new()
        .resize_typed(&strip, &mut out, &options)
        .ok()?;
    drop(out);
    Some(wide)
}

/// Writes the rows of `wide` from `first` on to `out`, sharpened. `stride`: bytes in a row.
fn sharpened(wide: &[u8], stride: usize, first: usize, out: &mut [u8]) {
    let rows = wide.len() / stride;
    for (y, line) in out.chunks_mut(stride).enumerate() {
        let y = y + first;
        let row = |y: usize| &wide[y * stride..(y + 1) * stride];
        let (here, above, below) = (row(y), row(y.saturating_sub(1)), row((y + 1).min(rows - 1)));
        for (i, value) in line.iter_mut().enumerate() {
            let left = here[if i < 3 { i } else { i - 3 }];
            let right = here[if i + 3 < stride { i + 3 } else { i }];
            let around = [left, right, above[i], below[i]]
                .map(f32::from)
                .iter()
                .sum::<f32>()
                / 4.0;
            let middle = f32::from(here[i]);
            *value = (middle + AMOUNT * (middle - around) + 0.5) as u8;
        }
    }
}
