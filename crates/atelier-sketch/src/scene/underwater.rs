//! Blue depth, rays from the surface, weed and coral, bubbles.

use crate::canvas::{Canvas, Ink};
use crate::cast::{self, Stage};
use crate::colour::{self, Lab, Ramp};
use crate::land::{self, Ridge};
use crate::noise::{Noise, smoothstep};
use crate::pen;
use crate::plan::Plan;
use crate::rng::Rng;
use tiny_skia::PathBuilder;

pub(crate) fn water(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("depth");
    let light = &plan.light;
    let hue = rng.range(195.0, 245.0);
    let bright = Lab::lch(0.88, 0.06, hue - 15.0).mix(light.glow, 0.25);
    let tone = |l: f32| {
        let usual = light
            .lit(Lab::lch(l, 0.095, hue), 0.0)
            .mix(Lab::lch(l, 0.1, hue), 0.5);
        light.water.map_or(usual, |named| usual.mix(named, 0.7))
    };
    let ramp = Ramp::new(&[bright, tone(0.7), tone(0.5), tone(0.36)]);
    let (beams, surge) = (Noise::new(rng.seed32()), Noise::new(rng.seed32()));
    let (sx, unit, h) = (plan.layout.sun.0 * canvas.w, canvas.unit, canvas.h);
    let shine = bright.rgb();
    canvas.shade_all(|x, y| {
        let (u, v) = (x / unit, y / unit);
        let d = (x - sx).hypot(y * 0.9 + unit * 0.1) / unit;
        let base = ramp.at(d * 0.55 + y / h * 0.3 + (surge.fbm(u * 2.0, v * 3.0, 3) - 0.5) * 0.12);
        let angle = (x - sx) / (y + unit * 0.35);
        let ray =
            smoothstep(0.5, 0.85, beams.fbm(angle * 7.0, 0.5, 3)) * smoothstep(1.0, 0.1, y / h);
        (colour::blend(base, shine, 0.42 * ray), 1.0)
    });
}

pub(crate) fn seabed(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("seabed");
    let (unit, h) = (canvas.unit, canvas.h);
    for (base, depth) in [(0.8, 0.75), (0.88, 0.5)] {
        let reef = Ridge::new(&mut rng, h * base, unit * 0.22, unit * 0.35).craggy(0.5);
        let tone = plan.light.land.rock;
        let away = Lab::from_rgb(canvas.get(canvas.w * 0.5, h * 0.7));
        let (top, foot) = (
            tone.lighter(0.1).mix(away, depth).rgb(),
            tone.lighter(-0.08).mix(away, depth).rgb(),
        );
        canvas.terrain(
            |x| reef.top(x),
            |_, _, under| colour::blend(top, foot, smoothstep(0.0, unit * 0.2, under)),
        );
    }
    schools(canvas, plan, &mut rng);
    let sand = Ridge::new(&mut rng, h * 0.96, unit * 0.1, unit * 0.9);
    land::hill(canvas, plan, &sand, 0.12);
    growth(canvas, plan, &sand, &mut rng);
    cast::play(
        canvas,
        plan,
        &Stage {
            feet: 0.93,
            back: 0.88,
            sky: (0.22, 0.66),
            water: Some((0.2, 0.7)),
            scale: 1.15,
            afloat: true,
            ..Stage::default()
        },
    );
    bubbles(canvas, plan, &mut rng);
}

/// Far-off fish, as one shoal.
fn schools(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    let (cx, cy) = (
        (1.0 - plan.layout.focus) * canvas.w,
        canvas.h * rng.range(0.3, 0.5),
    );
    let tone = Lab::from_rgb(canvas.get(cx, cy)).lighter(-0.16);
    let mut pen = PathBuilder::new();
    for _ in 0..46 {
        let r = canvas.unit * rng.range(0.006, 0.013);
        let (x, y) = (
            cx + rng.bell() * canvas.unit * 0.13,
            cy + rng.bell() * canvas.unit * 0.05,
        );
        pen::add_ellipse(&mut pen, x, y, r, r * 0.36);
        pen::add_polygon(
            &mut pen,
            &[
                (x + r * 0.8, y),
                (x + r * 1.6, y - r * 0.4),
                (x + r * 1.6, y + r * 0.4),
            ],
        );
    }
    if let Some(path) = pen.finish() {
        canvas.fill(&path, &Ink::flat(tone, 0.6));
    }
}

