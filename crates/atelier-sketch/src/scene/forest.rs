//! Trunks behind trunks in milky light, shafts of sun, and ferns on the floor.

use crate::canvas::{Canvas, Ink};
use crate::cast::{self, Stage};
use crate::colour::{self, Lab, Ramp};
use crate::flora;
use crate::land::{self, Ridge};
use crate::noise::{Noise, smoothstep};
use crate::pen;
use crate::plan::Plan;
use crate::rng::Rng;
use tiny_skia::PathBuilder;

/// The glowing background between the trees.
pub(crate) fn depths(canvas: &mut Canvas, plan: &Plan) {
    let light = &plan.light;
    let leaf = light.land.leaf;
    let canopy = light.lit(leaf.lighter(-0.05), 0.25);
    let air = light.lit(leaf.lighter(0.17), 0.45).mix(light.haze, 0.25);
    let ramp = Ramp::new(&[canopy, air, air.mix(light.glow, 0.55), light.lit(leaf, 0.5)]);
    let dapple = Noise::new(plan.rng("dapple").seed32());
    let bright = light.glow.mix(air, 0.3).rgb();
    let (fx, fy) = (plan.layout.focus * canvas.w, canvas.h * 0.52);
    let (unit, h) = (canvas.unit, canvas.h);
    canvas.shade_all(|x, y| {
        let n = dapple.fbm(x / unit * 5.0, y / unit * 5.0, 4);
        let base = ramp.at(y / h * 0.95 + (n - 0.5) * 0.35);
        let d = ((x - fx) / 1.1).hypot(y - fy) / unit;
        (
            colour::blend(base, bright, (0.85 * (-d * 2.6).exp()).min(1.0)),
            1.0,
        )
    });
}

pub(crate) fn trunks(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("trunks");
    let kind = rng.below(3);
    for (row, depth) in [0.88, 0.7, 0.52, 0.34].into_iter().enumerate() {
        let count = (17.0 - 3.6 * row as f32) * canvas.w / canvas.unit;
        let foot = canvas.h * (0.64 + 0.055 * row as f32);
        floor_mist(canvas, plan, foot, depth);
        for _ in 0..count as usize {
            let x = spot(canvas, plan, &mut rng, 0.05 + 0.03 * row as f32);
            let width = canvas.unit * (0.012 + 0.013 * row as f32) * rng.range(0.7, 1.4);
            let foot = foot + canvas.unit * rng.range(-0.01, 0.03);
            trunk(canvas, plan, (x, foot, width), depth, kind == 2, &mut rng);
        }
        crowns(canvas, plan, depth, &mut rng);
    }
    shafts(canvas, plan, &mut rng);
}

/// A place for a trunk that leaves the clearing at the focus open.
fn spot(canvas: &Canvas, plan: &Plan, rng: &mut Rng, clearing: f32) -> f32 {
    let focus = plan.layout.focus;
    let x = rng.range(-0.02, 1.02);
    let gap = clearing + 0.05;
    let away = x - focus;
    if away.abs() < gap {
        (focus + away.signum() * (gap + rng.unit() * 0.1)) * canvas.w
    } else {
        x * canvas.w
    }
}

fn floor_mist(canvas: &mut Canvas, plan: &Plan, foot: f32, depth: f32) {
    let ground = plan.light.lit(plan.light.ground(depth), depth);
    let (crest, body) = (ground.mix(plan.light.glow, 0.25).rgb(), ground.rgb());
    let moss = Noise::new(plan.rng("moss").seed32());
    let unit = canvas.unit;
    canvas.terrain(
        |x| foot - unit * 0.05 * moss.fbm(x / unit * 3.0, depth * 20.0, 3),
        |x, y, under| {
            let n = moss.fbm(x / unit * 20.0, y / unit * 40.0, 2);
            colour::blend(
                crest,
                body,
                smoothstep(0.0, unit * 0.06, under) * (0.6 + 0.6 * n).min(1.0),
            )
        },
    );
}

fn trunk(
    canvas: &mut Canvas,
    plan: &Plan,
    (x, foot, width): (f32, f32, f32),
    depth: f32,
    birch: bool,
    rng: &mut Rng,
) {
    let (lean, sway) = (rng.bell() * width * 1.6, rng.bell() * width * 0.5);
    let half = width / 2.0;
    let shape = pen::blob(&[
        (x - half * 1.5, foot + width * 0.3),
        (x - half, foot - width * 1.5),
        (x - half * 0.85 + sway, foot * 0.5),
        (x - half * 0.7 + lean, -width * 2.0),
        (x + half * 0.7 + lean, -width * 2.0),
        (x + half * 0.85 + sway, foot * 0.5),
        (x + half, foot - width * 1.5),
        (x + half * 1.5, foot + width * 0.3),
    ]);
    let Some(shape) = shape else { return };
    let bark = if birch {
        Lab {
            l: 0.86,
            a: 0.0,
            b: 0.015,
        }
    } else {
        plan.light.land.rock
    };
    let lit = plan
        .light
        .lit(bark.lighter(0.08).mix(plan.light.glow, 0.25), depth)
        .rgb();
    let dark = plan.light.lit(bark.lighter(-0.12), depth).rgb();
    let mark = plan.light.lit(Lab::grey(0.28), depth).rgb();
    let grain = Noise::new(rng.seed32());
    let towards = if plan.layout.focus * canvas.w < x {
        -1.0
    } else {
        1.0
    };
    canvas.texture(&shape, |px, py| {
        let across = (px - x - sway) / width * towards;
        let furrow = grain.fbm(px / width * 5.0, py / width * 0.7, 2) - 0.5;
        let skin = colour::blend(dark, lit, smoothstep(-0.45, 0.5, across + furrow * 0.9));
        let scar = grain.fbm(px / width * 0.9, py / width * 3.2, 2);
        if birch && scar > 0.62 {
            colour::blend(skin, mark, 0.7)
        } else {
            skin
        }
    });
}

