//! Scratches and creases: long, thin, nearly straight, brighter or darker than both sides.

use super::bar::Bar;
use super::lines::Lines;
use super::mask::Mask;
use super::profile::Profile;
use super::residual::{DEVIATION, Residual};
use crate::plane::{lerp, smoothstep};

/// Shortest scratch, and shortest piece of one, in pixels.
const SHORTEST: f32 = 36.0;
const PIECE: f32 = 10.0;
/// Longest stretch, in pixels, over which a scratch may be lost between two pieces.
const GAP: f32 = 60.0;
/// [`Profile::likeness`] and presence of a piece in line with a scratch.
const PIECE_LIKENESS: f32 = -1.5;
const PIECE_PRESENCE: f32 = 0.5;

/// Suspicion below which a wide line that looks like bare paper is not called a scratch, and above which it
/// is.
const SUSPECT: (f32, f32) = (0.15, 0.45);

/// What a line must show to be called a scratch; the less the photo looks aged, the more.
pub(super) struct Demands {
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
    /// See [`Profile::extremity`].
    extremity: f32,
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
            extremity: 0.0,
        }
    }

    /// What a wide one must show: it may be a pole or a ribbon, unless it is the bare paper.
    pub(super) fn of_wide(suspicion: f32) -> Self {
        let between = |sound, aged| lerp(sound, aged, smoothstep(SUSPECT.0, SUSPECT.1, suspicion));
        Self {
            start: between(2.4, 1.6),
            length: between(0.5, 0.15),
            contrast: between(110.0, 75.0),
            presence: between(0.95, 0.75),
            imbalance: between(0.1, 0.3),
            likeness: between(4.0, -3.0),
            extremity: between(1.0, 0.9),
        }
    }
}

/// A line that may be a scratch.
pub(super) struct Candidate {
    /// 1.0 for a bright one, -1.0 for a dark one.
    pub(super) sign: f32,
    /// The pixels along its middle.
    pub(super) course: Vec<usize>,
    bar: Bar,
    pub(super) profile: Profile,
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
            && profile.extremity >= demands.extremity
    }

    /// Whether this is a piece of a scratch that was found, lost between in a busy part of the picture.
    fn belongs_to(&self, scratch: &Self) -> bool {
        self.sign == scratch.sign
            && self.profile.presence >= PIECE_PRESENCE
            && self.profile.likeness(scratch.share) >= PIECE_LIKENESS
            && scratch.bar.leads_to(&self.bar, GAP)
    }
}

/// Marks every scratch that is not marked yet, and returns how many these are. `suspicion`, 0.0 to 1.0:
/// how aged the photo looks.
pub(super) fn mark(residual: &Residual, suspicion: f32, mask: &mut Mask) -> usize {
    let (scratches, pieces) = found(residual, &Demands::of(suspicion));
    let is_new = |c: &&Candidate| {
        let known = c.course.iter().filter(|i| mask.data[**i]);
        2 * known.count() <= c.course.len()
    };
    let count = scratches.iter().filter(is_new).count();
    scratches
        .iter()
        .chain(&pieces)
        .for_each(|c| cover(c, residual, mask));
    count
}

/// The scratches and pieces of such.
pub(super) fn find(residual: &Residual, demands: &Demands) -> Vec<Candidate> {
    let (mut scratches, pieces) = found(residual, demands);
    scratches.extend(pieces);
    scratches
}

fn found(residual: &Residual, demands: &Demands) -> (Vec<Candidate>, Vec<Candidate>) {
    let (scratches, others): (Vec<_>, Vec<_>) = candidates(residual, demands.start)
        .into_iter()
        .partition(|c| c.is_scratch(demands));
    let belongs = |other: &Candidate| scratches.iter().any(|s| other.belongs_to(s));
    let pieces = others.into_iter().filter(belongs).collect();
    (scratches, pieces)
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
