//! The straight bar that a set of pixels resembles.

/// A bar with the same second moments as the pixels. Lengths in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bar {
    middle: (f32, f32),
    /// Unit vector along the bar.
    along: (f32, f32),
    pub(super) length: f32,
    pub(super) thickness: f32,
}

impl Bar {
    /// Fits a bar to pixels of a picture `width` pixels wide.
    pub(super) fn of(pixels: &[usize], width: usize) -> Self {
        let count = pixels.len().max(1) as f32;
        let places = || {
            pixels
                .iter()
                .map(|i| ((i % width) as f32, (i / width) as f32))
        };
        let (sx, sy) = places().fold((0.0, 0.0), |(sx, sy), (x, y)| (sx + x, sy + y));
        let middle = (sx / count, sy / count);
        let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
        for (x, y) in places().map(|(x, y)| (x - middle.0, y - middle.1)) {
            xx += x * x;
            yy += y * y;
            xy += x * y;
        }
        let (mean, half) = ((xx + yy) / 2.0, (xx - yy) / 2.0);
        let span = |moment: f32| (12.0 * moment.max(0.0) / count).sqrt();
        let angle = 0.5 * xy.atan2(half);
        Self {
            middle,
            along: (angle.cos(), angle.sin()),
            length: span(mean + half.hypot(xy)),
            thickness: span(mean - half.hypot(xy)),
        }
    }

    /// Whether `other` lies on this bar's line, not further than `gap` from its end.
    pub(super) fn leads_to(&self, other: &Self, gap: f32) -> bool {
        let apart = (
            other.middle.0 - self.middle.0,
            other.middle.1 - self.middle.1,
        );
        let along = apart.0 * self.along.0 + apart.1 * self.along.1;
        let aside = apart.0 * self.along.1 - apart.1 * self.along.0;
        let turn = self.along.0 * other.along.0 + self.along.1 * other.along.1;
        let reach = 0.5 * (self.length + other.length) + gap;
        turn.abs() > 0.97 && along.abs() <= reach && aside.abs() <= 3.0 + 0.03 * along.abs()
    }
}
