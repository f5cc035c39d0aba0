//! One channel of a photograph as floating point samples, 0.0 (black) to 255.0 (white).

use rayon::prelude::*;

/// Rows handled by one parallel task: enough to hide the overlap that neighbourhood filters need.
const BAND: usize = 96;

/// A rectangle of samples, row by row.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) data: Vec<f32>,
}

impl Plane {
    /// A plane of zeros.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            data: vec![0.0; width * height],
        }
    }

    /// Row `y`; rows beyond the edge repeat the edge.
    pub(super) fn row(&self, y: isize) -> &[f32] {
        let y = clamped(y, self.height);
        &self.data[y * self.width..(y + 1) * self.width]
    }

    /// The sample at `(x, y)`; positions beyond the edge repeat the edge.
    pub(super) fn at(&self, x: isize, y: isize) -> f32 {
        self.row(y)[clamped(x, self.width)]
    }

    /// Fills a new plane of the same size in parallel: `fill(first_row, rows)` writes a band.
    pub(super) fn by_bands(&self, fill: impl Fn(usize, &mut [f32]) + Sync) -> Self {
        let mut out = Self::new(self.width, self.height);
        out.data
            .par_chunks_mut((self.width * BAND).max(1))
            .enumerate()
            .for_each(|(band, rows)| fill(band * BAND, rows));
        out
    }

    /// Gaussian blur of standard deviation `sigma` pixels, separable, cut off at three sigma.
    pub(super) fn blurred(&self, sigma: f32) -> Self {
        let kernel = gaussian(sigma);
        let radius = (kernel.len() / 2) as isize;
        self.by_bands(|top, out| {
            let rows = out.len() / self.width;
            let first = top as isize - radius;
            let last = (top + rows) as isize + radius;
            let smooth: Vec<Vec<f32>> = (first..last)
                .map(|y| convolve_row(self.row(y), &kernel))
                .collect();
            for (y, row) in out.chunks_mut(self.width).enumerate() {
                for (tap, weight) in kernel.iter().enumerate() {
                    add_scaled(row, &smooth[y + tap], *weight);
                }
            }
        })
    }

    /// Bilinear interpolation at a fractional position, pixel centres at whole numbers.
    pub(super) fn sample(&self, x: f32, y: f32) -> f32 {
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy) = (x - x0, y - y0);
        let (xi, yi) = (x0 as isize, y0 as isize);
        let top = lerp(self.at(xi, yi), self.at(xi + 1, yi), fx);
        let bottom = lerp(self.at(xi, yi + 1), self.at(xi + 1, yi + 1), fx);
        lerp(top, bottom, fy)
    }
}

/// `a` at `t` = 0, `b` at `t` = 1.
pub(super) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0.0 below `from`, 1.0 above `to`, a smooth cubic between.
pub(super) fn smoothstep(from: f32, to: f32, value: f32) -> f32 {
    let t = ((value - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The value below which the fraction `q` of the samples lies; 0.0 when there are none.
/// Reorders the slice.
pub(super) fn quantile(values: &mut [f32], q: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let index = ((values.len() - 1) as f32 * q).round() as usize;
    *values.select_nth_unstable_by(index, f32::total_cmp).1
}

fn clamped(position: isize, size: usize) -> usize {
    position.clamp(0, size as isize - 1) as usize
}

fn gaussian(sigma: f32) -> Vec<f32> {
    let radius = (3.0 * sigma).ceil().max(1.0) as i32;
    let weight = |i: i32| (-0.5 * (i as f32 / sigma).powi(2)).exp();
    let sum: f32 = (-radius..=radius).map(weight).sum();
    (-radius..=radius).map(|i| weight(i) / sum).collect()
}

fn convolve_row(row: &[f32], kernel: &[f32]) -> Vec<f32> {
    let radius = kernel.len() / 2;
    let mut padded = vec![row[0]; radius];
    padded.extend_from_slice(row);
    padded.resize(row.len() + 2 * radius, row[row.len() - 1]);
    let mut out = vec![0.0; row.len()];
    for (tap, weight) in kernel.iter().enumerate() {
        add_scaled(&mut out, &padded[tap..tap + row.len()], *weight);
    }
    out
}

fn add_scaled(out: &mut [f32], values: &[f32], weight: f32) {
    for (o, v) in out.iter_mut().zip(values) {
        *o += v * weight;
    }
}