fn growth(canvas: &mut Canvas, plan: &Plan, sand: &Ridge, rng: &mut Rng) {
    for _ in 0..(26.0 * canvas.w / canvas.unit) as usize {
        let edge = rng.unit().powf(0.6) * 0.5;
        let x = canvas.w
            * if rng.chance(0.5) {
                0.5 - edge
            } else {
                0.5 + edge
            };
        let foot = (x, sand.top(x) + canvas.unit * rng.range(0.02, 0.07));
        match rng.below(3) {
            0 => coral(canvas, plan, foot, rng),
            1 => boulder(canvas, plan, foot, rng),
            _ => weed(canvas, plan, foot, rng),
        }
    }
}

fn weed(canvas: &mut Canvas, plan: &Plan, (x, y): (f32, f32), rng: &mut Rng) {
    let leaf = plan
        .light
        .land
        .leaf
        .turned(rng.bell() * 18.0)
        .lighter(rng.bell() * 0.05);
    for _ in 0..4 {
        let tall = canvas.unit * rng.range(0.1, 0.34);
        let (x, sway) = (
            x + rng.bell() * canvas.unit * 0.02,
            rng.side() * tall * 0.13,
        );
        let wide = tall * rng.range(0.035, 0.06);
        let side = |t: f32, half: f32| {
            (
                x + sway * (t * 5.0).sin() * t + half * (1.0 - t * t),
                y - tall * t,
            )
        };
        let up = (0..7).map(|i| side(i as f32 / 6.0, wide));
        let down = (0..6).rev().map(|i| side(i as f32 / 6.0, -wide));
        if let Some(blade) = pen::blob(&up.chain(down).collect::<Vec<_>>()) {
            let (foot, tip) = (
                plan.light.lit(leaf.lighter(-0.1), 0.1),
                plan.light.lit(leaf.lighter(0.08), 0.2),
            );
            canvas.fill(
                &blade,
                &Ink::fading((x, y), (x, y - tall), (foot, 0.95), (tip, 0.85)),
            );
        }
    }
}

/// A fan that forks in a plane.
fn coral(canvas: &mut Canvas, plan: &Plan, foot: (f32, f32), rng: &mut Rng) {
    let tone = plan.light.lit(plan.light.accents[rng.below(3)], 0.08);
    let mut tips = vec![(foot, -1.57f32, canvas.unit * rng.range(0.035, 0.06))];
    for level in 0..4 {
        let mut next = Vec::new();
        for (at, angle, length) in tips {
            for side in [-1.0, 1.0] {
                let turn = angle + side * rng.range(0.2, 0.55);
                let end = (at.0 + turn.cos() * length, at.1 + turn.sin() * length);
                if let Some(branch) = pen::spline(&[at, end]) {
                    canvas.stroke(
                        &branch,
                        &Ink::flat(tone.lighter(0.02 * level as f32), 1.0),
                        canvas.unit * (0.011 - 0.002 * level as f32),
                    );
                }
                next.push((end, turn, length * 0.78));
            }
        }
        tips = next;
    }
}

fn boulder(canvas: &mut Canvas, plan: &Plan, (x, y): (f32, f32), rng: &mut Rng) {
    let r = canvas.unit * rng.range(0.02, 0.06);
    let rock = plan
        .light
        .land
        .rock
        .mix(plan.light.accents[rng.below(3)], 0.3);
    let points = [
        (-1.0, 0.1),
        (-0.7, -0.6),
        (0.0, -0.85),
        (0.7, -0.55),
        (1.0, 0.1),
        (0.0, 0.3),
    ]
    .map(|(a, b)| (x + a * r * rng.range(0.85, 1.15), y + b * r));
    if let Some(path) = pen::blob(&points) {
        let (lit, dark) = (
            plan.light.lit(rock.lighter(0.1), 0.15),
            plan.light.lit(rock.lighter(-0.14), 0.05),
        );
        canvas.fill(&path, &Ink::linear((x, y - r), (x, y + r * 0.3), lit, dark));
    }
}

fn bubbles(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    let pale = plan.light.glow.mix(Lab::grey(1.0), 0.5);
    for _ in 0..5 {
        let column = rng.unit() * canvas.w;
        for _ in 0..7 {
            let r = canvas.unit * (0.002 + 0.008 * rng.unit().powi(2));
            let (x, y) = (
                column + rng.bell() * canvas.unit * 0.02,
                canvas.h * rng.range(0.15, 0.9),
            );
            if let Some(ring) = pen::ellipse(x, y, r, r) {
                canvas.fill(&ring, &Ink::flat(pale, 0.22));
                canvas.stroke(&ring, &Ink::flat(pale, 0.6), r * 0.2);
            }
        }
    }
}
