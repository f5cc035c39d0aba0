//! A portrait of an earlier time, toned, and torn.

use image::{Rgb, RgbImage};

use super::{Dice, psnr, restored};

const WIDTH: u32 = 480;
const HEIGHT: u32 = 360;

/// Grey, 0.0 to 255.0: a head before a wall, shoulders, a window, and fine cloth.
fn grey(x: f32, y: f32) -> f32 {
    let inside = |cx: f32, cy: f32, rx: f32, ry: f32| ((x - cx) / rx).hypot((y - cy) / ry) < 1.0;
    let lit = 1.0 - 0.3 * (((x - 215.0) / 60.0).powi(2) + ((y - 140.0) / 80.0).powi(2));
    let cloth = 6.0 * (0.9 * x).sin() * (0.7 * y).sin();
    match () {
        () if inside(215.0, 130.0, 7.0, 4.0) || inside(262.0, 130.0, 7.0, 4.0) => 10.0,
        () if inside(240.0, 192.0, 18.0, 5.0) => 70.0,
        () if inside(240.0, 150.0, 58.0, 78.0) => 90.0 + 120.0 * lit.max(0.0),
        () if inside(240.0, 125.0, 74.0, 88.0) => 22.0 + 0.1 * y,
        () if inside(240.0, 400.0, 190.0, 170.0) => 48.0 + cloth,
        () if x > 380.0 && y < 150.0 => 215.0 + 0.2 * y,
        () => 95.0 + 0.12 * x + 0.15 * y,
    }
}

/// The portrait in the tones of a print: at black, in the middle, at white.
fn print([black, middle, white]: [[f32; 3]; 3]) -> RgbImage {
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let level = grey(x as f32, y as f32) / 255.0;
        let bend = 4.0 * level * (1.0 - level);
        Rgb(std::array::from_fn(|c| {
            let line = black[c] + (white[c] - black[c]) * level;
            (line + bend * (middle[c] - 0.5 * (black[c] + white[c]))) as u8
        }))
    })
}

const BLACK_AND_WHITE: [[f32; 3]; 3] = [[38.0; 3], [134.0; 3], [230.0; 3]];
const SEPIA: [[f32; 3]; 3] = [
    [58.0, 42.0, 30.0],
    [159.0, 132.0, 93.0],
    [236.0, 220.0, 184.0],
];
const DEEP_SEPIA: [[f32; 3]; 3] = [
    [70.0, 38.0, 14.0],
    [155.0, 121.0, 77.0],
    [240.0, 205.0, 140.0],
];
const CYANOTYPE: [[f32; 3]; 3] = [
    [30.0, 42.0, 62.0],
    [100.0, 135.0, 165.0],
    [215.0, 228.0, 236.0],
];

fn grainy(picture: &RgbImage) -> RgbImage {
    let mut dice = Dice(0x51ED_270B_9F5C_D3A1);
    let mut out = picture.clone();
    for pixel in out.pixels_mut() {
        let grain = 6.0 * dice.normal();
        pixel.0 = pixel.0.map(|value| (f32::from(value) + grain) as u8);
    }
    out
}

/// Redder below, and a yellow stain on the right.
fn stained(picture: &RgbImage) -> RgbImage {
    let mut out = picture.clone();
    for (x, y, pixel) in out.enumerate_pixels_mut() {
        let away = (x as f32 - 400.0).hypot(y as f32 - 120.0) / 250.0;
        let stain = 0.9 * (1.0 - away).max(0.0) + 0.3 * y as f32 / HEIGHT as f32;
        pixel[1] = (f32::from(pixel[1]) * (1.0 - 0.03 * stain)) as u8;
        pixel[2] = (f32::from(pixel[2]) * (1.0 - 0.11 * stain)) as u8;
    }
    out
}

/// What a tint is like: its hue in degrees, its mean share of luminance, and how many pixels have a
/// channel at zero.
struct Tinge {
    hue: f32,
    saturation: f32,
    cut_off: f32,
}

impl Tinge {
    fn of(picture: &RgbImage) -> Self {
        let (mut blue, mut red, mut saturation, mut cut_off) = (0.0, 0.0, 0.0, 0.0);
        for pixel in picture.pixels() {
            let [y, cb, cr] = crate::photo::to_ycc(pixel.0.map(f32::from));
            blue += cb;
            red += cr;
            saturation += cb.hypot(cr) / y.max(20.0);
            cut_off += f32::from(u8::from(pixel.0.contains(&0)));
        }
        let pixels = picture.pixels().len() as f32;
        Self {
            hue: red.atan2(blue).to_degrees(),
            saturation: saturation / pixels,
            cut_off: cut_off / pixels,
        }
    }
}

