//! Light and land: the colours of a picture, from hour, season, weather, mood and scene.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::colour::{Lab, Rgb};
use crate::part::Surface;
use crate::rng::Rng;
use crate::topic::{Colour, Hour, Mood, Scene, Season, Weather};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    hour: BTreeMap<Hour, HourLight>,
    weather: BTreeMap<Weather, Air>,
    mood: BTreeMap<Mood, Grade>,
    land: BTreeMap<Scene, Land>,
    season: BTreeMap<Season, Cover>,
    pigment: BTreeMap<Colour, Lab>,
    accents: Accents,
}

#[derive(Deserialize)]
struct HourLight {
    skies: Vec<[Lab; 3]>,
    glow: Lab,
    haze: Lab,
    shade: Lab,
    exposure: f32,
    dim: f32,
    sun: f32,
    #[serde(default)]
    night: bool,
}

#[derive(Clone, Copy, Deserialize)]
struct Air {
    cloud: f32,
    haze: f32,
    chroma: f32,
    darken: f32,
}

#[derive(Clone, Copy, Deserialize)]
struct Grade {
    chroma: f32,
    lift: f32,
    tint: Lab,
    amount: f32,
}

/// The ground from the horizon to our feet, foliage, and rock or walls.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Land {
    pub(crate) far: Lab,
    pub(crate) near: Lab,
    pub(crate) leaf: Lab,
    pub(crate) rock: Lab,
}

#[derive(Clone, Copy, Deserialize)]
struct Cover {
    ground: Lab,
    leaf: Lab,
    pull: f32,
    chroma: f32,
}

#[derive(Deserialize)]
struct Accents {
    sets: Vec<[Lab; 3]>,
}

static BOOK: LazyLock<Book> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program and a test reads it"
    )]
    toml::from_str(include_str!("light.toml")).expect("light.toml is valid")
});

/// What the prompt says about time and air.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    pub(crate) hour: Hour,
    pub(crate) season: Option<Season>,
    pub(crate) weather: Option<Weather>,
    pub(crate) mood: Option<Mood>,
}

pub(crate) struct Light {
    /// Top, middle and horizon.
    pub(crate) sky: [Lab; 3],
    pub(crate) glow: Lab,
    pub(crate) haze: Lab,
    pub(crate) shade: Lab,
    /// How much distance fades things, about `0.6..1.3`.
    pub(crate) fade: f32,
    pub(crate) cloud: f32,
    pub(crate) night: bool,
    pub(crate) sun_height: f32,
    pub(crate) accents: [Lab; 3],
    pub(crate) land: Land,
    /// Colours that the prompt gives.
    pub(crate) water: Option<Lab>,
    pub(crate) wall: Option<Lab>,
    pub(crate) rock: Option<Lab>,
    exposure: f32,
    dim: f32,
}

impl Light {
    pub(crate) fn new(
        scene: Scene,
        now: &Conditions,
        tint: Option<Colour>,
        taste: &mut Rng,
    ) -> Self {
        let hour = &BOOK.hour[&now.hour];
        let air = now
            .weather
            .map_or(usual_air(taste), |weather| BOOK.weather[&weather]);
        let tone = Tone::new(now.mood, air, tint);
        let sky = hour.skies[taste.below(hour.skies.len())];
        let turn = taste.range(-9.0, 9.0);
        let accents = BOOK.accents.sets[taste.below(BOOK.accents.sets.len())];
        Self {
            sky: sky.map(|c| tone.sky(c.turned(turn))),
            glow: tone.gently(hour.glow),
            haze: tone.sky(hour.haze.turned(turn)),
            shade: tone.ground(hour.shade),
            fade: air.haze,
            cloud: air.cloud,
            night: hour.night,
            sun_height: hour.sun,
            accents: accents.map(|c| tone.gently(c)),
            land: BOOK.land[&scene]
                .in_season(now.season)
                .map(|c| tone.ground(c)),
            water: None,
            wall: None,
            rock: None,
            exposure: if scene == Scene::Space {
                0.95
            } else {
                hour.exposure
            },
            dim: if scene == Scene::Space {
                0.16
            } else {
                hour.dim
            },
        }
    }

