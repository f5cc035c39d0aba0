//! What ink and pencil share: paper, and lines drawn at an angle by a hand that is not a ruler.

use crate::noise::{Noise, smoothstep};

/// Parallel strokes.
pub(crate) struct Hatch {
    sin: f32,
    cos: f32,
    gap: f32,
    wobble: Noise,
}

impl Hatch {
    pub(crate) fn new(degrees: f32, gap: f32, seed: u32) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Self {
            sin,
            cos,
            gap: gap.max(2.2),
            wobble: Noise::new(seed),
        }
    }

    /// How much of a pixel a line covers whose width is `share` of the gap (0 none, 1 solid).
    pub(crate) fn cover(&self, x: f32, y: f32, share: f32) -> f32 {
        if share <= 0.0 {
            return 0.0;
        }
        let (across, along) = (x * self.cos + y * self.sin, y * self.cos - x * self.sin);
        let bend = self
            .wobble
            .at(along / self.gap * 0.045, across / self.gap * 0.22)
            * 1.1;
        let place = across / self.gap + bend;
        let line = place.floor();
        // Each stroke is pressed, lifted and begun again at its own places.
        let press = 0.55
            + 0.75
                * self
                    .wobble
                    .at(along / self.gap * 0.1 + line * 7.7, line * 3.1);
        let half = share * press * 0.5 * self.gap;
        let d = (place - line - 0.5).abs() * self.gap;
        smoothstep(half + 0.6, half - 0.6, d)
    }
}

/// Laid paper seen close: `0.0..=1.0`, about 0.5.
pub(crate) fn tooth(noise: Noise, x: f32, y: f32, unit: f32) -> f32 {
    let k = 330.0 / unit.max(330.0 / 0.45);
    0.65 * noise.at(x * k, y * k) + 0.35 * noise.at(x * k * 2.3 + 40.0, y * k * 2.3)
}
