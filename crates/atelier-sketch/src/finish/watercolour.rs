//! Transparent pigment: optical density instead of colour, so that paper shines through. Effects after
//! Curtis et al., "Computer-Generated Watercolor" (1997): edge darkening, granulation, backruns.

use image::RgbaImage;

use super::Sheet;
use super::filter::{self, Plane};
use crate::colour;
use crate::noise::{Noise, smoothstep};
use crate::{Error, Progress};

const PAPER: [f32; 3] = [251.0, 248.0, 240.0];

pub(crate) fn paint(
    picture: RgbaImage,
    sheet: &mut Sheet,
    progress: Progress<'_>,
) -> Result<RgbaImage, Error> {
    let unit = sheet.unit;
    let flat = filter::kuwahara(&picture, unit * 0.0055);
    progress(0.75)?;
    let luma = Plane::luma(&flat);
    let soft = luma.blurred(unit * 0.0055);
    progress(0.82)?;
    let brush = Brush::new(sheet, &picture);
    let mut out = picture;
    let density = density_table();
    filter::map(&mut out, |x, y, _| {
        let (px, py) = (x as f32, y as f32);
        let (sx, sy) = brush.wobble(px, py);
        let (ix, iy) = (sx as i32, sy as i32);
        // Pigment gathers where a dark wash ends.
        let rim = (soft.get(ix, iy) - luma.get(ix, iy)).clamp(-0.02, 0.14) * 4.2;
        let strength = brush.strength(px, py) * (1.0 + rim);
        let c = filter::pixel(&flat, sx, sy);
        let reach = brush.reach(px, py);
        // Thin washes look paler than the paint they come from; purer pigment makes up for it.
        let grey = colour::luma(c) * 255.0;
        let vivid = c.map(|v| grey + (v - grey) * 1.3);
        std::array::from_fn(|i| {
            let d = density[vivid[i].clamp(0.0, 255.0) as usize] * strength;
            PAPER[i] * brush.shine(px, py) * (-d * reach).exp()
        })
    });
    Ok(out)
}

/// Optical density of each byte value: minus the logarithm of its transmission.
fn density_table() -> Vec<f32> {
    (0..256)
        .map(|v| -((v as f32 + 6.0) / 262.0).ln() * 0.96)
        .collect()
}

/// One droplet's backrun: centre and radius.
type Bloom = (f32, f32, f32);

struct Brush {
    unit: f32,
    size: (f32, f32),
    hand: Noise,
    flow: Noise,
    tooth: Noise,
    blooms: Vec<Bloom>,
}

impl Brush {
    fn new(sheet: &mut Sheet, picture: &RgbaImage) -> Self {
        let rng = &mut sheet.rng;
        let (w, h) = (picture.width() as f32, picture.height() as f32);
        let [hand, flow, tooth] = [0; 3].map(|_| Noise::new(rng.seed32()));
        let blooms = (0..3)
            .map(|_| {
                (
                    rng.unit() * w,
                    rng.unit() * h,
                    sheet.unit * rng.range(0.07, 0.15),
                )
            })
            .collect();
        Self {
            unit: sheet.unit,
            size: (w, h),
            hand,
            flow,
            tooth,
            blooms,
        }
    }

    /// Where the trembling hand took its colour from.
    fn wobble(&self, x: f32, y: f32) -> (f32, f32) {
        let (u, v) = (x / self.unit, y / self.unit);
        let far = self.unit * 0.016;
        let near = self.unit * 0.005;
        let dx = (self.hand.at(u * 9.0, v * 9.0) - 0.5) * far
            + (self.hand.at(u * 46.0, v * 46.0) - 0.5) * near;
        let dy = (self.hand.at(u * 9.0 + 70.0, v * 9.0) - 0.5) * far
            + (self.hand.at(u * 46.0 + 70.0, v * 46.0) - 0.5) * near;
        (
            (x + dx).clamp(0.0, self.size.0 - 1.0),
            (y + dy).clamp(0.0, self.size.1 - 1.0),
        )
    }

    /// How much pigment settles: flow, granulation in the paper's hollows, backruns.
    fn strength(&self, x: f32, y: f32) -> f32 {
        let (u, v) = (x / self.unit, y / self.unit);
        let pool = self.flow.fbm(u * 3.2, v * 3.2, 4);
        let grain = self.paper(x, y) - 0.5;
        let bloom: f32 = self
            .blooms
            .iter()
            .map(|bloom| self.backrun(bloom, x, y))
            .sum();
        (0.4 + 0.86 * pool + 0.36 * grain + bloom).max(0.12)
    }

    /// Paler inside, with a dark crinkled rim.
    fn backrun(&self, &(cx, cy, r): &Bloom, x: f32, y: f32) -> f32 {
        let (dx, dy) = (x - cx, y - cy);
        if dx.abs().max(dy.abs()) > r * 1.6 {
            return 0.0;
        }
        let crinkle = self.flow.fbm(x / self.unit * 16.0, y / self.unit * 16.0, 3) - 0.5;
        let d = dx.hypot(dy) / r + crinkle * 1.6;
        0.14 * smoothstep(0.09, 0.0, (d - 0.8).abs()) - 0.16 * smoothstep(0.85, 0.3, d)
    }

    fn paper(&self, x: f32, y: f32) -> f32 {
        let k = 210.0 / self.unit.max(210.0 / 0.4);
        0.6 * self.tooth.at(x * k, y * k) + 0.4 * self.tooth.at(x * k * 2.1 + 9.0, y * k * 2.1)
    }

    fn shine(&self, x: f32, y: f32) -> f32 {
        0.972 + 0.04 * self.paper(x, y)
    }

    /// 1 where paint lies, 0 on the margin; the washes stop unevenly and darken where they stop.
    fn reach(&self, x: f32, y: f32) -> f32 {
        let (w, h) = self.size;
        let inside = x.min(w - x).min(y).min(h - y) / self.unit;
        if inside > 0.12 {
            return 1.0;
        }
        let (u, v) = (x / self.unit, y / self.unit);
        let ragged = self.hand.fbm(u * 5.0 + 30.0, v * 5.0, 4) * 0.03
            + self.hand.at(u * 40.0, v * 40.0) * 0.005;
        let edge = inside - 0.012 - ragged;
        smoothstep(-0.002, 0.002, edge) * (1.0 + 0.22 * smoothstep(0.01, 0.0, edge))
    }
}
