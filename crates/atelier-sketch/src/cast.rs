//! Placing the subjects: the first one on the focal third, company spread round it, depth by size.

use crate::canvas::{Canvas, Ink};
use crate::colour::Lab;
use crate::figure::{Figure, Place, Pose};
use crate::flora;
use crate::light;
use crate::pen;
use crate::plan::{Plan, Role};
use crate::rng::Rng;
use crate::topic::Scene;

/// Where a scene has room. Heights are shares of the picture's height.
#[derive(Clone, Copy)]
pub(crate) struct Stage {
    /// Where the main subject's feet are, and the farthest ones'.
    pub(crate) feet: f32,
    pub(crate) back: f32,
    pub(crate) sky: (f32, f32),
    /// Far and near edge of open water.
    pub(crate) water: Option<(f32, f32)>,
    pub(crate) scale: f32,
    /// How hazy the main subject is, `0.0..1.0`.
    pub(crate) air: f32,
    /// Swimmers hang in the water instead of lying on it.
    pub(crate) afloat: bool,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            feet: 0.9,
            back: 0.8,
            sky: (0.16, 0.42),
            water: None,
            scale: 1.0,
            air: 0.08,
            afloat: false,
        }
    }
}

/// One figure of the cast, placed.
struct Actor {
    figure: &'static Figure,
    pose: Pose,
    zone: Zone,
}

#[derive(Clone, Copy, PartialEq)]
enum Zone {
    Ground,
    Water,
    Air,
}

/// Draws the whole cast, the farthest first.
pub(crate) fn play(canvas: &mut Canvas, plan: &Plan, stage: &Stage) {
    let mut rng = plan.rng("cast");
    let mut actors: Vec<Actor> = Vec::new();
    for (rank, role) in plan.cast.iter().enumerate() {
        for member in 0..role.count {
            actors.push(engage(canvas, plan, stage, role, (rank, member), &mut rng));
        }
    }
    actors.sort_by(|a, b| a.pose.y.total_cmp(&b.pose.y));
    for actor in &actors {
        perform(canvas, plan, actor, &mut rng);
    }
}

fn engage(
    canvas: &Canvas,
    plan: &Plan,
    stage: &Stage,
    role: &Role,
    (rank, member): (usize, u8),
    rng: &mut Rng,
) -> Actor {
    let figure = role.figure;
    let zone = match (figure.place, stage.water) {
        (Place::Sky, _) => Zone::Air,
        (Place::Water, Some(_)) if stage.afloat => Zone::Air,
        (Place::Water, Some(_)) => Zone::Water,
        _ => Zone::Ground,
    };
    let away = if member == 0 && rank == 0 {
        0.0
    } else {
        rng.range(0.05, 1.0)
    };
    let (near, far, shrink) = match (zone, stage.water) {
        (Zone::Water, Some((far, near))) => (near, far, 0.62),
        (Zone::Air, _) => (stage.sky.1, stage.sky.0, 0.4),
        _ => (stage.feet, stage.back, 0.35),
    };
    // A cup is not as large as an armchair, unless the picture is about the cup.
    let indoors = plan.scene == Scene::Interior && figure.place == Place::Table;
    let crowd = if indoors { 0.55 } else { 1.0 }
        * f32::from(role.count).powf(-0.32)
        * if rank == 0 { 1.0 } else { 0.82 };
    let size = figure.size * crowd * stage.scale * (1.0 - shrink * away) * rng.range(0.94, 1.08);
    let height = (size * canvas.unit).min(canvas.h * 0.8);
    let y = match zone {
        Zone::Air => canvas.h * (rng.range(far, near)) + height * 0.5,
        _ => canvas.h * (near + (far - near) * away),
    };
    let x = column(canvas, plan, role, (rank, member), height, rng);
    let towards_middle = x < canvas.w * 0.5;
    let pose = Pose {
        x,
        y: if zone == Zone::Air {
            y.max(height * 1.04)
        } else {
            y
        },
        height,
        mirrored: if rng.chance(0.8) {
            towards_middle
        } else {
            !towards_middle
        },
        depth: stage.air + (0.55 - stage.air).max(0.0) * away,
        body: body(plan, role, member, rng),
        trim: trim(plan, role, rng),
        lit_from: if plan.layout.sun.0 * canvas.w < x {
            -1.0
        } else {
            1.0
        },
        lean: if zone == Zone::Ground {
            0.0
        } else {
            rng.bell() * 3.0
        },
    };
    Actor { figure, pose, zone }
}

