//! Thin lines of any direction: an oriented matched filter.
//!
//! A faint scratch is lost in the grain at any one pixel, but not when summed along its course. The
//! difference from the median is summed along line segments in sixteen directions, as in Kokaram's
//! work on line scratches in film (1996). Hair, cloth and grass answer in many parallel lines at once;
//! comparing each line with its neighbours on either side tells them apart.

use super::mask::{Mask, flood};
use super::residual::{DEVIATION, Residual};
use rayon::prelude::*;

/// Directions over half a turn.
const DIRECTIONS: usize = 16;
/// A segment is sampled at every second pixel, this many times to either side of its middle.
const REACH: isize = 10;
/// Mean difference along the segment, in local deviations, that continues a line.
const CONTINUES: f32 = 0.9;
/// Distances, in pixels, of the parallel lines that must be quieter.
const ASIDE: [f32; 2] = [7.0, 10.0];
/// Distances, in pixels, at which a line's own middle must be the loudest.
const ACROSS: [f32; 4] = [-2.0, -1.0, 1.0, 2.0];

/// The strongest line through each pixel.
pub(super) struct Lines {
    /// Signed sum along the line: positive for a bright scratch.
    strength: Vec<i16>,
    direction: Vec<u8>,
}

impl Lines {
    /// Filters the differences of a photo.
    pub(super) fn of(residual: &Residual) -> Self {
        let size = residual.units.len();
        let mut best = Self {
            strength: vec![0; size],
            direction: vec![0; size],
        };
        for direction in 0..DIRECTIONS {
            let sums = line_sums(residual, direction);
            best.improve(&sums, direction, residual);
        }
        best.strength = best.crests(residual);
        best
    }

    /// The middle lines of all courses that reach `start`, the mean difference in local deviations
    /// somewhere along them, with the sign of each: 1.0 for bright, -1.0 for dark.
    pub(super) fn courses(&self, start: f32, residual: &Residual) -> Vec<(f32, Vec<usize>)> {
        let mut seen = Mask::new(residual.width, residual.height);
        let mut courses = Vec::new();
        for seed in 0..self.strength.len() {
            let strength = self.strength[seed];
            if !seen.data[seed] && strength.abs() >= threshold(start) {
                let joins = |from, to| self.continues(from, to);
                let course = flood(seed, &mut seen, usize::MAX, joins);
                courses.push((f32::from(strength.signum()), course));
            }
        }
        courses
    }

    /// Unit vector along the line through a pixel.
    pub(super) fn along(&self, index: usize) -> (f32, f32) {
        step(usize::from(self.direction[index]))
    }

    /// Keeps the middle of each line: responses that no neighbour across the line exceeds.
    fn crests(&self, residual: &Residual) -> Vec<i16> {
        let mut crests = self.strength.clone();
        crests
            .par_chunks_mut(residual.width)
            .enumerate()
            .for_each(|(y, row)| {
                for (x, crest) in row.iter_mut().enumerate().filter(|(_, crest)| **crest != 0) {
                    let (dx, dy) = step(usize::from(self.direction[y * residual.width + x]));
                    let beside = |aside: f32| {
                        let index = residual.index(x as f32 - dy * aside, y as f32 + dx * aside);
                        index.map_or(0, |i| self.strength[i].abs())
                    };
                    if ACROSS.iter().any(|aside| beside(*aside) > crest.abs()) {
                        *crest = 0;
                    }
                }
            });
        crests
    }

    /// Takes over the lines of one direction where they are the strongest so far.
    fn improve(&mut self, sums: &[i16], direction: usize, residual: &Residual) {
        let width = residual.width;
        let rows = self
            .strength
            .par_chunks_mut(width)
            .zip(self.direction.par_chunks_mut(width));
        rows.enumerate().for_each(|(y, (strength, directions))| {
            for x in 0..width {
                let sum = sums[y * width + x];
                let stronger = sum.unsigned_abs() > strength[x].unsigned_abs();
                if stronger
                    && sum.abs() >= threshold(CONTINUES)
                    && stands_alone(sums, residual, direction, (x, y))
                {
                    strength[x] = sum;
                    directions[x] = direction as u8;
                }
            }
        });
    }

    /// A line goes on into a pixel of the same sign and nearly the same direction.
    fn continues(&self, from: usize, to: usize) -> bool {
        let turn = self.direction[from].abs_diff(self.direction[to]);
        let turn = turn.min(DIRECTIONS as u8 - turn);
        let (a, b) = (self.strength[from], self.strength[to]);
        b.abs() >= threshold(CONTINUES) && a.signum() == b.signum() && turn <= 1
    }
}

/// Whether parallel lines are quieter: half as loud on one side at least, and none as loud.
fn stands_alone(
    sums: &[i16],
    residual: &Residual,
    direction: usize,
    (x, y): (usize, usize),
) -> bool {
    let (dx, dy) = step(direction);
    let loudest = |side: f32| {
        let heard = ASIDE.iter().filter_map(|aside| {
            residual.index(x as f32 - dy * side * aside, y as f32 + dx * side * aside)
        });
        heard.map(|i| sums[i].abs()).max().unwrap_or(0)
    };
    let (here, left, right) = (
        sums[y * residual.width + x].abs(),
        loudest(-1.0),
        loudest(1.0),
    );
    left.min(right) < here / 2 && left.max(right) < here
}

fn threshold(deviations: f32) -> i16 {
    (deviations * f32::from(DEVIATION) * (2 * REACH + 1) as f32) as i16
}

/// Unit vector of a direction.
fn step(direction: usize) -> (f32, f32) {
    let angle = direction as f32 * std::f32::consts::PI / DIRECTIONS as f32;
    (angle.cos(), angle.sin())
}

/// Sum of the differences along the segment centred on each pixel; nothing lies beyond the edge.
fn line_sums(residual: &Residual, direction: usize) -> Vec<i16> {
    let (width, height) = (residual.width, residual.height);
    let (dx, dy) = step(direction);
    let mut sums = vec![0i16; width * height];
    sums.par_chunks_mut(width).enumerate().for_each(|(y, row)| {
        for i in -REACH..=REACH {
            let (ox, oy) = (
                (2.0 * i as f32 * dx).round() as isize,
                (2.0 * i as f32 * dy).round() as isize,
            );
            let source = y as isize + oy;
            if (0..height as isize).contains(&source) && ox.unsigned_abs() < width {
                let line = &residual.units[source as usize * width..(source as usize + 1) * width];
                add_shifted(row, line, ox);
            }
        }
    });
    sums
}

fn add_shifted(row: &mut [i16], line: &[i16], shift: isize) {
    let by = shift.unsigned_abs();
    let (to, from) = if shift >= 0 {
        (&mut row[..line.len() - by], &line[by..])
    } else {
        (&mut row[by..], &line[..line.len() - by])
    };
    for (sum, value) in to.iter_mut().zip(from) {
        *sum += value;
    }
}
