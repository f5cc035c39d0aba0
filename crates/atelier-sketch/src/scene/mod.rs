//! The scenes: each a list of passes from far to near, so that a stop can be heard between them.

mod abstracts;
mod city;
mod desert;
mod forest;
mod furniture;
mod indoors;
mod meadow;
mod mountains;
mod night;
mod portrait;
mod sea;
mod space;
mod still_life;
mod underwater;
mod village;

use crate::canvas::Canvas;
use crate::plan::Plan;
use crate::sky;
use crate::topic::Scene;

pub(crate) type Pass = fn(&mut Canvas, &Plan);

pub(crate) fn passes(scene: Scene) -> &'static [Pass] {
    match scene {
        Scene::Mountains => &[
            sky::paint,
            mountains::ranges,
            mountains::foreground,
            sky::fall,
        ],
        Scene::Sea => &[sky::paint, sea::coast, sea::water, sea::shore, sky::fall],
        Scene::Lake => &[
            sky::paint,
            mountains::far_shore,
            sea::lake,
            sea::bank,
            sky::fall,
        ],
        Scene::Forest => &[forest::depths, forest::trunks, forest::floor, sky::fall],
        Scene::City => &[sky::paint, city::skyline, city::front, sky::fall],
        Scene::Night => &[night::sky, night::land, sky::fall],
        Scene::Desert => &[sky::paint, desert::mesas, desert::dunes, sky::fall],
        Scene::Meadow => &[sky::paint, meadow::hills, meadow::field, sky::fall],
        Scene::Village => &[sky::paint, meadow::hills, village::houses, sky::fall],
        Scene::StillLife => &[still_life::room, still_life::table],
        Scene::Interior => &[indoors::walls, indoors::window, furniture::arrange],
        Scene::Abstract => &[abstracts::ground, abstracts::shapes],
        Scene::Space => &[space::nebula, space::planets, space::surface],
        Scene::Underwater => &[underwater::water, underwater::seabed],
        Scene::Portrait => &[portrait::backdrop, portrait::sitter],
    }
}
