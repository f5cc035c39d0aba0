//! Monochrome photographs: black and white, sepia, cyanotype.
//!
//! In such a picture colour is a function of luminance alone, and of one hue. Colour that strays from
//! that function is a stain or noise; the function itself is the tone of the print, which stays, smoothed.
//! The yellow of old paper goes the more the print has faded; the brown of sepia and the blue of a
//! cyanotype were meant.

use crate::photo::Photo;
use crate::plane::{lerp, smoothstep};
use rayon::prelude::*;

/// Steps of luminance for which a tint is measured.
const STEPS: usize = 16;
/// Those of middle tones, which paper alone hardly tints.
const MIDDLE: std::ops::Range<usize> = 4..12;
/// Root mean square distance from the tint curve, 8-bit steps, up to which a picture is monochrome.
const STRAY: f32 = 3.0;
/// The same across its hue, and along it as a share of the tint, for one that is stained.
const STRAY_HUE: f32 = 2.0;
const STRAY_TINT: f32 = 0.125;
/// What a fully faded print keeps of the yellow of its paper.
const KEPT: f32 = 0.4;
/// Red by less blue: below the first a tint is yellow, above the second it is brown.
const YELLOW: f32 = 0.56;
const BROWN: f32 = 0.64;

/// The tint of a monochrome photo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tint {
    /// Mean `[cb, cr]` at evenly spaced luminances.
    curve: [[f32; 2]; STEPS],
    /// What a fully faded print keeps of it.
    kept: f32,
}

impl Tint {
    /// The tint of a monochrome photo; `None` for one in colour.
    pub(super) fn of(photo: &Photo) -> Option<Self> {
        let tally = tally(photo);
        let all = tally
            .iter()
            .fold(Tally::default(), |all, t| all.plus(t, 1.0));
        let tint = all.mean();
        let (along, across) = strays(&tally, tint, all.count);
        let strength = tint[0].hypot(tint[1]);
        let even = along.hypot(across) < STRAY;
        let one_hue = across < STRAY_HUE && along < STRAY_TINT * strength;
        (even || one_hue).then(|| Self::smooth(&tally))
    }

    /// Averages neighbouring steps, so that steps without pixels borrow from the others.
    fn smooth(tally: &[Tally; STEPS]) -> Self {
        let curve = std::array::from_fn(|step| {
            let mut near = Tally::default();
            for (other, tally) in tally.iter().enumerate() {
                let distance = step.abs_diff(other) as f32;
                near = near.plus(tally, (-0.5 * distance * distance).exp());
            }
            near.mean()
        });
        let middle = tally[MIDDLE].iter();
        let [blue, red] = middle
            .fold(Tally::default(), |all, t| all.plus(t, 1.0))
            .mean();
        let toned = if blue < 0.0 {
            smoothstep(YELLOW, BROWN, red / -blue)
        } else {
            1.0
        };
        Self {
            curve,
            kept: lerp(KEPT, 1.0, toned),
        }
    }

    fn at(&self, luma: f32) -> [f32; 2] {
        let place = (luma / 255.0).clamp(0.0, 1.0) * (STEPS - 1) as f32;
        let (step, part) = (place as usize, place.fract());
        let (a, b) = (self.curve[step], self.curve[(step + 1).min(STEPS - 1)]);
        [lerp(a[0], b[0], part), lerp(a[1], b[1], part)]
    }

    /// Gives every luminance what `tone` makes of it, and the photo this tint and no other colour, as far
    /// as `fading` (0.0 to 1.0) says.
    pub(super) fn apply(&self, photo: &mut Photo, fading: f32, tone: impl Fn(f32) -> f32 + Sync) {
        let kept = lerp(1.0, self.kept, fading);
        photo.map(|[y, cb, cr]| {
            let (after, tint) = (tone(y), self.at(y));
            // The colour of a lighter shade would be a stronger one in a darker, and cut off in the darkest.
            let share = (after / y.max(1.0)).clamp(0.0, 1.0);
            [
                after,
                share * lerp(cb, kept * tint[0], fading),
                share * lerp(cr, kept * tint[1], fading),
            ]
        });
    }
}

/// Root mean square distances of all colours from the mean at their luminance: along the `tint`, and across.
fn strays(tally: &[Tally; STEPS], tint: [f32; 2], count: f32) -> (f32, f32) {
    let size = tint[0].hypot(tint[1]).max(f32::MIN_POSITIVE);
    let [b, r] = tint.map(|part| part / size);
    let (mut along, mut across) = (0.0, 0.0);
    for [bb, rr, br] in tally.iter().map(Tally::stray) {
        along += b * b * bb + r * r * rr + 2.0 * b * r * br;
        across += r * r * bb + b * b * rr - 2.0 * b * r * br;
    }
    let root = |sum: f32| (sum.max(0.0) / count.max(1.0)).sqrt();
    (root(along), root(across))
}

/// Pixels of about one luminance.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    count: f32,
    sum: [f32; 2],
    /// Sums of the squares of both, and of their product.
    squares: [f32; 3],
}

impl Tally {
    fn plus(self, other: &Self, weight: f32) -> Self {
        Self {
            count: self.count + weight * other.count,
            sum: std::array::from_fn(|c| self.sum[c] + weight * other.sum[c]),
            squares: std::array::from_fn(|c| self.squares[c] + weight * other.squares[c]),
        }
    }

    fn mean(&self) -> [f32; 2] {
        self.sum.map(|sum| sum / self.count.max(f32::MIN_POSITIVE))
    }

    /// The same sums as `squares`, of the differences from the mean colour.
    fn stray(&self) -> [f32; 3] {
        let ([b, r], [blue, red]) = (self.sum, self.mean());
        let [bb, rr, br] = self.squares;
        [bb - b * blue, rr - r * red, br - b * red]
    }
}

fn tally(photo: &Photo) -> [Tally; STEPS] {
    let rows = photo.rows();
    let none = || [Tally::default(); STEPS];
    rows.fold(none, |mut tally, (y, (b, r))| {
        for i in 0..y.len() {
            let step = ((y[i] / 255.0).clamp(0.0, 1.0) * (STEPS - 1) as f32).round() as usize;
            let pixel = Tally {
                count: 1.0,
                sum: [b[i], r[i]],
                squares: [b[i] * b[i], r[i] * r[i], b[i] * r[i]],
            };
            tally[step] = tally[step].plus(&pixel, 1.0);
        }
        tally
    })
    .reduce(none, |a, b| std::array::from_fn(|i| a[i].plus(&b[i], 1.0)))
}
