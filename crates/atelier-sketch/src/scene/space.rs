//! Nebula, planets, and ground to stand on.

use crate::canvas::{Canvas, Ink};
use crate::cast::{self, Stage};
use crate::colour::{self, Lab, Ramp};
use crate::figure::Place;
use crate::noise::{Noise, smoothstep};
use crate::pen;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::sky;

pub(crate) fn nebula(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("nebula");
    let (cloud, warp) = (Noise::new(rng.seed32()), Noise::new(rng.seed32()));
    let hue = rng.range(0.0, 360.0);
    let void = plan.light.sky[0].lighter(-0.06);
    let gas = |l: f32, c: f32, turn: f32| Lab::lch(l, c, hue + turn).mix(plan.light.sky[1], 0.25);
    let ramp = Ramp::new(&[
        void,
        void.mix(gas(0.3, 0.1, 0.0), 0.6),
        gas(0.45, 0.14, 25.0),
        gas(0.66, 0.13, 70.0),
        gas(0.9, 0.06, 95.0),
    ]);
    let (fx, fy) = (plan.layout.focus * canvas.w, canvas.h * 0.4);
    let unit = canvas.unit;
    canvas.shade_all(|x, y| {
        let (u, v) = (x / unit * 2.0, y / unit * 2.0);
        let (wu, wv) = (warp.fbm(u, v, 3), warp.fbm(u + 5.2, v + 1.3, 3));
        let n = cloud.fbm(u + 2.2 * wu, v + 2.2 * wv, 5);
        let d = (x - fx).hypot(y - fy) / unit;
        (
            ramp.at(smoothstep(0.28, 0.95, n + 0.28 * (-d * 2.2).exp()) * 1.05),
            1.0,
        )
    });
    sky::stars(canvas, plan, 2.0);
}

pub(crate) fn planets(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("planets");
    let unit = canvas.unit;
    let big = unit * rng.range(0.16, 0.27);
    let at = (
        (1.0 - plan.layout.focus) * canvas.w,
        canvas.h * rng.range(0.26, 0.42),
    );
    let ringed = rng.chance(0.6);
    planet(canvas, plan, at, big, ringed, &mut rng);
    for _ in 0..1 + rng.below(2) {
        let small = big * rng.range(0.14, 0.3);
        let at = (
            plan.layout.focus * canvas.w + rng.bell() * unit * 0.2,
            canvas.h * rng.range(0.1, 0.55),
        );
        planet(canvas, plan, at, small, false, &mut rng);
    }
}

fn planet(
    canvas: &mut Canvas,
    plan: &Plan,
    (cx, cy): (f32, f32),
    r: f32,
    ringed: bool,
    rng: &mut Rng,
) {
    let base = plan.light.accents[rng.below(3)].turned(rng.range(-30.0, 30.0));
    let bands = Ramp::new(&[
        base.lighter(-0.1),
        base,
        base.lighter(0.14).chroma(0.7),
        base.turned(25.0),
        base.lighter(0.05),
    ]);
    let storm = Noise::new(rng.seed32());
    let (tilt_sin, tilt_cos) = rng.range(-0.5, 0.5).sin_cos();
    let towards = if plan.layout.sun.0 < 0.5 {
        (-0.6, -0.5)
    } else {
        (0.6, -0.5)
    };
    let dark = plan.light.shade.rgb();
    let ring = base.lighter(0.2).chroma(0.6);
    canvas.glow((cx, cy), r * 1.5, base.lighter(0.1), 0.4);
    if ringed {
        half_ring(canvas, (cx, cy), r, ring, -1.0);
    }
    if let Some(disc) = pen::ellipse(cx, cy, r, r) {
        canvas.texture(&disc, |x, y| {
            let (u, v) = ((x - cx) / r, (y - cy) / r);
            let across = v * tilt_cos + u * tilt_sin;
            let swirl = storm.fbm(u * 2.0, across * 6.0, 4) - 0.5;
            let surface =
                bands.at(storm.fbm(3.0 + swirl, across * 3.2 + swirl * 0.6, 3) * 1.5 - 0.25);
            let z = (1.0 - u * u - v * v).max(0.0).sqrt();
            let facing = u * towards.0 + v * towards.1 + z * 0.62;
            colour::blend(dark, surface, smoothstep(-0.2, 0.75, facing))
        });
    }
    if ringed {
        half_ring(canvas, (cx, cy), r, ring, 1.0);
    }
}

