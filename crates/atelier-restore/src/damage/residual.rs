//! How every pixel differs from the median around it, in units of what is usual there.

use super::mask::Mask;
use crate::plane::{Plane, quantile};
use image::{GrayImage, Luma, RgbImage};
use imageproc::filter::median_filter;
use rayon::prelude::*;

/// Marks of up to about this many pixels across are thin; wider ones are part of the picture.
const RADIUS: u32 = 5;
/// Larger photos are searched at a half, a third ... of their size.
const MOST_PIXELS: usize = 3_500_000;
/// Side of the squares for which the usual difference is measured.
const CELL: usize = 24;
/// A difference smaller than this is never called usual, 8-bit steps.
const LEAST_SPREAD: f32 = 2.0;
/// One local deviation, in the fixed-point units of `units`.
pub(super) const DEVIATION: i16 = 32;
/// Stronger differences count as this many deviations, so that no single spot decides.
const MOST_DEVIATIONS: f32 = 4.0;

/// A photo less its local median.
#[derive(Debug)]
pub(super) struct Residual {
    pub(super) width: usize,
    pub(super) height: usize,
    /// How many times smaller than the photo this is.
    pub(super) scale: usize,
    /// Luminance, for looking at surroundings.
    pub(super) grey: GrayImage,
    /// Luminance less its median, 8-bit steps.
    pub(super) steps: Vec<i16>,
    /// The same in local deviations times [`DEVIATION`], limited.
    pub(super) units: Vec<i16>,
    /// Luminance below and above which lies a hundredth of the pixels.
    pub(super) range: (f32, f32),
    /// Local deviation of `steps`, one sample per cell.
    spread: Plane,
}

impl Residual {
    /// Measures a photo.
    pub(super) fn of(photo: &RgbImage) -> Self {
        let pixels = photo.width() as usize * photo.height() as usize;
        let scale = (pixels as f32 / MOST_PIXELS as f32).sqrt().ceil().max(1.0) as usize;
        Self::at(photo, scale)
    }

    /// Measures a photo made `scale` times smaller.
    pub(super) fn at(photo: &RgbImage, scale: usize) -> Self {
        let grey = reduced_grey(photo, scale);
        let (width, height) = (grey.width() as usize, grey.height() as usize);
        let steps = less_median(&grey);
        let spread = spread(&steps, width, height);
        let range = range(&grey);
        let mut residual = Self {
            width,
            height,
            scale,
            grey,
            steps,
            units: Vec::new(),
            range,
            spread,
        };
        residual.units = residual.in_units();
        residual
    }

    /// Local deviation at a pixel, 8-bit steps.
    pub(super) fn spread_at(&self, x: usize, y: usize) -> f32 {
        let cell = |v: usize| (v as f32 + 0.5) / CELL as f32 - 0.5;
        self.spread.sample(cell(x), cell(y))
    }

    /// The pixel nearest to a place, if there is one.
    pub(super) fn index(&self, x: f32, y: f32) -> Option<usize> {
        let (x, y) = (x.round(), y.round());
        let inside = x >= 0.0 && y >= 0.0 && x < self.width as f32 && y < self.height as f32;
        inside.then(|| y as usize * self.width + x as usize)
    }

    /// Where the pixel `index` of a larger one is in this one.
    pub(super) fn index_in(&self, larger: &Self, index: usize) -> usize {
        let times = self.scale / larger.scale;
        let (x, y) = (index % larger.width / times, index / larger.width / times);
        y.min(self.height - 1) * self.width + x.min(self.width - 1)
    }

    /// The median around a pixel.
    pub(super) fn ground(&self, index: usize) -> f32 {
        f32::from(self.grey.as_raw()[index]) - f32::from(self.steps[index])
    }

    /// Whether a pixel is much darker than those around it.
    pub(super) fn is_dark(&self, index: usize) -> bool {
        self.units[index] < -3 * DEVIATION
    }

    /// All pixels that are.
    pub(super) fn dark(&self) -> Mask {
        Mask {
            width: self.width,
            height: self.height,
            data: (0..self.units.len()).map(|i| self.is_dark(i)).collect(),
        }
    }

