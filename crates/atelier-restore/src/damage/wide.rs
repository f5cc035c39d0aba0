//! Scratches too wide for the local median, whose window they fill.
//!
//! In a photo of half or a quarter of the size they are thin, and their torn edges even out, so they are
//! found like any other scratch there. What they cover is then read in the photo's own size.

use super::LEAST_SIDE;
use super::mask::Mask;
use super::residual::Residual;
use super::scratches::{self, Candidate, Demands};
use image::RgbImage;

/// How many times smaller the photo is searched; the widest scratches first.
const SMALLER: [usize; 2] = [4, 2];
/// Least width, in pixels of the smaller photo; what is narrower is found in its own size.
const NARROWEST: f32 = 2.6;
/// How far from its ground to its middle a scratch begins.
const RIM: f32 = 0.4;
/// A difference from the ground that is no scratch, 8-bit steps.
const LEAST_STEP: f32 = 8.0;
/// Pixels of the smaller photo by which its edges may stray from its mean width.
const TORN: f32 = 1.5;

/// The photo made smaller, for as long as marks can be told from the subject in it.
pub(super) fn smaller(photo: &RgbImage, residual: &Residual) -> Vec<Residual> {
    let least = photo.width().min(photo.height()) as usize;
    let scales = SMALLER.into_iter().map(|times| residual.scale * times);
    scales
        .filter(|scale| least / scale >= LEAST_SIDE as usize)
        .map(|scale| Residual::at(photo, scale))
        .collect()
}

/// Marks every wide scratch and returns how many there are. `suspicion`, 0.0 to 1.0: how aged the photo
/// looks.
pub(super) fn mark(
    smaller: &[Residual],
    residual: &Residual,
    suspicion: f32,
    mask: &mut Mask,
) -> usize {
    let mut count = 0;
    let demands = Demands::of_wide(suspicion);
    for small in smaller {
        let found = scratches::find(small, &demands).into_iter();
        for scratch in found.filter(|scratch| scratch.profile.width >= NARROWEST) {
            let outline = Outline {
                scratch: &scratch,
                small,
                residual,
                times: small.scale / residual.scale,
            };
            count += usize::from(!outline.is_in(mask));
            outline.fill(mask);
        }
    }
    count
}

/// A scratch in a photo `times` smaller, and the photo whose pixels it covers.
struct Outline<'a> {
    scratch: &'a Candidate,
    small: &'a Residual,
    residual: &'a Residual,
    times: usize,
}

impl Outline<'_> {
    /// Whether most of it is marked already.
    fn is_in(&self, mask: &Mask) -> bool {
        let course = &self.scratch.course;
        let known = course.iter().filter(|index| {
            let (x, y) = self.place(**index);
            mask.data[y * mask.width + x]
        });
        2 * known.count() > course.len()
    }

    /// Marks what differs from the ground more like the scratch than like the ground.
    fn fill(&self, mask: &mut Mask) {
        let sign = self.scratch.sign;
        let reach = (0.5 * self.scratch.profile.width + TORN) * self.times as f32;
        for index in &self.scratch.course {
            let step = f32::from(self.small.steps[*index]);
            let ground = self.small.ground(*index);
            let (x, y) = self.place(*index);
            let near = |middle: usize, size: usize| {
                let reach = reach as usize;
                middle.saturating_sub(reach)..(middle + reach + 1).min(size)
            };
            for y in near(y, mask.height) {
                for x in near(x, mask.width) {
                    let pixel = y * mask.width + x;
                    let grey = f32::from(self.residual.grey.as_raw()[pixel]);
                    mask.data[pixel] |=
                        sign * (grey - ground) > (RIM * sign * step).max(LEAST_STEP);
                }
            }
        }
    }

    /// The middle of a pixel of the smaller photo in the larger one.
    fn place(&self, index: usize) -> (usize, usize) {
        let middle =
            |position: usize, size: usize| (position * self.times + self.times / 2).min(size - 1);
        (
            middle(index % self.small.width, self.residual.width),
            middle(index / self.small.width, self.residual.height),
        )
    }
}
