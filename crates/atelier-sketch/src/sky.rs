//! Everything above the horizon: the gradient, sun or moon, stars, clouds, and what falls from them.

use crate::canvas::{Canvas, Ink};
use crate::colour::{self, Lab, Ramp};
use crate::light;
use crate::noise::{Noise, smoothstep};
use crate::part::Part;
use crate::pen::{self, Point};
use crate::plan::Plan;
use crate::rng::Rng;
use crate::topic::{Hour, Weather};
use tiny_skia::PathBuilder;

/// The whole sky down to the horizon; paint land over the rest.
pub(crate) fn paint(canvas: &mut Canvas, plan: &Plan) {
    gradient(canvas, plan);
    let bare = plan.conditions.weather.is_none() || plan.names(Part::Star);
    if plan.light.night && bare {
        stars(canvas, plan, 1.0);
    }
    if plan.light.night && plan.names(Part::Aurora) {
        aurora(canvas, plan);
    }
    orb(canvas, plan);
    clouds(canvas, plan);
}

pub(crate) fn sun_at(canvas: &Canvas, plan: &Plan) -> Point {
    (plan.layout.sun.0 * canvas.w, plan.layout.sun.1 * canvas.h)
}

pub(crate) fn gradient(canvas: &mut Canvas, plan: &Plan) {
    let light = &plan.light;
    let [top, middle, low] = light.sky;
    let ramp = Ramp::new(&[
        top,
        top.mix(middle, 0.45),
        middle,
        middle.mix(low, 0.6),
        low,
    ]);
    let glow = light.glow.rgb();
    let (sx, sy) = sun_at(canvas, plan);
    let horizon = plan.layout.horizon * canvas.h;
    let wash = Noise::new(plan.rng("sky wash").seed32());
    let (unit, reach) = (canvas.unit, if light.night { 0.3 } else { 0.75 });
    canvas.shade_all(|x, y| {
        let (u, v) = (x / unit, y / unit);
        let drift = (wash.fbm(u * 1.3, v * 2.6, 3) - 0.5) * 0.16;
        let base = ramp.at(y / horizon + drift);
        let d = ((x - sx).powi(2) + (1.5 * (y - sy)).powi(2)).sqrt() / (unit * reach);
        (colour::blend(base, glow, 0.42 * (-d * 3.0).exp()), 1.0)
    });
}

/// Sun or moon with its halo. Hidden by heavy weather unless the prompt asks for it.
pub(crate) fn orb(canvas: &mut Canvas, plan: &Plan) {
    let veiled = matches!(
        plan.conditions.weather,
        Some(Weather::Storm | Weather::Rain | Weather::Cloud | Weather::Snow)
    );
    if veiled && !plan.orb {
        return;
    }
    let at = sun_at(canvas, plan);
    let mut rng = plan.rng("orb");
    let low = matches!(
        plan.conditions.hour,
        Hour::Sunset | Hour::Dawn | Hour::Golden
    );
    let bigger = if plan.orb { 1.5 } else { 1.0 };
    let radius = canvas.unit
        * bigger
        * if low {
            rng.range(0.05, 0.075)
        } else {
            rng.range(0.035, 0.05)
        };
    canvas.glow(at, radius * 7.0, plan.light.glow, 0.33);
    canvas.glow(at, radius * 2.2, plan.light.glow, 0.5);
    if plan.light.night {
        moon(canvas, plan, at, radius * 1.15, &mut rng);
    } else if let Some(disc) = pen::ellipse(at.0, at.1, radius, radius) {
        let face = face(plan);
        let rim = face.mix(plan.light.sky[2], 0.12);
        canvas.fill(
            &disc,
            &Ink::radial(at, radius, (face.lighter(0.05), 1.0), (rim, 1.0)),
        );
    }
}

/// The colour of sun and moon.
fn face(plan: &Plan) -> Lab {
    let glow = plan.light.glow;
    let named = plan.orb_colour.map(light::pigment);
    named.map_or(glow, |named| glow.mix(named, 0.75))
}

fn moon(canvas: &mut Canvas, plan: &Plan, (cx, cy): Point, radius: f32, rng: &mut Rng) {
    let face = face(plan);
    let maria = Noise::new(rng.seed32());
    let (bright, grey) = (face.rgb(), face.lighter(-0.12).chroma(0.5).rgb());
    if let Some(disc) = pen::ellipse(cx, cy, radius, radius) {
        canvas.texture(&disc, |x, y| {
            let (u, v) = ((x - cx) / radius, (y - cy) / radius);
            let spots = smoothstep(0.5, 0.68, maria.fbm(u * 1.5 + 9.0, v * 1.5, 4));
            let limb = smoothstep(0.6, 1.05, (u * u + v * v).sqrt());
            colour::blend(bright, grey, (spots * 0.75 + limb * 0.35).min(1.0))
        });
    }
}

/// Stars by magnitude: many faint, few bright, and the brightest with a halo.
pub(crate) fn stars(canvas: &mut Canvas, plan: &Plan, density: f32) {
    let mut rng = plan.rng("stars");
    let horizon = plan.layout.horizon * canvas.h;
    let count = (420.0 * density * canvas.w * horizon / canvas.unit.powi(2)) as usize;
    let reach = if plan.conditions.hour == Hour::Night {
        1.0
    } else {
        0.55
    };
    for _ in 0..count {
        let (x, y) = (
            rng.unit() * canvas.w,
            rng.unit() * rng.unit() * horizon * reach + rng.unit() * 0.3 * horizon * reach,
        );
        let bright = rng.unit().powi(7);
        let r = canvas.unit * (0.0007 + 0.0024 * bright);
        let hue = Lab::lch(0.95, 0.045, if rng.chance(0.6) { 260.0 } else { 75.0 });
        if let Some(dot) = pen::ellipse(x, y, r, r) {
            canvas.fill(
                &dot,
                &Ink::flat(hue, 0.3 + 0.7 * bright.sqrt() + rng.unit() * 0.2),
            );
        }
        if bright > 0.6 {
            canvas.glow((x, y), r * 7.0, hue, 0.45);
        }
    }
}

