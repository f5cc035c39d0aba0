//! Fading and colour cast.
//!
//! Dyes fade and paper yellows: the deepest black of an aged print is no longer black, and no longer
//! neutral. That is the witness this step believes. A sunset, a candle-lit room or a night street has
//! strong colour too, but its blacks are black, so it is left alone. Where the blacks are lifted, every
//! channel is stretched linearly from the measured black and white to neutral ones (the "white patch"
//! of Land and McCann, 1971, at both ends), within limits.

use crate::photo::{Photo, to_rgb, to_ycc};
use crate::plane::{lerp, smoothstep};
use crate::toning::Tint;
use rayon::prelude::*;

/// Share of the pixels that is taken for the deepest black, and for the brightest white.
const DARKEST: f32 = 0.003;
const BRIGHTEST: f32 = 0.006;
/// Where a sound photograph has its ends, 0 to 255.
const BLACK: f32 = 6.0;
const WHITE: f32 = 248.0;
/// Luminance of the deepest black below which nothing has faded, and above which everything has.
const SOUND_BLACK: f32 = 15.0;
const FADED_BLACK: f32 = 30.0;
/// A tint of the black beyond which it is an object's colour and not a fault of the print.
const TINT_OF_PRINT: f32 = 45.0;
/// Ratio of white to channel white that a cast may have; more is the light of the scene.
const MOST_CAST: f32 = 1.35;
/// How far white sinks while black rises by one.
const WHITE_LOSS: f32 = 0.6;
/// Blacks of a faded print end at a wall, all at one shade: steps of luminance between the darkest
/// pixels and the deepest black that are one, and that are the shadows of a scene.
const WALL: f32 = 3.0;
const SLOPE: f32 = 7.0;
/// Luminance of the brightest pixels below which white has sunk, and above which it has not.
const SUNK_WHITE: f32 = 236.0;
const SOUND_WHITE: f32 = 250.0;
/// Share of the pixels that are the darkest or brightest of all, apart from stray ones.
const UTMOST: f32 = 0.0001;
/// Fewer pixels than this say nothing about fading.
const LEAST_PIXELS: f32 = 1024.0;
/// The least range, black to white, worth stretching; below it the picture is a blank sheet.
const LEAST_RANGE: f32 = 24.0;

/// What the ends of the tonal range say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ends {
    /// Mean red, green, blue of the darkest pixels, 0 to 255.
    black: [f32; 3],
    /// Mean red, green, blue of the brightest.
    white: [f32; 3],
    /// Luminance of the very darkest and the very brightest.
    utmost: (f32, f32),
    /// How many were measured.
    pixels: f32,
}

/// How far a print has faded, each 0.0 to 1.0.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Fading {
    /// Its range of tones; never more than `tint`.
    pub(super) tone: f32,
    /// Its colours.
    pub(super) tint: f32,
}

impl Fading {
    /// A share of it, 0.0 to 1.0.
    pub(super) fn scaled(self, share: f32) -> Self {
        Self {
            tone: self.tone * share,
            tint: self.tint * share,
        }
    }
}

impl Ends {
    /// Measures a photo of at least one pixel.
    pub(super) fn of(photo: &Photo) -> Self {
        let shades = shades(photo);
        let pixels = photo.luma.data.len() as f32;
        let darkest = mean_of_first(shades.iter(), pixels * UTMOST);
        let brightest = mean_of_first(shades.iter().rev(), pixels * UTMOST);
        Self {
            black: mean_of_first(shades.iter(), pixels * DARKEST),
            white: mean_of_first(shades.iter().rev(), pixels * BRIGHTEST),
            utmost: (brightness(darkest), brightness(brightest)),
            pixels,
        }
    }

    /// How faded the print is. `wear` is what the other steps found, 0.0 to 1.0: without any, a lifted
    /// black is more likely fog or a grey subject, unless it ends at a wall and white has sunk too. A
    /// tinted black alone says that colours have faded, and nothing of the range.
    pub(super) fn fading(&self, wear: f32) -> Fading {
        if self.pixels < LEAST_PIXELS {
            return Fading::default();
        }
        let lifted = smoothstep(SOUND_BLACK, FADED_BLACK, brightness(self.black));
        let tint = spread(self.black);
        let tinted = smoothstep(5.0, 14.0, tint);
        let plausible = 1.0 - smoothstep(TINT_OF_PRINT, 1.4 * TINT_OF_PRINT, tint);
        let range = brightness(self.white) - brightness(self.black);
        let contents = smoothstep(LEAST_RANGE, 2.0 * LEAST_RANGE, range);
        let wall = 1.0 - smoothstep(WALL, SLOPE, brightness(self.black) - self.utmost.0);
        let sunk = 1.0 - smoothstep(SUNK_WHITE, SOUND_WHITE, self.utmost.1);
        let sound = (1.0 - wear) * (1.0 - wall * sunk);
        let faded = lifted * plausible * contents;
        Fading {
            tone: faded * (1.0 - sound),
            tint: faded * (1.0 - sound * (1.0 - tinted)),
        }
    }
}