/// Subjects keep their distance: kinds alternate between the thirds, members fan out evenly.
fn column(
    canvas: &Canvas,
    plan: &Plan,
    role: &Role,
    (rank, member): (usize, u8),
    height: f32,
    rng: &mut Rng,
) -> f32 {
    let focus = plan.layout.focus;
    let home = match rank {
        0 => focus,
        1 => 1.0 - focus,
        2 => 0.5 + (0.5 - focus) * 0.1,
        _ => rng.range(0.15, 0.85),
    };
    let fan = if member == 0 {
        0.0
    } else {
        f32::from(member.div_ceil(2)) * if member % 2 == 0 { 1.0 } else { -1.0 }
    };
    let step = height * 0.95 / canvas.w;
    let room = 0.86 / f32::from(role.count).max(1.0);
    let x = home
        + fan * step.min(room).max(room * 0.5)
        + if member == 0 {
            0.0
        } else {
            rng.bell() * step * 0.12
        };
    let margin = (height * 0.42 / canvas.w).min(0.45);
    // Who falls off one side comes back on the other.
    let x = if (0.04..0.96).contains(&x) {
        x
    } else {
        x.rem_euclid(0.92) + 0.04
    };
    x.clamp(margin, 1.0 - margin) * canvas.w
}

fn body(plan: &Plan, role: &Role, member: u8, rng: &mut Rng) -> Lab {
    let figure = role.figure;
    let own = figure.colours
        [(rng.below(figure.colours.len()) + usize::from(member)) % figure.colours.len()];
    let usual = if figure
        .plant
        .is_some_and(|p| p != crate::figure::Plant::Flower)
    {
        flora::foliage(plan, rng)
    } else {
        own
    };
    role.colour.map_or(usual, |colour| {
        light::pigment(colour).lighter(rng.bell() * 0.015)
    })
}

fn trim(plan: &Plan, role: &Role, rng: &mut Rng) -> Lab {
    let accents = plan.light.accents;
    let pick = accents[rng.below(accents.len())];
    // A red lighthouse has red bands on white; the word names the bands there.
    if role.colour.is_some() && role.figure.colours.len() == 1 {
        pick.mix(accents[2], 0.5)
    } else {
        pick
    }
}

fn perform(canvas: &mut Canvas, plan: &Plan, actor: &Actor, rng: &mut Rng) {
    let pose = &actor.pose;
    if actor.zone == Zone::Ground {
        shadow(canvas, plan, pose);
    }
    if plan.light.darkness() > 0.4 && actor.zone != Zone::Water {
        let behind = (pose.x, pose.y - pose.height * 0.55);
        canvas.glow(behind, pose.height * 0.95, plan.light.haze, 0.3);
    }
    if actor.zone == Zone::Water {
        actor.figure.mirror(
            canvas,
            &plan.light,
            &Pose {
                y: pose.y - pose.height * 0.015,
                ..*pose
            },
            0.4,
        );
    }
    match actor.figure.plant {
        Some(plant) => flora::grow(canvas, plan, plant, pose, rng),
        None => actor.figure.draw(canvas, &plan.light, pose),
    }
    if actor.zone == Zone::Water {
        wake(canvas, plan, pose, rng);
    }
}

/// Contact shadow, thrown away from the light.
fn shadow(canvas: &mut Canvas, plan: &Plan, pose: &Pose) {
    let (rx, ry) = (pose.height * 0.42, pose.height * 0.055);
    let x = pose.x - pose.lit_from * rx * 0.35;
    let shade = plan.light.shade;
    for (grow, alpha) in [(1.0, 0.16), (0.75, 0.2), (0.5, 0.24)] {
        if let Some(pool) = pen::ellipse(x, pose.y - ry * 0.2, rx * grow, ry * grow) {
            canvas.fill(&pool, &Ink::flat(shade, alpha * (1.0 - pose.depth * 0.6)));
        }
    }
}

/// Ripples at the waterline.
fn wake(canvas: &mut Canvas, plan: &Plan, pose: &Pose, rng: &mut Rng) {
    let bright = plan.light.sky[2].mix(plan.light.glow, 0.5);
    for i in 0..5 {
        let reach = pose.height * rng.range(0.16, 0.42);
        let (x, y) = (
            pose.x + rng.bell() * pose.height * 0.12,
            pose.y + pose.height * (0.006 + 0.05 * i as f32),
        );
        if let Some(ripple) = pen::ellipse(x, y, reach, pose.height * 0.006) {
            canvas.fill(&ripple, &Ink::flat(bright, 0.5 - 0.07 * i as f32));
        }
    }
}
