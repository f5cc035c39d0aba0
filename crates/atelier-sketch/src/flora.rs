//! Plants, each grown anew: conifers, broadleaf trees, flowers and grass.

use tiny_skia::PathBuilder;

use crate::canvas::{Canvas, Ink};
use crate::colour::Lab;
use crate::figure::{Plant, Pose};
use crate::pen::{self, Point};
use crate::plan::Plan;
use crate::rng::Rng;
use crate::topic::Season;

pub(crate) fn grow(canvas: &mut Canvas, plan: &Plan, plant: Plant, pose: &Pose, rng: &mut Rng) {
    match plant {
        Plant::Broadleaf => broadleaf(canvas, plan, pose, rng),
        Plant::Pine => pine(canvas, plan, pose, rng),
        Plant::Flower => flower(canvas, plan, pose, rng),
    }
}

/// A conifer's silhouette: ragged tiers that widen downwards.
pub(crate) fn add_pine(pen: &mut PathBuilder, rng: &mut Rng, (x, y): Point, height: f32) {
    let tiers = 6 + rng.below(3);
    let half = height * rng.range(0.15, 0.21);
    let mut points = vec![(x, y - height)];
    let mut left = Vec::new();
    for tier in 1..=tiers {
        let t = tier as f32 / tiers as f32;
        let level = y - height * (1.0 - t * 0.94);
        let reach = half * t.powf(0.85) * rng.range(0.8, 1.15);
        points.push((x + reach, level + height * 0.02));
        points.push((x + reach * 0.5, level - height * 0.012));
        let reach = half * t.powf(0.85) * rng.range(0.8, 1.15);
        left.push((x - reach, level + height * 0.02));
        left.push((x - reach * 0.5, level - height * 0.012));
    }
    points.push((x + height * 0.018, y - height * 0.05));
    points.push((x + height * 0.018, y));
    points.push((x - height * 0.018, y));
    points.extend(left.into_iter().rev());
    pen::add_polygon(pen, &points);
}

fn pine(canvas: &mut Canvas, plan: &Plan, pose: &Pose, rng: &mut Rng) {
    let light = &plan.light;
    let seed = rng.next();
    let mut shape = |shift: f32, lean: f32, ink: Lab| {
        let mut pen = PathBuilder::new();
        let at = (pose.x + shift * pose.height, pose.y - lean * pose.height);
        add_pine(
            &mut pen,
            &mut Rng::new(seed),
            at,
            pose.height * (1.0 - lean),
        );
        if let Some(path) = pen.finish() {
            canvas.fill(&path, &Ink::flat(light.lit(ink, pose.depth), 1.0));
        }
    };
    shape(0.0, 0.0, pose.body.lighter(-0.1));
    shape(pose.lit_from * 0.022, 0.05, pose.body);
    if plan.winter() {
        shape(pose.lit_from * 0.04, 0.1, Lab::grey(0.93));
    }
    shape(
        pose.lit_from * 0.05,
        0.16,
        pose.body.lighter(0.06).mix(light.glow, 0.2),
    );
}

/// Trunk and boughs first, then clumps of leaves from dark to light towards the sun.
fn broadleaf(canvas: &mut Canvas, plan: &Plan, pose: &Pose, rng: &mut Rng) {
    let bare = plan.winter();
    let tips = boughs(canvas, plan, pose, rng, if bare { 6 } else { 3 });
    if bare {
        return;
    }
    let h = pose.height;
    let leaf = pose.body;
    let passes = [
        (-0.13, 0.0, 0.17),
        (-0.02, 0.025, 0.135),
        (0.07, 0.06, 0.09),
        (0.14, 0.085, 0.045),
    ];
    for (lift, towards, size) in passes {
        let mut pen = PathBuilder::new();
        for &(x, y) in &tips {
            for _ in 0..7 {
                let (dx, dy) = (rng.bell() * 0.085 * h, rng.bell() * 0.065 * h);
                let at = (
                    x + dx + pose.lit_from * towards * h,
                    y + dy - towards * h * 0.9,
                );
                let r = size * h * rng.range(0.5, 1.0);
                add_clump(&mut pen, rng, at, r);
            }
        }
        if let Some(path) = pen.finish() {
            let warm = leaf
                .lighter(lift)
                .mix(plan.light.glow, (lift * 1.6).max(0.0));
            canvas.fill(&path, &Ink::flat(plan.light.lit(warm, pose.depth), 0.96));
        }
    }
}

