//! Pixels: averaged into cells, a palette of the picture's own colours, ordered dither.

use image::{Rgba, RgbaImage};

use super::Sheet;
use super::filter;
use super::palette;
use crate::colour::{Lab, Rgb};

/// Cells along the long side of a square picture.
const CELLS: f32 = 168.0;
const COLOURS: usize = 26;

/// Bayer's matrix (1973), as offsets round zero.
const BAYER: [[f32; 4]; 4] = [
    [0.0, 8.0, 2.0, 10.0],
    [12.0, 4.0, 14.0, 6.0],
    [3.0, 11.0, 1.0, 9.0],
    [15.0, 7.0, 13.0, 5.0],
];

pub(crate) fn render(picture: &RgbaImage, sheet: &mut Sheet) -> RgbaImage {
    let (w, h) = picture.dimensions();
    let cell = ((sheet.unit / CELLS).round() as u32).max(2);
    let (columns, rows) = (w.div_ceil(cell), h.div_ceil(cell));
    let mut small = RgbaImage::from_fn(columns, rows, |x, y| {
        Rgba(filter::bytes(average(picture, x * cell, y * cell, cell)))
    });
    let palette: Vec<Lab> = palette::of(&small, COLOURS, &mut sheet.rng)
        .into_iter()
        .map(|c| c.chroma(1.12))
        .collect();
    filter::map(&mut small, |x, y, c| {
        let offset = (BAYER[y as usize % 4][x as usize % 4] - 7.5) / 16.0;
        let c = Lab::from_rgb(c);
        let pushed = Lab {
            l: c.l + offset * 0.032,
            a: c.a * 1.12,
            b: c.b * 1.12,
        };
        palette[palette::nearest(&palette, pushed)].rgb()
    });
    RgbaImage::from_fn(w, h, |x, y| *small.get_pixel(x / cell, y / cell))
}

fn average(picture: &RgbaImage, left: u32, top: u32, cell: u32) -> Rgb {
    let (right, bottom) = (
        (left + cell).min(picture.width()),
        (top + cell).min(picture.height()),
    );
    let mut sum = [0.0; 3];
    for y in top..bottom {
        for x in left..right {
            let p = picture.get_pixel(x, y);
            (0..3).for_each(|i| sum[i] += f32::from(p[i]));
        }
    }
    let n = ((right - left) * (bottom - top)).max(1) as f32;
    sum.map(|v| v / n)
}
