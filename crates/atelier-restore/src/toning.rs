//! Monochrome photographs: black and white, sepia, cyanotype.
//!
//! In such a picture colour is a function of luminance alone. Colour that strays from that function is
//! a stain or noise; the function itself is the tone of the print, which stays, smoothed, and gentler
//! the more the print has yellowed.

use crate::photo::Photo;
use crate::plane::lerp;
use rayon::prelude::*;

/// Steps of luminance for which a tint is measured.
const STEPS: usize = 16;
/// Root mean square distance from the tint curve, 8-bit steps, up to which a picture is monochrome.
const STRAY: f32 = 3.0;
/// What a fully faded print keeps of its tint: most of a yellowed print's tint is yellowing.
const KEPT: f32 = 0.4;

/// Mean `[cb, cr]` at evenly spaced luminances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tint([[f32; 2]; STEPS]);

impl Tint {
    /// The tint of a monochrome photo; `None` for one in colour.
    pub(super) fn of(photo: &Photo) -> Option<Self> {
        let tally = tally(photo);
        let count: f32 = tally.iter().map(|t| t.count).sum();
        let stray: f32 = tally.iter().map(Tally::stray).sum();
        ((stray / count.max(1.0)).sqrt() < STRAY).then(|| Self::smooth(&tally))
    }

    /// Averages neighbouring steps, so that steps without pixels borrow from the others.
    fn smooth(tally: &[Tally; STEPS]) -> Self {
        Self(std::array::from_fn(|step| {
            let mut near = Tally::default();
            for (other, tally) in tally.iter().enumerate() {
                let distance = step.abs_diff(other) as f32;
                near = near.plus(tally, (-0.5 * distance * distance).exp());
            }
            near.sum.map(|sum| sum / near.count.max(f32::MIN_POSITIVE))
        }))
    }

    fn at(&self, luma: f32) -> [f32; 2] {
        let place = (luma / 255.0).clamp(0.0, 1.0) * (STEPS - 1) as f32;
        let (step, part) = (place as usize, place.fract());
        let (a, b) = (self.0[step], self.0[(step + 1).min(STEPS - 1)]);
        [lerp(a[0], b[0], part), lerp(a[1], b[1], part)]
    }

    /// Gives the photo this tint and no other colour, as far as `fading` (0.0 to 1.0) says.
    pub(super) fn apply(&self, photo: &mut Photo, fading: f32) {
        let kept = lerp(1.0, KEPT, fading);
        photo.map(|[y, cb, cr]| {
            let tint = self.at(y);
            [
                y,
                lerp(cb, kept * tint[0], fading),
                lerp(cr, kept * tint[1], fading),
            ]
        });
    }
}

/// Pixels of about one luminance.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    count: f32,
    sum: [f32; 2],
    squares: f32,
}

impl Tally {
    fn plus(self, other: &Self, weight: f32) -> Self {
        Self {
            count: self.count + weight * other.count,
            sum: std::array::from_fn(|c| self.sum[c] + weight * other.sum[c]),
            squares: self.squares + weight * other.squares,
        }
    }

    /// Sum of squared distances from the mean colour.
    fn stray(&self) -> f32 {
        let of_mean: f32 = self.sum.iter().map(|sum| sum * sum).sum();
        (self.squares - of_mean / self.count.max(1.0)).max(0.0)
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
                squares: b[i] * b[i] + r[i] * r[i],
            };
            tally[step] = tally[step].plus(&pixel, 1.0);
        }
        tally
    })
    .reduce(none, |a, b| std::array::from_fn(|i| a[i].plus(&b[i], 1.0)))
}