/// Clouds on a plane overhead: they flatten and crowd towards the horizon.
pub(crate) fn clouds(canvas: &mut Canvas, plan: &Plan) {
    let light = &plan.light;
    let mut rng = plan.rng("clouds");
    let field = Noise::new(rng.seed32());
    let horizon = plan.layout.horizon * canvas.h;
    let (sx, sy) = sun_at(canvas, plan);
    let threshold = 0.68 - 0.34 * light.cloud;
    let heavy = smoothstep(0.6, 0.9, light.cloud);
    let shadow = light.sky[1]
        .mix(light.shade, 0.22 + 0.3 * heavy)
        .mix(light.haze, 0.25)
        .rgb();
    let bright = light.sky[2].mix(light.glow, 0.7 - 0.45 * heavy).rgb();
    let (unit, drift) = (canvas.unit, rng.range(0.0, 50.0));
    let puff = rng.range(1.0, 1.5);
    canvas.shade([0.0, 0.0, canvas.w, horizon], |x, y| {
        let height = 1.0 - y / horizon;
        let far = 1.0 / (0.32 + height);
        let (u, v) = ((x - sx) / unit * far * 0.9 * puff + drift, far * 3.1 * puff);
        let n = field.fbm(u, v, 5);
        if n < threshold {
            return ([0.0; 3], 0.0);
        }
        let side = ((sx - x) / (unit * 0.25)).clamp(-1.0, 1.0);
        let towards = (
            0.16 * side,
            0.14 * ((y - sy) / (unit * 0.2)).clamp(-1.0, 1.0),
        );
        let thinner = field.fbm(u + towards.0, v + towards.1, 3);
        let lit = smoothstep(-0.12, 0.16, n - thinner);
        let body = smoothstep(threshold, threshold + 0.16, n) * smoothstep(0.0, 0.1, height);
        (
            colour::blend(shadow, bright, lit),
            body * (0.62 + 0.3 * heavy),
        )
    });
}

/// Curtains of light over a northern night.
pub(crate) fn aurora(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("aurora");
    let (fold, rays) = (Noise::new(rng.seed32()), Noise::new(rng.seed32()));
    let green = Lab::lch(0.82, 0.17, rng.range(145.0, 175.0));
    let violet = Lab::lch(0.6, 0.16, rng.range(290.0, 330.0));
    let ramp = Ramp::new(&[green, green.mix(violet, 0.4), violet]);
    let horizon = plan.layout.horizon * canvas.h;
    let unit = canvas.unit;
    for band in 0..3 {
        let base = horizon * (0.45 + 0.16 * band as f32);
        let reach = unit * rng.range(0.28, 0.42);
        let shift = rng.range(0.0, 90.0);
        canvas.shade([0.0, 0.0, canvas.w, horizon], |x, y| {
            let u = x / unit * 1.2 + shift;
            let foot = base + (fold.fbm(u, 0.3 + band as f32, 3) - 0.5) * unit * 0.7;
            let up = (foot - y) / reach;
            if !(-0.12..1.0).contains(&up) {
                return ([0.0; 3], 0.0);
            }
            let ray = 0.35 + 0.65 * rays.fbm(x / unit * 16.0, up * 0.4, 2);
            let body = smoothstep(-0.12, 0.04, up) * (1.0 - up.max(0.0)).powi(2);
            (
                ramp.at(up),
                0.9 * body * ray * (0.3 + 0.7 * fold.at(u * 1.7, 7.0)),
            )
        });
    }
}

/// Rain and snow, in front of everything.
pub(crate) fn fall(canvas: &mut Canvas, plan: &Plan) {
    match plan.conditions.weather {
        Some(Weather::Rain | Weather::Storm) => rain(canvas, plan),
        Some(Weather::Snow) => snow(canvas, plan),
        Some(Weather::Fog) => {
            let (w, h) = (plan.light.haze, canvas.h);
            canvas.veil(h * 0.3, h * 0.66, h * 1.1, w, 0.4);
        }
        _ => {}
    }
}

fn rain(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("rain");
    let slant = rng.range(0.1, 0.25);
    let mut pen = PathBuilder::new();
    let count = (520.0 * canvas.w * canvas.h / canvas.unit.powi(2)) as usize;
    for _ in 0..count {
        let (x, y) = (
            rng.range(-0.1, 1.0) * canvas.w,
            rng.range(-0.1, 1.0) * canvas.h,
        );
        let length = canvas.unit * rng.range(0.015, 0.05);
        pen.move_to(x, y);
        pen.line_to(x + length * slant, y + length);
    }
    if let Some(path) = pen.finish() {
        canvas.stroke(
            &path,
            &Ink::flat(plan.light.sky[2].lighter(0.1), 0.28),
            canvas.unit * 0.0013,
        );
    }
}

fn snow(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("snow");
    let count = (340.0 * canvas.w * canvas.h / canvas.unit.powi(2)) as usize;
    for alpha in [0.45, 0.7, 0.92] {
        let mut pen = PathBuilder::new();
        for _ in 0..count / 3 {
            let r = canvas.unit * (0.001 + 0.006 * rng.unit().powi(3)) * (0.5 + alpha);
            pen::add_ellipse(&mut pen, rng.unit() * canvas.w, rng.unit() * canvas.h, r, r);
        }
        if let Some(path) = pen.finish() {
            canvas.fill(&path, &Ink::flat(Lab::grey(0.985), alpha));
        }
    }
}
