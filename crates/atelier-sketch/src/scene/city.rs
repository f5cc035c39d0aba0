//! Towers in haze, lit windows, and a street or a river in front.

use crate::canvas::{Canvas, Ink};
use crate::cast::{self, Stage};
use crate::colour::Lab;
use crate::part::Part;
use crate::pen;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::water;
use tiny_skia::PathBuilder;

pub(crate) fn skyline(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("skyline");
    let ground = plan.layout.horizon * canvas.h;
    let unit = canvas.unit;
    for (depth, tall) in [(0.82, 0.46), (0.58, 0.4), (0.32, 0.28)] {
        let mut x = -unit * 0.05;
        while x < canvas.w {
            let width = unit * rng.range(0.05, 0.12) * (1.35 - depth * 0.6);
            let focus = 1.0 - ((x / canvas.w - plan.layout.focus).abs() * 1.7).min(0.8);
            let height = unit * tall * rng.range(0.35, 1.0) * (0.35 + focus * 0.95);
            tower(
                canvas,
                plan,
                [x, ground - height, x + width, ground + 2.0],
                depth,
                &mut rng,
            );
            x += width * rng.range(0.82, 1.12);
        }
        canvas.veil(
            ground - unit * 0.3,
            ground,
            ground + 4.0,
            plan.light.haze,
            0.45 * depth + 0.1,
        );
    }
}

fn tower(
    canvas: &mut Canvas,
    plan: &Plan,
    [left, top, right, bottom]: [f32; 4],
    depth: f32,
    rng: &mut Rng,
) {
    let light = &plan.light;
    let accent = light.accents[rng.below(3)];
    let wall = light
        .land
        .rock
        .mix(accent, rng.range(0.0, 0.3))
        .lighter(rng.range(-0.06, 0.08));
    let split = if plan.layout.sun.0 * canvas.w < (left + right) / 2.0 {
        0.68
    } else {
        0.32
    };
    let edge = left + (right - left) * split;
    let (a, b) = (
        light.lit(wall.lighter(0.06).mix(light.glow, 0.14), depth),
        light.lit(wall.lighter(-0.1), depth),
    );
    let (first, second) = if split > 0.5 { (a, b) } else { (b, a) };
    for (from, to, tone) in [(left, edge, first), (edge, right, second)] {
        if let Some(face) = pen::rect(from, top, to, bottom) {
            canvas.fill(
                &face,
                &Ink::linear((0.0, top), (0.0, bottom), tone, tone.mix(light.haze, 0.25)),
            );
        }
    }
    roof(canvas, [left, top, right], a.mix(b, 0.5), rng);
    windows(canvas, plan, [left, top, right, bottom], depth, rng);
}

/// Flat, stepped, pointed or with a mast.
fn roof(canvas: &mut Canvas, [left, top, right]: [f32; 3], tone: Lab, rng: &mut Rng) {
    let (width, middle) = (right - left, (left + right) / 2.0);
    let shape = match rng.below(6) {
        0 => pen::rect(
            left + width * 0.2,
            top - width * 0.35,
            right - width * 0.2,
            top + 1.0,
        ),
        1 => pen::polygon(&[
            (left, top + 1.0),
            (middle, top - width * 0.6),
            (right, top + 1.0),
        ]),
        2 => pen::polygon(&[
            (left, top + 1.0),
            (left, top - width * 0.4),
            (right, top + 1.0),
        ]),
        3 => pen::rect(
            middle - width * 0.02,
            top - width * 0.8,
            middle + width * 0.02,
            top + 1.0,
        ),
        _ => None,
    };
    if let Some(path) = shape {
        canvas.fill(&path, &Ink::flat(tone, 1.0));
    }
}

