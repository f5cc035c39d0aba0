//! A screen print: few flat inks, clean shapes, a cream border with a key line.

use image::RgbaImage;

use super::Sheet;
use super::filter;
use super::palette::{self, Table};
use crate::colour::{self, Lab, Rgb};
use crate::noise::{Noise, smoothstep};
use crate::{Error, Progress};

const INKS: usize = 10;
const CREAM: Rgb = [245.0, 236.0, 217.0];

pub(crate) fn print(
    picture: RgbaImage,
    sheet: &mut Sheet,
    progress: Progress<'_>,
) -> Result<RgbaImage, Error> {
    let unit = sheet.unit;
    let flat = filter::kuwahara(&picture, unit * 0.006);
    drop(picture);
    progress(0.72)?;
    let flat = filter::kuwahara(&flat, unit * 0.005);
    progress(0.82)?;
    let inks: Vec<Lab> = palette::of(&flat, INKS, &mut sheet.rng)
        .into_iter()
        .map(bolder)
        .collect();
    let mut out = separate(&flat, &inks);
    drop(flat);
    progress(0.92)?;
    frame(&mut out, unit, &inks, sheet);
    Ok(out)
}

/// Print inks are purer and farther apart in value than paint.
fn bolder(c: Lab) -> Lab {
    Lab {
        l: (0.55 + (c.l - 0.55) * 1.12).clamp(0.12, 0.97),
        ..c.chroma(1.3)
    }
}

fn separate(flat: &RgbaImage, inks: &[Lab]) -> RgbaImage {
    let table = Table::new(inks);
    let colours: Vec<Rgb> = inks.iter().map(|ink| ink.rgb()).collect();
    let mut out = flat.clone();
    filter::map(&mut out, |_, _, c| colours[table.find(c)]);
    filter::blur(&out, 1.0)
}

fn frame(picture: &mut RgbaImage, unit: f32, inks: &[Lab], sheet: &mut Sheet) {
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let (margin, line) = (unit * 0.045, unit * 0.004);
    let darkest = inks
        .iter()
        .copied()
        .min_by(|a, b| a.l.total_cmp(&b.l))
        .unwrap_or(Lab::grey(0.2));
    let key = darkest.rgb();
    let screen = Noise::new(sheet.rng.seed32());
    filter::map(picture, |x, y, c| {
        let (px, py) = (x as f32, y as f32);
        let inside = px.min(w - 1.0 - px).min(py).min(h - 1.0 - py);
        let paper = smoothstep(margin + 0.7, margin - 0.7, inside);
        let rule = smoothstep(line, line - 1.0, (inside - margin - line * 0.5).abs() * 2.0);
        let c = colour::blend(colour::blend(c, CREAM, paper), key, rule);
        let fibre = screen.fbm(px / unit * 240.0, py / unit * 240.0, 2) - 0.5;
        let missed = smoothstep(
            0.8,
            0.9,
            screen.fbm(px / unit * 90.0 + 300.0, py / unit * 90.0, 3),
        );
        colour::blend(colour::scale(c, 1.0 + 0.05 * fibre), CREAM, 0.3 * missed)
    });
}
