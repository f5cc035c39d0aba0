//! Scratches and creases: long, thin, nearly straight, brighter or darker than both sides.

use super::bar::Bar;
use super::lines::Lines;
use super::mask::Mask;
use super::profile::Profile;
use super::residual::{DEVIATION, Residual};
use crate::plane::lerp;

/// Shortest scratch, and shortest piece of one, in pixels.
const SHORTEST: f32 = 36.0;
const PIECE: f32 = 10.0;
/// Longest stretch, in pixels, over which a scratch may be lost between two pieces.
const GAP: f32 = 60.0;
/// [`Profile::likeness`] and presence of a piece in line with a scratch.
const PIECE_LIKENESS: f32 = -1.5;
const PIECE_PRESENCE: f32 = 0.5;

/// What a line must show to be called a scratch; the less the photo looks aged, the more.
struct Demands {
    /// Mean difference along a segment, local deviations.
    start: f32,
    /// Length as a share of the picture's shorter side.
    length: f32,
    /// Difference from the ground, 8-bit steps.
    contrast: f32,
    /// Share of its course along which it stands out from both sides.
    presence: f32,
    /// Difference between both sides, as a share of the contrast: an edge has two, a scratch one ground.
    imbalance: f32,
    /// See [`Profile::likeness`].
    likeness: f32,
}

impl Demands {
    /// `suspicion`, 0.0 to 1.0: how aged the photo looks otherwise.
    fn of(suspicion: f32) -> Self {
        let between = |sound, aged| lerp(sound, aged, suspicion);
        Self {
            start: between(2.4, 1.3),
            length: between(0.5, 0.06),
            contrast: between(30.0, 8.0),
            presence: between(0.95, 0.65),
            imbalance: between(0.1, 0.5),
            likeness: between(4.0, 0.0),
        }
    }
}

/// A line that may be a scratch.
struct Candidate {
    sign: f32,
    course: Vec<usize>,
    bar: Bar,
    profile: Profile,
    /// Length as a share of the picture's shorter side.
    share: f32,
}

impl Candidate {
    fn is_scratch(&self, demands: &Demands) -> bool {
        let (bar, profile) = (&self.bar, &self.profile);
        bar.length >= SHORTEST
            && bar.thickness <= (0.12 * bar.length).max(7.0)
            && self.share >= demands.length
            && profile.contrast >= demands.contrast
            && profile.presence >= demands.presence
            && profile.imbalance <= demands.imbalance * profile.contrast
            && profile.likeness(self.share) >= demands.likeness
    }

    /// Whether this is a piece of a scratch that was found, lost between in a busy part of the picture.
    fn belongs_to(&self, scratch: &Self) -> bool {
        self.sign == scratch.sign
            && self.profile.presence >= PIECE_PRESENCE
            && self.profile.likeness(scratch.share) >= PIECE_LIKENESS
            && scratch.bar.leads_to(&self.bar, GAP)
    }
}

/// Marks every scratch and returns how many there are. `suspicion`, 0.0 to 1.0: how aged the photo looks.
pub(super) fn mark(residual: &Residual, suspicion: f32, mask: &mut Mask) -> usize {
    let demands = Demands::of(suspicion);
    let (scratches, others): (Vec<_>, Vec<_>) = candidates(residual, demands.start)
        .into_iter()
        .partition(|c| c.is_scratch(&demands));
    let pieces = others
        .iter()
        .filter(|o| scratches.iter().any(|s| o.belongs_to(s)));
    scratches
        .iter()
        .chain(pieces)
        .for_each(|c| cover(c, residual, mask));
    scratches.len()
}

fn candidates(residual: &Residual, start: f32) -> Vec<Candidate> {
    let shorter = residual.width.min(residual.height) as f32;
    let lines = Lines::of(residual);
    let mut found = Vec::new();
    for (sign, course) in lines.courses(start, residual) {
        let bar = Bar::of(&course, residual.width);
        if bar.length >= PIECE {
            let profile = Profile::of(sign, &course, &lines, residual);
            found.push(Candidate {
                sign,
                course,
                bar,
                profile,
                share: bar.length / shorter,
            });
        }
    }
    found
}

/// Marks the pixels of the scratch's own sign on its course and next to it.
fn cover(scratch: &Candidate, residual: &Residual, mask: &mut Mask) {
    let (width, height) = (residual.width as isize, residual.height as isize);
    let sign = scratch.sign as i16;
    for index in &scratch.course {
        let (x, y) = (*index as isize % width, *index as isize / width);
        for ny in (y - 2).max(0)..(y + 3).min(height) {
            for nx in (x - 2).max(0)..(x + 3).min(width) {
                let near = (ny * width + nx) as usize;
                mask.data[near] |= sign * residual.units[near] > DEVIATION;
            }
        }
    }
}
