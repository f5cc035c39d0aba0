//! Mesas in the haze and dunes with one lit and one shaded flank.

use crate::canvas::Canvas;
use crate::cast::{self, Stage};
use crate::colour;
use crate::land::Ridge;
use crate::noise::{Noise, smoothstep};
use crate::plan::Plan;

pub(crate) fn mesas(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("mesas");
    let horizon = plan.layout.horizon * canvas.h;
    let unit = canvas.unit;
    let strata = Noise::new(rng.seed32());
    for (depth, height) in [(0.85, 0.2), (0.62, 0.17)] {
        let outline = Noise::new(rng.seed32());
        let rock = plan.light.land.rock;
        let (light, dark) = (
            plan.light.lit_rgb(rock.lighter(0.1), depth),
            plan.light.lit_rgb(rock.lighter(-0.08), depth),
        );
        let top = |x: f32| {
            let n = outline.fbm(x / unit * 1.7, 0.5, 2);
            let table = smoothstep(0.5, 0.56, n) * 0.7 + smoothstep(0.6, 0.64, n) * 0.3;
            let rubble = outline.fbm(x / unit * 12.0, 3.0, 3) * 0.12;
            horizon - unit * height * (table + rubble) + unit * 0.02
        };
        canvas.terrain(top, |x, y, under| {
            let band = strata.fbm(x / unit * 1.5, y / unit * 26.0, 2);
            let flute = strata.ridged(x / unit * 16.0, y / unit * 1.5, 2);
            colour::blend(
                light,
                dark,
                (band * 0.6 + flute * 0.5 + under / unit * 0.6 - 0.25).clamp(0.0, 1.0),
            )
        });
    }
    canvas.veil(
        horizon - unit * 0.12,
        horizon,
        horizon + unit * 0.1,
        plan.light.haze,
        0.55,
    );
}

pub(crate) fn dunes(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("dunes");
    let (h, unit) = (canvas.h, canvas.unit);
    let horizon = plan.layout.horizon * h;
    let layers = 5;
    for i in 0..layers {
        let t = i as f32 / (layers - 1) as f32;
        let base = horizon + (h * 1.04 - horizon) * t.powf(1.3) * 0.92 + unit * 0.02;
        let ridge = Ridge::new(
            &mut rng,
            base,
            unit * (0.05 + 0.15 * t),
            unit * (0.4 + 0.6 * t),
        );
        dune(canvas, plan, &ridge, 0.72 * (1.0 - t), rng.seed32());
    }
    cast::play(
        canvas,
        plan,
        &Stage {
            feet: 0.92,
            back: horizon / h + 0.1,
            ..Stage::default()
        },
    );
}

/// The crest throws its far flank into shade along a winding line that runs down from it.
fn dune(canvas: &mut Canvas, plan: &Plan, ridge: &Ridge, depth: f32, seed: u32) {
    let light = &plan.light;
    let sand = light.ground(depth);
    let lit = light.lit_rgb(sand.lighter(0.08).mix(light.glow, 0.3), depth);
    let body = light.lit_rgb(sand, depth);
    let dark = light
        .lit(sand.lighter(-0.15).mix(light.shade, 0.28), depth)
        .rgb();
    let towards = if plan.layout.sun.0 < 0.5 { -1.0 } else { 1.0 };
    let wind = Noise::new(seed);
    let (unit, span) = (canvas.unit, ridge.span);
    let step = span * 0.03;
    let slope: Vec<f32> = (0..canvas.w as usize + 1)
        .map(|x| towards * (ridge.top(x as f32 + step) - ridge.top(x as f32 - step)) / step)
        .collect();
    let last = slope.len() as f32 - 1.0;
    canvas.terrain(
        |x| ridge.top(x),
        |x, y, under| {
            let sweep = (wind.at(x / span * 1.5, y / unit * 2.0) - 0.5) * span * 0.1;
            let above = (x - towards * under * 0.75 + sweep).clamp(0.0, last) as usize;
            let shaded = smoothstep(-0.02, 0.1, slope[above]) * smoothstep(span * 0.55, 0.0, under);
            let ripple = wind.at(
                x / unit * 8.0 + 6.0 * wind.at(x / unit * 4.0, y / unit * 9.0),
                y / unit * 150.0,
            ) - 0.5;
            let ground = colour::blend(lit, body, smoothstep(0.0, unit * 0.16, under));
            let ground = colour::scale(ground, 1.0 + ripple * 0.07 * (1.0 - depth));
            colour::blend(ground, dark, shaded * 0.85)
        },
    );
}