/// A leafy outline: a ring with lobes.
pub(crate) fn add_clump(pen: &mut PathBuilder, rng: &mut Rng, (x, y): Point, r: f32) {
    let turn = rng.range(0.0, 6.3);
    let ring: Vec<Point> = (0..11)
        .map(|i| {
            let (sin, cos) = (turn + i as f32 * std::f32::consts::TAU / 11.0).sin_cos();
            let reach = r * if i % 2 == 0 {
                rng.range(0.85, 1.1)
            } else {
                rng.range(0.6, 0.85)
            };
            (x + cos * reach, y + sin * reach * 0.82)
        })
        .collect();
    pen::add_blob(pen, &ring);
}

/// Draws the wood and returns where the leaves go.
fn boughs(canvas: &mut Canvas, plan: &Plan, pose: &Pose, rng: &mut Rng, forks: u32) -> Vec<Point> {
    let mut tips = Vec::new();
    let mut pen = PathBuilder::new();
    let start = Bough {
        at: (pose.x, pose.y),
        angle: -1.57 + rng.bell() * 0.06,
        length: pose.height * 0.34,
        width: pose.height * 0.05,
    };
    fork(&mut pen, rng, start, forks, &mut tips);
    if let Some(path) = pen.finish() {
        let bark = plan.light.land.rock.mix(
            Lab {
                l: 0.36,
                a: 0.03,
                b: 0.04,
            },
            0.6,
        );
        let (lit, dark) = (
            plan.light.lit(bark.lighter(0.08), pose.depth),
            plan.light.lit(bark.lighter(-0.08), pose.depth),
        );
        let half = pose.height * 0.12 * pose.lit_from;
        canvas.fill(
            &path,
            &Ink::linear((pose.x + half, pose.y), (pose.x - half, pose.y), lit, dark),
        );
    }
    tips
}

#[derive(Clone, Copy)]
struct Bough {
    at: Point,
    angle: f32,
    length: f32,
    width: f32,
}

fn fork(pen: &mut PathBuilder, rng: &mut Rng, b: Bough, forks: u32, tips: &mut Vec<Point>) {
    let (sin, cos) = b.angle.sin_cos();
    let end = (b.at.0 + cos * b.length, b.at.1 + sin * b.length);
    let (nx, ny) = (-sin * b.width * 0.5, cos * b.width * 0.5);
    let thin = 0.62;
    pen::add_polygon(
        pen,
        &[
            (b.at.0 + nx, b.at.1 + ny),
            (end.0 + nx * thin, end.1 + ny * thin),
            (end.0 - nx * thin, end.1 - ny * thin),
            (b.at.0 - nx, b.at.1 - ny),
        ],
    );
    if forks == 0 {
        tips.push(end);
        return;
    }
    let spread = rng.range(0.3, 0.5);
    for side in [-1.0, 1.0] {
        let angle = b.angle + side * spread + rng.bell() * 0.1;
        let length = b.length * rng.range(0.62, 0.8);
        fork(
            pen,
            rng,
            Bough {
                at: end,
                angle,
                length,
                width: b.width * thin,
            },
            forks - 1,
            tips,
        );
    }
}

