//! No scene at all: colour fields, flowing ribbons, or shapes in balance.

use crate::canvas::{Canvas, Ink};
use crate::cast::{self, Stage};
use crate::colour::{self, Lab, Ramp};
use crate::noise::{Noise, smoothstep};
use crate::pen;
use crate::plan::Plan;
use crate::rng::Rng;
use tiny_skia::PathBuilder;

/// Five colours that belong together: two of the sky, the accents.
fn palette(plan: &Plan) -> [Lab; 5] {
    let light = &plan.light;
    let [a, b, c] = light.accents;
    [a, b, c, light.sky[0], light.sky[1]]
}

pub(crate) fn ground(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("ground");
    let light = &plan.light;
    let paper = if light.night {
        light.sky[0].lighter(-0.02)
    } else {
        light.land.far.mix(light.sky[2], 0.6).lighter(0.04)
    };
    let ramp = Ramp::new(&[paper.lighter(0.04), paper, paper.lighter(-0.06)]);
    let wash = Noise::new(rng.seed32());
    let unit = canvas.unit;
    canvas.shade_all(|x, y| {
        (
            ramp.at(wash.fbm(x / unit * 1.6, y / unit * 1.6, 5) * 1.6 - 0.3),
            1.0,
        )
    });
}

pub(crate) fn shapes(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("shapes");
    match plan.manner % 4 {
        0 => ribbons(canvas, plan, &mut rng),
        1 => balance(canvas, plan, &mut rng),
        2 => marbling(canvas, plan, &mut rng),
        _ => arches(canvas, plan, &mut rng),
    }
    cast::play(
        canvas,
        plan,
        &Stage {
            feet: 0.84,
            back: 0.7,
            sky: (0.4, 0.55),
            scale: 1.5,
            air: 0.0,
            ..Stage::default()
        },
    );
}

/// Broad bands that follow one flow, each over the last, with a soft shadow at its edge.
fn ribbons(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    let colours = palette(plan);
    let flow = Noise::new(rng.seed32());
    let (unit, h) = (canvas.unit, canvas.h);
    let bands = 9;
    let lean = rng.range(-0.25, 0.25);
    let shadow = plan.light.shade.rgb();
    for band in 0..bands {
        let tone = colours[rng.below(5)].lighter(rng.bell() * 0.05);
        let ramp = Ramp::new(&[tone.lighter(0.1), tone, tone.lighter(-0.08)]);
        let base = h * (0.12 + 0.86 * band as f32 / bands as f32);
        let z = band as f32 * 0.35;
        let edge = |x: f32| {
            base + (flow.fbm(x / unit * 0.9, z, 3) - 0.5) * unit * 0.75 + lean * (x - unit * 0.5)
        };
        canvas.shade_all(|x, y| {
            let above = (edge(x) - y) / unit;
            (
                shadow,
                0.3 * smoothstep(0.05, 0.0, above) * smoothstep(-0.001, 0.0, above),
            )
        });
        canvas.terrain(edge, |x, _, under| {
            let sheen = flow.fbm(x / unit * 2.0, under / unit * 6.0 + z * 9.0, 2) - 0.5;
            ramp.at(under / unit * 2.2 + sheen * 0.5)
        });
    }
}

/// Circles, half circles and bars after the manner of the Bauhaus.
fn balance(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    let colours = palette(plan);
    let (w, h, unit) = (canvas.w, canvas.h, canvas.unit);
    let home = (plan.layout.focus * w, h * rng.range(0.36, 0.56));
    let big = unit * rng.range(0.24, 0.32);
    disc(canvas, home, big, colours[0], 1.0);
    for i in 0..7 {
        let at = (w * rng.range(0.1, 0.9), h * rng.range(0.1, 0.9));
        let size = unit * rng.range(0.05, 0.2);
        let tone = colours[(i + 1) % 5];
        match rng.below(4) {
            0 => disc(canvas, at, size, tone, 0.86),
            1 => half_disc(canvas, at, size, tone, rng.below(4)),
            2 => bar(
                canvas,
                at,
                (size * 2.2, size * 0.16),
                rng.range(-0.9, 0.9),
                tone,
            ),
            _ => rings(canvas, at, size, tone),
        }
    }
    let line = plan.light.shade;
    for _ in 0..3 {
        bar(
            canvas,
            home,
            (unit * rng.range(0.4, 0.7), unit * 0.003),
            rng.range(-1.5, 1.5),
            line,
        );
    }
    disc(
        canvas,
        (home.0 + big * 0.6, home.1 - big * 0.7),
        big * 0.16,
        line,
        1.0,
    );
}

fn disc(canvas: &mut Canvas, (x, y): (f32, f32), r: f32, tone: Lab, alpha: f32) {
    if let Some(path) = pen::ellipse(x, y, r, r) {
        let (a, b) = ((tone.lighter(0.05), alpha), (tone.lighter(-0.06), alpha));
        canvas.fill(&path, &Ink::fading((x - r, y - r), (x + r, y + r), a, b));
    }
}

