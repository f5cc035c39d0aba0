//! What a prompt can ask for: the closed lists that words, colours and scenes are keyed by.

use std::str::FromStr;

use serde::{
    Deserialize,
    de::value::{self, StrDeserializer},
};

use crate::UnknownStyle;

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scene {
    Mountains,
    Sea,
    Lake,
    Forest,
    City,
    Night,
    Desert,
    Meadow,
    Village,
    StillLife,
    Interior,
    Abstract,
    Space,
    Underwater,
    Portrait,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hour {
    Dawn,
    Day,
    Golden,
    Sunset,
    Dusk,
    Night,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Season {
    Winter,
    Autumn,
    Spring,
    Summer,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Weather {
    Storm,
    Rain,
    Fog,
    Snow,
    Cloud,
    Clear,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mood {
    Neon,
    Pastel,
    Vivid,
    Gloomy,
    Vintage,
    Calm,
    Warm,
    Mono,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Colour {
    Red,
    Orange,
    Yellow,
    Green,
    Teal,
    Blue,
    Purple,
    Pink,
    Brown,
    White,
    Black,
    Grey,
}

/// The manner of a picture. As text: the name in lower case.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Style {
    /// Transparent washes on white paper.
    Watercolour,
    /// Pen and wash.
    Ink,
    /// Coarse pixels in a small palette.
    Pixel,
    /// A screen print in few flat inks.
    Poster,
    /// Visible strokes of thick paint.
    Oil,
    /// Graphite on drawing paper.
    Pencil,
    /// The smooth tone of a photograph.
    Photo,
    /// Opaque colour on lightly toothed paper.
    #[default]
    Gouache,
}

impl FromStr for Style {
    type Err = UnknownStyle;

    /// Reads a name in lower case.
    fn from_str(name: &str) -> Result<Self, UnknownStyle> {
        let text = StrDeserializer::<value::Error>::new(name);
        Self::deserialize(text).map_err(|_| UnknownStyle(name.to_owned()))
    }
}

impl Scene {
    pub(crate) const OPEN_AIR: [Self; 6] = [
        Self::Mountains,
        Self::Sea,
        Self::Lake,
        Self::Meadow,
        Self::Forest,
        Self::Desert,
    ];
    pub(crate) const ANY: [Self; 14] = [
        Self::Mountains,
        Self::Sea,
        Self::Lake,
        Self::Forest,
        Self::City,
        Self::Night,
        Self::Desert,
        Self::Meadow,
        Self::Village,
        Self::StillLife,
        Self::Abstract,
        Self::Abstract,
        Self::Space,
        Self::Underwater,
    ];

    /// How much one mention counts: "an abstract of the city" is abstract.
    pub(crate) fn weight(self) -> u32 {
        match self {
            Self::Portrait => 4,
            Self::Abstract | Self::Underwater | Self::Space => 3,
            Self::StillLife | Self::Interior | Self::Village | Self::Lake => 2,
            _ => 1,
        }
    }

    /// The same landscape with room for a boat or a swan.
    pub(crate) fn with_water(self) -> Self {
        match self {
            Self::Mountains | Self::Meadow | Self::Forest | Self::Village | Self::Night => {
                Self::Lake
            }
            other => other,
        }
    }

    pub(crate) fn hours(self) -> &'static [Hour] {
        match self {
            Self::Night | Self::Space => &[Hour::Night],
            Self::City => &[Hour::Dusk, Hour::Golden, Hour::Night, Hour::Sunset],
            Self::StillLife | Self::Interior | Self::Portrait => {
                &[Hour::Golden, Hour::Day, Hour::Dawn]
            }
            Self::Underwater | Self::Forest => &[Hour::Day, Hour::Dawn, Hour::Golden],
            Self::Desert => &[Hour::Golden, Hour::Sunset, Hour::Day],
            _ => &[Hour::Day, Hour::Dawn, Hour::Golden, Hour::Sunset],
        }
    }

    /// The range of the horizon, as a share of the height.
    pub(crate) fn horizon(self) -> (f32, f32) {
        match self {
            Self::Mountains | Self::Desert => (0.6, 0.68),
            Self::Sea => (0.52, 0.64),
            Self::Lake => (0.54, 0.62),
            Self::Meadow | Self::Village => (0.5, 0.62),
            Self::City => (0.68, 0.76),
            Self::Night | Self::Space => (0.76, 0.82),
            Self::Interior => (0.68, 0.74),
            Self::StillLife => (0.6, 0.66),
            _ => (0.7, 0.78),
        }
    }
}
