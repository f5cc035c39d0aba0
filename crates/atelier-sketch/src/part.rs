//! What scenes paint of themselves: the sea, hills, a window. Named or not, it is there; what is
//! named can have a colour.

use serde::Deserialize;

use crate::topic::Scene;

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    Mountain,
    Hill,
    Field,
    Grass,
    Forest,
    Leaf,
    Path,
    Sea,
    Beach,
    Lake,
    Reeds,
    Water,
    City,
    Street,
    Village,
    LitWindow,
    Sky,
    Cloud,
    Star,
    MilkyWay,
    Aurora,
    Desert,
    Table,
    Fruit,
    Room,
    Window,
    Sill,
    Curtain,
    Rug,
    Wall,
    Floor,
    Planet,
    Nebula,
    Reef,
    Seaweed,
    Bubble,
}

/// What a colour can be given to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Surface {
    Sky,
    Ground,
    /// A floor or a table.
    Board,
    Rock,
    Leaf,
    Water,
    Wall,
}

use Scene::{
    City, Desert, Forest, Interior, Lake, Meadow, Mountains, Night, Sea, Space, StillLife,
    Underwater, Village,
};

/// Scenes under the sky that [`crate::sky`] paints, or a window on it.
pub(crate) const UNDER_THE_SKY: [Scene; 9] = [
    Mountains, Sea, Lake, City, Desert, Meadow, Village, Night, Interior,
];

impl Part {
    /// The scene that it asks for.
    pub(crate) fn scene(self) -> Option<Scene> {
        match self {
            Self::Grass
            | Self::Leaf
            | Self::Reeds
            | Self::Water
            | Self::LitWindow
            | Self::Sky
            | Self::Cloud
            | Self::Wall
            | Self::Curtain
            | Self::Rug
            | Self::Floor
            | Self::Bubble => None,
            other => other.scenes().first().copied(),
        }
    }

    /// The scenes that paint it.
    pub(crate) fn scenes(self) -> &'static [Scene] {
        match self {
            Self::Mountain => &[Mountains, Lake, Night],
            Self::Hill => &[Meadow, Village, Mountains, Night, Interior],
            Self::Field => &[Meadow, Mountains, Village],
            Self::Grass => &[Meadow, Mountains, Village, Lake, Forest],
            Self::Forest => &[Forest, Mountains, Lake, Night],
            Self::Leaf => &[Forest, Meadow, Village],
            Self::Path => &[Forest, Village],
            Self::Sea | Self::Beach => &[Sea],
            Self::Lake => &[Lake],
            Self::Reeds => &[Lake],
            Self::Water => &[Sea, Lake, Underwater, City],
            Self::City | Self::Street => &[City],
            Self::Village => &[Village],
            Self::LitWindow => &[Village, City, Interior],
            Self::Sky => &[
                Mountains, Sea, Lake, City, Desert, Meadow, Village, Night, Interior, Space,
            ],
            Self::Cloud => &[
                Mountains, Sea, Lake, City, Desert, Meadow, Village, Interior,
            ],
            Self::Star => &[
                Night, Mountains, Sea, Lake, City, Desert, Meadow, Village, Interior, Space,
            ],
            Self::MilkyWay => &[Night],
            Self::Aurora => &[Night, Mountains, Sea, Lake, City, Desert, Meadow, Village],
            Self::Desert => &[Desert],
            Self::Table => &[StillLife],
            Self::Fruit => &[StillLife],
            Self::Room | Self::Window | Self::Sill | Self::Curtain | Self::Rug | Self::Floor => {
                &[Interior]
            }
            Self::Wall => &[Interior, StillLife],
            Self::Planet | Self::Nebula => &[Space],
            Self::Reef | Self::Seaweed | Self::Bubble => &[Underwater],
        }
    }

    /// What of it takes a colour.
    pub(crate) fn surface(self) -> Option<Surface> {
        Some(match self {
            Self::Mountain => Surface::Rock,
            Self::Hill | Self::Field | Self::Grass | Self::Beach | Self::Desert => Surface::Ground,
            Self::Table | Self::Floor => Surface::Board,
            Self::Forest | Self::Leaf => Surface::Leaf,
            Self::Sea | Self::Lake | Self::Water => Surface::Water,
            Self::Sky => Surface::Sky,
            Self::Wall | Self::Room => Surface::Wall,
            _ => return None,
        })
    }
}
