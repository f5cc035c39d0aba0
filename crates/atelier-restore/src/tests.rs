//! The restorer as a whole, on pictures made here.

mod portrait;

use std::ops::ControlFlow;

use image::{GrayImage, Luma, Rgb, RgbImage};

use crate::{Error, Options, inpaint, restore};

const WIDTH: u32 = 224;
const HEIGHT: u32 = 168;

/// A small generator with a fixed seed (xorshift, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    /// Evenly spread over 0.0 to 1.0.
    fn even(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Nearly normal, mean zero, deviation one.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.even()).sum::<f32>() - 6.0
    }
}

/// A sound picture: sky, sun, a striped wall, a woven cloth and a dark doorway.
pub(super) fn scene() -> RgbImage {
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (fx, fy) = (x as f32, y as f32);
        let weave = 14.0 * ((fx * 0.9).sin() * (fy * 0.8).sin());
        Rgb(match (x, y) {
            _ if (fx - 50.0).hypot(fy - 40.0) < 18.0 => [252, 244, 226],
            (100..=130, 90..=150) => [6, 5, 7],
            (x, 80..) if x > 160 => [150.0 + weave, 60.0 + weave, 50.0 + weave].map(|v| v as u8),
            (_, 80..) if (x / 12) % 2 == 0 => [176, 150, 110],
            (_, 80..) => [140, 112, 84],
            _ => [70.0 + fy, 120.0 + fy, 215.0 - 0.2 * fx].map(|v| v as u8),
        })
    })
}

/// Faded, yellowed and grainy.
pub(super) fn aged(picture: &RgbImage) -> RgbImage {
    let (black, white) = ([48.0, 40.0, 30.0], [242.0, 228.0, 190.0]);
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut aged = picture.clone();
    for pixel in aged.pixels_mut() {
        let grain = 7.0 * dice.normal();
        pixel.0 = std::array::from_fn(|c| {
            (black[c] + (white[c] - black[c]) * f32::from(pixel[c]) / 255.0 + grain) as u8
        });
    }
    aged
}

/// With two bright scratches and a dark one, and the indices of their pixels.
pub(super) fn scratched(picture: &RgbImage) -> (RgbImage, Vec<usize>) {
    let mut damaged = picture.clone();
    let mut drawn = Vec::new();
    for (x, slope, shade) in [(78.0, 0.1, 247), (200.0, -0.15, 247), (20.0, 0.2, 18)] {
        for y in 8..HEIGHT - 8 {
            let left = (x + slope * y as f32) as u32;
            for x in left..left + 2 {
                damaged.put_pixel(x, y, Rgb([shade; 3]));
                drawn.push((y * WIDTH + x) as usize);
            }
        }
    }
    (damaged, drawn)
}

/// Peak signal-to-noise ratio, decibels.
fn psnr(a: &RgbImage, b: &RgbImage) -> f32 {
    assert_eq!(a.dimensions(), b.dimensions());
    let square = |(a, b): (&u8, &u8)| (f64::from(*a) - f64::from(*b)).powi(2);
    let sum: f64 = a.as_raw().iter().zip(b.as_raw()).map(square).sum();
    (10.0 * (65025.0 * a.as_raw().len() as f64 / sum.max(1.0e-9)).log10()) as f32
}

fn restored(picture: &RgbImage, enlarge: u32) -> RgbImage {
    let options = Options {
        enlarge,
        ..Options::default()
    };
    restore(picture.clone(), &options, |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn an_aged_picture_comes_closer_to_what_it_was() {
    let clean = scene();
    let (damaged, _) = scratched(&aged(&clean));
    let (before, after) = (psnr(&clean, &damaged), psnr(&clean, &restored(&damaged, 1)));
    assert!(after > before + 5.0, "{before} dB before, {after} dB after");
}

#[test]
fn a_sound_picture_stays_as_it_is() {
    let clean = scene();
    let kept = psnr(&clean, &restored(&clean, 1));
    assert!(kept >= 38.0, "{kept} dB");
}

#[test]
fn a_sunset_is_not_a_colour_cast() {
    let sunset = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let glow = 1.0 - y as f32 / HEIGHT as f32;
        let ground = if y > 120 { 0.02 } else { 1.0 };
        Rgb([250.0 * glow, 130.0 * glow, 40.0 * glow + 0.1 * x as f32].map(|v| (v * ground) as u8))
    });
    let kept = psnr(&sunset, &restored(&sunset, 1));
    assert!(kept >= 38.0, "{kept} dB");
}

