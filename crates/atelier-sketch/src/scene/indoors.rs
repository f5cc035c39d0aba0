//! A room with a tall window: the day outside, its light on the floor.

use crate::canvas::{Canvas, Ink};
use crate::colour::{self, Lab};
use crate::land::{self, Ridge};
use crate::noise::{Noise, smoothstep};
use crate::pen;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::sky;

/// The view is painted first over everything, then the wall round the opening.
pub(crate) fn walls(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("view");
    sky::paint(canvas, plan);
    let unit = canvas.unit;
    let line = canvas.h * 0.44;
    for (drop, depth) in [(0.0, 0.75), (0.05, 0.5)] {
        let mut ridge = Ridge::new(&mut rng, line + unit * drop, unit * 0.12, unit * 0.4);
        ridge.crag = 0.3;
        land::treeline(canvas, plan, &ridge, depth, unit * 0.06);
        land::hill(canvas, plan, &ridge, depth);
    }
}

/// Left, top, right and bottom of the opening, in pixels.
pub(crate) fn opening(canvas: &Canvas, plan: &Plan) -> [f32; 4] {
    let middle = (1.0 - plan.layout.focus) * canvas.w;
    let half = (canvas.unit * 0.23).min(canvas.w * 0.4);
    [
        middle - half,
        canvas.h * 0.1,
        middle + half,
        canvas.h * 0.53,
    ]
}

pub(crate) fn window(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("window");
    let light = &plan.light;
    let [left, top, right, bottom] = opening(canvas, plan);
    let paint = light
        .land
        .far
        .mix(light.accents[rng.below(3)], 0.4)
        .lighter(rng.range(-0.14, 0.02));
    let paint = light.wall.map_or(paint, |named| paint.mix(named, 0.8));
    let dim = |c: Lab| c.mix(light.shade, 0.12 + 0.4 * light.darkness());
    let (near, far) = (
        dim(paint.lighter(0.05)).rgb(),
        dim(paint.lighter(-0.15)).rgb(),
    );
    let plaster = Noise::new(rng.seed32());
    let (unit, h) = (canvas.unit, canvas.h);
    let middle = ((left + right) / 2.0, (top + bottom) / 2.0);
    canvas.shade_all(|x, y| {
        let outside = (left - x).max(x - right).max(top - y).max(y - bottom);
        let d = (x - middle.0).hypot(y - middle.1) / unit
            + (plaster.fbm(x / unit * 4.0, y / unit * 4.0, 3) - 0.5) * 0.22;
        (
            colour::blend(near, far, smoothstep(0.2, 1.0, d)),
            smoothstep(-1.0, 0.5, outside),
        )
    });
    floor(canvas, plan, h * plan.layout.horizon, &mut rng);
    frame(canvas, plan, [left, top, right, bottom]);
}

fn floor(canvas: &mut Canvas, plan: &Plan, edge: f32, rng: &mut Rng) {
    let light = &plan.light;
    let wood = light.land.near;
    let dim = |c: Lab| c.mix(light.shade, 0.1 + 0.4 * light.darkness());
    let (lit, dark) = (
        dim(wood.lighter(0.08)).rgb(),
        dim(wood.lighter(-0.13)).rgb(),
    );
    let patch = light.glow.rgb();
    let grain = Noise::new(rng.seed32());
    let (unit, h) = (canvas.unit, canvas.h);
    let window = (1.0 - plan.layout.focus) * canvas.w;
    let lean = if plan.layout.focus < 0.5 { -0.55 } else { 0.55 };
    canvas.terrain(
        |_| edge,
        |x, y, under| {
            let t = under / (h - edge);
            let board = ((x - canvas_middle(window, lean, under)) / unit / (0.5 + t)) * 7.0;
            let seam = smoothstep(0.06, 0.0, (board - board.round()).abs()) * 0.5;
            let ring = grain.fbm(board.floor() * 7.3 + x / unit * 2.0, y / unit * 14.0, 3) - 0.5;
            let base = colour::blend(lit, dark, (0.3 + ring + seam + t * 0.3).clamp(0.0, 1.0));
            let u = (x - window - lean * under * 1.2) / unit / (0.23 + 0.2 * t);
            let pane = smoothstep(1.0, 0.94, u.abs())
                * smoothstep(0.04, 0.1, u.abs())
                * smoothstep(0.1, 0.16, t)
                * smoothstep(0.86, 0.74, t);
            colour::blend(base, patch, 0.42 * pane * (1.0 - light.darkness()))
        },
    );
    let skirting = light
        .land
        .far
        .lighter(0.08)
        .mix(light.shade, 0.2 + 0.4 * light.darkness());
    if let Some(strip) = pen::rect(0.0, edge - unit * 0.022, canvas.w, edge) {
        canvas.fill(&strip, &Ink::flat(skirting, 1.0));
    }
}

