//! Pen and wash: contour lines, three layers of hatching by tone, a thin tint underneath.

use image::RgbaImage;

use super::Sheet;
use super::filter::{self, Plane};
use super::hatch::{self, Hatch};
use crate::colour::{self, Lab, Rgb};
use crate::noise::{Noise, smoothstep};
use crate::{Error, Progress};

const PAPER: Rgb = [246.0, 240.0, 226.0];
const INK: Rgb = [34.0, 32.0, 42.0];

pub(crate) fn draw(
    picture: RgbaImage,
    sheet: &mut Sheet,
    progress: Progress<'_>,
) -> Result<RgbaImage, Error> {
    let unit = sheet.unit;
    let mut flat = filter::kuwahara(&picture, unit * 0.004);
    drop(picture);
    progress(0.75)?;
    let luma = Plane::luma(&flat);
    let tone = luma.blurred(unit * 0.0016);
    let (low, high) = range(&tone);
    let line = filter::contours(&luma, unit * 0.002, 16.0);
    drop(luma);
    progress(0.85)?;
    let gap = unit * 0.0056;
    let layers = [(52.0, 0.72), (128.0, 0.42), (8.0, 0.2)]
        .map(|(angle, below)| (Hatch::new(angle, gap, sheet.rng.seed32()), below));
    let (paper, wet) = (
        Noise::new(sheet.rng.seed32()),
        Noise::new(sheet.rng.seed32()),
    );
    let w = tone.w;
    filter::map(&mut flat, |x, y, c| {
        let at = y as usize * w + x as usize;
        let (px, py) = (x as f32, y as f32);
        let value = ((tone.data[at] - low) / (high - low)).clamp(0.0, 1.0);
        let mut ink = line.data[at];
        for (hatch, below) in &layers {
            let share = smoothstep(*below, below - 0.42, value) * 0.62;
            ink = ink.max(hatch.cover(px, py, share));
        }
        let tooth = hatch::tooth(paper, px, py, unit);
        let sheet = colour::scale(PAPER, 0.965 + 0.06 * tooth);
        let pool = 0.2 + 0.32 * wet.fbm(px / unit * 4.0, py / unit * 4.0, 3);
        let tinted = multiply(sheet, wash(c), pool);
        colour::blend(tinted, INK, (ink * (0.84 + 0.3 * tooth)).min(1.0) * 0.93)
    });
    Ok(flat)
}

/// The wash is paler and quieter than the painting.
fn wash(c: Rgb) -> Rgb {
    let grey = colour::luma(c) * 255.0;
    c.map(|v| 70.0 + 0.73 * (grey + (v - grey) * 1.15))
}

fn multiply(paper: Rgb, c: Rgb, amount: f32) -> Rgb {
    std::array::from_fn(|i| paper[i] * (1.0 + (c[i] / 255.0 - 1.0) * amount))
}

/// The tones that count as black and as white: the second and the 95th percentile.
pub(crate) fn range(tone: &Plane) -> (f32, f32) {
    let mut sample: Vec<f32> = tone
        .data
        .iter()
        .step_by((tone.data.len() / 4000).max(1))
        .copied()
        .collect();
    sample.sort_by(f32::total_cmp);
    let at = |share: f32| {
        sample
            .get((share * sample.len() as f32) as usize)
            .copied()
            .unwrap_or(0.5)
    };
    let (low, high) = (at(0.02), at(0.95));
    (low, high.max(low + 0.15))
}

pub(crate) fn graphite() -> Rgb {
    Lab {
        l: 0.3,
        a: 0.0,
        b: -0.008,
    }
    .rgb()
}
