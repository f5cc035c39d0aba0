//! Water: what is above it, mirrored and broken by ripples, over its own depth.

use tiny_skia::PathBuilder;

use crate::canvas::{Canvas, Ink};
use crate::colour;
use crate::noise::{Noise, smoothstep};
use crate::pen;
use crate::plan::Plan;
use crate::sky;
use crate::topic::Weather;

/// Paints water from `horizon` (pixels) to the bottom. `rough` 0 is a mirror, 1 an open sea.
pub(crate) fn paint(canvas: &mut Canvas, plan: &Plan, horizon: f32, rough: f32) {
    let light = &plan.light;
    let rough = if plan.conditions.weather == Some(Weather::Storm) {
        1.6
    } else {
        rough
    };
    let usual = light.sky[0].mix(light.land.leaf, 0.25).lighter(-0.1);
    let deep = light.lit(light.water.unwrap_or(usual), 0.0).rgb();
    let least = if light.water.is_some() { 0.46 } else { 0.16 };
    let swell = Noise::new(plan.rng("swell").seed32());
    let (unit, depth) = (canvas.unit, canvas.h - horizon);
    let above = reflection_source(canvas, horizon);
    let width = canvas.w as usize;
    canvas.shade([0.0, horizon, canvas.w, canvas.h], |x, y| {
        let near = (y - horizon) / depth;
        let far = 1.0 / (0.05 + near * 0.95);
        let (u, v) = (x / unit * (2.0 + 4.0 * far), far * 9.0 + near * 3.0);
        let wave = swell.fbm(u, v * 2.0, 3) - 0.5;
        let shift = wave * rough * (0.03 + 0.2 * near) * unit;
        let source_y = ((y - horizon) * 0.94 + shift * 0.9)
            .abs()
            .min(above.rows as f32 - 1.0) as usize;
        let source_x = (x + shift * 0.25).clamp(0.0, width as f32 - 1.0) as usize;
        let mirrored = above.at(source_x, source_y);
        let body = least + 0.5 * near * (0.4 + 0.6 * rough.min(1.0)) + wave * 0.5 * rough;
        (colour::blend(mirrored, deep, body.clamp(0.05, 0.85)), 1.0)
    });
    glitter(canvas, plan, horizon);
}

/// The part of the picture that the water will show, copied because it is overwritten row by row.
struct Above {
    pixels: Vec<[u8; 3]>,
    width: usize,
    rows: usize,
}

impl Above {
    /// `up` rows over the waterline.
    fn at(&self, x: usize, up: usize) -> colour::Rgb {
        self.pixels[up * self.width + x].map(f32::from)
    }
}

fn reflection_source(canvas: &Canvas, horizon: f32) -> Above {
    let rows = (horizon as usize).max(1);
    let width = canvas.w as usize;
    let rows_up = |up: usize| horizon - 1.0 - up as f32;
    let pixel = |i: usize| {
        canvas
            .get((i % width) as f32, rows_up(i / width))
            .map(|v| v as u8)
    };
    let rows = rows.min((canvas.h - horizon) as usize * 13 / 10 + 2);
    Above {
        pixels: (0..rows * width).map(pixel).collect(),
        width,
        rows,
    }
}

/// The path of light under a low sun or moon: short strokes, denser near its middle.
fn glitter(canvas: &mut Canvas, plan: &Plan, horizon: f32) {
    let mut rng = plan.rng("glitter");
    let (sx, _) = sky::sun_at(canvas, plan);
    let depth = canvas.h - horizon;
    let mut pen = PathBuilder::new();
    let count = if plan.light.cloud > 0.6 { 120 } else { 420 };
    for _ in 0..count {
        let near = rng.unit().powf(1.5);
        let spread = canvas.unit * (0.025 + 0.16 * near);
        let (x, y) = (sx + rng.bell() * spread * 0.7, horizon + 2.0 + near * depth);
        let length = canvas.unit * (0.004 + 0.03 * near) * rng.range(0.4, 1.2);
        pen::add_ellipse(
            &mut pen,
            x,
            y,
            length,
            canvas.unit * (0.0008 + 0.0028 * near),
        );
    }
    if let Some(path) = pen.finish() {
        canvas.fill(&path, &Ink::flat(plan.light.glow, 0.6));
    }
}

/// Lines of light and of dark across open water, wider towards the viewer.
pub(crate) fn waves(canvas: &mut Canvas, plan: &Plan, horizon: f32) {
    let mut rng = plan.rng("waves");
    let depth = canvas.h - horizon;
    let bright = plan.light.sky[2].mix(plan.light.glow, 0.4).lighter(0.03);
    let dark = plan.light.lit(plan.light.sky[0].lighter(-0.16), 0.0);
    for (ink, share) in [(dark, 0.2), (bright, 0.3)] {
        for near in [0.15f32, 0.35, 0.6, 0.85] {
            let mut pen = PathBuilder::new();
            for _ in 0..(90.0 * canvas.w / canvas.unit) as usize {
                let near = near * rng.range(0.6, 1.3);
                let (x, y) = (rng.unit() * canvas.w, horizon + near * near * depth);
                let length = canvas.unit * (0.008 + 0.07 * near * near) * rng.range(0.5, 1.4);
                let lift = length * rng.range(0.04, 0.12);
                pen.move_to(x - length, y);
                pen.quad_to(x - length * 0.3, y - lift, x + length, y + lift * 0.2);
                pen.quad_to(x - length * 0.2, y + lift * 0.2, x - length, y);
            }
            if let Some(path) = pen.finish() {
                canvas.fill(
                    &path,
                    &Ink::flat(ink, share * (0.5 + 0.6 * smoothstep(0.0, 0.6, near))),
                );
            }
        }
    }
}