    /// Gives a part of the scene the colour that the prompt wants.
    pub(crate) fn dye(&mut self, surface: Surface, colour: Colour) {
        let tone = pigment(colour);
        let dyed = |c: Lab| Lab {
            l: c.l + (tone.l - c.l) * 0.5,
            ..c.mix(tone, 0.8)
        };
        match surface {
            Surface::Sky => {
                self.sky = self.sky.map(dyed);
                self.haze = self.haze.mix(dyed(self.haze), 0.5);
            }
            Surface::Ground => {
                self.land.far = dyed(self.land.far);
                self.land.near = dyed(self.land.near);
            }
            Surface::Board => self.land.near = dyed(self.land.near),
            Surface::Rock => self.rock = Some(dyed(self.land.rock)),
            Surface::Leaf => self.land.leaf = dyed(self.land.leaf),
            Surface::Water => self.water = Some(tone),
            Surface::Wall => self.wall = Some(tone),
        }
    }

    /// A surface of colour `c` in this light; `depth` 0 at our feet, 1 at the horizon.
    pub(crate) fn lit(&self, c: Lab, depth: f32) -> Lab {
        self.shine(c, depth, 1.0)
    }

    /// As [`Light::lit`], but for whom the picture is about: a painter lets them keep their colours.
    pub(crate) fn spotlit(&self, c: Lab, depth: f32) -> Lab {
        self.shine(c, depth, 0.6)
    }

    fn shine(&self, c: Lab, depth: f32, gloom: f32) -> Lab {
        let exposure = 1.0 + (self.exposure - 1.0) * gloom;
        let dimmed = Lab {
            l: c.l * exposure,
            ..c
        }
        .mix(self.shade, self.dim * gloom)
        .chroma(1.1);
        dimmed.mix(self.haze, (depth.powf(1.3) * self.fade).min(0.97))
    }

    pub(crate) fn lit_rgb(&self, c: Lab, depth: f32) -> Rgb {
        self.lit(c, depth).rgb()
    }

    /// Ground colour between our feet (0) and the horizon (1), before haze.
    pub(crate) fn ground(&self, depth: f32) -> Lab {
        self.land.near.mix(self.land.far, depth)
    }

    /// 0 in full day, towards 1 in the dark.
    pub(crate) fn darkness(&self) -> f32 {
        self.dim
    }
}

impl Land {
    fn map(self, f: impl Fn(Lab) -> Lab) -> Self {
        Self {
            far: f(self.far),
            near: f(self.near),
            leaf: f(self.leaf),
            rock: f(self.rock),
        }
    }

    fn in_season(self, season: Option<Season>) -> Self {
        let Some(cover) = season.map(|season| BOOK.season[&season]) else {
            return self;
        };
        Self {
            far: self.far.mix(cover.ground, cover.pull).chroma(cover.chroma),
            near: self.near.mix(cover.ground, cover.pull).chroma(cover.chroma),
            leaf: self.leaf.mix(cover.leaf, cover.pull),
            rock: self.rock.mix(cover.ground, cover.pull * 0.25),
        }
    }
}

pub(crate) fn pigment(colour: Colour) -> Lab {
    BOOK.pigment[&colour]
}

/// No word about the weather: something between clear and fair.
fn usual_air(taste: &mut Rng) -> Air {
    Air {
        cloud: taste.range(0.12, 0.5),
        haze: taste.range(0.6, 0.86),
        chroma: 1.0,
        darken: 0.0,
    }
}

/// Mood, weather and colour words as one change to every colour.
struct Tone {
    grade: Grade,
    air: Air,
    tint: Option<Lab>,
}

impl Tone {
    fn new(mood: Option<Mood>, air: Air, tint: Option<Colour>) -> Self {
        let plain = Grade {
            chroma: 1.0,
            lift: 0.0,
            tint: Lab::grey(0.5),
            amount: 0.0,
        };
        let grade = mood.map_or(plain, |mood| BOOK.mood[&mood]);
        Self {
            grade,
            air,
            tint: tint.map(pigment),
        }
    }

    fn sky(&self, c: Lab) -> Lab {
        let c = self
            .gently(c)
            .chroma(self.air.chroma)
            .lighter(-self.air.darken);
        self.tint.map_or(c, |tint| lean(c, tint, 0.6))
    }

    fn ground(&self, c: Lab) -> Lab {
        let c = self.gently(c).chroma(0.5 + 0.5 * self.air.chroma);
        self.tint.map_or(c, |tint| lean(c, tint, 0.3))
    }

    fn gently(&self, c: Lab) -> Lab {
        let c = lean(c, self.grade.tint, self.grade.amount);
        c.chroma(self.grade.chroma).lighter(self.grade.lift)
    }
}

/// Moves hue and chroma towards `tint`, lightness hardly: a light yellow stays light under a blue tint.
fn lean(c: Lab, tint: Lab, amount: f32) -> Lab {
    let moved = c.mix(tint, amount);
    Lab {
        l: c.l + (moved.l - c.l) * 0.3,
        ..moved
    }
}
