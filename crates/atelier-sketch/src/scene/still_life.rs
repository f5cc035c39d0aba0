//! Things on a table before a plain wall, light from one side.

use crate::canvas::{Canvas, Ink};
use crate::cast::{self, Stage};
use crate::colour::{self, Lab};
use crate::figure::{self, Place, Pose};
use crate::flora;
use crate::light;
use crate::noise::{Noise, smoothstep};
use crate::part::Part;
use crate::pen;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::topic::Colour;

const FRUITS: [&str; 3] = ["apple", "pear", "lemon"];

/// Wall with a slanting patch of window light.
pub(crate) fn room(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("room");
    let light = &plan.light;
    let wall = light
        .land
        .far
        .mix(light.accents[rng.below(3)], 0.35)
        .lighter(rng.range(-0.22, 0.04));
    let wall = light.wall.map_or(wall, |named| wall.mix(named, 0.8));
    let (lit, dark) = (
        light.lit(wall.lighter(0.08), 0.0).rgb(),
        light.lit(wall.lighter(-0.16), 0.0).rgb(),
    );
    let plaster = Noise::new(rng.seed32());
    let sun = plan.layout.sun.0;
    let (w, h, unit) = (canvas.w, canvas.h, canvas.unit);
    let pane = light.glow.rgb();
    let slant = if sun < 0.5 { 0.4 } else { -0.4 };
    let from = (1.0 - sun) * w - unit * 0.25;
    canvas.shade_all(|x, y| {
        let away = ((x / w - sun).abs() * 1.1
            + y / h * 0.25
            + (plaster.fbm(x / unit * 3.0, y / unit * 3.0, 4) - 0.5) * 0.35)
            .clamp(0.0, 1.0);
        let base = colour::blend(lit, dark, away);
        let (u, v) = ((x - from - (y - h * 0.2) * slant) / unit, y / unit);
        let bars = smoothstep(0.0, 0.02, u)
            * smoothstep(0.5, 0.48, u)
            * smoothstep(0.06, 0.09, v)
            * smoothstep(0.56, 0.5, v);
        let cross =
            smoothstep(0.008, 0.02, (u - 0.25).abs()) * smoothstep(0.008, 0.02, (v - 0.3).abs());
        (colour::blend(base, pane, 0.3 * bars * cross), 1.0)
    });
}

pub(crate) fn table(canvas: &mut Canvas, plan: &Plan) {
    let mut rng = plan.rng("table");
    let edge = plan.layout.horizon * canvas.h;
    board(canvas, plan, edge, &mut rng);
    cloth(canvas, plan, edge, &mut rng);
    arrangement(canvas, plan, edge, &mut rng);
    let stage = Stage {
        feet: 0.86,
        back: plan.layout.horizon + 0.06,
        scale: 1.15,
        ..Stage::default()
    };
    cast::play(canvas, plan, &stage);
}

fn board(canvas: &mut Canvas, plan: &Plan, edge: f32, rng: &mut Rng) {
    let wood = plan.light.land.near;
    let (lit, dark) = (
        plan.light
            .lit(wood.lighter(0.1).mix(plan.light.glow, 0.2), 0.0)
            .rgb(),
        plan.light.lit(wood.lighter(-0.14), 0.0).rgb(),
    );
    let grain = Noise::new(rng.seed32());
    let (w, h, unit) = (canvas.w, canvas.h, canvas.unit);
    let sun = plan.layout.sun.0;
    canvas.terrain(
        |_| edge,
        |x, y, under| {
            let rings = grain.fbm(x / unit * 1.6, y / unit * 30.0, 4) - 0.5;
            let away = (x / w - sun).abs() * 0.7 + under / (h - edge) * 0.35 + rings * 0.55;
            colour::blend(lit, dark, away.clamp(0.0, 1.0))
        },
    );
}

