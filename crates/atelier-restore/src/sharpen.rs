//! Sharpening as far as the photo is blurred, and no further than its own edges reach.

use crate::photo::Photo;
use crate::plane::{Plane, quantile, smoothstep};
use rayon::prelude::*;

/// Blur that is added to measure the blur that is there, pixels.
const PROBE: f32 = 1.0;
/// Blur of a sharp photo's edges, and of one that gets the full treatment, pixels.
const SHARP: f32 = 0.75;
const SOFT: f32 = 1.2;
/// Share of the lost detail that is put back.
const MOST: f32 = 0.5;
/// Gradients taken for edges, from the strongest, as a share of all.
const EDGES: f32 = 0.02;
/// Weakest gradient that is an edge, 8-bit steps per pixel.
const LEAST_EDGE: f32 = 10.0;
/// How far beyond the darkest and brightest neighbour a pixel may go, as a share of their difference.
const HALO: f32 = 0.1;
/// Detail fainter than this share of the noise that was there stays as it is.
const CORE: f32 = 0.5;

/// Sharpens luminance. `grain`: the noise the photo had, in 8-bit steps; `share`, 0.0 to 1.0: how
/// much of it is wanted.
pub(super) fn sharpen(photo: &mut Photo, grain: f32, share: f32) {
    let blur = blur_of(&photo.luma);
    let amount = share * MOST * smoothstep(SHARP, SOFT, blur);
    if amount < 0.02 {
        return;
    }
    let luma = &photo.luma;
    let mut out = luma.blurred(blur.min(1.5));
    out.data
        .par_chunks_mut(luma.width)
        .enumerate()
        .for_each(|(y, row)| {
            for (x, value) in row.iter_mut().enumerate() {
                let here = luma.data[y * luma.width + x];
                let detail = cored(here - *value, CORE * grain);
                let (low, high) = neighbourhood(luma, x, y);
                let room = HALO * (high - low);
                *value = (here + amount * detail).clamp(low - room, high + room);
            }
        });
    photo.luma = out;
}

/// Standard deviation of the blur across the strongest edges, from how much a known blur flattens them
/// (Zhuo and Sim, "Defocus map estimation from a single image", 2011). Zero when there are no edges.
fn blur_of(luma: &Plane) -> f32 {
    if luma.width < 16 || luma.height < 16 {
        return 0.0;
    }
    let probed = luma.blurred(PROBE);
    let step = ((luma.data.len() / 300_000).max(1) as f32).sqrt().ceil() as usize;
    let rows = (1..luma.height - 1).step_by(step);
    let places = rows.flat_map(|y| (1..luma.width - 1).step_by(step).map(move |x| (x, y)));
    let pairs: Vec<(f32, f32)> = places
        .map(|(x, y)| (gradient(luma, x, y), gradient(&probed, x, y)))
        .collect();
    let mut sizes: Vec<f32> = pairs.iter().map(|pair| pair.0).collect();
    let edge = quantile(&mut sizes, 1.0 - EDGES).max(LEAST_EDGE);
    let ratio = |(sharp, blurred): &(f32, f32)| sharp / blurred.max(f32::MIN_POSITIVE);
    let mut ratios: Vec<f32> = pairs
        .iter()
        .filter(|pair| pair.0 >= edge)
        .map(ratio)
        .collect();
    let ratio = quantile(&mut ratios, 0.5);
    if ratio <= 1.0 {
        0.0
    } else {
        PROBE / (ratio * ratio - 1.0).sqrt()
    }
}

fn gradient(plane: &Plane, x: usize, y: usize) -> f32 {
    let at = y * plane.width + x;
    let across = plane.data[at + 1] - plane.data[at - 1];
    let along = plane.data[at + plane.width] - plane.data[at - plane.width];
    0.5 * across.hypot(along)
}

/// Shrinks a value towards zero by `core`.
fn cored(value: f32, core: f32) -> f32 {
    value.signum() * (value.abs() - core).max(0.0)
}

/// Darkest and brightest of the nine pixels around one.
fn neighbourhood(plane: &Plane, x: usize, y: usize) -> (f32, f32) {
    let columns = x.saturating_sub(1)..(x + 2).min(plane.width);
    let mut ends = (f32::MAX, f32::MIN);
    for line in -1..=1 {
        for value in &plane.row(y as isize + line)[columns.clone()] {
            ends = (ends.0.min(*value), ends.1.max(*value));
        }
    }
    ends
}