/// Stretches the tones and evens the colours of both ends as far as `fading` says; a monochrome photo
/// has a `tint` instead.
pub(super) fn correct(photo: &mut Photo, ends: &Ends, fading: Fading, tint: Option<Tint>) {
    let ends = match tint {
        Some(_) => neutral(ends),
        None => limited(ends),
    };
    let white = raised_white(&ends);
    // From the end as it is to a grey as bright, and from there to where it belongs.
    let goal = |end: [f32; 3], place: f32| {
        let grey = brightness(end);
        end.map(|v| lerp(lerp(v, grey, fading.tint), place, fading.tone))
    };
    let (low, high) = (goal(ends.black, BLACK), goal(ends.white, white));
    let gain: [f32; 3] =
        std::array::from_fn(|c| (high[c] - low[c]) / (ends.white[c] - ends.black[c]).max(1.0));
    let lift: [f32; 3] = std::array::from_fn(|c| low[c] - ends.black[c] * gain[c]);
    if let Some(tint) = tint {
        tint.apply(photo, fading.tint, |y| y * gain[0] + lift[0]);
    } else {
        photo.map(|ycc| {
            let rgb = to_rgb(ycc);
            to_ycc(std::array::from_fn(|c| rgb[c] * gain[c] + lift[c]))
        });
    }
}

/// Where the brightest white belongs. Whites sink less than blacks rise, so a picture without any white
/// is not forced to have one.
fn raised_white(ends: &Ends) -> f32 {
    let (black, white) = (brightness(ends.black), brightness(ends.white));
    let sunk = WHITE_LOSS * (black - BLACK).max(0.0);
    (white + sunk).min(WHITE).max(white)
}

/// Both ends as greys.
fn neutral(ends: &Ends) -> Ends {
    Ends {
        black: [brightness(ends.black); 3],
        white: [brightness(ends.white); 3],
        ..*ends
    }
}

/// White as far from grey as a cast can be.
fn limited(ends: &Ends) -> Ends {
    let range: [f32; 3] = std::array::from_fn(|c| (ends.white[c] - ends.black[c]).max(1.0));
    let mean = brightness(range);
    let white =
        std::array::from_fn(|c| ends.black[c] + range[c].clamp(mean / MOST_CAST, mean * MOST_CAST));
    Ends { white, ..*ends }
}

fn brightness([r, g, b]: [f32; 3]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

fn spread(colour: [f32; 3]) -> f32 {
    colour.iter().copied().fold(f32::MIN, f32::max)
        - colour.iter().copied().fold(f32::MAX, f32::min)
}

/// Pixels of one luminance: how many, and the sum of their colours.
#[derive(Debug, Clone, Copy, Default)]
struct Shade {
    count: f32,
    sum: [f32; 3],
}

fn shades(photo: &Photo) -> Vec<Shade> {
    let rows = photo.rows();
    rows.fold(no_shades, |mut shades, (y, (b, r))| {
        for i in 0..y.len() {
            let shade = &mut shades[y[i].clamp(0.0, 255.0) as usize];
            let rgb = to_rgb([y[i], b[i], r[i]]);
            shade.count += 1.0;
            shade.sum = std::array::from_fn(|c| shade.sum[c] + rgb[c].clamp(0.0, 255.0));
        }
        shades
    })
    .reduce(no_shades, |a, b| {
        a.into_iter().zip(b).map(|(a, b)| merged(a, b)).collect()
    })
}

fn no_shades() -> Vec<Shade> {
    vec![Shade::default(); 256]
}

fn merged(a: Shade, b: Shade) -> Shade {
    Shade {
        count: a.count + b.count,
        sum: std::array::from_fn(|c| a.sum[c] + b.sum[c]),
    }
}

/// Mean colour of the first `wanted` pixels, at least one.
fn mean_of_first<'a>(shades: impl Iterator<Item = &'a Shade>, wanted: f32) -> [f32; 3] {
    let mut all = Shade::default();
    for shade in shades {
        all = merged(all, *shade);
        if all.count >= wanted.max(1.0) {
            break;
        }
    }
    all.sum.map(|sum| sum / all.count.max(1.0))
}
