//! Ranges behind ranges, the summit on the focal third.

use super::meadow;
use crate::canvas::Canvas;
use crate::cast::{self, Stage};
use crate::flora;
use crate::land::{self, Ridge};
use crate::plan::Plan;
use crate::topic::Season;

pub(crate) fn ranges(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("ranges");
    let horizon = plan.layout.horizon * canvas.h;
    let (unit, h) = (canvas.unit, canvas.h);
    let focus = plan.layout.focus * canvas.w;
    let snow = match plan.conditions.season {
        Some(Season::Winter) => 1.0,
        Some(Season::Summer) => 0.22,
        _ => 0.42,
    };
    let far = Ridge::new(&mut rng, horizon, unit * 0.2, unit * 0.5).craggy(0.85);
    land::mountain(canvas, plan, &far, 0.82, snow);
    let grand = unit * rng.range(0.4, 0.52);
    let span = unit * rng.range(0.42, 0.6);
    let main = Ridge::new(&mut rng, horizon + h * 0.04, grand, span);
    land::mountain(
        canvas,
        plan,
        &main.craggy(0.9).with_summit(focus, 0.62),
        0.52,
        snow,
    );
    canvas.veil(
        horizon - h * 0.16,
        horizon + h * 0.02,
        horizon + h * 0.14,
        plan.light.haze,
        0.55,
    );
    let second = canvas.w - focus + rng.bell() * unit * 0.1;
    let side = Ridge::new(&mut rng, horizon + h * 0.1, unit * 0.24, unit * 0.45);
    land::mountain(
        canvas,
        plan,
        &side.craggy(0.7).with_summit(second, 0.35),
        0.36,
        snow * 0.45,
    );
    canvas.veil(
        horizon,
        horizon + h * 0.1,
        horizon + h * 0.2,
        plan.light.haze,
        0.4,
    );
}

pub(crate) fn foreground(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("foreground");
    let (unit, h) = (canvas.unit, canvas.h);
    let horizon = plan.layout.horizon * h;
    let below = h - horizon;
    for (share, depth) in [(0.5, 0.3), (0.74, 0.16)] {
        let hill = Ridge::new(&mut rng, horizon + below * share, unit * 0.14, unit * 0.8);
        land::treeline(canvas, plan, &hill, depth, unit * (0.16 - depth * 0.3));
        land::hill(canvas, plan, &hill, depth);
        canvas.veil(
            horizon,
            horizon + below * share,
            horizon + below * (share + 0.2),
            plan.light.haze,
            0.28,
        );
    }
    let meadow = Ridge::new(&mut rng, h * 0.94, unit * 0.1, unit * 1.1);
    land::hill(canvas, plan, &meadow, 0.04);
    cast::play(
        canvas,
        plan,
        &Stage {
            feet: 0.94,
            back: 0.86,
            ..Stage::default()
        },
    );
    flora::grass(canvas, plan, &mut rng, h * 0.95, unit * 0.035);
}

/// Lower and calmer than [`ranges`]: what a lake reflects.
pub(crate) fn far_shore(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("far shore");
    let horizon = plan.layout.horizon * canvas.h;
    let unit = canvas.unit;
    let snow = if plan.winter() { 1.0 } else { 0.32 };
    let focus = (1.0 - plan.layout.focus) * canvas.w;
    let back = Ridge::new(&mut rng, horizon, unit * rng_height(plan), unit * 0.5).craggy(0.8);
    land::mountain(canvas, plan, &back.with_summit(focus, 0.55), 0.62, snow);
    canvas.veil(
        horizon - unit * 0.16,
        horizon,
        horizon + 2.0,
        plan.light.haze,
        0.5,
    );
    for (height, depth) in [(0.1, 0.45), (0.055, 0.26)] {
        let shore = Ridge::new(&mut rng, horizon + 1.0, unit * height, unit * 0.55);
        let leafy = matches!(
            plan.conditions.season,
            Some(Season::Autumn | Season::Spring)
        );
        if !leafy {
            land::treeline(canvas, plan, &shore, depth, unit * (0.05 + height * 0.35));
        }
        land::hill(canvas, plan, &shore, depth);
        if leafy {
            for _ in 0..3 {
                meadow::copses(canvas, plan, &shore, depth * 0.6, &mut rng);
            }
        }
    }
}

fn rng_height(plan: &Plan) -> f32 {
    plan.rng("far shore height").range(0.24, 0.4)
}
