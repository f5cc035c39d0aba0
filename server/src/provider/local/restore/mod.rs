//! The built-in photo restorer: classical image processing, no network, no model.
//!
//! Every step first measures how much of its fault this photo has and does no more than that; a photo in
//! good condition passes through nearly unchanged. The order matters:
//!
//! 1. [`damage`]: scratches, creases and dust are found and painted over. First, because every later
//!    step would take them for content: smoothing smears them, and a white scratch would pass for the
//!    photo's white.
//! 2. [`denoise`]: grain goes while its strength is still the same everywhere; the steps that follow
//!    would amplify it unevenly.
//! 3. [`tone`] and, for monochrome photos, [`toning`]: fading and colour cast. On clean pixels, because
//!    black and white are read from the extremes, which is where noise and dust would be.
//! 4. [`contrast`]: local contrast, once the global range is right.
//! 5. [`sharpen`]: last among the corrections, because it would magnify the faults of all others.
//! 6. [`enlarge`]: when asked for, from the finished picture.
//!
//! Where the visitor has painted over the damage, [`mend`] does nothing but close that.
//!
//! Beside the picture in floating point (four times its size in bytes) a step holds one more plane at
//! most; with the enlarged result the peak stays within six times the decoded photo.

mod damage;
mod noise;
mod denoise;
mod tone;
mod toning;
mod contrast;
mod sharpen;
mod enlarge;
mod photo;
mod plane;
mod dct;
#[cfg(test)]
mod tests;

use image::RgbImage;
use noise::Noise;
use photo::Photo;
use plane::smoothstep;
use tone::{Ends, Fading};
use toning::Tint;

use crate::photo::Mask;

/// How a photo is to be restored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How much of what the photo needs is done, 0.0 to 1.0. Marks are repaired wholly or, at 0.0, not.
    pub strength: f32,
    /// The result has no colour, tint included.
    pub monochrome: bool,
    /// Enlargement factor: 1, 2 or 4.
    pub enlarge: u32,
}

impl Default for Options {
    /// All that the photo needs, in its own size.
    fn default() -> Self {
        Self {
            strength: 1.0,
            monochrome: false,
            enlarge: 1,
        }
    }
}

/// Grain of luminance, 8-bit steps, that is usual, and that is a sign of age.
const USUAL_GRAIN: f32 = 2.0;
const OLD_GRAIN: f32 = 4.5;

/// Restores a photo (sRGB, upright) and returns it in the same size times `options.enlarge`.
///
/// Before each step `progress` is told the share of the work that is done, 0.0 to 1.0; when it answers
/// `None` the work stops and the result is `None`.
pub fn restore(
    mut photo: RgbImage,
    options: &Options,
    progress: &mut dyn FnMut(f32) -> Option<()>,
) -> Option<RgbImage> {
    progress(0.0)?;
    if photo.is_empty() {
        return Some(photo);
    }
    let strength = options.strength.clamp(0.0, 1.0);
    let marks = if strength > 0.0 {
        damage::repair(&mut photo).wear()
    } else {
        0.0
    };
    progress(0.35)?;
    let mut planes = Photo::from_rgb(&photo);
    drop(photo);
    let grain = Noise::of(&planes.luma).level();
    let wear = smoothstep(USUAL_GRAIN, OLD_GRAIN, grain).max(marks);
    let aged = marks.max(Ends::of(&planes).fading(wear).tint);
    denoise::denoise(&mut planes, aged, strength);
    progress(0.75)?;
    let ends = Ends::of(&planes);
    let fading = ends.fading(wear).scaled(strength);
    correct_tones(&mut planes, &ends, fading);
    progress(0.8)?;
    contrast::lift(&mut planes, fading.tone);
    progress(0.85)?;
    sharpen::sharpen(&mut planes, grain, strength);
    if options.monochrome {
        without_colour(&mut planes);
    }
    progress(0.95)?;
    let restored = planes.to_rgb();
    drop(planes);
    let restored = enlarged(restored, options.enlarge);
    progress(1.0)?;
    Some(restored)
}

/// Paints over what is masked from its surroundings, and leaves the rest as it is; colour and size as
/// with [`restore`], whose `progress` this is, too.
pub(super) fn mend(
    mut photo: RgbImage,
    mask: &Mask,
    options: &Options,
    progress: &mut dyn FnMut(f32) -> Option<()>,
) -> Option<RgbImage> {
    progress(0.0)?;
    damage::paint_over(&mut photo, mask);
    progress(0.8)?;
    if options.monochrome {
        let mut planes = Photo::from_rgb(&photo);
        without_colour(&mut planes);
        photo = planes.to_rgb();
    }
    let mended = enlarged(photo, options.enlarge);
    progress(1.0)?;
    Some(mended)
}

fn without_colour(photo: &mut Photo) {
    photo.map(|[y, _, _]| [y, 0.0, 0.0]);
}

fn enlarged(photo: RgbImage, times: u32) -> RgbImage {
    (0..times.max(1).ilog2()).fold(photo, |photo, _| enlarge::doubled(&photo))
}

fn correct_tones(photo: &mut Photo, ends: &Ends, fading: Fading) {
    if fading.tint > 0.0 {
        let tint = Tint::of(photo);
        tone::correct(photo, ends, fading, tint.is_some());
        if let Some(tint) = tint {
            tint.apply(photo, fading.tint);
        }
    }
}
