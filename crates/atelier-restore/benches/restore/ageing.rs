//! What time does to a photograph: eight faults at three strengths, from a seed.
//! `docs/restoration.md` has the figures in words.

use std::f32::consts::TAU;

use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder, imageops};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Blur,
    Fading,
    Cast,
    Grain,
    Scratches,
    Dust,
    Creases,
    Jpeg,
}

impl Fault {
    /// In the order in which they happen to a photo.
    pub(crate) const ALL: [Self; 8] = [
        Self::Blur,
        Self::Fading,
        Self::Cast,
        Self::Grain,
        Self::Scratches,
        Self::Dust,
        Self::Creases,
        Self::Jpeg,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Blur => "blur",
            Self::Fading => "fading",
            Self::Cast => "cast",
            Self::Grain => "grain",
            Self::Scratches => "scratches",
            Self::Dust => "dust",
            Self::Creases => "creases",
            Self::Jpeg => "jpeg",
        }
    }
}

pub(crate) const STRENGTHS: [&str; 3] = ["light", "medium", "strong"];

/// The photo with these faults at a strength (an index of [`STRENGTHS`]).
pub(crate) fn aged(photo: &RgbImage, faults: &[Fault], strength: usize, seed: u64) -> RgbImage {
    let mut dice = Dice(fastrand::Rng::with_seed(seed));
    faults.iter().fold(photo.clone(), |photo, fault| {
        let pick = |values: [f32; 3]| values[strength];
        match fault {
            Fault::Blur => imageops::blur(&photo, pick([0.6, 0.8, 1.2])),
            Fault::Fading => faded(
                &photo,
                pick([20.0, 38.0, 60.0]),
                pick([246.0, 230.0, 206.0]),
            ),
            Fault::Cast => tinted(&photo, pick([1.0, 2.0, 3.0])),
            Fault::Grain => grainy(&photo, pick([6.0, 12.0, 20.0]), &mut dice),
            Fault::Scratches => scratched(photo, pick([3.0, 6.0, 12.0]) as u32, &mut dice),
            Fault::Dust => dusty(photo, pick([8.0, 20.0, 50.0]), &mut dice),
            Fault::Creases => creased(photo, pick([1.0, 2.0, 3.0]) as u32, &mut dice),
            Fault::Jpeg => through_jpeg(&photo, pick([75.0, 50.0, 30.0]) as u8),
        }
    })
}

struct Dice(fastrand::Rng);

impl Dice {
    fn between(&mut self, from: f32, to: f32) -> f32 {
        from + self.0.f32() * (to - from)
    }

    /// Mean zero, deviation one (Box and Muller, 1958).
    fn normal(&mut self) -> f32 {
        let (a, b) = (self.between(1e-7, 1.0), self.between(0.0, TAU));
        (-2.0 * a.ln()).sqrt() * b.cos()
    }
}

fn each(photo: &RgbImage, change: impl Fn(usize, f32) -> f32) -> RgbImage {
    let mut out = photo.clone();
    for pixel in out.pixels_mut() {
        for (channel, value) in pixel.0.iter_mut().enumerate() {
            *value = (change(channel, f32::from(*value)) + 0.5) as u8;
        }
    }
    out
}

/// Black rises to `black`, white sinks to `white`.
fn faded(photo: &RgbImage, black: f32, white: f32) -> RgbImage {
    each(photo, |_, value| black + value * (white - black) / 255.0)
}

/// Yellow paper and a reddish black.
fn tinted(photo: &RgbImage, by: f32) -> RgbImage {
    let black = [7.0 * by, 4.0 * by, 2.0 * by];
    let white = [255.0, 255.0 - 5.0 * by, 255.0 - 20.0 * by];
    each(photo, |c, value| {
        black[c] + value * (white[c] - black[c]) / 255.0
    })
}

/// Silver grain: mostly in luminance, a little coarser than a pixel.
fn grainy(photo: &RgbImage, deviation: f32, dice: &mut Dice) -> RgbImage {
    let (width, height) = photo.dimensions();
    let field = |dice: &mut Dice| {
        let noise: Vec<f32> = (0..width * height).map(|_| dice.normal()).collect();
        soft(&noise, width as usize)
    };
    let silver = field(dice);
    let dyes = [field(dice), field(dice), field(dice)];
    let mut out = photo.clone();
    for (i, pixel) in out.pixels_mut().enumerate() {
        for (channel, value) in pixel.0.iter_mut().enumerate() {
            let grain = 0.92 * silver[i] + 0.4 * dyes[channel][i];
            *value = (f32::from(*value) + deviation * grain + 0.5) as u8;
        }
    }
    out
}