/// The half of the ring behind (-1) or before (1) the planet.
fn half_ring(canvas: &mut Canvas, (cx, cy): (f32, f32), r: f32, tone: Lab, side: f32) {
    let rgb = tone.rgb();
    let (outer, flat) = (r * 2.1, 0.26);
    canvas.shade(
        [cx - outer, cy - outer * 0.6, cx + outer, cy + outer * 0.6],
        |x, y| {
            let (dx, dy) = (x - cx, y - cy + (x - cx) * 0.22);
            let d = dx.hypot(dy / flat) / r;
            if dy * side < 0.0 {
                return ([0.0; 3], 0.0);
            }
            let gap = smoothstep(0.0, 0.05, (d - 1.72).abs());
            let grooves = 0.6 + 0.4 * (d * 40.0).sin();
            (
                rgb,
                0.75 * smoothstep(1.28, 1.36, d) * smoothstep(2.1, 2.0, d) * gap * grooves,
            )
        },
    );
}

/// A cratered plain under the feet of who has feet, and now and then anyway.
pub(crate) fn surface(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("surface");
    let stands = plan.cast.iter().any(|role| role.figure.place != Place::Sky);
    if stands || (plan.cast.is_empty() && rng.chance(0.5)) {
        plain(canvas, plan, &mut rng);
    }
    cast::play(
        canvas,
        plan,
        &Stage {
            feet: 0.93,
            back: 0.87,
            sky: (0.35, 0.6),
            scale: 1.1,
            air: 0.0,
            ..Stage::default()
        },
    );
}

fn plain(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    let (unit, h, w) = (canvas.unit, canvas.h, canvas.w);
    let dust = plan
        .light
        .land
        .near
        .mix(plan.light.accents[rng.below(3)], 0.25);
    let (lit, dark) = (
        dust.lighter(0.1).mix(plan.light.glow, 0.2).rgb(),
        dust.lighter(-0.3).mix(plan.light.shade, 0.3).rgb(),
    );
    let bumps = Noise::new(rng.seed32());
    let base = h * 0.84;
    let curve = |x: f32| {
        base + ((x / w - 0.5) * 2.0).powi(2) * unit * 0.05
            - bumps.fbm(x / unit * 2.0, 1.0, 3) * unit * 0.05
    };
    canvas.terrain(curve, |x, y, under| {
        let scale = 3.0 + 30.0 / (1.0 + under / unit * 30.0);
        let n = bumps.fbm(x / unit * scale * 0.5, y / unit * scale * 1.6, 4);
        let shifted = bumps.fbm(
            x / unit * scale * 0.5 + 0.15,
            y / unit * scale * 1.6 - 0.2,
            4,
        );
        colour::blend(
            dark,
            lit,
            (0.62 + (n - shifted) * 3.2 - under / unit * 0.9).clamp(0.0, 1.0),
        )
    });
    for _ in 0..9 {
        let (x, near) = (rng.unit() * w, rng.unit());
        let y = base + unit * 0.03 + near * (h - base) * 0.85;
        let r = unit * (0.012 + 0.07 * near) * rng.range(0.5, 1.2);
        crater(canvas, (x, y), r, (lit, dark));
    }
}

fn crater(
    canvas: &mut Canvas,
    (x, y): (f32, f32),
    r: f32,
    (lit, dark): (colour::Rgb, colour::Rgb),
) {
    let (bright, deep) = (Lab::from_rgb(lit), Lab::from_rgb(dark));
    let parts = [
        (0.0, 1.0, bright, 0.5),
        (-0.05, 0.92, deep, 0.75),
        (0.06, 0.8, deep.mix(bright, 0.4), 0.8),
    ];
    for (drop, share, tone, alpha) in parts {
        if let Some(ring) = pen::ellipse(x, y + r * drop, r * share, r * 0.3 * share) {
            canvas.fill(&ring, &Ink::flat(tone, alpha));
        }
    }
}
