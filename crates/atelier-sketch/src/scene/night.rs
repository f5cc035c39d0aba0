//! The night sky as the subject: the Milky Way or an aurora over a dark horizon.

use crate::canvas::Canvas;
use crate::cast::{self, Stage};
use crate::colour;
use crate::land::{self, Ridge};
use crate::noise::{Noise, smoothstep};
use crate::part::Part;
use crate::plan::Plan;
use crate::sky;

pub(crate) fn sky(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("night");
    sky::gradient(canvas, plan);
    let aurora = plan.winter() || rng.chance(0.4);
    if plan.names(Part::Aurora) || (aurora && !plan.names(Part::MilkyWay)) {
        sky::stars(canvas, plan, 1.4);
        sky::aurora(canvas, plan);
    } else {
        milky_way(canvas, plan);
        sky::stars(canvas, plan, 2.2);
    }
    if plan.orb {
        sky::orb(canvas, plan);
    }
}

/// A slanting band of haze with dark lanes and star dust.
fn milky_way(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("milky way");
    let (cloud, lane) = (Noise::new(rng.seed32()), Noise::new(rng.seed32()));
    let slope = rng.range(0.5, 1.1) * rng.side();
    let (sin, cos) = slope.atan().sin_cos();
    let (cx, cy) = (canvas.w * rng.range(0.4, 0.6), canvas.h * 0.38);
    let cool = plan.light.sky[2].mix(plan.light.glow, 0.55).rgb();
    let warm = plan.light.glow.mix(plan.light.accents[0], 0.18).rgb();
    let unit = canvas.unit;
    canvas.shade_all(|x, y| {
        let (dx, dy) = ((x - cx) / unit, (y - cy) / unit);
        let (along, across) = (dx * cos + dy * sin, dy * cos - dx * sin);
        let bend = (cloud.fbm(along * 1.6, 5.0, 2) - 0.5) * 0.2;
        let d = (across + bend).abs();
        if d > 0.42 {
            return ([0.0; 3], 0.0);
        }
        let body = cloud.fbm(along * 3.0, across * 5.0, 5);
        let dust = smoothstep(0.5, 0.72, lane.fbm(along * 2.4, across * 7.0 + 9.0, 4))
            * smoothstep(0.16, 0.0, d);
        let core = smoothstep(0.42, 0.0, d) * smoothstep(0.22, 0.75, body);
        (
            colour::blend(cool, warm, smoothstep(0.2, 0.0, d) * body),
            (core * 0.8 * (1.0 - dust * 0.8)).min(1.0),
        )
    });
}

pub(crate) fn land(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("night land");
    let horizon = plan.layout.horizon * canvas.h;
    let unit = canvas.unit;
    canvas.veil(
        horizon - unit * 0.35,
        horizon,
        horizon + unit * 0.3,
        plan.light.haze,
        0.4,
    );
    let far = Ridge::new(&mut rng, horizon, unit * 0.16, unit * 0.6).craggy(0.5);
    land::mountain(
        canvas,
        plan,
        &far,
        0.6,
        if plan.winter() { 0.9 } else { 0.1 },
    );
    canvas.veil(
        horizon - unit * 0.1,
        horizon + unit * 0.02,
        horizon + unit * 0.1,
        plan.light.haze,
        0.35,
    );
    for (drop, depth) in [(0.3, 0.28), (0.62, 0.08)] {
        let ridge = Ridge::new(
            &mut rng,
            horizon + (canvas.h - horizon) * drop,
            unit * 0.1,
            unit * 0.9,
        );
        land::treeline(canvas, plan, &ridge, depth, unit * (0.15 - depth * 0.25));
        land::hill(canvas, plan, &ridge, depth);
    }
    cast::play(
        canvas,
        plan,
        &Stage {
            feet: 0.95,
            back: 0.9,
            sky: (0.25, 0.5),
            ..Stage::default()
        },
    );
}
