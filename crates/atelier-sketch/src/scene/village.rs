//! Houses on a slope, a church among them, trees between and a lane towards us.

use crate::canvas::{Canvas, Ink};
use crate::cast::{self, Stage};
use crate::colour::Lab;
use crate::figure::{self, Plant, Pose};
use crate::flora;
use crate::land::{self, Ridge};
use crate::pen;
use crate::plan::Plan;
use crate::rng::Rng;

pub(crate) fn houses(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("village");
    let (unit, h) = (canvas.unit, canvas.h);
    let horizon = plan.layout.horizon * h;
    let below = h - horizon;
    for (row, depth) in [0.34, 0.22, 0.12].into_iter().enumerate() {
        let base = horizon + below * (0.3 + 0.21 * row as f32);
        let slope = Ridge::new(&mut rng, base, unit * 0.09, unit * 0.9);
        land::hill(canvas, plan, &slope, depth);
        settle(canvas, plan, &slope, depth, row, &mut rng);
        canvas.veil(
            base - unit * 0.1,
            base + unit * 0.02,
            base + unit * 0.1,
            plan.light.haze,
            0.3 * depth + 0.05,
        );
    }
    let near = Ridge::new(&mut rng, h * 0.96, unit * 0.09, unit * 1.2);
    land::hill(canvas, plan, &near, 0.03);
    lane(canvas, plan, &near);
    cast::play(
        canvas,
        plan,
        &Stage {
            feet: 0.93,
            back: 0.86,
            scale: 0.85,
            ..Stage::default()
        },
    );
    flora::grass(canvas, plan, &mut rng, h * 0.96, unit * 0.04);
}

fn settle(canvas: &mut Canvas, plan: &Plan, slope: &Ridge, depth: f32, row: usize, rng: &mut Rng) {
    let size = canvas.unit * (0.15 - 0.26 * depth + 0.02 * row as f32);
    let mut x = canvas.w * rng.range(0.0, 0.1);
    let spire = plan.layout.focus * canvas.w;
    let mut with_church = row == 1;
    while x < canvas.w * 1.02 {
        let y = slope.top(x) + size * 0.3;
        let middle = 1.0 - ((x / canvas.w - plan.layout.focus).abs() * 1.5).min(0.75);
        if with_church && x > spire - size {
            with_church = false;
            building(canvas, plan, "church", (x, y), size * 2.1, depth, rng);
        } else if rng.chance(0.25 + 0.65 * middle) {
            building(
                canvas,
                plan,
                "house",
                (x, y),
                size * rng.range(0.8, 1.15),
                depth,
                rng,
            );
        } else {
            tree(canvas, plan, (x, y), size * rng.range(0.7, 1.3), depth, rng);
        }
        x += size * rng.range(0.6, 1.15);
    }
}

fn building(
    canvas: &mut Canvas,
    plan: &Plan,
    name: &str,
    (x, y): (f32, f32),
    height: f32,
    depth: f32,
    rng: &mut Rng,
) {
    let Some(figure) = figure::named(name) else {
        return;
    };
    let body = figure.colours[rng.below(figure.colours.len())];
    let roof = if plan.winter() {
        Lab::grey(0.95)
    } else {
        Lab {
            l: 0.52,
            a: 0.09,
            b: 0.07,
        }
        .turned(rng.range(-25.0, 25.0))
        .lighter(rng.bell() * 0.05)
    };
    let lit_from = if plan.layout.sun.0 * canvas.w < x {
        -1.0
    } else {
        1.0
    };
    let pose = Pose {
        x,
        y,
        height,
        mirrored: rng.chance(0.5),
        depth,
        body,
        trim: roof,
        lit_from,
        lean: 0.0,
    };
    figure.draw(canvas, &plan.light, &pose);
    if plan.light.darkness() > 0.4 {
        canvas.glow(
            (x, y - height * 0.25),
            height * 0.7,
            Lab {
                l: 0.85,
                a: 0.04,
                b: 0.12,
            },
            0.3,
        );
    }
}

fn tree(
    canvas: &mut Canvas,
    plan: &Plan,
    (x, y): (f32, f32),
    height: f32,
    depth: f32,
    rng: &mut Rng,
) {
    let plant = if plan.winter() || rng.chance(0.4) {
        Plant::Pine
    } else {
        Plant::Broadleaf
    };
    let lit_from = if plan.layout.sun.0 * canvas.w < x {
        -1.0
    } else {
        1.0
    };
    let body = flora::foliage(plan, rng);
    let pose = Pose {
        x,
        y,
        height,
        mirrored: false,
        depth,
        body,
        trim: body,
        lit_from,
        lean: 0.0,
    };
    flora::grow(canvas, plan, plant, &pose, rng);
}

fn lane(canvas: &mut Canvas, plan: &Plan, ground: &Ridge) {
    let (w, h, unit) = (canvas.w, canvas.h, canvas.unit);
    let x = plan.layout.focus * w;
    let top = ground.top(x);
    let foot = w * (0.5 + (0.5 - plan.layout.focus) * 0.4);
    let points = [
        (x - unit * 0.03, top + unit * 0.005),
        ((x + foot) / 2.0 - unit * 0.1, (top + h) / 2.0),
        (foot - unit * 0.2, h * 1.04),
        (foot + unit * 0.2, h * 1.04),
        ((x + foot) / 2.0 + unit * 0.06, (top + h) / 2.0),
        (x + unit * 0.03, top + unit * 0.005),
    ];
    let earth = plan.light.ground(0.4).mix(
        Lab {
            l: 0.78,
            a: 0.015,
            b: 0.05,
        },
        0.65,
    );
    if let Some(path) = pen::blob(&points) {
        let (a, b) = (
            plan.light.lit(earth.lighter(0.03), 0.1),
            plan.light.lit(earth.lighter(-0.1), 0.0),
        );
        canvas.fill(
            &path,
            &Ink::fading((x, top), (foot, h), (a, 0.9), (b, 0.75)),
        );
    }
}