/// Leaves hanging in from above.
fn crowns(canvas: &mut Canvas, plan: &Plan, depth: f32, rng: &mut Rng) {
    let near = 1.0 - depth;
    for lift in [-0.12, -0.02, 0.07] {
        let leaf = flora::foliage(plan, rng).lighter(lift);
        let mut pen = PathBuilder::new();
        for _ in 0..(120.0 * canvas.w / canvas.unit) as usize {
            let r = canvas.unit * (0.012 + 0.03 * near) * rng.range(0.4, 1.0);
            let (x, y) = (
                rng.unit() * canvas.w,
                canvas.h * (0.28 * rng.unit().powf(1.5) - 0.01),
            );
            let clear = ((x / canvas.w - plan.layout.focus).abs() * 3.0).min(1.0);
            flora::add_clump(&mut pen, rng, (x, y * (0.35 + 0.9 * clear)), r);
        }
        if let Some(path) = pen.finish() {
            canvas.fill(&path, &Ink::flat(plan.light.lit(leaf, depth * 0.85), 0.9));
        }
    }
}

fn shafts(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    let glow = plan.light.glow;
    let strength = 0.28 * (1.0 - plan.light.darkness());
    let source = (plan.layout.sun.0 * canvas.w, -canvas.h * 0.2);
    for _ in 0..6 {
        let foot = (plan.layout.focus + rng.bell() * 0.22) * canvas.w;
        let wide = canvas.unit * rng.range(0.02, 0.08);
        let y = canvas.h * rng.range(0.7, 0.85);
        let shape = [
            (source.0 - wide * 0.2, source.1),
            (source.0 + wide * 0.2, source.1),
            (foot + wide, y),
            (foot - wide, y),
        ];
        if let Some(path) = pen::polygon(&shape) {
            canvas.fill(
                &path,
                &Ink::fading((0.0, 0.0), (0.0, y), (glow, strength), (glow, 0.0)),
            );
        }
    }
}

pub(crate) fn floor(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("floor");
    let (unit, h) = (canvas.unit, canvas.h);
    let ground = Ridge::new(&mut rng, h * 0.86, unit * 0.08, unit * 0.9);
    land::hill(canvas, plan, &ground, 0.1);
    path(canvas, plan, &ground, &mut rng);
    for side in [-0.02, 1.02] {
        let width = unit * rng.range(0.08, 0.13);
        let x = side * canvas.w + rng.bell() * width * 0.4;
        trunk(canvas, plan, (x, h * 1.02, width), 0.05, false, &mut rng);
    }
    cast::play(
        canvas,
        plan,
        &Stage {
            feet: 0.93,
            back: 0.82,
            sky: (0.25, 0.5),
            ..Stage::default()
        },
    );
    flora::grass(canvas, plan, &mut rng, h * 0.92, unit * 0.075);
}

/// A light trail that winds from the clearing to the viewer.
fn path(canvas: &mut Canvas, plan: &Plan, ground: &Ridge, rng: &mut Rng) {
    let (w, h, unit) = (canvas.w, canvas.h, canvas.unit);
    let far = (
        plan.layout.focus * w,
        ground.top(plan.layout.focus * w) + unit * 0.004,
    );
    let near = w * rng.range(0.35, 0.65);
    let bend = (far.0 + near) / 2.0 + rng.side() * unit * 0.1;
    let points = [
        (far.0 - unit * 0.015, far.1),
        (bend - unit * 0.07, (far.1 + h) / 2.0),
        (near - unit * 0.24, h * 1.05),
        (near + unit * 0.24, h * 1.05),
        (bend + unit * 0.06, (far.1 + h) / 2.0),
        (far.0 + unit * 0.015, far.1),
    ];
    let earth = plan.light.ground(0.3).mix(
        Lab {
            l: 0.72,
            a: 0.02,
            b: 0.05,
        },
        0.6,
    );
    if let Some(trail) = pen::blob(&points) {
        let (a, b) = (
            plan.light.lit(earth.mix(plan.light.glow, 0.35), 0.2),
            plan.light.lit(earth.lighter(-0.12), 0.0),
        );
        canvas.fill(&trail, &Ink::fading(far, (near, h), (a, 0.85), (b, 0.6)));
    }
}