    fn in_units(&self) -> Vec<i16> {
        let mut units = vec![0; self.steps.len()];
        units
            .par_chunks_mut(self.width)
            .enumerate()
            .for_each(|(y, row)| {
                for (x, unit) in row.iter_mut().enumerate() {
                    let deviations =
                        f32::from(self.steps[y * self.width + x]) / self.spread_at(x, y);
                    let limited = deviations.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS);
                    *unit = (limited * f32::from(DEVIATION)) as i16;
                }
            });
        units
    }
}

/// Luminance of the photo, each pixel the mean of a square of `scale` by `scale`.
fn reduced_grey(photo: &RgbImage, scale: usize) -> GrayImage {
    let width = (photo.width() as usize / scale).max(1);
    let height = (photo.height() as usize / scale).max(1);
    let mut grey = GrayImage::new(width as u32, height as u32);
    let stride = 3 * photo.width() as usize;
    grey.par_chunks_mut(width).enumerate().for_each(|(y, row)| {
        for (x, out) in row.iter_mut().enumerate() {
            let mut sum = 0;
            for dy in 0..scale {
                let start = (y * scale + dy) * stride + 3 * x * scale;
                for p in photo.as_raw()[start..start + 3 * scale].as_chunks::<3>().0 {
                    sum += 77 * u32::from(p[0]) + 150 * u32::from(p[1]) + 29 * u32::from(p[2]);
                }
            }
            *out = (sum / (256 * (scale * scale) as u32)) as u8;
        }
    });
    grey
}

fn range(grey: &GrayImage) -> (f32, f32) {
    let mut counts = [0; 256];
    grey.as_raw()
        .iter()
        .for_each(|value| counts[usize::from(*value)] += 1);
    let share = grey.as_raw().len() / 100;
    let dark = reached(counts.iter(), share);
    (
        dark as f32,
        255.0 - reached(counts.iter().rev(), share) as f32,
    )
}

/// How many counts come before their sum exceeds `share`.
fn reached<'a>(mut counts: impl Iterator<Item = &'a usize>, share: usize) -> usize {
    let mut passed = 0;
    let exceeds = |count: &usize| {
        passed += count;
        passed > share
    };
    counts.position(exceeds).unwrap_or(0)
}

fn less_median(grey: &GrayImage) -> Vec<i16> {
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let band = 128;
    let mut steps = vec![0i16; width * height];
    steps
        .par_chunks_mut(width * band)
        .enumerate()
        .for_each(|(index, out)| {
            let top = index * band;
            let first = top.saturating_sub(RADIUS as usize);
            let last = (top + band + RADIUS as usize).min(height);
            let part = GrayImage::from_fn(grey.width(), (last - first) as u32, |x, y| {
                *grey.get_pixel(x, y + first as u32)
            });
            let median = median_filter(&part, RADIUS, RADIUS);
            for (i, step) in out.iter_mut().enumerate() {
                let (x, y) = ((i % width) as u32, (top - first + i / width) as u32);
                let (Luma([value]), Luma([usual])) = (part.get_pixel(x, y), median.get_pixel(x, y));
                *step = i16::from(*value) - i16::from(*usual);
            }
        });
    steps
}

/// The deviation that would explain the eightieth percentile of the differences in each cell: marks
/// that cover less than a fifth of a cell do not raise it, texture does.
fn spread(steps: &[i16], width: usize, height: usize) -> Plane {
    let mut cells = Plane::new(width.div_ceil(CELL), height.div_ceil(CELL));
    let columns = cells.width;
    cells
        .data
        .par_iter_mut()
        .enumerate()
        .for_each(|(index, cell)| {
            let (left, top) = ((index % columns) * CELL, (index / columns) * CELL);
            let right = (left + CELL).min(width);
            let rows = top..(top + CELL).min(height);
            let mut sizes: Vec<f32> = rows
                .flat_map(|y| &steps[y * width + left..y * width + right])
                .map(|step| f32::from(step.abs()))
                .collect();
            *cell = (quantile(&mut sizes, 0.8) / 1.2816).max(LEAST_SPREAD);
        });
    widened(&cells)
}

/// Each cell at least as busy as the mean of those around it, so that the rim of a texture is no find.
fn widened(cells: &Plane) -> Plane {
    let mut out = cells.clone();
    for y in 0..cells.height as isize {
        for x in 0..cells.width as isize {
            let around = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy)));
            let mean = around.map(|(dx, dy)| cells.at(x + dx, y + dy)).sum::<f32>() / 9.0;
            let index = y as usize * cells.width + x as usize;
            out.data[index] = out.data[index].max(mean);
        }
    }
    out
}
