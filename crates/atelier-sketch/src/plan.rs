//! From words to a plan: which scene, who is in it, under what light, in which manner.

use crate::figure::{self, Figure, Place};
use crate::light::{Conditions, Light};
use crate::part::Part;
use crate::rng::{self, Rng};
use crate::spelling;
use crate::topic::{Colour, Hour, Mood, Scene, Season, Style};
use crate::words::{self, Mention, Reading, Spot, Wanted};

/// How high the sun stands in a room's window.
const IN_THE_WINDOW: f32 = 0.3;

/// One subject, ready to be placed.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// The index of its mention.
    id: usize,
    pub(crate) figure: &'static Figure,
    pub(crate) count: u8,
    pub(crate) colour: Option<Colour>,
    pub(crate) trim: Option<Colour>,
    pub(crate) on: Option<Spot>,
}

/// The flowers of a still life, in the vase that the scene brings along.
pub(crate) struct Bouquet {
    pub(crate) flowers: Role,
    /// The colour of the vase.
    pub(crate) vase: Option<Colour>,
}

impl Role {
    pub(crate) fn is_human(&self) -> bool {
        ["person", "woman"].iter().any(|name| self.figure.is(name))
    }

    fn swims(&self) -> bool {
        self.figure.place == Place::Water
    }
}

/// The composition every pass agrees on, in shares of width and height.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) horizon: f32,
    /// Where the eye should go: one of the two vertical thirds.
    pub(crate) focus: f32,
    /// The light stands on the other third.
    pub(crate) sun: (f32, f32),
}

pub(crate) struct Plan {
    pub(crate) scene: Scene,
    pub(crate) cast: Vec<Role>,
    pub(crate) conditions: Conditions,
    pub(crate) light: Light,
    pub(crate) style: Style,
    pub(crate) layout: Layout,
    /// Chooses among the ways to paint an abstract: the prompt's own, the same for all variations.
    pub(crate) manner: u64,
    /// "moon" or "sun" was named, so it shows even where the hour would hide it.
    pub(crate) orb: bool,
    pub(crate) orb_colour: Option<Colour>,
    pub(crate) bouquet: Option<Bouquet>,
    pub(crate) wanted: Vec<Wanted>,
    parts: Vec<Part>,
    seed: u64,
}

impl Plan {
    pub(crate) fn new(prompt: &str, style: Option<Style>, variation: u64) -> Self {
        let reading = words::read(prompt);
        let prompt = spelling::normalise(prompt);
        let identity = rng::mix(rng::hash(&prompt));
        let seed = rng::mix(identity ^ rng::mix(variation.wrapping_add(1)));
        let mut taste = Rng::labelled(identity, "taste");

        let mut cast = cast(&reading.subjects);
        let scene = reading
            .scene
            .unwrap_or_else(|| guess_scene(&cast, &reading, &mut taste));
        let scene = if cast.iter().any(Role::swims) {
            scene.with_water()
        } else {
            scene
        };
        let mut bouquet = None;
        if scene == Scene::StillLife {
            bouquet = arrange(&mut cast);
        }
        let conditions = conditions(scene, &reading, &mut taste);
        let mut light = Light::new(scene, &conditions, reading.tint, &mut taste);
        for (part, colour) in &reading.parts {
            if let (Some(surface), Some(colour)) = (part.surface(), colour) {
                light.dye(surface, *colour);
            }
        }
        let orb = reading.subjects.iter();
        let orb = orb.filter(|subject| ["moon", "sun"].contains(&subject.name.as_str()));
        let orb: Vec<&Mention> = orb.collect();
        let mut layout = layout(scene, &light, &mut Rng::labelled(seed, "layout"));
        if scene == Scene::Interior && !orb.is_empty() {
            layout.sun.1 = IN_THE_WINDOW;
        }
        Self {
            scene,
            cast,
            conditions,
            light,
            style: style.or(reading.style).unwrap_or_default(),
            layout,
            manner: taste.next(),
            orb: !orb.is_empty(),
            orb_colour: orb.iter().find_map(|orb| orb.colour),
            bouquet,
            parts: reading.parts.iter().map(|(part, _)| *part).collect(),
            wanted: reading.wanted,
            seed,
        }
    }