#[test]
fn a_toned_photo_keeps_its_tone() {
    let sepia = print(SEPIA);
    let photos = [
        ("sepia", sepia.clone()),
        ("sepia with grain", grainy(&sepia)),
        ("stained sepia", grainy(&stained(&sepia))),
        ("deep sepia", grainy(&print(DEEP_SEPIA))),
        ("cyanotype", grainy(&print(CYANOTYPE))),
    ];
    for (name, photo) in photos {
        let (before, after) = (Tinge::of(&photo), Tinge::of(&restored(&photo, 1)));
        let turned = (after.hue - before.hue).abs();
        assert!(turned < 3.0, "{name} turned by {turned} degrees");
        let share = after.saturation / before.saturation;
        assert!((0.7..=1.01).contains(&share), "{name}: {share}");
        assert!(after.cut_off < 0.002, "{name}: {}", after.cut_off);
    }
}

#[test]
fn a_faded_sepia_photo_gets_its_range_back() {
    let photo = grainy(&print(SEPIA));
    let darkest = |picture: &RgbImage| {
        let mut levels: Vec<u8> = picture.pixels().map(|p| p[1]).collect();
        levels.sort_unstable();
        levels[levels.len() / 200]
    };
    let (before, after) = (darkest(&photo), darkest(&restored(&photo, 1)));
    assert!(after + 12 < before && after > 3, "{before} to {after}");
}

/// With scratches `width` pixels wide on average, one dark, and where they are. Their edges jump.
fn torn(picture: &RgbImage, width: f32) -> (RgbImage, Vec<bool>) {
    let mut dice = Dice(0x2545_F491_4F6C_DD1D);
    let mut damaged = picture.clone();
    let mut torn = vec![false; (WIDTH * HEIGHT) as usize];
    for (start, slope, shade) in [
        (90.0, 0.12, 246.0),
        (330.0, -0.1, 246.0),
        (440.0, -0.06, 16.0),
    ] {
        let mut edges = [0.0; 2];
        for y in 12..HEIGHT - 12 {
            for edge in &mut edges {
                if dice.even() < 0.2 {
                    *edge = 0.6 * width * (dice.even() - 0.5);
                }
            }
            let middle = start + slope * y as f32;
            let [left, right] = [edges[0] - 0.5 * width, edges[1] + 0.5 * width];
            for x in (middle + left) as u32..(middle + right) as u32 {
                let paper = shade + 4.0 * dice.normal();
                damaged.put_pixel(x, y, Rgb([paper as u8; 3]));
                torn[(y * WIDTH + x) as usize] = true;
            }
        }
    }
    (damaged, torn)
}

/// Only what is torn, in a row.
fn inside(picture: &RgbImage, torn: &[bool]) -> RgbImage {
    let pixels = picture.pixels().zip(torn).filter(|(_, torn)| **torn);
    let bytes: Vec<u8> = pixels.flat_map(|(pixel, _)| pixel.0).collect();
    RgbImage::from_raw(bytes.len() as u32 / 3, 1, bytes).unwrap()
}

#[test]
fn wide_scratches_with_jagged_edges_are_painted_over_whole() {
    for tones in [BLACK_AND_WHITE, SEPIA] {
        let photo = grainy(&print(tones));
        let sound = restored(&photo, 1);
        for (width, gain) in [
            (6.0, 9.0),
            (8.0, 9.0),
            (10.0, 9.0),
            (12.0, 3.5),
            (14.0, 3.5),
        ] {
            let (damaged, torn) = torn(&photo, width);
            let within = |a: &RgbImage, b: &RgbImage| psnr(&inside(a, &torn), &inside(b, &torn));
            let (before, after) = (
                within(&photo, &damaged),
                within(&sound, &restored(&damaged, 1)),
            );
            assert!(
                after > before + gain,
                "{width} px: {before} dB, then {after} dB"
            );
        }
    }
}

#[test]
fn poles_and_ribbons_of_a_sound_photo_are_no_scratches() {
    let mut photo = print([[2.0; 3], [127.0; 3], [252.0; 3]]);
    for (left, width, shade) in [(60, 8, 250), (150, 12, 240), (420, 9, 12)] {
        for y in 0..HEIGHT {
            for x in left..left + width {
                photo.put_pixel(x, y, Rgb([shade; 3]));
            }
        }
    }
    let kept = psnr(&photo, &restored(&photo, 1));
    assert!(kept >= 38.0, "{kept} dB");
}