fn half_disc(canvas: &mut Canvas, (x, y): (f32, f32), r: f32, tone: Lab, quarter: usize) {
    let start = quarter as f32 * std::f32::consts::FRAC_PI_2;
    let points: Vec<_> = (0..=32)
        .map(|i| start + i as f32 * std::f32::consts::PI / 32.0)
        .map(|a| (x + r * a.cos(), y + r * a.sin()))
        .collect();
    if let Some(path) = pen::polygon(&points) {
        canvas.fill(&path, &Ink::flat(tone, 0.92));
    }
}

fn rings(canvas: &mut Canvas, (x, y): (f32, f32), r: f32, tone: Lab) {
    for i in 1..5 {
        let r = r * i as f32 / 4.0;
        if let Some(path) = pen::ellipse(x, y, r, r) {
            canvas.stroke(&path, &Ink::flat(tone, 0.9), r * 0.02 + canvas.unit * 0.003);
        }
    }
}

fn bar(canvas: &mut Canvas, (x, y): (f32, f32), (long, thick): (f32, f32), angle: f32, tone: Lab) {
    let (sin, cos) = angle.sin_cos();
    let at = |a: f32, b: f32| {
        (
            x + cos * a * long - sin * b * thick,
            y + sin * a * long + cos * b * thick,
        )
    };
    if let Some(path) = pen::polygon(&[at(-1.0, -1.0), at(1.0, -1.0), at(1.0, 1.0), at(-1.0, 1.0)])
    {
        canvas.fill(&path, &Ink::flat(tone, 0.95));
    }
}

/// Ink on water: noise that bends the coordinates of noise.
fn marbling(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    let [a, b, c, d, e] = palette(plan);
    let ramp = Ramp::new(&[d, e, c, b, a, a.lighter(-0.12), d, c]);
    let (bend, field) = (Noise::new(rng.seed32()), Noise::new(rng.seed32()));
    let gold = b.lighter(0.12).rgb();
    let unit = canvas.unit;
    let stretch = rng.range(0.7, 1.4);
    canvas.shade_all(|x, y| {
        let (u, v) = (x / unit * 1.1, y / unit * 1.1 * stretch);
        let (p, q) = (bend.fbm(u, v, 3), bend.fbm(u + 4.1, v + 7.7, 3));
        let n = field.fbm(u + 3.4 * p, v + 3.4 * q, 4);
        let t = (n - 0.2) * 1.65;
        let vein = (t * 9.0).fract();
        let line = smoothstep(0.06, 0.0, vein) * smoothstep(0.45, 0.6, q);
        let base = colour::scale(ramp.at(t), 0.94 + 0.12 * vein);
        (colour::blend(base, gold, line * 0.8), 1.0)
    });
}

/// Rainbows of arches standing on one another, mid-century.
fn arches(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    let colours = palette(plan);
    let unit = canvas.unit;
    let floor = canvas.h * rng.range(0.8, 0.9);
    disc(
        canvas,
        (plan.layout.sun.0 * canvas.w, canvas.h * 0.24),
        unit * 0.11,
        colours[1],
        1.0,
    );
    for i in 0..5 {
        let x = canvas.w * (0.12 + 0.19 * i as f32) + rng.bell() * unit * 0.04;
        let (r, tall) = (unit * rng.range(0.1, 0.2), unit * rng.range(0.05, 0.4));
        let first = rng.below(5);
        for ring in 0..4 {
            arch(
                canvas,
                (x, floor),
                r * (1.0 - 0.24 * ring as f32),
                tall,
                colours[(first + ring) % 5],
            );
        }
    }
    if let Some(ground) = pen::rect(0.0, floor, canvas.w, canvas.h) {
        let tone = plan.light.shade.mix(colours[3], 0.4);
        canvas.fill(
            &ground,
            &Ink::linear((0.0, floor), (0.0, canvas.h), tone.lighter(0.06), tone),
        );
    }
}

fn arch(canvas: &mut Canvas, (x, floor): (f32, f32), r: f32, tall: f32, tone: Lab) {
    let mut pen = PathBuilder::new();
    let top = floor - tall;
    let k = r * 0.5523;
    pen.move_to(x - r, floor);
    pen.line_to(x - r, top);
    pen.cubic_to(x - r, top - k, x - k, top - r, x, top - r);
    pen.cubic_to(x + k, top - r, x + r, top - k, x + r, top);
    pen.line_to(x + r, floor);
    pen.close();
    if let Some(path) = pen.finish() {
        canvas.fill(
            &path,
            &Ink::linear(
                (x, top - r),
                (x, floor),
                tone.lighter(0.04),
                tone.lighter(-0.05),
            ),
        );
    }
}
