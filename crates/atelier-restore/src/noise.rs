//! How much noise a plane carries, frequency by frequency.
//!
//! Grain that went through a lens, a scanner and a JPEG encoder is not white, so one number does not
//! describe it. In the flattest 8 x 8 blocks of a photograph the coefficients of the cosine transform
//! are noise and nothing else: flatness is judged on the low frequencies, the noise is read from the
//! others (the idea of Ponomarenko, Lukin, Zriakhov, Kaarna and Astola, 2007).

use crate::dct::{Block, SIDE, forward};
use crate::plane::{Plane, quantile};

/// Diagonals `u + v` of a block: 0 is the mean, 14 the finest checkerboard.
const DIAGONALS: usize = 2 * SIDE - 1;
/// The first diagonal that is read; those below it decide whether a block is flat.
const FIRST_READ: usize = 4;
/// Blocks looked at; more would not change the answer.
const BLOCKS: usize = 12_000;
/// Median of the absolute value of a normal variable of unit deviation.
const MEDIAN_OF_NORMAL: f32 = 0.6745;

/// Standard deviation of the noise on each diagonal of the 8 x 8 cosine transform, in 8-bit steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Noise([f32; DIAGONALS]);

impl Noise {
    /// Reads the noise of a plane; a plane too small to say has none.
    pub(super) fn of(plane: &Plane) -> Self {
        let mut blocks = sampled_blocks(plane);
        if blocks.len() < 8 {
            return Self([0.0; DIAGONALS]);
        }
        let flat = (blocks.len() / 12).max(8);
        let by_detail = |a: &Block, b: &Block| low_energy(a).total_cmp(&low_energy(b));
        blocks.select_nth_unstable_by(flat - 1, by_detail);
        Self::from_flat(&calmer_half(&mut blocks[..flat]))
    }

    fn from_flat(blocks: &[Block]) -> Self {
        let mut deviation = [0.0; DIAGONALS];
        for (diagonal, deviation) in deviation.iter_mut().enumerate().skip(FIRST_READ) {
            let mut sizes: Vec<f32> = blocks
                .iter()
                .flat_map(|b| on_diagonal(diagonal).map(|(u, v)| b[v][u].abs()))
                .collect();
            *deviation = quantile(&mut sizes, 0.5) / MEDIAN_OF_NORMAL;
        }
        let lowest_read = deviation[FIRST_READ];
        deviation[..FIRST_READ].fill(lowest_read);
        Self(deviation)
    }

    /// Deviation of the coefficient in column `u`, row `v`.
    pub(super) fn at(&self, u: usize, v: usize) -> f32 {
        self.0[u + v]
    }

    /// Deviation of one sample, in 8-bit steps.
    pub(super) fn level(&self) -> f32 {
        let power: f32 = (0..SIDE * SIDE)
            .map(|i| self.at(i % SIDE, i / SIDE).powi(2))
            .sum();
        power.sqrt() / SIDE as f32
    }

    /// The same spectrum, `factor` times as strong.
    pub(super) fn scaled(&self, factor: f32) -> Self {
        Self(self.0.map(|deviation| deviation * factor))
    }
}

/// Transformed blocks from all over the plane, without those that clipping has emptied of noise.
fn sampled_blocks(plane: &Plane) -> Vec<Block> {
    if plane.width < SIDE || plane.height < SIDE {
        return Vec::new();
    }
    let (columns, rows) = (plane.width - SIDE + 1, plane.height - SIDE + 1);
    // An odd step visits every phase of the 8 x 8 grid a JPEG encoder worked on.
    let step = (((columns * rows) as f32 / BLOCKS as f32).sqrt() as usize).max(3) | 1;
    let tops = (0..rows).step_by(step);
    let places = tops.flat_map(|y| (0..columns).step_by(step).map(move |x| (x, y)));
    places
        .map(|(x, y)| read(plane, x, y))
        .filter(|b| !clipped(b))
        .map(|b| forward(&b))
        .collect()
}

fn read(plane: &Plane, x: usize, y: usize) -> Block {
    std::array::from_fn(|row| {
        let start = (y + row) * plane.width + x;
        std::array::from_fn(|column| plane.data[start + column])
    })
}

fn clipped(block: &Block) -> bool {
    let at_an_end = block
        .iter()
        .flatten()
        .filter(|v| **v > 253.5 || (0.0..1.5).contains(*v));
    at_an_end.count() > SIDE
}

/// Of blocks without large detail, the half with the least fine detail: texture is not noise.
fn calmer_half(blocks: &mut [Block]) -> Vec<Block> {
    let half = blocks.len().div_ceil(2);
    blocks.select_nth_unstable_by(half - 1, |a, b| high_energy(a).total_cmp(&high_energy(b)));
    blocks[..half].to_vec()
}

fn low_energy(block: &Block) -> f32 {
    energy(block, 1..FIRST_READ)
}

fn high_energy(block: &Block) -> f32 {
    energy(block, FIRST_READ..DIAGONALS)
}

fn energy(block: &Block, diagonals: std::ops::Range<usize>) -> f32 {
    diagonals
        .flat_map(on_diagonal)
        .map(|(u, v)| block[v][u].powi(2))
        .sum()
}

/// The `(u, v)` of one diagonal.
fn on_diagonal(diagonal: usize) -> impl Iterator<Item = (usize, usize)> {
    let first = diagonal.saturating_sub(SIDE - 1);
    (first..=diagonal.min(SIDE - 1)).map(move |u| (u, diagonal - u))
}