    /// A stream of chance of its own for each part of the picture.
    pub(crate) fn rng(&self, part: &str) -> Rng {
        Rng::labelled(self.seed, part)
    }

    pub(crate) fn names(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// Whether somebody of the cast needs ground to stand on.
    pub(crate) fn stands(&self) -> bool {
        let grounded = |role: &&Role| matches!(role.figure.place, Place::Ground | Place::Table);
        self.cast
            .iter()
            .filter(grounded)
            .any(|role| self.mount(role).is_none())
    }

    /// Whom a role rides, sits on or is in. A rider's rider stands beside.
    pub(crate) fn mount(&self, rider: &Role) -> Option<&Role> {
        let mount = |role: &Role| match role.on {
            Some(Spot::Subject(id)) => self.cast.iter().find(|known| known.id == id),
            _ => None,
        };
        let found = mount(rider).filter(|found| found.figure.seat.is_some())?;
        let rides = mount(found).is_some_and(|under| under.figure.seat.is_some());
        (!rides && found.id != rider.id).then_some(found)
    }

    pub(crate) fn winter(&self) -> bool {
        self.conditions.season == Some(Season::Winter)
    }

    pub(crate) fn neon(&self) -> bool {
        self.conditions.mood == Some(Mood::Neon)
    }
}

fn cast(mentions: &[Mention]) -> Vec<Role> {
    let role = |(id, mention): (usize, &Mention)| {
        let figure = figure::named(&mention.name)?;
        Some(Role {
            id,
            figure,
            count: mention.count.clamp(1, 9),
            colour: mention.colour,
            trim: mention.trim,
            on: mention.on,
        })
    };
    mentions
        .iter()
        .enumerate()
        .filter_map(role)
        .take(5)
        .collect()
}

/// Takes the flowers of a still life out of the cast, and their vase.
fn arrange(cast: &mut Vec<Role>) -> Option<Bouquet> {
    let plants = |role: &&Role| role.figure.plant.is_some();
    let flowers = cast.iter().find(plants)?.clone();
    let vase = cast.iter().find(|role| role.figure.is("vase"));
    let vase = vase.and_then(|vase| vase.colour);
    cast.retain(|role| role.figure.plant.is_none() && !role.figure.is("vase"));
    Some(Bouquet { flowers, vase })
}

fn guess_scene(cast: &[Role], reading: &Reading, taste: &mut Rng) -> Scene {
    let homes: &[Scene] = match cast.first() {
        Some(role) => &role.figure.scenes,
        None if reading.subjects.iter().any(|s| s.name == "moon") => &[Scene::Night, Scene::Sea],
        None if reading.hour.is_some() || reading.season.is_some() || reading.weather.is_some() => {
            &Scene::OPEN_AIR
        }
        None => &Scene::ANY,
    };
    homes
        .get(taste.below(homes.len()))
        .copied()
        .unwrap_or(Scene::Meadow)
}

fn conditions(scene: Scene, reading: &Reading, taste: &mut Rng) -> Conditions {
    let hours = match reading.season {
        // A red sky would drown red leaves and white snow.
        Some(_) if scene.hours().contains(&Hour::Day) => &[Hour::Day, Hour::Golden, Hour::Dawn],
        _ => scene.hours(),
    };
    let usual = hours[taste.below(hours.len())];
    let hour = match reading.hour {
        _ if matches!(scene, Scene::Night | Scene::Space) => Hour::Night,
        Some(hour) => hour,
        None if reading.mood == Some(Mood::Neon) => Hour::Night,
        None if reading.subjects.iter().any(|s| s.name == "moon") => Hour::Night,
        None => usual,
    };
    let (season, weather, mood) = (reading.season, reading.weather, reading.mood);
    Conditions {
        hour,
        season,
        weather,
        mood,
    }
}

fn layout(scene: Scene, light: &Light, rng: &mut Rng) -> Layout {
    let (low, high) = scene.horizon();
    let horizon = rng.range(low, high);
    let focus = if rng.chance(0.5) { 0.34 } else { 0.66 } + rng.range(-0.04, 0.04);
    let side = 1.0 - focus + rng.range(-0.07, 0.07);
    let height = (light.sun_height + rng.range(-0.05, 0.07)).max(0.06);
    Layout {
        horizon,
        focus,
        sun: (side, horizon * (1.0 - height)),
    }
}
