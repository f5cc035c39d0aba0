//! Dust, lint and pinholes: small sharp spots on a quiet ground.

use super::mask::{Mask, flood};
use super::residual::Residual;
use crate::plane::lerp;

/// Least difference of a spot's middle from the median, 8-bit steps.
const LEAST_STEP: f32 = 22.0;
/// It reaches as far as this share of its peak.
const RIM: f32 = 0.4;
/// Largest spot, in pixels.
const LARGEST: usize = 140;
/// Width of the ring around a spot's bounding box that has to be quiet, pixels.
const RING: usize = 3;
/// Half a side of the window in which a spot must be nearly alone, and the share of it that other
/// strong differences may take.
const WINDOW: usize = 12;
const CROWDED: f32 = 0.04;

/// What a spot must show to be called dust; the less the photo looks aged, the more.
struct Demands {
    /// Difference of its middle, in local deviations.
    peak: f32,
    /// Deviation of the ground around, as a share of the spot's contrast with it.
    unrest: f32,
}

/// The pixels of every speck outside `known` damage. `suspicion`, 0.0 to 1.0: how aged the photo looks.
pub(super) fn find(residual: &Residual, suspicion: f32, known: &Mask) -> Vec<Vec<usize>> {
    let demands = Demands {
        peak: lerp(9.0, 4.5, suspicion),
        unrest: lerp(0.08, 0.25, suspicion),
    };
    let mut seen = known.clone();
    let mut found = Vec::new();
    for seed in 0..residual.steps.len() {
        if !seen.data[seed] && stands_out(residual, seed, &demands) {
            let spot = spot_at(residual, seed, &mut seen);
            if is_dust(residual, &spot, known, &demands) {
                found.push(spot);
            }
        }
    }
    found
}

fn stands_out(residual: &Residual, index: usize, demands: &Demands) -> bool {
    let step = f32::from(residual.steps[index].abs());
    let (x, y) = (index % residual.width, index / residual.width);
    step >= LEAST_STEP && step >= demands.peak * residual.spread_at(x, y)
}

fn spot_at(residual: &Residual, seed: usize, seen: &mut Mask) -> Vec<usize> {
    let steps = &residual.steps;
    let rim = (f32::from(steps[seed]) * RIM) as i16;
    let sign = rim.signum();
    flood(seed, seen, LARGEST, |_, near| {
        steps[near] * sign >= rim * sign
    })
}

fn is_dust(residual: &Residual, spot: &[usize], known: &Mask, demands: &Demands) -> bool {
    if spot.len() < 2 || spot.len() > LARGEST {
        return false;
    }
    let area = Area::around(spot, residual.width);
    let mean = spot
        .iter()
        .map(|i| f32::from(residual.grey.as_raw()[*i]))
        .sum::<f32>()
        / spot.len() as f32;
    let ring = area.ring(residual, known);
    let (ground, deviation) = mean_and_deviation(&ring);
    let contrast = (mean - ground).abs();
    ring.len() > 12
        && contrast >= LEAST_STEP * 0.7
        && deviation <= demands.unrest * contrast
        && area.is_alone(residual, contrast, known)
}

/// A bounding box, both ends inside.
struct Area {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

impl Area {
    fn around(spot: &[usize], width: usize) -> Self {
        let none = Self {
            left: usize::MAX,
            right: 0,
            top: usize::MAX,
            bottom: 0,
        };
        spot.iter().fold(none, |a, i| Self {
            left: a.left.min(i % width),
            right: a.right.max(i % width),
            top: a.top.min(i / width),
            bottom: a.bottom.max(i / width),
        })
    }

    fn widened(&self, by: usize, residual: &Residual) -> Self {
        Self {
            left: self.left.saturating_sub(by),
            right: (self.right + by).min(residual.width - 1),
            top: self.top.saturating_sub(by),
            bottom: (self.bottom + by).min(residual.height - 1),
        }
    }

    fn holds(&self, x: usize, y: usize) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    fn pixels(&self) -> impl Iterator<Item = (usize, usize)> {
        let columns = self.left..=self.right;
        (self.top..=self.bottom).flat_map(move |y| columns.clone().map(move |x| (x, y)))
    }

    /// Luminance around the spot, one pixel off it, without what is known to be damaged.
    fn ring(&self, residual: &Residual, known: &Mask) -> Vec<f32> {
        let rim = self.widened(1, residual);
        let outside = self.widened(1 + RING, residual);
        let ring = outside.pixels().filter(|(x, y)| !rim.holds(*x, *y));
        ring.map(|(x, y)| y * residual.width + x)
            .filter(|i| !known.data[*i])
            .map(|i| f32::from(residual.grey.as_raw()[i]))
            .collect()
    }

    /// Whether next to nothing else in the window is as strong as half the spot.
    fn is_alone(&self, residual: &Residual, contrast: f32, known: &Mask) -> bool {
        let rim = self.widened(2, residual);
        let window = self.widened(WINDOW, residual);
        let (mut strong, mut all) = (0.0, 0.0);
        for (x, y) in window.pixels().filter(|(x, y)| !rim.holds(*x, *y)) {
            let index = y * residual.width + x;
            let is_strong = f32::from(residual.steps[index].abs()) > 0.5 * contrast;
            strong += f32::from(u8::from(is_strong && !known.data[index]));
            all += 1.0;
        }
        strong <= CROWDED * all
    }
}

fn mean_and_deviation(values: &[f32]) -> (f32, f32) {
    let count = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / count;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / count;
    (mean, variance.sqrt())
}