/// A stem with two leaves and a head of petals.
pub(crate) fn flower(canvas: &mut Canvas, plan: &Plan, pose: &Pose, rng: &mut Rng) {
    let h = pose.height;
    let (sway, head) = (
        rng.bell() * 0.08 * h + pose.lean.to_radians().sin() * h,
        0.2 * h,
    );
    let top = (pose.x + sway, pose.y - h + head * 0.6);
    let middle = (pose.x + sway * 0.2, pose.y - h * 0.5);
    let green = plan.light.lit(
        plan.light.land.leaf.mix(
            Lab {
                l: 0.5,
                a: -0.07,
                b: 0.07,
            },
            0.5,
        ),
        pose.depth,
    );
    if let Some(stem) = pen::spline(&[(pose.x, pose.y), middle, top]) {
        canvas.stroke(&stem, &Ink::flat(green, 1.0), (h * 0.024).max(0.8));
    }
    for side in [-1.0, 1.0] {
        let foot = (pose.x + sway * 0.1, pose.y - h * rng.range(0.12, 0.3));
        let tip = (
            foot.0 + side * h * rng.range(0.14, 0.2),
            foot.1 - h * rng.range(0.1, 0.2),
        );
        let belly = (
            (foot.0 + tip.0) / 2.0 + side * h * 0.03,
            (foot.1 + tip.1) / 2.0 + h * 0.06,
        );
        if let Some(leaf) = pen::blob(&[foot, belly, tip]) {
            canvas.fill(&leaf, &Ink::flat(green.lighter(0.05 * side), 1.0));
        }
    }
    petals(canvas, plan, pose, top, head, rng);
}

fn petals(canvas: &mut Canvas, plan: &Plan, pose: &Pose, (x, y): Point, r: f32, rng: &mut Rng) {
    let count = 5 + rng.below(4);
    let turn = rng.range(0.0, 6.3);
    for (ring, lift) in [(1.0, -0.05), (0.72, 0.05)] {
        for i in 0..count {
            let angle = turn + (i as f32 + ring) * std::f32::consts::TAU / count as f32;
            let (sin, cos) = angle.sin_cos();
            let at = |along: f32, across: f32| {
                (
                    x + (cos * along - sin * across) * r * ring,
                    y + (sin * along + cos * across) * r * ring * 0.86,
                )
            };
            if let Some(petal) = pen::blob(&[
                at(0.05, 0.0),
                at(0.6, 0.3),
                at(1.0, 0.08),
                at(0.94, -0.12),
                at(0.55, -0.3),
            ]) {
                let tone = plan
                    .light
                    .lit(pose.body.lighter(lift + rng.range(-0.03, 0.03)), pose.depth);
                canvas.fill(
                    &petal,
                    &Ink::radial((x, y), r, (tone.lighter(-0.1), 1.0), (tone, 1.0)),
                );
            }
        }
    }
    if let Some(heart) = pen::ellipse(x, y, r * 0.24, r * 0.21) {
        canvas.fill(
            &heart,
            &Ink::flat(plan.light.lit(pose.trim, pose.depth), 1.0),
        );
    }
}

/// Blades along the lower edge, dark to light, up to `height` pixels tall.
pub(crate) fn grass(canvas: &mut Canvas, plan: &Plan, rng: &mut Rng, ground: f32, height: f32) {
    let surface = plan.light.ground(0.0);
    let blades = (300.0 * canvas.w / canvas.unit) as usize;
    for (lift, share) in [(-0.16, 1.0), (-0.07, 0.8), (0.03, 0.6)] {
        let mut pen = PathBuilder::new();
        for _ in 0..(blades as f32 * share) as usize {
            let (x, y) = (
                rng.range(-0.02, 1.02) * canvas.w,
                ground + rng.unit() * (canvas.h - ground) * 1.05,
            );
            let tall = height * rng.range(0.3, 1.0) * share.max(0.5);
            let (lean, wide) = (rng.bell() * tall * 0.3, height * 0.02 + 0.3);
            pen.move_to(x - wide, y);
            pen.quad_to(x, y - tall * 0.6, x + lean, y - tall);
            pen.quad_to(x + wide, y - tall * 0.5, x + wide, y);
            pen.close();
        }
        if let Some(path) = pen.finish() {
            let tone = surface
                .lighter(lift)
                .mix(plan.light.glow, (lift * 3.0).max(0.0));
            canvas.fill(&path, &Ink::flat(plan.light.lit(tone, 0.0), 0.9));
        }
    }
}

/// What leaves look like at this time of the year, one tree differing from the next.
pub(crate) fn foliage(plan: &Plan, rng: &mut Rng) -> Lab {
    let turn = match plan.conditions.season {
        Some(Season::Autumn) => rng.range(-14.0, 38.0),
        Some(Season::Spring) => rng.range(-12.0, 12.0),
        _ => rng.range(-16.0, 14.0),
    };
    plan.light.land.leaf.turned(turn).lighter(rng.bell() * 0.03)
}