#[test]
fn a_yellowed_black_and_white_photo_gets_no_new_colours() {
    let mut grey = scene();
    for pixel in grey.pixels_mut() {
        pixel.0 =
            [((u32::from(pixel[0]) + 2 * u32::from(pixel[1]) + u32::from(pixel[2])) / 4) as u8; 3];
    }
    let out = restored(&aged(&grey), 1);
    let tint = |p: &Rgb<u8>| i32::from(p[0]) - i32::from(p[2]);
    let (least, most) = out
        .pixels()
        .map(tint)
        .fold((255, -255), |(l, m), t| (l.min(t), m.max(t)));
    assert!(
        (-4..=30).contains(&least) && (0..=30).contains(&most),
        "{least} to {most}"
    );
}

#[test]
fn odd_sizes_and_empty_contents_pass() {
    let sizes = [
        (0, 0),
        (1, 1),
        (1, 300),
        (300, 1),
        (2, 2),
        (9, 7),
        (48, 48),
        (2000, 10),
        (65, 131),
    ];
    let mut dice = Dice(7);
    for (width, height) in sizes {
        let noise = RgbImage::from_fn(width, height, |_, _| {
            Rgb([0; 3].map(|_: u8| (256.0 * dice.even()) as u8))
        });
        let plain = [0, 128, 255].map(|shade| RgbImage::from_pixel(width, height, Rgb([shade; 3])));
        for picture in plain {
            assert_eq!(restored(&picture, 1), picture);
        }
        assert_eq!(restored(&noise, 1).dimensions(), (width, height));
        assert_eq!(restored(&noise, 2).dimensions(), (2 * width, 2 * height));
    }
}

#[test]
fn enlarging_keeps_the_picture() {
    let small = scene();
    let large = restored(&small, 2);
    assert_eq!(large.dimensions(), (2 * WIDTH, 2 * HEIGHT));
    let back = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let four =
            [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| large.get_pixel(2 * x + i, 2 * y + j));
        Rgb(std::array::from_fn(|c| {
            (four.iter().map(|p| u32::from(p[c])).sum::<u32>() / 4) as u8
        }))
    });
    assert!(psnr(&small, &back) > 28.0);
}

#[test]
fn stops_when_cancelled() {
    let mut told = Vec::new();
    let out = restore(scene(), &Options::default(), |done| {
        told.push(done);
        if done < 0.5 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    assert_eq!(out, Err(Error::Cancelled));
    assert!(told.len() > 1 && told.is_sorted());
}

#[test]
fn only_what_is_masked_is_painted_over() {
    let clean = RgbImage::from_pixel(60, 40, Rgb([90, 120, 60]));
    let mut damaged = clean.clone();
    for x in 20..40 {
        damaged.put_pixel(x, 12, Rgb([255; 3]));
        damaged.put_pixel(x, 30, Rgb([255; 3]));
    }
    // The upper half, coarsely: a mask need not have the photo's size.
    let mask = GrayImage::from_fn(6, 4, |x, y| Luma([if x > 0 && y < 2 { 255 } else { 0 }]));
    let repair = |mask: &GrayImage, options: &Options| {
        inpaint(
            damaged.clone(),
            mask,
            options,
            |_| ControlFlow::Continue(()),
        )
        .unwrap()
    };
    let repaired = repair(&mask, &Options::default());
    assert_eq!(repaired.get_pixel(30, 12), clean.get_pixel(30, 12));
    assert_eq!(repaired.get_pixel(30, 30), damaged.get_pixel(30, 30));
    let options = Options {
        monochrome: true,
        enlarge: 2,
        ..Options::default()
    };
    let grey = repair(&mask, &options);
    assert_eq!(grey.dimensions(), (120, 80));
    assert!(grey.pixels().all(|p| p[0] == p[1] && p[1] == p[2]));
    for covers in [
        GrayImage::new(0, 0),
        GrayImage::new(60, 40),
        GrayImage::from_pixel(1, 1, Luma([255])),
    ] {
        assert_eq!(repair(&covers, &Options::default()), damaged);
    }
}

#[test]
fn only_an_enlargement_by_1_2_or_4_is_made() {
    for enlarge in [0, 3, 5, 8, u32::MAX] {
        let options = Options {
            enlarge,
            ..Options::default()
        };
        let refused = Err(Error::Enlargement {
            width: WIDTH,
            height: HEIGHT,
            factor: enlarge,
        });
        let go_on = |_| ControlFlow::Continue(());
        assert_eq!(restore(scene(), &options, go_on), refused);
        let mask = GrayImage::new(1, 1);
        assert_eq!(inpaint(scene(), &mask, &options, go_on), refused);
    }
}
