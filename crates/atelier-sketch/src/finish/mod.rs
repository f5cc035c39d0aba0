//! The last hand: turns the painting into the manner that was asked for.

mod filter;
mod hatch;
mod ink;
mod oil;
mod palette;
mod pencil;
mod pixel;
mod plain;
mod poster;
mod watercolour;

use image::RgbaImage;

use crate::plan::Plan;
use crate::rng::Rng;
use crate::topic::Style;
use crate::{Error, Progress};

/// What a manner needs to know: how large things are, and a stream of chance of its own.
struct Sheet {
    /// As [`crate::canvas::Canvas::unit`].
    unit: f32,
    rng: Rng,
}

pub(crate) fn apply(
    picture: RgbaImage,
    plan: &Plan,
    progress: Progress<'_>,
) -> Result<RgbaImage, Error> {
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let unit = w.min(h) * (w.max(h) / w.min(h)).powf(0.3);
    let mut sheet = Sheet {
        unit,
        rng: plan.rng("finish"),
    };
    let sheet = &mut sheet;
    match plan.style {
        Style::Watercolour => watercolour::paint(picture, sheet, progress),
        Style::Ink => ink::draw(picture, sheet, progress),
        Style::Pencil => pencil::draw(picture, sheet, progress),
        Style::Oil => oil::paint(&picture, sheet, progress),
        Style::Poster => poster::print(picture, sheet, progress),
        Style::Pixel => Ok(pixel::render(&picture, sheet)),
        Style::Photo => Ok(plain::photo(picture, sheet)),
        Style::Gouache => Ok(plain::gouache(picture, sheet)),
    }
}
