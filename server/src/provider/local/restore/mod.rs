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
use tone::Ends;
use toning::Tint;

/// What a caller may ask for beyond the repair itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Options {
    /// Enlargement factor: 1 or 2. Anything above 2 counts as 2, 0 as 1.
    pub(crate) enlarge: u32,
}

/// Grain of luminance, 8-bit steps, that is usual, and that is a sign of age.
const USUAL_GRAIN: f32 = 2.0;
const OLD_GRAIN: f32 = 4.5;
/// Fewer pixels than this say nothing about fading.
const LEAST_PIXELS: usize = 1024;

/// Restores a photo (sRGB, upright) and returns it in the same size times `options.enlarge`.
///
/// Before each step `progress` is told the share of the work that is done, 0.0 to 1.0; when it answers
/// `None` the work stops and the result is `None`.
pub(crate) fn restore(
    mut photo: RgbImage,
    options: &Options,
    progress: &mut dyn FnMut(f32) -> Option<()>,
) -> Option<RgbImage> {
    progress(0.0)?;
    if photo.is_empty() {
        return Some(photo);
    }
    let marks = damage::repair(&mut photo).wear();
    progress(0.35)?;
    let mut planes = Photo::from_rgb(&photo);
    drop(photo);
    let grain = Noise::of(&planes.luma).level();
    let wear = smoothstep(USUAL_GRAIN, OLD_GRAIN, grain).max(marks);
    let aged = marks.max(fading(&planes, wear));
    denoise::denoise(&mut planes, aged);
    progress(0.75)?;
    let fading = fading(&planes, wear);
    correct_tones(&mut planes, fading);
    progress(0.8)?;
    contrast::lift(&mut planes, fading);
    progress(0.85)?;
    sharpen::sharpen(&mut planes, grain);
    progress(0.95)?;
    let restored = planes.to_rgb();
    drop(planes);
    let restored = if options.enlarge >= 2 {
        enlarge::doubled(&restored)
    } else {
        restored
    };
    progress(1.0)?;
    Some(restored)
}

/// How faded the photo is, 0.0 to 1.0; `wear`: what its other faults say about its age.
fn fading(photo: &Photo, wear: f32) -> f32 {
    if photo.luma.data.len() < LEAST_PIXELS {
        return 0.0;
    }
    Ends::of(photo).fading(wear)
}

fn correct_tones(photo: &mut Photo, fading: f32) {
    if fading > 0.0 {
        let tint = Tint::of(photo);
        let ends = Ends::of(photo);
        tone::correct(photo, &ends, fading, tint.is_some());
        if let Some(tint) = tint {
            tint.apply(photo, fading);
        }
    }
}
