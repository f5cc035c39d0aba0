//! Noise removal in the cosine domain.
//!
//! Every 8 x 8 window, two pixels apart, is transformed; coefficients that the noise explains are
//! dropped, and the windows are averaged where they overlap (Yu and Sapiro, "DCT image denoising",
//! IPOL 2011). What comes out pilots a second pass that weighs each coefficient by its share of signal
//! (the empirical Wiener filter of BM3D: Dabov, Foi, Katkovnik and Egiazarian, 2007). The noise is
//! given per frequency, so blotchy grain and JPEG blocking go as well as fine grain.

use crate::dct::{Block, SIDE, forward, inverse};
use crate::noise::Noise;
use crate::photo::Photo;
use crate::plane::{Plane, lerp, smoothstep};

/// Distance between windows.
const STEP: usize = 2;
/// Columns filtered at a time: what fits the processor's cache.
const TILE: usize = 256;
/// What both passes reach beyond a tile.
const MARGIN: usize = 2 * SIDE;
/// Coefficients below so many deviations are noise; 2.7 is the value of Yu and Sapiro.
const THRESHOLD: f32 = 2.7;
/// How many times its measured spectrum the noise of an aged photo is taken to be. Blur and JPEG make
/// neighbouring coefficients of grain hang together, so more of it passes the threshold than of white noise.
const FIRMEST: f32 = 1.8;
/// Colour, times luminance.
const COLOUR: f32 = 1.2;
/// Grain finer than this (8-bit steps) is part of a good photograph.
const UNSEEN: f32 = 1.0;
const SEEN: f32 = 2.4;
/// Share of the noise that is taken from a photo without other signs of age.
const SPARED: f32 = 0.7;
/// Beyond this, what looks like noise is more likely the subject.
const MOST: f32 = 24.0;

/// Removes the noise from luminance, and more firmly from colour, where the eye misses no detail.
/// `aged`, 0.0 to 1.0: how sure it is that the photo has aged; a sound one may keep its grain.
/// `share`, 0.0 to 1.0: how much of it is wanted.
pub(super) fn denoise(photo: &mut Photo, aged: f32, share: f32) {
    let firmness = lerp(1.0, FIRMEST, aged);
    let share = share * lerp(SPARED, 1.0, aged);
    reduce(&mut photo.luma, firmness, share);
    reduce(&mut photo.blue, COLOUR * firmness, share);
    reduce(&mut photo.red, COLOUR * firmness, share);
}

fn reduce(plane: &mut Plane, firmness: f32, share: f32) {
    let noise = Noise::of(plane);
    let level = noise.level();
    let strength = share * smoothstep(UNSEEN, SEEN, level);
    if strength > 0.0 {
        let noise = noise.scaled(firmness * (MOST / level).min(1.0));
        *plane = filtered(plane, &noise, strength);
    }
}

fn filtered(plane: &Plane, noise: &Noise, strength: f32) -> Plane {
    let spread: Block = std::array::from_fn(|v| std::array::from_fn(|u| noise.at(u, v)));
    plane.by_bands(|top, out| {
        for left in (0..plane.width).step_by(TILE) {
            let columns = TILE.min(plane.width - left);
            let noisy = Tile::read(plane, left, top, columns, out.len() / plane.width);
            let pilot = pass(&noisy, |block, _| threshold(block, &spread), None);
            let clean = pass(
                &noisy,
                |block, pilot| wiener(block, pilot, &spread),
                Some(&pilot),
            );
            for (y, row) in out.chunks_mut(plane.width).enumerate() {
                let (before, after) = (noisy.line(y, columns), clean.line(y, columns));
                let pairs = before.iter().zip(after);
                for (sample, (before, after)) in row[left..].iter_mut().zip(pairs) {
                    *sample = lerp(*before, *after, strength);
                }
            }
        }
    })
}

