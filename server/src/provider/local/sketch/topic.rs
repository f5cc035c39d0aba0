//! What a prompt can ask for: the closed lists that words, colours and scenes are keyed by.

use serde::Deserialize;

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

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Style {
    Watercolour,
    Ink,
    Pixel,
    Poster,
    Oil,
    Pencil,
    Photo,
    /// Nobody asked for a manner: opaque colour on lightly toothed paper.
    #[serde(skip)]
    Gouache,
}

impl Style {
    pub(crate) fn from_id(id: &str) -> Option<Self> {
        let id = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(id);
        Self::deserialize(id).ok()
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
