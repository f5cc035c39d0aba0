//! One sitter, large, before a disc of colour and a few leaves.

use crate::canvas::{Canvas, Ink};
use crate::cast::{self, Stage};
use crate::colour::{self, Ramp};
use crate::figure::{self, Pose};
use crate::light;
use crate::noise::Noise;
use crate::pen;
use crate::plan::{Plan, Role};
use crate::rng::Rng;

pub(crate) fn backdrop(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("backdrop");
    let light = &plan.light;
    let ground = light.land.far.mix(light.sky[1], rng.range(0.3, 0.7));
    let ramp = Ramp::new(&[ground.lighter(0.08), ground, ground.lighter(-0.1)]);
    let wash = Noise::new(rng.seed32());
    let (unit, h) = (canvas.unit, canvas.h);
    canvas.shade_all(|x, y| {
        let n = wash.fbm(x / unit * 2.0, y / unit * 2.0, 5);
        (ramp.at(y / h * 0.5 + n * 0.9 - 0.2), 1.0)
    });
    let disc = (canvas.w * (0.5 + rng.bell() * 0.03), h * 0.42);
    let tone = light.accents[rng.below(2)];
    let radius = unit * rng.range(0.3, 0.37);
    if let Some(halo) = pen::ellipse(disc.0, disc.1, radius, radius) {
        let (a, b) = (tone.lighter(0.1).rgb(), tone.lighter(-0.03).rgb());
        canvas.texture(&halo, |x, y| {
            colour::blend(
                a,
                b,
                wash.fbm(x / unit * 5.0, y / unit * 5.0, 4) * 0.9 + (y - disc.1) / unit * 0.4,
            )
        });
    }
    leaves(canvas, plan, &mut rng);
}

/// Sprigs from the lower corners.
fn leaves(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    for side in [0.0, 1.0] {
        for _ in 0..4 {
            let root = (
                canvas.w * (side + (0.5 - side) * rng.range(0.0, 0.3)),
                canvas.h * 1.02,
            );
            let angle = -1.57 + (side - 0.5) * rng.range(0.1, 1.1);
            sprig(
                canvas,
                plan,
                root,
                angle,
                canvas.unit * rng.range(0.35, 0.6),
                rng,
            );
        }
    }
}

fn sprig(
    canvas: &mut Canvas,
    plan: &Plan,
    root: (f32, f32),
    angle: f32,
    length: f32,
    rng: &mut Rng,
) {
    let leaf = plan.light.lit(
        plan.light
            .land
            .leaf
            .turned(rng.bell() * 15.0)
            .lighter(rng.bell() * 0.05),
        0.05,
    );
    let bend = rng.bell() * 0.25;
    let at = |t: f32| {
        let turn = angle + bend * t;
        (
            root.0 + turn.cos() * length * t,
            root.1 + turn.sin() * length * t,
        )
    };
    if let Some(stem) = pen::spline(&[root, at(0.5), at(1.0)]) {
        canvas.stroke(&stem, &Ink::flat(leaf, 1.0), canvas.unit * 0.004);
    }
    for i in 2..10 {
        let foot = at(i as f32 / 10.0);
        let turn = angle + bend + if i % 2 == 0 { 0.75 } else { -0.75 };
        let reach = length * 0.2 * (1.15 - i as f32 / 12.0);
        let (sin, cos) = turn.sin_cos();
        let to = |along: f32, across: f32| {
            (
                foot.0 + (cos * along - sin * across) * reach,
                foot.1 + (sin * along + cos * across) * reach,
            )
        };
        if let Some(path) = pen::blob(&[foot, to(0.45, 0.2), to(1.0, 0.0), to(0.45, -0.2)]) {
            canvas.fill(
                &path,
                &Ink::linear(foot, to(1.0, 0.0), leaf.lighter(-0.05), leaf.lighter(0.06)),
            );
        }
    }
}

pub(crate) fn sitter(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("sitter");
    if !plan.cast.iter().all(Role::is_human) {
        let stage = Stage {
            feet: 0.98,
            back: 0.9,
            scale: 2.0,
            air: 0.0,
            sky: (0.4, 0.55),
            ..Stage::default()
        };
        cast::play(canvas, plan, &stage);
        return;
    }
    let Some(bust) = figure::named("bust") else {
        return;
    };
    let named = plan
        .cast
        .first()
        .and_then(|role| role.colour)
        .map(light::pigment);
    let pose = Pose {
        x: canvas.w * 0.5,
        y: canvas.h + 2.0,
        height: (canvas.unit * bust.size).min(canvas.h * 0.86),
        mirrored: rng.chance(0.5),
        depth: 0.0,
        body: named.unwrap_or(bust.colours[rng.below(bust.colours.len())]),
        trim: plan.light.accents[0].mix(plan.light.accents[rng.below(3)], 0.5),
        lit_from: rng.side(),
        lean: 0.0,
    };
    bust.draw(canvas, &plan.light, &pose);
}
