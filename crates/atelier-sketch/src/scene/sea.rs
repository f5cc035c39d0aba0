//! Open water, a headland, and a shore to stand on; also the lake's water and bank.

use crate::canvas::{Canvas, Ink};
use crate::cast::{self, Stage};
use crate::colour::{self, Lab};
use crate::flora;
use crate::land::{self, Ridge};
use crate::noise::{Noise, smoothstep};
use crate::part::Part;
use crate::pen;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::water;

pub(crate) fn coast(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("coast");
    let horizon = plan.layout.horizon * canvas.h;
    let unit = canvas.unit;
    let side = if plan.layout.focus < 0.5 {
        0.0
    } else {
        canvas.w
    };
    for (reach, height, depth) in [(0.75, 0.13, 0.8), (0.42, 0.2, 0.5)] {
        if rng.chance(0.8) {
            let reach = unit * reach * rng.range(0.7, 1.3);
            let height = unit * height * rng.range(0.6, 1.1);
            let base = Ridge::new(&mut rng, horizon + 1.0, height, unit * 0.4).craggy(0.5);
            headland(canvas, plan, &base, (side, reach), depth);
        }
    }
}

/// Rock that runs out into the sea from one side.
fn headland(
    canvas: &mut Canvas,
    plan: &Plan,
    ridge: &Ridge,
    (side, reach): (f32, f32),
    depth: f32,
) {
    let light = &plan.light;
    let rock = light.land.rock.mix(light.land.leaf, 0.35);
    let (top, foot) = (
        light
            .lit(rock.lighter(0.08).mix(light.glow, 0.15), depth)
            .rgb(),
        light.lit(rock.lighter(-0.1), depth).rgb(),
    );
    let grain = Noise::new(plan.rng("headland").seed32());
    let unit = canvas.unit;
    let horizon = ridge.base;
    let top_at = |x: f32| {
        let along = ((x - side).abs() / reach).min(1.0);
        let fall = (1.0 - along.powi(2)).max(0.0).sqrt();
        horizon - (horizon - ridge.top(x)) * fall
    };
    canvas.shade([0.0, 0.0, canvas.w, horizon], |x, y| {
        let line = top_at(x);
        if y < line - 1.0 || horizon - line < 1.0 {
            return ([0.0; 3], 0.0);
        }
        let strata = grain.ridged(x / unit * 5.0, y / unit * 14.0, 3) - 0.5;
        let t = (y - line) / (horizon - line).max(1.0) + strata;
        (
            colour::blend(top, foot, smoothstep(0.0, 1.0, t)),
            (y - line + 1.0).min(1.0),
        )
    });
}

pub(crate) fn water(canvas: &mut Canvas, plan: &Plan) {
    let horizon = plan.layout.horizon * canvas.h;
    water::paint(canvas, plan, horizon, 0.8);
    water::waves(canvas, plan, horizon);
}

pub(crate) fn lake(canvas: &mut Canvas, plan: &Plan) {
    water::paint(canvas, plan, plan.layout.horizon * canvas.h, 0.16);
}

/// Sand if somebody stands on it or chance wants it; else rocks at one corner.
pub(crate) fn shore(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("shore");
    let (unit, h) = (canvas.unit, canvas.h);
    let stage = Stage {
        feet: 0.93,
        back: 0.9,
        water: Some((plan.layout.horizon + 0.05, 0.84)),
        scale: 0.95,
        ..Stage::default()
    };
    let stands = plan.stands() || plan.names(Part::Beach);
    if stands || rng.chance(0.4) {
        let beach = Ridge::new(&mut rng, h * 0.93, unit * 0.1, unit * 1.3);
        surf(canvas, plan, &beach);
        land::hill(canvas, plan, &beach, 0.0);
    } else {
        rocks(canvas, plan, &mut rng);
    }
    cast::play(canvas, plan, &stage);
}

