//! Scratches and creases: long, thin, nearly straight, brighter or darker than both sides.
//!
//! A faint scratch is lost in the grain at any one pixel, but not when summed along its course. The
//! difference from the median is averaged along line segments in sixteen directions (an oriented
//! matched filter, as in Kokaram's work on line scratches in film, 1996), and long connected runs of
//! strong response are scratches. Hair, cloth and grass answer in many parallel lines at once;
//! comparing each line with its neighbours on either side tells them apart.

use super::super::plane::lerp;
use super::mask::{Mask, flood};
use super::residual::{DEVIATION, Residual};
use rayon::prelude::*;

/// Directions over half a turn.
const DIRECTIONS: usize = 16;
/// A segment is sampled at every second pixel, this many times to either side of its middle.
const REACH: isize = 10;
/// Mean difference along the segment, in local deviations, that continues a scratch.
const CONTINUES: f32 = 0.9;
/// Distances, in pixels, of the parallel lines that must be quieter.
const ASIDE: [f32; 2] = [7.0, 10.0];
/// Distances, in pixels, at which a line's own middle must be the loudest.
const ACROSS: [f32; 4] = [-2.0, -1.0, 1.0, 2.0];
/// Shortest scratch, in pixels.
const SHORTEST: f32 = 36.0;
/// How far to either side, in pixels, the ground of a scratch is looked at.
const FLANK: f32 = 6.0;

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

/// Marks every scratch and returns how many there are.
pub(super) fn mark(residual: &Residual, suspicion: f32, mask: &mut Mask) -> usize {
    let demands = Demands::of(suspicion);
    let response = Response::of(residual);
    let mut seen = Mask::new(residual.width, residual.height);
    let mut found = 0;
    for seed in 0..response.strength.len() {
        if !seen.data[seed] && response.strength[seed].abs() >= threshold(demands.start) {
            let course = flood(seed, &mut seen, usize::MAX, |from, to| {
                response.continues(from, to)
            });
            if response.is_scratch(&course, residual, &demands) {
                cover(&course, residual, response.strength[seed].signum(), mask);
                found += 1;
            }
        }
    }
    found
}

/// The strongest line through each pixel.
struct Response {
    /// Signed sum along the line: positive for a bright scratch.
    strength: Vec<i16>,
    direction: Vec<u8>,
}

impl Response {
    fn of(residual: &Residual) -> Self {
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

    /// A scratch goes on into a pixel of the same sign and nearly the same direction.
    fn continues(&self, from: usize, to: usize) -> bool {
        let turn = self.direction[from].abs_diff(self.direction[to]);
        let turn = turn.min(DIRECTIONS as u8 - turn);
        let (a, b) = (self.strength[from], self.strength[to]);
        b.abs() >= threshold(CONTINUES) && a.signum() == b.signum() && turn <= 1
    }

    fn is_scratch(&self, course: &[usize], residual: &Residual, demands: &Demands) -> bool {
        let shorter = residual.width.min(residual.height) as f32;
        let (length, thickness) = extent(course, residual.width);
        if length < SHORTEST.max(demands.length * shorter) || thickness > (0.12 * length).max(7.0) {
            return false;
        }
        let profile = self.profile(course, residual);
        profile.contrast >= demands.contrast
            && profile.presence >= demands.presence
            && profile.imbalance <= demands.imbalance * profile.contrast
            && profile.likeness(length / shorter) >= demands.likeness
    }

    /// Compares the middle of a line with both its sides, all along its course.
    fn profile(&self, course: &[usize], residual: &Residual) -> Profile {
        let mut total = Profile::default();
        for index in course {
            let (dx, dy) = step(usize::from(self.direction[*index]));
            let (x, y) = (
                (index % residual.width) as f32,
                (index / residual.width) as f32,
            );
            let sign = f32::from(self.strength[*index].signum());
            total.add(sign, residual.range, |aside| {
                grey_at(residual, x - dy * aside, y + dx * aside)
            });
        }
        total.over(course.len() as f32)
    }
}

/// A line's cross-section, averaged along its course.
#[derive(Default)]
struct Profile {
    contrast: f32,
    presence: f32,
    imbalance: f32,
    /// Pixels across that are more line than ground.
    width: f32,
    /// 1.0 for a bright line as bright as the photo's brightest, or a dark one as dark as its darkest.
    extremity: f32,
}

impl Profile {
    /// Adds the cross-section at one place; `grey` reads it at a distance from the middle.
    fn add(&mut self, sign: f32, (dark, bright): (f32, f32), grey: impl Fn(f32) -> f32) {
        let lit = |aside: f32| sign * grey(aside);
        let middle = lit(0.0).max(lit(-1.0)).max(lit(1.0));
        let (left, right) = (middle - lit(-FLANK), middle - lit(FLANK));
        let contrast = 0.5 * (left + right);
        let half = middle - 0.5 * contrast;
        let across = (-6..=6).filter(|aside| lit(*aside as f32) > half).count();
        self.contrast += contrast;
        self.presence += f32::from(u8::from(left.min(right) > 0.3 * contrast));
        self.imbalance += left - right;
        self.width += across as f32;
        let end = if sign > 0.0 { dark } else { -bright };
        self.extremity += (middle - end) / (bright - dark).max(1.0);
    }