fn windows(
    canvas: &mut Canvas,
    plan: &Plan,
    [left, top, right, bottom]: [f32; 4],
    depth: f32,
    rng: &mut Rng,
) {
    let dark = plan.light.darkness() > 0.4;
    let (gap, unit) = (canvas.unit * 0.0125, canvas.unit);
    let columns = (((right - left) / gap) as usize).saturating_sub(1).max(1);
    let step = (right - left) / (columns as f32 + 1.0);
    let rows = ((bottom - top) / (gap * 1.35)) as usize;
    let share = if dark { rng.range(0.2, 0.6) } else { 0.8 };
    let (mut plain, mut rare) = (PathBuilder::new(), PathBuilder::new());
    for row in 0..rows {
        for column in 0..columns {
            if rng.chance(share) {
                let (x, y) = (
                    left + step * (column as f32 + 1.0),
                    top + gap * (0.9 + 1.35 * row as f32),
                );
                let pen = if rng.chance(0.12) {
                    &mut rare
                } else {
                    &mut plain
                };
                let (rx, ry) = (unit * 0.0026, unit * 0.0042);
                pen::add_polygon(
                    pen,
                    &[
                        (x - rx, y - ry),
                        (x + rx, y - ry),
                        (x + rx, y + ry),
                        (x - rx, y + ry),
                    ],
                );
            }
        }
    }
    let glass = if dark {
        Lab {
            l: 0.86,
            a: 0.03,
            b: 0.11,
        }
    } else {
        plan.light.lit(plan.light.sky[0].lighter(-0.1), depth)
    };
    let lamp = if plan.neon() {
        plan.light.accents[rng.below(3)].chroma(1.5).lighter(0.1)
    } else {
        glass.lighter(0.06)
    };
    let alpha = (if dark { 0.95 } else { 0.55 }) * (1.0 - depth * 0.75);
    for (pen, tone) in [(plain, glass), (rare, lamp)] {
        if let Some(path) = pen.finish() {
            canvas.fill(&path, &Ink::flat(tone, alpha));
        }
    }
}

/// A river that doubles the skyline, or a street for who must stand on something.
pub(crate) fn front(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("front");
    let ground = plan.layout.horizon * canvas.h;
    let stands = plan.stands() || plan.names(Part::Street);
    if stands {
        street(canvas, plan, ground);
    } else {
        water::paint(canvas, plan, ground, 0.35);
        water::waves(canvas, plan, ground);
    }
    if plan.neon() {
        signs(canvas, ground, &mut rng);
    }
    let water = Some((plan.layout.horizon + 0.06, 0.92));
    let stage = Stage {
        feet: 0.93,
        back: plan.layout.horizon + 0.08,
        sky: (0.1, 0.3),
        ..Stage::default()
    };
    cast::play(
        canvas,
        plan,
        &Stage {
            water: if stands { None } else { water },
            ..stage
        },
    );
}

/// A wet road: the towers shine in it faintly, kerbs and dashes run to the vanishing point.
fn street(canvas: &mut Canvas, plan: &Plan, ground: f32) {
    let (w, h) = (canvas.w, canvas.h);
    water::paint(canvas, plan, ground, 0.5);
    let road = plan.light.lit(plan.light.land.near, 0.1);
    canvas.shade([0.0, ground, w, h], |_, y| {
        (road.rgb(), 0.6 + 0.2 * (y - ground) / (h - ground))
    });
    let vanish = (plan.layout.focus * w, ground);
    let kerb = plan.light.lit(plan.light.land.far, 0.12);
    for (near, wide) in [(-0.35, 0.09), (1.26, 0.09)] {
        let shape = [vanish, (near * w, h), ((near + wide) * w, h)];
        if let Some(path) = pen::polygon(&shape) {
            canvas.fill(&path, &Ink::flat(kerb, 0.8));
        }
    }
    for i in 0..6 {
        let (a, b) = ((i as f32 / 6.0).powi(2), ((i as f32 + 0.5) / 6.0).powi(2));
        let at = |t: f32, side: f32| {
            (
                vanish.0 + (0.5 * w - vanish.0) * t + side * t * w * 0.012,
                ground + (h - ground) * t,
            )
        };
        if let Some(dash) = pen::polygon(&[at(a, -1.0), at(a, 1.0), at(b, 1.0), at(b, -1.0)]) {
            canvas.fill(
                &dash,
                &Ink::flat(
                    plan.light.lit(
                        Lab {
                            l: 0.93,
                            a: 0.0,
                            b: 0.03,
                        },
                        0.1,
                    ),
                    0.7,
                ),
            );
        }
    }
}

/// Upright bars of coloured light with their glow and its reflection.
fn signs(canvas: &mut Canvas, ground: f32, rng: &mut Rng) {
    let unit = canvas.unit;
    for i in 0..14 {
        let hue = Lab::lch(
            0.72,
            0.24,
            [330.0, 200.0, 290.0, 45.0][i % 4] + rng.range(-12.0, 12.0),
        );
        let (x, y) = (rng.unit() * canvas.w, ground - unit * rng.range(0.03, 0.26));
        let (wide, tall) = (unit * rng.range(0.006, 0.014), unit * rng.range(0.03, 0.09));
        canvas.glow((x, y), tall * 2.2, hue, 0.55);
        let reflected = (x, 2.0 * ground - y);
        canvas.glow((reflected.0, reflected.1), tall * 2.4, hue, 0.35);
        if let Some(bar) = pen::rect(x - wide, y - tall / 2.0, x + wide, y + tall / 2.0) {
            canvas.fill(&bar, &Ink::flat(hue.lighter(0.12), 0.95));
        }
    }
}
