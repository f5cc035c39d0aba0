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

use super::plan::Plan;
use super::rng::Rng;
use super::topic::Style;

/// What a manner needs to know: how large things are, and a stream of chance of its own.
struct Sheet {
    /// As [`super::canvas::Canvas::unit`].
    unit: f32,
    rng: Rng,
}

type Progress<'a> = &'a mut dyn FnMut(f32) -> Option<()>;

pub(crate) fn apply(picture: RgbaImage, plan: &Plan, progress: Progress) -> Option<RgbaImage> {
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
        Style::Pixel => Some(pixel::render(&picture, sheet)),
        Style::Photo => Some(plain::photo(picture, sheet)),
        Style::Gouache => Some(plain::gouache(picture, sheet)),
    }
}
