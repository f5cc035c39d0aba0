//! Placing the subjects: the first one on the focal third, company spread round it, depth by size.

use crate::canvas::{Canvas, Ink};
use crate::colour::Lab;
use crate::figure::{Place, Pose};
use crate::flora;
use crate::light;
use crate::part::Part;
use crate::pen;
use crate::plan::{Plan, Role};
use crate::rng::Rng;
use crate::topic::Scene;
use crate::words::Spot;

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
    /// A windowsill: its left and right end and its height, in pixels.
    pub(crate) sill: Option<[f32; 3]>,
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
            sill: None,
        }
    }
}

/// One figure of the cast, placed.
struct Actor<'a> {
    role: &'a Role,
    /// Which of its role it is.
    member: u8,
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
    let on_foot = plan.cast.iter().filter(|role| plan.mount(role).is_none());
    for (rank, role) in on_foot.enumerate() {
        for member in 0..role.count {
            actors.push(engage(canvas, plan, stage, role, (rank, member), &mut rng));
        }
    }
    actors.sort_by(|a, b| a.pose.y.total_cmp(&b.pose.y));
    for actor in &actors {
        perform(canvas, plan, actor, &mut rng);
        carry(canvas, plan, actor);
    }
}

/// Draws who rides this one, sits on it or is in it.
fn carry(canvas: &mut Canvas, plan: &Plan, mount: &Actor) {
    let Some(seat) = mount.role.figure.seat else {
        return;
    };
    let mut rng = plan.rng("riders");
    let under = mount.pose;
    let mut riders = 0;
    for role in &plan.cast {
        if plan
            .mount(role)
            .is_none_or(|found| !std::ptr::eq(found, mount.role))
        {
            continue;
        }
        // Several riders are spread over several mounts.
        for _ in (mount.member..role.count).step_by(usize::from(mount.role.count)) {
            let share = role.figure.size / mount.role.figure.size * seat.room;
            let height = under.height * share.min(1.2);
            let aside = (seat.at[0] - 50.0) / 100.0 * under.height;
            let aside = aside + riders as f32 * height * 0.4;
            let pose = Pose {
                x: under.x + if under.mirrored { -aside } else { aside },
                y: under.y - (100.0 - seat.at[1]) / 100.0 * under.height + seat.sink * height,
                height,
                body: body(plan, role, riders, &mut rng),
                trim: trim(plan, role, &mut rng),
                lean: 0.0,
                ..under
            };
            draw(canvas, plan, role, &pose, &mut rng);
            riders += 1;
        }
    }
    if riders > 0 {
        mount.role.figure.draw_front(canvas, &plan.light, &under);
    }
}

fn draw(canvas: &mut Canvas, plan: &Plan, role: &Role, pose: &Pose, rng: &mut Rng) {
    match role.figure.plant {
        Some(plant) => flora::grow(canvas, plan, plant, pose, rng),
        None => role.figure.draw(canvas, &plan.light, pose),
    }
}

fn engage<'a>(
    canvas: &Canvas,
    plan: &Plan,
    stage: &Stage,
    role: &'a Role,
    (rank, member): (usize, u8),
    rng: &mut Rng,
) -> Actor<'a> {
    let figure = role.figure;
    let zone = match (figure.place, stage.water) {
        (Place::Sky, _) => Zone::Air,
        (Place::Water, Some(_)) if stage.afloat => Zone::Air,
        (Place::Water, Some(_)) => Zone::Water,
        _ => Zone::Ground,
    };
    let away = if role.on == Some(Spot::Part(Part::Hill)) {
        0.8
    } else if member == 0 && rank == 0 {
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
    let pose = on_the_sill(stage, role, member, pose);
    Actor {
        role,
        member,
        pose,
        zone,
    }
}

/// Where one of a role is that is to be on the windowsill.
fn on_the_sill(stage: &Stage, role: &Role, member: u8, pose: Pose) -> Pose {
    let Some([left, right, sill]) = stage.sill else {
        return pose;
    };
    if role.on != Some(Spot::Part(Part::Sill)) {
        return pose;
    }
    let share = f32::from(member + 1) / f32::from(role.count + 1);
    Pose {
        x: left + (right - left) * share,
        y: sill,
        height: pose
            .height
            .min((right - left) * 0.9 / f32::from(role.count))
            * 0.8,
        ..pose
    }
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
    if let Some(named) = role.trim {
        return light::pigment(named);
    }
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
        actor.role.figure.mirror(
            canvas,
            &plan.light,
            &Pose {
                y: pose.y - pose.height * 0.015,
                ..*pose
            },
            0.4,
        );
    }
    draw(canvas, plan, actor.role, pose, rng);
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
