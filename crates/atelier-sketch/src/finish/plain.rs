//! The two quiet manners: opaque colour on toothed paper, and a photograph's smooth tone.

use image::RgbaImage;

use super::Sheet;
use super::filter;
use crate::colour;
use crate::noise::{Noise, smoothstep};

/// Paper tooth, a breath of pigment variation, and slightly darker corners.
pub(crate) fn gouache(mut picture: RgbaImage, sheet: &mut Sheet) -> RgbaImage {
    let (tooth, pigment) = (
        Noise::new(sheet.rng.seed32()),
        Noise::new(sheet.rng.seed32()),
    );
    let unit = sheet.unit;
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    filter::map(&mut picture, |x, y, c| {
        let (px, py) = (x as f32, y as f32);
        let fibre = tooth.fbm(px / unit * 260.0, py / unit * 260.0, 2) - 0.5;
        let body = pigment.fbm(px / unit * 18.0, py / unit * 26.0, 3) - 0.5;
        let speck = tooth.grain(x, y) - 0.5;
        let corner = (px / w - 0.5).hypot(py / h - 0.5);
        let shade = 1.0 - 0.12 * smoothstep(0.45, 0.75, corner);
        colour::scale(
            c,
            (1.0 + 0.085 * fibre + 0.06 * body + 0.022 * speck) * shade,
        )
    });
    picture
}

/// Bloom from the highlights, a soft S-curve, fine grain and a lens's fall-off.
pub(crate) fn photo(mut picture: RgbaImage, sheet: &mut Sheet) -> RgbaImage {
    let soft = filter::blur(&picture, sheet.unit * 0.018);
    let grain = Noise::new(sheet.rng.seed32());
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    filter::map(&mut picture, |x, y, c| {
        let bloom = filter::pixel(&soft, x as f32, y as f32);
        let speck = (grain.grain(x, y) + grain.grain(x + 7919, y) - 1.0) * 5.0;
        let corner = (x as f32 / w - 0.5).hypot(y as f32 / h - 0.5);
        let shade = 1.0 - 0.28 * smoothstep(0.4, 0.78, corner);
        std::array::from_fn(|i| {
            let light = c[i] / 255.0;
            let spill = (bloom[i] / 255.0).powi(2) * 0.24;
            let v = 1.0 - (1.0 - light) * (1.0 - spill);
            let curve = v + 0.14 * (v * v * (3.0 - 2.0 * v) - v);
            curve * shade * 255.0 + speck
        })
    });
    picture
}
