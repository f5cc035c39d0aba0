//! Local contrast: contrast-limited adaptive histogram equalisation (Zuiderveld, Graphics Gems IV, 1994).
//!
//! The picture is cut into tiles; each gets the tone curve that would spread its histogram evenly, with
//! a limit on the slope so that a blank wall does not turn into grain. Between tile centres the curves
//! are interpolated. Only a share of the result is mixed in, the more the flatter the picture is.

use crate::photo::Photo;
use crate::plane::{Plane, lerp, smoothstep};
use rayon::prelude::*;

/// Tiles across and down.
const TILES: usize = 8;
const SHADES: usize = 256;
/// Steepest slope of a tone curve, times that of the identity.
const SLOPE: f32 = 2.0;
/// Standard deviation of luminance, 8-bit steps: flat at the first, sound at the second.
const FLAT: f32 = 22.0;
const SOUND: f32 = 42.0;
/// Share of the equalised picture that a faded and flat photo gets.
const MOST: f32 = 0.12;
/// Least side, in pixels, of a picture with anything local about it.
const LEAST_SIDE: usize = 64;

type Curve = [f32; SHADES];

/// Lifts the local contrast of luminance; `fading`, 0.0 to 1.0, is how faded the photo was.
pub(super) fn lift(photo: &mut Photo, fading: f32) {
    let strength = MOST * fading * (1.0 - smoothstep(FLAT, SOUND, deviation(&photo.luma)));
    let luma = &mut photo.luma;
    if strength < 0.01 || luma.width.min(luma.height) < LEAST_SIDE {
        return;
    }
    let curves: Vec<Curve> = (0..TILES * TILES)
        .into_par_iter()
        .map(|tile| curve(luma, tile))
        .collect();
    let (width, height) = (luma.width, luma.height);
    luma.data
        .par_chunks_mut(width)
        .enumerate()
        .for_each(|(y, row)| {
            let (above, below, down) = between(y, height);
            for (x, value) in row.iter_mut().enumerate() {
                let (left, right, across) = between(x, width);
                let at =
                    |column: usize, line: usize| look_up(&curves[line * TILES + column], *value);
                let top = lerp(at(left, above), at(right, above), across);
                let bottom = lerp(at(left, below), at(right, below), across);
                *value = lerp(*value, lerp(top, bottom, down), strength);
            }
        });
}

/// Standard deviation of the samples.
fn deviation(plane: &Plane) -> f32 {
    let rows = plane.data.par_chunks(plane.width.max(1));
    let (sum, squares) = rows
        .map(|row| {
            row.iter().fold((0.0, 0.0), |(s, q), v| {
                (s + f64::from(*v), q + f64::from(v * v))
            })
        })
        .reduce(|| (0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    let count = plane.data.len().max(1) as f64;
    (squares / count - (sum / count).powi(2)).max(0.0).sqrt() as f32
}

/// The tone curve of one tile.
fn curve(luma: &Plane, tile: usize) -> Curve {
    let (column, line) = (tile % TILES, tile / TILES);
    let columns = luma.width * column / TILES..luma.width * (column + 1) / TILES;
    let mut histogram = [0.0; SHADES];
    for y in luma.height * line / TILES..luma.height * (line + 1) / TILES {
        for value in &luma.row(y as isize)[columns.clone()] {
            histogram[value.clamp(0.0, 255.0) as usize] += 1.0;
        }
    }
    clip(&mut histogram);
    let total: f32 = histogram.iter().sum();
    let mut below = 0.0;
    histogram.map(|count| {
        below += count;
        255.0 * (below - 0.5 * count) / total
    })
}

/// Cuts the histogram at the slope limit and spreads what was cut evenly.
fn clip(histogram: &mut Curve) {
    let total: f32 = histogram.iter().sum();
    let limit = SLOPE * total / SHADES as f32;
    let excess: f32 = histogram.iter().map(|count| (count - limit).max(0.0)).sum();
    for count in histogram.iter_mut() {
        *count = count.min(limit) + excess / SHADES as f32;
    }
}

/// The tiles before and after a position, and how far it is from the first to the second.
fn between(position: usize, size: usize) -> (usize, usize, f32) {
    let place =
        ((position as f32 + 0.5) * TILES as f32 / size as f32 - 0.5).clamp(0.0, (TILES - 1) as f32);
    let first = place as usize;
    (first, (first + 1).min(TILES - 1), place.fract())
}

fn look_up(curve: &Curve, value: f32) -> f32 {
    let place = (value - 0.5).clamp(0.0, 255.0);
    let shade = place as usize;
    lerp(
        curve[shade],
        curve[(shade + 1).min(SHADES - 1)],
        place.fract(),
    )
}