/// Part of a plane with a margin all around, edges repeated.
struct Tile {
    width: usize,
    rows: usize,
    data: Vec<f32>,
}

impl Tile {
    fn read(plane: &Plane, left: usize, top: usize, columns: usize, rows: usize) -> Self {
        let (width, rows) = (columns + 2 * MARGIN, rows + 2 * MARGIN);
        let mut data = Vec::with_capacity(width * rows);
        for y in 0..rows {
            let row = plane.row((top + y) as isize - MARGIN as isize);
            let from = |x: usize| (left + x).saturating_sub(MARGIN).min(row.len() - 1);
            data.extend((0..width).map(|x| row[from(x)]));
        }
        Self { width, rows, data }
    }

    /// Line `y` inside the margin.
    fn line(&self, y: usize, columns: usize) -> &[f32] {
        let start = (y + MARGIN) * self.width + MARGIN;
        &self.data[start..start + columns]
    }

    fn block(&self, x: usize, y: usize) -> Block {
        std::array::from_fn(|row| {
            let start = (y + row) * self.width + x;
            std::array::from_fn(|column| self.data[start + column])
        })
    }
}

/// Shrinks the coefficients of every window and averages the windows by the weight `shrink` returns.
fn pass(noisy: &Tile, shrink: impl Fn(&mut Block, &Block) -> f32, pilot: Option<&Tile>) -> Tile {
    let mut sum = vec![0.0; noisy.data.len()];
    let mut weights = vec![0.0; noisy.data.len()];
    for y in (0..=noisy.rows - SIDE).step_by(STEP) {
        for x in (0..=noisy.width - SIDE).step_by(STEP) {
            let mut block = forward(&noisy.block(x, y));
            let guide = pilot.map_or(block, |pilot| forward(&pilot.block(x, y)));
            let weight = shrink(&mut block, &guide);
            let clean = inverse(&block);
            for (row, samples) in clean.iter().enumerate() {
                let start = (y + row) * noisy.width + x;
                deposit(
                    &mut sum[start..start + SIDE],
                    &mut weights[start..start + SIDE],
                    samples,
                    weight,
                );
            }
        }
    }
    for (value, (weight, original)) in sum.iter_mut().zip(weights.iter().zip(&noisy.data)) {
        // An odd size leaves a last line of the margin that no window reaches.
        *value = if *weight > 0.0 {
            *value / weight
        } else {
            *original
        };
    }
    Tile {
        width: noisy.width,
        rows: noisy.rows,
        data: sum,
    }
}

fn deposit(sum: &mut [f32], weights: &mut [f32], samples: &[f32; SIDE], weight: f32) {
    for i in 0..SIDE {
        sum[i] += samples[i] * weight;
        weights[i] += weight;
    }
}

/// Drops what the noise explains. Windows with fewer coefficients left are the smoother estimates
/// and count for more, which keeps ringing away from edges.
fn threshold(block: &mut Block, spread: &Block) -> f32 {
    let mean = block[0][0];
    let mut kept = 1.0;
    for (coefficients, limits) in block.iter_mut().zip(spread) {
        for (c, s) in coefficients.iter_mut().zip(limits) {
            let stays = f32::from(u8::from(c.abs() > THRESHOLD * s));
            *c *= stays;
            kept += stays;
        }
    }
    block[0][0] = mean;
    1.0 / kept
}

/// Weighs each coefficient by the pilot's share of signal in it.
fn wiener(block: &mut Block, pilot: &Block, spread: &Block) -> f32 {
    let mean = block[0][0];
    let mut power = 1.0;
    for v in 0..SIDE {
        for u in 0..SIDE {
            let signal = pilot[v][u] * pilot[v][u];
            let gain = signal / (signal + spread[v][u] * spread[v][u] + f32::MIN_POSITIVE);
            block[v][u] *= gain;
            power += gain * gain;
        }
    }
    block[0][0] = mean;
    1.0 / power
}
