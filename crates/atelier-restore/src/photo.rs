//! The photograph as one plane of luminance and two of colour, and the way there and back.

use crate::plane::Plane;
use image::RgbImage;
use rayon::prelude::*;

/// Full-range Y'CbCr of JPEG (ITU-T T.871, the BT.601 weights), colour centred on zero.
#[derive(Debug, Clone)]
pub(super) struct Photo {
    pub(super) luma: Plane,
    pub(super) blue: Plane,
    pub(super) red: Plane,
}

impl Photo {
    /// Splits a picture into its planes.
    pub(super) fn from_rgb(picture: &RgbImage) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let mut photo = Self {
            luma: Plane::new(width, height),
            blue: Plane::new(width, height),
            red: Plane::new(width, height),
        };
        let pixels = picture.as_raw().as_slice();
        photo.each_pixel_from(pixels);
        photo
    }

    fn each_pixel_from(&mut self, pixels: &[u8]) {
        let width = self.luma.width;
        let planes = self.luma.data.par_chunks_mut(width).zip(
            self.blue
                .data
                .par_chunks_mut(width)
                .zip(self.red.data.par_chunks_mut(width)),
        );
        planes
            .zip(pixels.par_chunks(3 * width))
            .for_each(|((y, (b, r)), row)| {
                for (i, p) in row.as_chunks::<3>().0.iter().enumerate() {
                    [y[i], b[i], r[i]] = to_ycc(p.map(f32::from));
                }
            });
    }

    /// The rows of luminance, each with those of the two colours.
    pub(super) fn rows(&self) -> impl ParallelIterator<Item = (&[f32], (&[f32], &[f32]))> {
        let width = self.luma.width;
        let colour = self.blue.data.par_chunks(width);
        let colour = colour.zip(self.red.data.par_chunks(width));
        self.luma.data.par_chunks(width).zip(colour)
    }

    /// Replaces every pixel's luminance and colour `[y, cb, cr]` by what `change` makes of them.
    pub(super) fn map(&mut self, change: impl Fn([f32; 3]) -> [f32; 3] + Sync) {
        let width = self.luma.width;
        let colour = self
            .blue
            .data
            .par_chunks_mut(width)
            .zip(self.red.data.par_chunks_mut(width));
        self.luma
            .data
            .par_chunks_mut(width)
            .zip(colour)
            .for_each(|(y, (b, r))| {
                for i in 0..y.len() {
                    [y[i], b[i], r[i]] = change([y[i], b[i], r[i]]);
                }
            });
    }

    /// The picture with eight bits a channel; what lies outside is clipped.
    pub(super) fn to_rgb(&self) -> RgbImage {
        let mut out = RgbImage::new(self.luma.width as u32, self.luma.height as u32);
        let width = self.luma.width;
        out.par_chunks_mut(3 * width)
            .enumerate()
            .for_each(|(y, row)| {
                let span = y * width..(y + 1) * width;
                let (l, b, r) = (
                    &self.luma.data[span.clone()],
                    &self.blue.data[span.clone()],
                    &self.red.data[span],
                );
                for (i, p) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                    // `as` saturates: no clamp is needed.
                    *p = to_rgb([l[i], b[i], r[i]]).map(|v| (v + 0.5) as u8);
                }
            });
        out
    }
}

/// Red, green, blue to luminance and centred colour differences, all on the 0 to 255 scale.
pub(super) fn to_ycc([r, g, b]: [f32; 3]) -> [f32; 3] {
    let y = 0.299 * r + 0.587 * g + 0.114 * b;
    [y, (b - y) / 1.772, (r - y) / 1.402]
}

/// The inverse of [`to_ycc`].
pub(super) fn to_rgb([y, cb, cr]: [f32; 3]) -> [f32; 3] {
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
}