    fn over(self, places: f32) -> Self {
        Self {
            contrast: self.contrast / places,
            presence: self.presence / places,
            imbalance: self.imbalance.abs() / places,
            width: self.width / places,
            extremity: self.extremity / places,
        }
    }

    /// How much like a scratch, zero being the border: bare paper and dirt are brighter and darker than
    /// what they cross, a scratch is narrow, and few thin things in a picture are long. The scales are
    /// those on which scratches and subjects separated best in photographs aged by program.
    fn likeness(&self, length: f32) -> f32 {
        (self.extremity - 0.8) / 0.12 + (3.4 - self.width) / 0.8 + 0.4 * (length / 0.12).log2()
    }
}

/// Luminance at a place; beyond the edge, that of the edge.
fn grey_at(residual: &Residual, x: f32, y: f32) -> f32 {
    let (right, bottom) = (residual.width as f32 - 1.0, residual.height as f32 - 1.0);
    let index = residual.index(x.clamp(0.0, right), y.clamp(0.0, bottom));
    index.map_or(0.0, |i| f32::from(residual.grey.as_raw()[i]))
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

/// Length and thickness of a set of pixels: spans of a uniform bar with the same second moments.
fn extent(course: &[usize], width: usize) -> (f32, f32) {
    let count = course.len() as f32;
    let places = || {
        course
            .iter()
            .map(|i| ((i % width) as f32, (i / width) as f32))
    };
    let (sx, sy) = places().fold((0.0, 0.0), |(sx, sy), (x, y)| (sx + x, sy + y));
    let (mx, my) = (sx / count, sy / count);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in places() {
        xx += (x - mx) * (x - mx);
        yy += (y - my) * (y - my);
        xy += (x - mx) * (y - my);
    }
    let (mean, difference) = ((xx + yy) / 2.0, (xx - yy) / 2.0);
    let root = (difference * difference + xy * xy).sqrt();
    let span = |moment: f32| (12.0 * moment.max(0.0) / count).sqrt();
    (span(mean + root), span(mean - root))
}

/// Marks the pixels of the scratch's own sign on its course and next to it.
fn cover(course: &[usize], residual: &Residual, sign: i16, mask: &mut Mask) {
    let (width, height) = (residual.width as isize, residual.height as isize);
    for index in course {
        let (x, y) = (*index as isize % width, *index as isize / width);
        for ny in (y - 2).max(0)..(y + 3).min(height) {
            for nx in (x - 2).max(0)..(x + 3).min(width) {
                let near = (ny * width + nx) as usize;
                mask.data[near] |= sign * residual.units[near] > DEVIATION;
            }
        }
    }
}