/// The last wave: a pale lace along the sand.
fn surf(canvas: &mut Canvas, plan: &Plan, beach: &Ridge) {
    let foam = plan
        .light
        .lit(Lab::grey(0.97), 0.0)
        .mix(plan.light.glow, 0.3)
        .rgb();
    let lace = Noise::new(plan.rng("surf").seed32());
    let unit = canvas.unit;
    canvas.shade([0.0, canvas.h * 0.6, canvas.w, canvas.h], |x, y| {
        let off = (beach.top(x) - y) / unit;
        if !(0.0..0.09).contains(&off) {
            return ([0.0; 3], 0.0);
        }
        let wobble = lace.fbm(x / unit * 9.0, y / unit * 30.0, 3);
        let edge = smoothstep(0.012, 0.0, (off - 0.012 - 0.03 * wobble).abs());
        let second = smoothstep(0.01, 0.0, (off - 0.055 - 0.03 * wobble).abs()) * 0.5;
        (
            foam,
            0.85 * edge.max(second) + 0.25 * smoothstep(0.035, 0.0, off),
        )
    });
}

fn rocks(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    let side = if plan.layout.focus < 0.5 { 1.0 } else { 0.0 };
    let rock = plan.light.land.rock;
    for _ in 0..9 {
        let size = canvas.unit * rng.range(0.03, 0.13);
        let x = canvas.w * side + (0.5 - side) * canvas.unit * rng.unit().powf(1.4) * 0.9;
        let y = canvas.h * rng.range(0.93, 1.02);
        let points: Vec<_> = [
            (-1.0, 0.2),
            (-0.75, -0.35),
            (-0.2, -0.75),
            (0.35, -0.6),
            (0.8, -0.15),
            (1.0, 0.2),
        ]
        .map(|(px, py)| {
            (
                x + px * size * rng.range(0.85, 1.15),
                y + py * size * rng.range(0.7, 1.1),
            )
        })
        .to_vec();
        let lit = plan
            .light
            .lit(rock.lighter(0.02).mix(plan.light.glow, 0.12), 0.0);
        let dark = plan.light.lit(rock.lighter(-0.16), 0.0);
        let slant = if plan.layout.sun.0 < 0.5 { -size } else { size };
        if let Some(path) = pen::polygon(&points) {
            canvas.fill(
                &path,
                &Ink::linear(
                    (x + slant, y - size),
                    (x - slant * 0.6, y + size * 0.3),
                    lit,
                    dark,
                ),
            );
        }
    }
}

/// The near bank of a lake: grass, reeds and perhaps a tree as a frame.
pub(crate) fn bank(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("bank");
    let (unit, h) = (canvas.unit, canvas.h);
    let slope = Ridge::new(&mut rng, h * 0.97, unit * 0.09, unit * 0.9);
    let stage = Stage {
        feet: 0.955,
        back: 0.93,
        water: Some((plan.layout.horizon + 0.06, 0.82)),
        ..Stage::default()
    };
    land::hill(canvas, plan, &slope, 0.02);
    reeds(canvas, plan, &mut rng);
    cast::play(canvas, plan, &stage);
    flora::grass(canvas, plan, &mut rng, h * 0.965, unit * 0.05);
}

fn reeds(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    let tone = plan.light.lit(plan.light.land.leaf.lighter(-0.08), 0.0);
    let side = if plan.layout.focus < 0.5 { 0.9 } else { 0.1 };
    for _ in 0..34 {
        let x = canvas.w * side + rng.bell() * canvas.unit * 0.11;
        let (foot, tall) = (canvas.h * 0.97, canvas.unit * rng.range(0.1, 0.26));
        let lean = rng.bell() * tall * 0.12;
        if let Some(stalk) = pen::spline(&[
            (x, foot),
            (x + lean * 0.4, foot - tall * 0.6),
            (x + lean, foot - tall),
        ]) {
            canvas.stroke(&stalk, &Ink::flat(tone, 0.9), canvas.unit * 0.0028);
        }
        if rng.chance(0.4)
            && let Some(head) = pen::ellipse(
                x + lean * 0.9,
                foot - tall * 0.92,
                canvas.unit * 0.0055,
                canvas.unit * 0.02,
            )
        {
            canvas.fill(
                &head,
                &Ink::flat(
                    plan.light.lit(
                        Lab {
                            l: 0.4,
                            a: 0.04,
                            b: 0.05,
                        },
                        0.0,
                    ),
                    1.0,
                ),
            );
        }
    }
}
