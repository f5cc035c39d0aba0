//! What stands and hangs in a room: an armchair, a rug, a print on the free wall.

use super::indoors::opening;
use crate::canvas::{Canvas, Ink};
use crate::cast::{self, Stage};
use crate::colour::Lab;
use crate::figure::{self, Pose};
use crate::pen;
use crate::plan::Plan;
use crate::rng::Rng;

pub(crate) fn arrange(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("furniture");
    let (unit, h) = (canvas.unit, canvas.h);
    rug(canvas, plan, &mut rng);
    let floor = plan.layout.horizon;
    if plan.cast.len() < 3 {
        let x = plan.layout.focus * canvas.w
            + if plan.layout.focus < 0.5 { -0.04 } else { 0.04 } * unit;
        let seat = if plan.cast.is_empty() {
            x
        } else {
            x + (plan.layout.focus - 0.5).signum() * unit * 0.16
        };
        furnish(
            canvas,
            plan,
            "chair",
            (seat, h * (floor + 0.09)),
            unit * 0.36,
            &mut rng,
        );
    }
    picture(canvas, plan, &mut rng);
    let [left, _, right, sill] = opening(canvas, plan);
    cast::play(
        canvas,
        plan,
        &Stage {
            sill: Some([left, right, sill]),
            feet: 0.93,
            back: floor + 0.07,
            sky: (0.2, 0.45),
            air: 0.0,
            ..Stage::default()
        },
    );
}

fn furnish(
    canvas: &mut Canvas,
    plan: &Plan,
    name: &str,
    (x, y): (f32, f32),
    height: f32,
    rng: &mut Rng,
) {
    let Some(figure) = figure::named(name) else {
        return;
    };
    if let Some(shadow) = pen::ellipse(x, y, height * 0.52, height * 0.06) {
        canvas.fill(&shadow, &Ink::flat(plan.light.shade, 0.4));
    }
    let body = figure.colours[rng.below(figure.colours.len())];
    let lit_from = if plan.layout.focus < 0.5 { 1.0 } else { -1.0 };
    let trim = plan.light.accents[rng.below(3)];
    figure.draw(
        canvas,
        &plan.light,
        &Pose {
            x,
            y,
            height,
            mirrored: false,
            depth: 0.0,
            body,
            trim,
            lit_from,
            lean: 0.0,
        },
    );
}

fn rug(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    let (w, h, unit) = (canvas.w, canvas.h, canvas.unit);
    let (x, y) = (
        plan.layout.focus * w,
        h * (plan.layout.horizon + 1.0) * 0.525,
    );
    let accents = plan.light.accents;
    for (i, share) in [1.0, 0.84, 0.78, 0.5].into_iter().enumerate() {
        let tone = plan
            .light
            .lit(accents[(i + rng.below(2)) % 3].lighter(-0.06), 0.0);
        if let Some(ring) = pen::ellipse(x, y, unit * 0.42 * share, h * 0.085 * share) {
            canvas.fill(&ring, &Ink::flat(tone, 0.9));
        }
    }
}

/// A framed print on the free wall.
fn picture(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng) {
    let unit = canvas.unit;
    let [left, _, right, _] = opening(canvas, plan);
    let x = if plan.layout.focus < 0.5 {
        (left - unit * 0.1) * 0.5
    } else {
        (right + unit * 0.1 + canvas.w) * 0.5
    };
    let room = if plan.layout.focus < 0.5 {
        left
    } else {
        canvas.w - right
    } - unit * 0.14;
    let half = (unit * 0.1).min(room * 0.42);
    if half < unit * 0.03 {
        return;
    }
    let y = canvas.h * 0.27;
    let tones = [
        Lab {
            l: 0.35,
            a: 0.02,
            b: 0.03,
        },
        Lab {
            l: 0.94,
            a: 0.0,
            b: 0.02,
        },
        plan.light.accents[rng.below(3)],
    ];
    for (grow, tone) in [1.0, 0.9, 0.62].into_iter().zip(tones) {
        if let Some(part) = pen::rect(
            x - half * grow,
            y - half * 1.25 * grow,
            x + half * grow,
            y + half * 1.25 * grow,
        ) {
            canvas.fill(&part, &Ink::flat(plan.light.lit(tone, 0.0), 1.0));
        }
    }
    if let Some(disc) = pen::ellipse(x, y - half * 0.1, half * 0.34, half * 0.34) {
        canvas.fill(
            &disc,
            &Ink::flat(
                plan.light
                    .lit(plan.light.accents[rng.below(3)].lighter(0.12), 0.0),
                1.0,
            ),
        );
    }
}
