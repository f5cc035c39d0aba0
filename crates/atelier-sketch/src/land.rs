//! Ridges, hills and dunes: lines of fractal noise with light on one side and haze between them.

use tiny_skia::PathBuilder;

use crate::canvas::{Canvas, Ink};
use crate::colour::{self, Lab};
use crate::flora;
use crate::noise::{Noise, lerp, smoothstep};
use crate::plan::Plan;
use crate::rng::Rng;

/// The outline of one layer of land. Lengths are pixels.
#[derive(Clone, Copy)]
pub(crate) struct Ridge {
    pub(crate) base: f32,
    pub(crate) height: f32,
    /// Width of the widest features.
    pub(crate) span: f32,
    /// 0 rolling, 1 craggy.
    pub(crate) crag: f32,
    /// A summit (x, share of the height it adds).
    pub(crate) summit: (f32, f32),
    noise: Noise,
}

impl Ridge {
    pub(crate) fn new(rng: &mut Rng, base: f32, height: f32, span: f32) -> Self {
        let noise = Noise::new(rng.seed32());
        Self {
            base,
            height,
            span,
            crag: 0.0,
            summit: (0.0, 0.0),
            noise,
        }
    }

    pub(crate) fn craggy(self, crag: f32) -> Self {
        Self { crag, ..self }
    }

    pub(crate) fn with_summit(self, x: f32, share: f32) -> Self {
        Self {
            summit: (x, share),
            ..self
        }
    }

    pub(crate) fn top(&self, x: f32) -> f32 {
        let u = x / self.span + 50.0;
        let soft = self.noise.fbm(u, 0.5, 3);
        let rough = if self.crag > 0.0 {
            self.noise.ridged(u, 3.5, 6)
        } else {
            soft
        };
        let away = (x - self.summit.0).abs() / (self.span * 1.25);
        let peak = self.summit.1 * (1.0 - away).max(0.0).powf(1.15);
        self.base
            - self.height * (lerp(soft, rough, self.crag) * (1.0 - 0.5 * self.summit.1) + peak)
    }
}

/// Rock with a lit and a shaded flank, gullies, and snow down to a ragged line.
pub(crate) fn mountain(canvas: &mut Canvas, plan: &Plan, ridge: &Ridge, depth: f32, snow: f32) {
    let light = &plan.light;
    let usual = light.land.rock.mix(light.ground(depth), 0.5);
    let rock = light.rock.unwrap_or(usual);
    let lit = light
        .lit(rock.lighter(0.09).mix(light.glow, 0.18), depth)
        .rgb();
    let dark = light
        .lit(rock.lighter(-0.13).mix(light.shade, 0.35), depth)
        .rgb();
    let white = light
        .lit(
            Lab {
                l: 0.97,
                a: 0.0,
                b: 0.004,
            }
            .mix(light.glow, 0.25),
            depth * 0.75,
        )
        .rgb();
    let blue = light
        .lit(
            Lab {
                l: 0.74,
                a: -0.01,
                b: -0.045,
            },
            depth * 0.8,
        )
        .rgb();
    let foot = light
        .lit(light.ground(depth), depth)
        .mix(light.haze, 0.35)
        .rgb();
    let towards = if plan.layout.sun.0 < 0.5 { -1.0 } else { 1.0 };
    let (span, noise) = (ridge.span, ridge.noise);
    let reach = ridge.height * (1.1 + ridge.summit.1);
    let slope: Vec<f32> = (0..canvas.w as usize + 1)
        .map(|x| {
            let (a, b) = (x as f32 - span * 0.02, x as f32 + span * 0.02);
            (ridge.top(b) - ridge.top(a)) / (span * 0.04)
        })
        .collect();
    canvas.terrain(
        |x| ridge.top(x),
        |x, y, under| {
            let (u, v) = (x / span, under / span);
            let gully = noise.ridged(u * 4.0 + towards * v * 2.6, v * 3.4 + u + 11.0, 5) - 0.58;
            let facing = slope[x as usize] * towards * (1.0 - v * 0.9).max(0.0);
            let shine = smoothstep(-0.22, 0.3, facing * 0.6 + gully * 1.9);
            let line = snow * reach * (0.5 + 0.9 * noise.fbm(u * 5.0, v * 2.0 + 40.0, 3))
                + gully * reach * 0.35;
            let frost = smoothstep(0.03, -0.03, (y - (ridge.base - reach) - line) / reach);
            let surface = colour::blend(
                colour::blend(dark, lit, shine),
                colour::blend(blue, white, shine),
                frost,
            );
            colour::blend(
                surface,
                foot,
                smoothstep(reach * 0.35, reach * 1.15, under) * 0.85,
            )
        },
    );
}

/// A rolling layer, lighter along its crest, mottled like grass.
pub(crate) fn hill(canvas: &mut Canvas, plan: &Plan, ridge: &Ridge, depth: f32) {
    let light = &plan.light;
    let surface = light.ground(depth);
    let crest = light
        .lit(surface.lighter(0.05).mix(light.glow, 0.22), depth)
        .rgb();
    let body = light.lit(surface, depth).rgb();
    let hollow = light
        .lit(surface.lighter(-0.1).mix(light.shade, 0.15), depth)
        .rgb();
    let (span, noise) = (ridge.span, ridge.noise);
    let unit = canvas.unit;
    canvas.terrain(
        |x| ridge.top(x),
        |x, y, under| {
            let fold = noise.fbm(x / span * 2.2, y / span * 6.0, 3) - 0.5;
            let tuft = noise.fbm(x / unit * 34.0, y / unit * 60.0, 2) - 0.5;
            let t = under / (unit * 0.2) + fold * 1.2 + tuft * 0.35 * (1.0 - depth);
            if t < 0.5 {
                colour::blend(crest, body, smoothstep(0.0, 0.5, t))
            } else {
                colour::blend(body, hollow, smoothstep(0.5, 1.6, t))
            }
        },
    );
}

/// Conifers standing along a ridge, each as high as `height` at most.
pub(crate) fn treeline(canvas: &mut Canvas, plan: &Plan, ridge: &Ridge, depth: f32, height: f32) {
    let mut rng = plan.rng(&format!("treeline {depth}"));
    let grove = Noise::new(rng.seed32());
    let mut pen = PathBuilder::new();
    let mut x = -height * 0.3;
    while x < canvas.w + height {
        let dense = grove.fbm(x / canvas.unit * 3.0, 0.0, 2);
        let tall = height * rng.range(0.45, 1.0) * (0.35 + 1.1 * dense);
        if dense > 0.4 {
            flora::add_pine(&mut pen, &mut rng, (x, ridge.top(x) + height * 0.12), tall);
        }
        x += height * rng.range(0.1, 0.34);
    }
    if let Some(path) = pen.finish() {
        let leaf = plan.light.land.leaf.lighter(-0.06);
        let (tip, foot) = (
            plan.light.lit(leaf, depth * 0.8),
            plan.light.lit(leaf, depth),
        );
        let b = path.bounds();
        let foot = foot.mix(plan.light.haze, 0.25 * depth);
        canvas.fill(
            &path,
            &Ink::linear((0.0, b.top()), (0.0, b.bottom()), tip, foot),
        );
    }
}