/// Every sample mixed with its neighbours on the right and below, at the same deviation.
fn soft(noise: &[f32], width: usize) -> Vec<f32> {
    let at = |i: usize| noise.get(i).copied().unwrap_or_default();
    let mixed = |i: usize| at(i) + 0.4 * (at(i + 1) + at(i + width)) + 0.16 * at(i + width + 1);
    (0..noise.len()).map(|i| mixed(i) / 1.16).collect()
}

/// Lets `shade` cover a spot with soft rim.
fn spot(photo: &mut RgbImage, (x, y): (f32, f32), radius: f32, shade: f32, cover: f32) {
    let reach = radius.ceil() as i64 + 1;
    for py in y as i64 - reach..=y as i64 + reach {
        for px in x as i64 - reach..=x as i64 + reach {
            let inside = px >= 0
                && py >= 0
                && px < i64::from(photo.width())
                && py < i64::from(photo.height());
            if inside {
                let distance = (px as f32 - x).hypot(py as f32 - y);
                let share = cover * (radius + 0.5 - distance).clamp(0.0, 1.0);
                let Rgb(pixel) = photo.get_pixel_mut(px as u32, py as u32);
                *pixel = pixel.map(|v| {
                    let v = f32::from(v);
                    (v + share * (shade - v) + 0.5) as u8
                });
            }
        }
    }
}

/// A stroke of two to four fifths of the height, slightly bent; one in four is dark.
fn scratched(mut photo: RgbImage, count: u32, dice: &mut Dice) -> RgbImage {
    let (width, height) = (photo.width() as f32, photo.height() as f32);
    for _ in 0..count {
        let shade = if dice.between(0.0, 1.0) < 0.25 {
            20.0
        } else {
            248.0
        };
        let (mut x, mut y) = (dice.between(0.0, width), dice.between(0.0, 0.5 * height));
        let mut angle = dice.between(-0.4, 0.4) + TAU / 4.0;
        let (radius, bend) = (dice.between(0.3, 0.9), dice.between(-0.001, 0.001));
        let length = dice.between(0.4, 0.8) * height;
        let mut gone = 0.0;
        while gone < length {
            spot(&mut photo, (x, y), radius, shade, 0.8);
            (x, y) = (x + 0.5 * angle.cos(), y + 0.5 * angle.sin());
            angle += bend;
            gone += 0.5;
        }
    }
    photo
}

/// Specks, `density` to 100,000 pixels; a third is dark, one in six is a short hair.
fn dusty(mut photo: RgbImage, density: f32, dice: &mut Dice) -> RgbImage {
    let (width, height) = (photo.width() as f32, photo.height() as f32);
    for _ in 0..(density * width * height / 100_000.0) as u32 {
        let shade = if dice.between(0.0, 1.0) < 0.33 {
            25.0
        } else {
            245.0
        };
        let (mut x, mut y) = (dice.between(0.0, width), dice.between(0.0, height));
        let hair = dice.between(0.0, 1.0) < 0.16;
        let (radius, steps) = if hair {
            (0.4, 24)
        } else {
            (dice.between(0.6, 2.0), 1)
        };
        let mut angle = dice.between(0.0, TAU);
        for _ in 0..steps {
            spot(&mut photo, (x, y), radius, shade, 0.9);
            (x, y) = (x + 0.6 * angle.cos(), y + 0.6 * angle.sin());
            angle += dice.between(-0.2, 0.2);
        }
    }
    photo
}

/// A wandering white crack across the whole photo with a shadow on one side.
fn creased(mut photo: RgbImage, count: u32, dice: &mut Dice) -> RgbImage {
    let (width, height) = (photo.width() as f32, photo.height() as f32);
    for _ in 0..count {
        let (mut x, mut y) = (0.0, dice.between(0.15, 0.85) * height);
        let slope = dice.between(-0.3, 0.3);
        while x < width {
            let radius = dice.between(0.6, 1.6);
            spot(&mut photo, (x, y + 3.0), 1.2, 40.0, 0.25);
            spot(&mut photo, (x, y), radius, 240.0, 0.85);
            x += 0.7;
            y += 0.7 * slope + dice.between(-0.35, 0.35);
        }
    }
    photo
}

fn through_jpeg(photo: &RgbImage, quality: u8) -> RgbImage {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    let decoded = photo
        .write_with_encoder(encoder)
        .and_then(|()| image::load_from_memory(&bytes));
    decoded.map_or_else(|_| photo.clone(), image::DynamicImage::into_rgb8)
}
