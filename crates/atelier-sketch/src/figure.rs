//! The catalogue of things that can appear in a scene, and how one of them is drawn.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use tiny_skia::{Path, Transform};

use crate::canvas::{Canvas, Ink};
use crate::colour::Lab;
use crate::light::Light;
use crate::pen;
use crate::topic::{Colour, Scene};

/// Where a thing is found.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    Ground,
    Water,
    Sky,
    /// Small things that stand on something.
    Table,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Tone {
    Body,
    Dark,
    Darker,
    Light,
    /// The second colour, from the picture's accents.
    Trim,
    White,
    Black,
    Skin,
    Wood,
    /// A window or a lamp: lit when it is dark.
    Lamp,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figure {
    /// Height as a share of the picture's unit when it is the main subject.
    pub(crate) size: f32,
    pub(crate) place: Place,
    /// Its usual colour, or colours to choose from.
    pub(crate) colours: Vec<Lab>,
    /// Where it lives when the prompt names no scene.
    pub(crate) scenes: Vec<Scene>,
    /// A plant is grown by code instead of drawn from layers.
    #[serde(default)]
    pub(crate) plant: Option<Plant>,
    /// Where somebody rides it, sits on it or is in it.
    #[serde(default)]
    pub(crate) seat: Option<Seat>,
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seat {
    /// In the box of the layers.
    pub(crate) at: [f32; 2],
    /// How much of the rider is below it, as a share of the rider's height.
    pub(crate) sink: f32,
    /// The last layers, so many, are in front of the rider.
    front: usize,
    /// How much smaller a rider is here than its size says.
    pub(crate) room: f32,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Plant {
    Broadleaf,
    Pine,
    Flower,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    tone: Tone,
    /// In a box of 100 by 100, feet at (50, 100). See [`pen::parse`].
    #[serde(rename = "d", deserialize_with = "outline")]
    path: Path,
}

fn outline<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Path, D::Error> {
    let text = String::deserialize(text)?;
    pen::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("not an outline: {text}")))
}

static CATALOGUE: LazyLock<BTreeMap<String, Figure>> = LazyLock::new(|| {
    let files = [
        include_str!("figures/animals.toml"),
        include_str!("figures/buildings.toml"),
        include_str!("figures/people.toml"),
        include_str!("figures/plants.toml"),
        include_str!("figures/things.toml"),
        include_str!("figures/vehicles.toml"),
    ];
    #[expect(
        clippy::expect_used,
        reason = "the files are part of the program and a test reads them"
    )]
    let read = |text| toml::from_str::<BTreeMap<String, Figure>>(text).expect("figures are valid");
    files.into_iter().flat_map(read).collect()
});

/// `None` for words that are subjects without being things, such as the moon.
pub(crate) fn named(name: &str) -> Option<&'static Figure> {
    CATALOGUE.get(name)
}

/// One figure at one place.
#[derive(Clone, Copy)]
pub(crate) struct Pose {
    /// The feet.
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) height: f32,
    /// Facing left (as drawn) or right.
    pub(crate) mirrored: bool,
    /// 0 near, 1 at the horizon.
    pub(crate) depth: f32,
    pub(crate) body: Lab,
    pub(crate) trim: Lab,
    /// Light comes from the left (-1) or the right (1).
    pub(crate) lit_from: f32,
    /// Degrees, clockwise.
    pub(crate) lean: f32,
}

impl Figure {
    pub(crate) fn is(&self, name: &str) -> bool {
        named(name).is_some_and(|figure| std::ptr::eq(figure, self))
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas, light: &Light, pose: &Pose) {
        self.draw_at(canvas, light, pose, pose.transform(1.0), 1.0);
    }

    /// Whether a second colour of its own is to be seen.
    pub(crate) fn shows(&self, trim: Colour) -> bool {
        self.layers.iter().any(|layer| match layer.tone {
            Tone::Trim => true,
            Tone::White => trim == Colour::White,
            Tone::Black => trim == Colour::Black,
            _ => false,
        })
    }

    /// What of it is in front of its rider.
    pub(crate) fn draw_front(&self, canvas: &mut Canvas, light: &Light, pose: &Pose) {
        let front = self.seat.map_or(0, |seat| seat.front);
        let behind = self.layers.len().saturating_sub(front);
        for layer in &self.layers[behind..] {
            layer.draw(canvas, light, pose, pose.transform(1.0), 1.0);
        }
    }

    /// Upside down and squeezed, as calm water shows it.
    pub(crate) fn mirror(&self, canvas: &mut Canvas, light: &Light, pose: &Pose, alpha: f32) {
        self.draw_at(canvas, light, pose, pose.transform(-0.62), alpha);
    }

    fn draw_at(&self, canvas: &mut Canvas, light: &Light, pose: &Pose, at: Transform, alpha: f32) {
        for layer in &self.layers {
            layer.draw(canvas, light, pose, at, alpha);
        }
    }
}

impl Layer {
    fn draw(&self, canvas: &mut Canvas, light: &Light, pose: &Pose, at: Transform, alpha: f32) {
        // Gradients turn with the figure, so a mirrored one must look for the light on the other side.
        let side = if pose.mirrored {
            -pose.lit_from
        } else {
            pose.lit_from
        };
        let base = self.tone.colour(pose, light);
        let (bright, dark) = if self.tone == Tone::Lamp && light.darkness() > 0.25 {
            (base.lighter(0.04), base)
        } else {
            (
                light.spotlit(base.lighter(0.07), pose.depth),
                light.spotlit(base.lighter(-0.13), pose.depth),
            )
        };
        let warm = bright.mix(light.glow, 0.14);
        let b = self.path.bounds();
        let (near, far) = if side < 0.0 {
            (b.left(), b.right())
        } else {
            (b.right(), b.left())
        };
        let from = (near, b.top());
        let to = (far + (near - far) * 0.1, b.bottom());
        canvas.fill_at(
            &self.path,
            &Ink::fading(from, to, (warm, alpha), (dark, alpha)),
            at,
        );
    }
}

impl Pose {
    fn transform(&self, stretch: f32) -> Transform {
        let k = self.height / 100.0;
        let flip = if self.mirrored { -k } else { k };
        Transform::from_translate(-50.0, -100.0)
            .post_scale(flip, k * stretch)
            .post_rotate(self.lean)
            .post_translate(self.x, self.y)
    }
}

impl Tone {
    fn colour(self, pose: &Pose, light: &Light) -> Lab {
        match self {
            Self::Body => pose.body,
            Self::Dark => pose.body.lighter(-0.12),
            Self::Darker => pose.body.lighter(-0.24),
            Self::Light => pose.body.lighter(0.14).chroma(0.8),
            Self::Trim => pose.trim,
            Self::White => Lab {
                l: 0.95,
                a: 0.003,
                b: 0.015,
            },
            Self::Black => Lab {
                l: 0.2,
                a: 0.005,
                b: -0.01,
            },
            Self::Skin => Lab {
                l: 0.76,
                a: 0.045,
                b: 0.055,
            },
            Self::Wood => Lab {
                l: 0.45,
                a: 0.03,
                b: 0.05,
            },
            Self::Lamp if light.darkness() > 0.25 => Lab {
                l: 0.9,
                a: 0.02,
                b: 0.12,
            },
            Self::Lamp => Lab {
                l: 0.5,
                a: -0.02,
                b: -0.03,
            },
        }
    }
}
