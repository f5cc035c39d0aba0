//! What a line looks like across.

use super::lines::Lines;
use super::residual::Residual;

/// How far to either side, in pixels, the ground of a line is looked at.
const FLANK: f32 = 6.0;

/// A line's cross-section, averaged along its course.
#[derive(Default)]
pub(super) struct Profile {
    /// Difference from the ground, 8-bit steps.
    pub(super) contrast: f32,
    /// Share of the course along which it stands out from both sides.
    pub(super) presence: f32,
    /// Difference between both sides, 8-bit steps: an edge has two grounds, a scratch one.
    pub(super) imbalance: f32,
    /// Pixels across that are more line than ground.
    pub(super) width: f32,
    /// 1.0 for a bright line as bright as the photo's brightest, or a dark one as dark as its darkest.
    pub(super) extremity: f32,
}

impl Profile {
    /// Compares the middle of a line with both its sides, all along its course.
    pub(super) fn of(sign: f32, course: &[usize], lines: &Lines, residual: &Residual) -> Self {
        let mut total = Self::default();
        for index in course {
            let (dx, dy) = lines.along(*index);
            let (x, y) = (
                (index % residual.width) as f32,
                (index / residual.width) as f32,
            );
            let grey = |aside: f32| grey_at(residual, x - dy * aside, y + dx * aside);
            total.add(sign, residual.range, grey);
        }
        total.over(course.len() as f32)
    }

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
    pub(super) fn likeness(&self, length: f32) -> f32 {
        (self.extremity - 0.8) / 0.12 + (3.4 - self.width) / 0.8 + 0.4 * (length / 0.12).log2()
    }
}

/// Luminance at a place; beyond the edge, that of the edge.
fn grey_at(residual: &Residual, x: f32, y: f32) -> f32 {
    let (right, bottom) = (residual.width as f32 - 1.0, residual.height as f32 - 1.0);
    let index = residual.index(x.clamp(0.0, right), y.clamp(0.0, bottom));
    index.map_or(0.0, |i| f32::from(residual.grey.as_raw()[i]))
}