/// Floorboards fan out from under the window.
fn canvas_middle(window: f32, lean: f32, under: f32) -> f32 {
    window + lean * under * 0.2
}

fn frame(canvas: &mut Canvas, plan: &Plan, [left, top, right, bottom]: [f32; 4]) {
    let light = &plan.light;
    let wood = Lab {
        l: 0.9,
        a: 0.004,
        b: 0.02,
    }
    .mix(light.shade, 0.12 + 0.45 * light.darkness());
    let t = canvas.unit * 0.011;
    let (mx, my) = ((left + right) / 2.0, top + (bottom - top) * 0.36);
    let bars = [
        [left - t, top - t, left + t, bottom],
        [right - t, top - t, right + t, bottom],
        [left - t, top - t, right + t, top + t],
        [mx - t * 0.6, top, mx + t * 0.6, bottom],
        [left, my - t * 0.5, right, my + t * 0.5],
    ];
    for [a, b, c, d] in bars {
        if let Some(bar) = pen::rect(a, b, c, d) {
            canvas.fill(
                &bar,
                &Ink::linear((a, b), (c, d), wood, wood.lighter(-0.06)),
            );
        }
    }
    if let Some(sill) = pen::rect(
        left - t * 3.0,
        bottom - t * 0.4,
        right + t * 3.0,
        bottom + t * 1.6,
    ) {
        canvas.fill(
            &sill,
            &Ink::linear(
                (0.0, bottom),
                (0.0, bottom + t * 1.6),
                wood.lighter(0.04),
                wood.lighter(-0.14),
            ),
        );
    }
    curtains(canvas, plan, [left, top, right, bottom]);
    canvas.glow(
        (mx, (top + bottom) / 2.0),
        (bottom - top) * 1.3,
        light.glow,
        0.22 * (1.0 - light.darkness()),
    );
}

fn curtains(canvas: &mut Canvas, plan: &Plan, [left, top, right, bottom]: [f32; 4]) {
    let light = &plan.light;
    let cloth =
        light.accents[plan.rng("curtain").below(3)].mix(light.shade, 0.1 + 0.45 * light.darkness());
    let (lit, dark) = (cloth.lighter(0.06).rgb(), cloth.lighter(-0.14).rgb());
    let fold = Noise::new(plan.rng("curtain folds").seed32());
    let unit = canvas.unit;
    for (x, side) in [(left, -1.0), (right, 1.0)] {
        let (a, b) = (x + side * unit * 0.09, x - side * unit * 0.03);
        let points = [
            (a, top - unit * 0.04),
            (b, top - unit * 0.04),
            (x + side * unit * 0.025, bottom * 0.8),
            (x + side * unit * 0.01, bottom + unit * 0.1),
            (a + side * unit * 0.02, bottom + unit * 0.1),
        ];
        if let Some(path) = pen::blob(&points) {
            canvas.texture(&path, |px, py| {
                let crease = fold.ridged(px / unit * 16.0, py / unit * 0.8, 2);
                colour::blend(lit, dark, smoothstep(0.3, 0.95, crease))
            });
        }
    }
}
