//! Oil: strokes of three sizes laid along the forms (after Hertzmann, "Painterly Rendering with Curved
//! Brush Strokes of Multiple Sizes", 1998), with ridges of paint that catch the light.

use image::RgbaImage;

use super::Sheet;
use super::filter::{self, Plane};
use crate::colour::{self, Rgb};
use crate::noise::{Noise, smoothstep};
use crate::rng::Rng;
use crate::{Error, Progress};

const BRISTLES: usize = 24;

pub(crate) fn paint(
    picture: &RgbaImage,
    sheet: &mut Sheet,
    progress: Progress<'_>,
) -> Result<RgbaImage, Error> {
    let unit = sheet.unit;
    let mut work = Work::new(picture, unit, &mut sheet.rng);
    for (pass, size) in [0.017, 0.0085, 0.0042].into_iter().enumerate() {
        work.cover(picture, unit * size, pass, &mut sheet.rng);
        progress(0.7 + 0.08 * pass as f32)?;
    }
    Ok(work.lit())
}

struct Work {
    canvas: RgbaImage,
    /// Thickness of the paint.
    relief: Plane,
    luma: Plane,
    flow: Noise,
    unit: f32,
}

/// One touch of the brush. Lengths are half lengths in pixels.
struct Stroke {
    x: f32,
    y: f32,
    sin: f32,
    cos: f32,
    long: f32,
    wide: f32,
    colour: Rgb,
    bristles: [f32; BRISTLES],
}

impl Work {
    fn new(picture: &RgbaImage, unit: f32, rng: &mut Rng) -> Self {
        let luma = Plane::luma(picture).blurred(unit * 0.004);
        let relief = Plane {
            w: luma.w,
            h: luma.h,
            data: vec![0.0; luma.data.len()],
        };
        let canvas = filter::blur(picture, unit * 0.012);
        Self {
            canvas,
            relief,
            luma,
            flow: Noise::new(rng.seed32()),
            unit,
        }
    }

    fn cover(&mut self, picture: &RgbaImage, wide: f32, pass: usize, rng: &mut Rng) {
        let wide = wide.max(1.2);
        let step = wide * 1.25;
        let (columns, rows) = (
            (self.luma.w as f32 / step) as usize + 2,
            (self.luma.h as f32 / step) as usize + 2,
        );
        for cell in 0..columns * rows {
            let x = ((cell % columns) as f32 + rng.range(-0.5, 0.5)) * step;
            let y = ((cell / columns) as f32 + rng.range(-0.5, 0.5)) * step;
            let wanted = filter::pixel(picture, x, y);
            if pass > 0
                && difference(wanted, filter::pixel(&self.canvas, x, y)) < 11.0 + 5.0 * pass as f32
            {
                continue;
            }
            let stroke = self.stroke(x, y, wide, wanted, rng);
            self.lay(&stroke);
        }
    }

    /// Along the form where there is one, else with the flow.
    fn stroke(&self, x: f32, y: f32, wide: f32, wanted: Rgb, rng: &mut Rng) -> Stroke {
        let (ix, iy, d) = (x as i32, y as i32, (self.unit * 0.004).max(1.0) as i32);
        let gx = self.luma.get(ix + d, iy) - self.luma.get(ix - d, iy);
        let gy = self.luma.get(ix, iy + d) - self.luma.get(ix, iy - d);
        let steep = gx.hypot(gy);
        let drift = (self.flow.fbm(x / self.unit * 2.0, y / self.unit * 2.0, 2) - 0.5) * 3.4 + 0.2;
        let along = if steep > 0.035 { gx.atan2(-gy) } else { drift };
        let (sin, cos) = (along + rng.bell() * 0.14).sin_cos();
        let long = wide
            * if steep > 0.12 {
                rng.range(1.4, 2.4)
            } else {
                rng.range(2.4, 4.2)
            };
        let tone = 1.0 + rng.bell() * 0.035;
        let colour = wanted
            .map(|v| (v - 128.0) * 1.06 + 128.0 + rng.bell() * 2.5)
            .map(|v| v * tone);
        Stroke {
            x,
            y,
            sin,
            cos,
            long,
            wide,
            colour,
            bristles: std::array::from_fn(|_| rng.unit()),
        }
    }

    fn lay(&mut self, s: &Stroke) {
        let (rx, ry) = (
            s.long * s.cos.abs() + s.wide * s.sin.abs(),
            s.long * s.sin.abs() + s.wide * s.cos.abs(),
        );
        let clip = |v: f32, size: usize| v.clamp(0.0, size as f32) as usize;
        for py in clip(s.y - ry, self.luma.h)..clip(s.y + ry + 1.0, self.luma.h) {
            for px in clip(s.x - rx, self.luma.w)..clip(s.x + rx + 1.0, self.luma.w) {
                let (dx, dy) = (px as f32 - s.x, py as f32 - s.y);
                let (along, across) = (
                    (dx * s.cos + dy * s.sin) / s.long,
                    (dy * s.cos - dx * s.sin) / s.wide,
                );
                if along.abs() >= 1.0 || across.abs() >= 1.0 {
                    continue;
                }
                let (alpha, thick) = s.touch(along, across);
                if alpha > 0.02 {
                    self.drop(px, py, s, alpha, thick);
                }
            }
        }
    }

    fn drop(&mut self, x: usize, y: usize, s: &Stroke, alpha: f32, thick: f32) {
        let p = self.canvas.get_pixel_mut(x as u32, y as u32);
        let under = [p[0], p[1], p[2]].map(f32::from);
        let streak = 0.95 + 0.1 * thick;
        p.0 = filter::bytes(colour::blend(under, colour::scale(s.colour, streak), alpha));
        let relief = &mut self.relief.data[y * self.luma.w + x];
        *relief += (thick * s.wide.sqrt() - *relief) * alpha;
    }

    /// Light from the upper left on the ridges.
    fn lit(mut self) -> RgbaImage {
        let relief = &self.relief;
        filter::map(&mut self.canvas, |x, y, c| {
            let (x, y) = (x as i32, y as i32);
            let slope = relief.get(x + 1, y + 1) - relief.get(x - 1, y - 1);
            let shine = (slope * 15.0).clamp(-20.0, 24.0);
            c.map(|v| v + shine)
        });
        self.canvas
    }
}

impl Stroke {
    /// Opacity and thickness at a place of the stroke, both axes `-1.0..1.0`.
    fn touch(&self, along: f32, across: f32) -> (f32, f32) {
        let place = (across + 1.0) * 0.5 * (BRISTLES - 1) as f32;
        let i = place as usize;
        let bristle = self.bristles[i]
            + (self.bristles[(i + 1).min(BRISTLES - 1)] - self.bristles[i]) * (place - i as f32);
        // The brush is loaded at one end and runs dry at the other, hair by hair.
        let end = 1.0 - 0.45 * bristle;
        let ends = smoothstep(end, end - 0.25, along) * smoothstep(-1.0, -0.86, along);
        let sides = smoothstep(1.0, 0.8, across.abs());
        (ends * sides * 0.95, 0.3 + 0.7 * bristle)
    }
}

fn difference(a: Rgb, b: Rgb) -> f32 {
    (a[0] - b[0])
        .abs()
        .max((a[1] - b[1]).abs())
        .max((a[2] - b[2]).abs())
}