/// A cloth hanging over the front, in one of the accents.
fn cloth(canvas: &mut Canvas, plan: &Plan, edge: f32, rng: &mut Rng) {
    let (w, h) = (canvas.w, canvas.h);
    let middle = plan.layout.focus * w + rng.bell() * w * 0.06;
    let half = canvas.unit * rng.range(0.3, 0.42);
    let below = h - edge;
    let points = [
        (middle - half * 0.8, edge + below * 0.22),
        (middle + half * 0.85, edge + below * 0.18),
        (middle + half * 1.3, h * 1.02),
        (middle - half * 1.2, h * 1.02),
    ];
    let Some(path) = pen::polygon(&points) else {
        return;
    };
    let linen = plan.light.accents[2].mix(plan.light.accents[rng.below(2)], 0.3);
    let (lit, dark) = (
        plan.light.lit_rgb(linen.lighter(0.04), 0.0),
        plan.light.lit_rgb(linen.lighter(-0.16), 0.0),
    );
    let stripe = plan.light.lit_rgb(plan.light.accents[0], 0.0);
    let fold = Noise::new(rng.seed32());
    let unit = canvas.unit;
    canvas.texture(&path, |x, y| {
        let down = (y - edge) / below;
        let u = (x - middle) / unit / (0.8 + 0.5 * down);
        let crease = fold.ridged(u * 3.0, y / unit * 0.9, 3);
        let base = colour::blend(lit, dark, smoothstep(0.35, 0.95, crease));
        let band = smoothstep(0.012, 0.008, (u.abs() - 0.27).abs());
        colour::blend(base, stripe, band * 0.6)
    });
}

/// What the prompt did not name but a still life wants: a vase of flowers and some fruit.
fn arrangement(canvas: &mut Canvas, plan: &Plan, edge: f32, rng: &mut Rng) {
    let small = plan
        .cast
        .iter()
        .filter(|role| role.figure.place == Place::Table)
        .count();
    let named = |name: &str| plan.cast.iter().any(|role| role.figure.is(name));
    let back = edge + (canvas.h - edge) * 0.3;
    let bouquet_at = if plan.cast.is_empty() {
        plan.layout.focus
    } else {
        1.0 - plan.layout.focus
    };
    let room = !named("vase") && !named("bottle") && small < 3;
    if room || plan.bouquet.is_some() {
        bouquet(canvas, plan, (bouquet_at * canvas.w, back), rng);
    }
    let fruits = match small {
        // Who counts the fruits wants no others.
        _ if FRUITS.iter().any(|name| named(name)) && !plan.names(Part::Fruit) => 0,
        0 | 1 => 5,
        _ => 2,
    };
    for i in 0..fruits {
        let name = FRUITS[rng.below(3)];
        let x = (1.0 - bouquet_at) * canvas.w
            + canvas.unit * 0.15 * (i as f32 - 2.0)
            + rng.bell() * 12.0;
        let y = back + (canvas.h - edge) * (0.08 + 0.16 * rng.unit());
        place(canvas, plan, (name, None), (x, y), rng);
    }
}

fn bouquet(canvas: &mut Canvas, plan: &Plan, (x, y): (f32, f32), rng: &mut Rng) {
    let tall = canvas.unit * 0.3;
    for _ in 0..13 {
        let usual = plan.light.accents[rng.below(3)];
        let named = plan.bouquet.as_ref();
        let named = named.and_then(|bouquet| bouquet.flowers.colour);
        let body = named
            .map_or(usual, light::pigment)
            .lighter(rng.bell() * 0.04);
        let pose = Pose {
            x: x + rng.bell() * tall * 0.03,
            y: y - tall * 0.8,
            height: tall * rng.range(0.5, 1.15),
            mirrored: false,
            depth: 0.0,
            body,
            trim: Lab {
                l: 0.75,
                a: 0.03,
                b: 0.12,
            },
            lit_from: 1.0,
            lean: rng.bell() * 20.0,
        };
        flora::flower(canvas, plan, &pose, rng);
    }
    let vase = plan.bouquet.as_ref().and_then(|bouquet| bouquet.vase);
    place(canvas, plan, ("vase", vase), (x, y), rng);
}

fn place(
    canvas: &mut Canvas,
    plan: &Plan,
    (name, colour): (&str, Option<Colour>),
    (x, y): (f32, f32),
    rng: &mut Rng,
) {
    let Some(figure) = figure::named(name) else {
        return;
    };
    let height = figure.size * canvas.unit * 0.95;
    let lit_from = if plan.layout.sun.0 * canvas.w < x {
        -1.0
    } else {
        1.0
    };
    let cast_to = (x - lit_from * height * 0.6, y);
    if let Some(shadow) = pen::ellipse(
        (x + cast_to.0) / 2.0,
        y - height * 0.03,
        height * 0.62,
        height * 0.09,
    ) {
        canvas.fill(&shadow, &Ink::flat(plan.light.shade, 0.3));
    }
    let own = figure.colours[rng.below(figure.colours.len())];
    let body = colour.map_or(own, light::pigment);
    let trim = plan.light.accents[rng.below(3)];
    let pose = Pose {
        x,
        y,
        height,
        mirrored: rng.chance(0.5),
        depth: 0.0,
        body,
        trim,
        lit_from,
        lean: 0.0,
    };
    figure.draw(canvas, &plan.light, &pose);
}
