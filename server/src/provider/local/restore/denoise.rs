//! Noise removal in the cosine domain.
//!
//! Every 8 x 8 window, two pixels apart, is transformed; coefficients that the noise explains are
//! dropped, and the windows are averaged where they overlap (Yu and Sapiro, "DCT image denoising",
//! IPOL 2011). What comes out pilots a second pass that weighs each coefficient by its share of signal
//! (the empirical Wiener filter of BM3D: Dabov, Foi, Katkovnik and Egiazarian, 2007). The noise is
//! given per frequency, so blotchy grain and JPEG blocking go as well as fine grain.

use super::dct::{Block, SIDE, forward, inverse};
use super::noise::Noise;
use super::photo::Photo;
use super::plane::{BAND, Plane, lerp, smoothstep};

/// Distance between windows.
const STEP: usize = 2;
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
pub(super) fn denoise(photo: &mut Photo, aged: f32) {
    let firmness = lerp(1.0, FIRMEST, aged);
    reduce(&mut photo.luma, firmness, aged);
    reduce(&mut photo.blue, COLOUR * firmness, aged);
    reduce(&mut photo.red, COLOUR * firmness, aged);
}

fn reduce(plane: &mut Plane, firmness: f32, aged: f32) {
    let noise = Noise::of(plane);
    let level = noise.level();
    let strength = lerp(SPARED, 1.0, aged) * smoothstep(UNSEEN, SEEN, level);
    if strength > 0.0 {
        let noise = noise.scaled(firmness * (MOST / level).min(1.0));
        *plane = filtered(plane, &noise, strength);
    }
}

fn filtered(plane: &Plane, noise: &Noise, strength: f32) -> Plane {
    let spread: Block = std::array::from_fn(|v| std::array::from_fn(|u| noise.at(u, v)));
    plane.by_bands(|top, out| {
        let rows = out.len() / plane.width;
        let margin = SIDE as isize;
        let wide = Strip::read(plane, top as isize - 2 * margin, rows + 4 * SIDE);
        let pilot = pass(&wide, |noisy, _| threshold(noisy, &spread), None);
        let clean = pass(
            &wide,
            |noisy, pilot| wiener(noisy, pilot, &spread),
            Some(&pilot),
        );
        for (y, row) in out.chunks_mut(plane.width).enumerate() {
            let (before, after) = (wide.line(y + 2 * SIDE), clean.line(y + 2 * SIDE));
            for (x, sample) in row.iter_mut().enumerate() {
                *sample = lerp(before[SIDE + x], after[SIDE + x], strength);
            }
        }
    })
}

/// Some rows of a plane with a margin of one block on either side, edges repeated.
struct Strip {
    width: usize,
    rows: usize,
    data: Vec<f32>,
}

impl Strip {
    fn read(plane: &Plane, top: isize, rows: usize) -> Self {
        let width = plane.width + 2 * SIDE;
        let mut data = Vec::with_capacity(width * rows);
        for y in 0..rows as isize {
            let row = plane.row(top + y);
            data.extend(std::iter::repeat_n(row[0], SIDE));
            data.extend_from_slice(row);
            data.extend(std::iter::repeat_n(row[row.len() - 1], SIDE));
        }
        Self { width, rows, data }
    }

    fn line(&self, y: usize) -> &[f32] {
        &self.data[y * self.width..(y + 1) * self.width]
    }

    fn block(&self, x: usize, y: usize) -> Block {
        std::array::from_fn(|row| {
            let start = (y + row) * self.width + x;
            std::array::from_fn(|column| self.data[start + column])
        })
    }
}

/// Shrinks the coefficients of every window and averages the windows by the weight `shrink` returns.
fn pass(noisy: &Strip, shrink: impl Fn(&mut Block, &Block) -> f32, pilot: Option<&Strip>) -> Strip {
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
    Strip {
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

// `BAND` rows share two passes of margin; see `Plane::by_bands`.
const _: () = assert!(BAND >= 4 * SIDE);
