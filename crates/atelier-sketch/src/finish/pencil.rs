//! Graphite on drawing paper: strokes that follow tone, tooth that shows through, edges left open.

use image::RgbaImage;

use super::filter::{self, Plane};
use super::hatch::{self, Hatch};
use super::{Sheet, ink};
use crate::colour::{self, Rgb};
use crate::noise::{Noise, smoothstep};
use crate::{Error, Progress};

const PAPER: Rgb = [247.0, 245.0, 239.0];

pub(crate) fn draw(
    picture: RgbaImage,
    sheet: &mut Sheet,
    progress: Progress<'_>,
) -> Result<RgbaImage, Error> {
    let unit = sheet.unit;
    let mut flat = filter::kuwahara(&picture, unit * 0.005);
    drop(picture);
    progress(0.75)?;
    let luma = Plane::luma(&flat);
    let tone = luma.blurred(unit * 0.002);
    let (low, high) = ink::range(&tone);
    let line = filter::contours(&luma, unit * 0.0022, 11.0);
    drop(luma);
    progress(0.85)?;
    let strokes = [(58.0, 0.0042), (40.0, 0.0036), (116.0, 0.005)]
        .map(|(angle, gap)| Hatch::new(angle, unit * gap, sheet.rng.seed32()));
    let [paper, smudge, border] = [0; 3].map(|_| Noise::new(sheet.rng.seed32()));
    let (w, size) = (tone.w, (tone.w as f32, tone.h as f32));
    let lead = ink::graphite();
    filter::map(&mut flat, |x, y, _| {
        let at = y as usize * w + x as usize;
        let (px, py) = (x as f32, y as f32);
        let value = ((tone.data[at] - low) / (high - low)).clamp(0.0, 1.0);
        let dark = (1.0 - value).powf(1.15);
        let tooth = hatch::tooth(paper, px, py, unit);
        let [first, second, third] = &strokes;
        let hatched = first.cover(px, py, 0.3 + 0.55 * dark) * 0.62
            + second.cover(px, py, smoothstep(0.25, 0.9, dark)) * 0.42
            + third.cover(px, py, smoothstep(0.5, 1.0, dark)) * 0.42;
        let rubbed = 0.24 + 0.2 * smudge.fbm(px / unit * 7.0, py / unit * 7.0, 3);
        let shading = dark * (rubbed + hatched * 0.85);
        let grain = smoothstep(0.12, 0.75, shading * 0.8 + 0.62 - tooth * 0.6);
        let open = open_edge(border, (px, py), size, unit);
        let lead_here = ((shading * (0.45 + 0.75 * grain)) + line.data[at] * 0.75).min(1.0) * open;
        colour::blend(
            colour::scale(PAPER, 0.975 + 0.045 * tooth),
            lead,
            lead_here * 0.95,
        )
    });
    Ok(flat)
}

/// The drawing thins out towards the edge of the sheet, unevenly.
fn open_edge(noise: Noise, (x, y): (f32, f32), (w, h): (f32, f32), unit: f32) -> f32 {
    let inside = x.min(w - x).min(y).min(h - y) / unit;
    let ragged = noise.fbm(x / unit * 5.0, y / unit * 5.0, 3) * 0.09;
    let streak = noise.at(
        (x * 0.53 - y * 0.85) / unit * 2.0,
        (x * 0.85 + y * 0.53) / unit * 60.0,
    ) * 0.035;
    smoothstep(0.02, 0.075, inside - ragged * 0.6 - streak + 0.025)
}
