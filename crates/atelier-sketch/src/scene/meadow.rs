//! Hills under a wide sky and a field that comes up to our feet.

use crate::canvas::{Canvas, Ink};
use crate::cast::{self, Stage};
use crate::colour::Lab;
use crate::figure::{Plant, Pose};
use crate::flora;
use crate::land::{self, Ridge};
use crate::pen;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::topic::Season;
use tiny_skia::PathBuilder;

pub(crate) fn hills(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("hills");
    let horizon = plan.layout.horizon * canvas.h;
    let (unit, below) = (canvas.unit, canvas.h - horizon);
    for (i, depth) in [0.86, 0.66, 0.46, 0.3].into_iter().enumerate() {
        let base = horizon + below * 0.13 * i as f32;
        let ridge = Ridge::new(
            &mut rng,
            base,
            unit * (0.17 - 0.015 * i as f32),
            unit * 0.75,
        );
        land::hill(canvas, plan, &ridge, depth);
        if i > 0 {
            copses(canvas, plan, &ridge, depth, &mut rng);
        }
        canvas.veil(
            base - unit * 0.1,
            base,
            base + unit * 0.12,
            plan.light.haze,
            0.2 * depth,
        );
    }
}

/// Small groups of trees and hedges on a far hill.
pub(crate) fn copses(canvas: &mut Canvas, plan: &Plan, ridge: &Ridge, depth: f32, rng: &mut Rng) {
    for _ in 0..3 + rng.below(4) {
        let centre = rng.unit() * canvas.w;
        let (mut dark, mut light) = (PathBuilder::new(), PathBuilder::new());
        for _ in 0..3 + rng.below(9) {
            let r = canvas.unit * 0.028 * (1.15 - depth) * rng.range(0.5, 1.2);
            let x = centre + rng.bell() * canvas.unit * 0.06;
            let y = ridge.top(x) + r * rng.range(-0.6, 1.2) + canvas.unit * 0.012;
            pen::add_ellipse(&mut dark, x, y, r, r * 0.85);
            pen::add_ellipse(&mut light, x - r * 0.2, y - r * 0.25, r * 0.62, r * 0.5);
        }
        let leaf = flora::foliage(plan, rng);
        for (pen, lift) in [(dark, -0.08), (light, 0.03)] {
            if let Some(path) = pen.finish() {
                canvas.fill(
                    &path,
                    &Ink::flat(plan.light.lit(leaf.lighter(lift), depth * 0.9), 1.0),
                );
            }
        }
    }
}

pub(crate) fn field(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("field");
    let (unit, h) = (canvas.unit, canvas.h);
    let top = plan.layout.horizon * h + (h - plan.layout.horizon * h) * 0.42;
    let near = Ridge::new(&mut rng, top + unit * 0.06, unit * 0.1, unit * 1.4);
    land::hill(canvas, plan, &near, 0.1);
    if plan.cast.is_empty() {
        lone_tree(canvas, plan, &near, &mut rng);
    }
    let blooming = !plan.winter() && plan.conditions.season != Some(Season::Autumn);
    if blooming {
        blossoms(canvas, plan, &near, &mut rng);
    }
    cast::play(
        canvas,
        plan,
        &Stage {
            feet: 0.9,
            back: 0.76,
            ..Stage::default()
        },
    );
    flora::grass(canvas, plan, &mut rng, h * 0.93, unit * 0.06);
    if blooming {
        edge_flowers(canvas, plan, &mut rng);
    }
}

fn lone_tree(canvas: &mut Canvas, plan: &Plan, ground: &Ridge, rng: &mut Rng) {
    let x = plan.layout.focus * canvas.w;
    let pose = Pose {
        x,
        y: ground.top(x) + canvas.unit * 0.04,
        height: canvas.unit * rng.range(0.36, 0.5),
        mirrored: false,
        depth: 0.12,
        body: flora::foliage(plan, rng),
        trim: plan.light.accents[0],
        lit_from: if plan.layout.sun.0 < plan.layout.focus {
            -1.0
        } else {
            1.0
        },
        lean: 0.0,
    };
    flora::grow(canvas, plan, Plant::Broadleaf, &pose, rng);
}

/// Flowers as dabs in drifts: small and dense far away, larger near.
fn blossoms(canvas: &mut Canvas, plan: &Plan, ground: &Ridge, rng: &mut Rng) {
    let drift = crate::noise::Noise::new(rng.seed32());
    let accents = plan.light.accents;
    let count = (2600.0 * canvas.w / canvas.unit) as usize;
    for (i, accent) in accents.into_iter().enumerate() {
        let mut pen = PathBuilder::new();
        for _ in 0..count / 3 {
            let near = rng.unit();
            let x = rng.unit() * canvas.w;
            let top = ground.top(x);
            let y = top + (canvas.h - top) * near * near;
            let thick = drift.fbm(
                x / canvas.unit * 4.0 + 30.0 * i as f32,
                y / canvas.unit * 9.0,
                2,
            );
            if thick > 0.48 {
                let r = canvas.unit * (0.0012 + 0.0065 * near * near) * rng.range(0.6, 1.2);
                pen::add_ellipse(&mut pen, x, y, r, r * 0.7);
            }
        }
        if let Some(path) = pen.finish() {
            canvas.fill(&path, &Ink::flat(plan.light.lit(accent, 0.06), 0.92));
        }
    }
}

/// A few real flowers at the lower edge, out of the way of the subject.
fn edge_flowers(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    for _ in 0..(11.0 * canvas.w / canvas.unit) as usize {
        let accent: Lab = plan.light.accents[rng.below(3)];
        let pose = Pose {
            x: rng.unit() * canvas.w,
            y: canvas.h * rng.range(0.99, 1.05),
            height: canvas.unit * rng.range(0.07, 0.13),
            mirrored: false,
            depth: 0.0,
            body: accent,
            trim: Lab {
                l: 0.8,
                a: 0.02,
                b: 0.12,
            },
            lit_from: 1.0,
            lean: 0.0,
        };
        flora::flower(canvas, plan, &pose, rng);
    }
}
