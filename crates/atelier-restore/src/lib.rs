#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

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
mod error;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use image::{GrayImage, RgbImage};

pub use error::Error;
use noise::Noise;
use photo::Photo;
use plane::smoothstep;
use tone::{Ends, Fading};
use toning::Tint;

/// How the steps report the share that is done, and learn that they are to stop.
type Progress<'a> = &'a mut dyn FnMut(f32) -> Result<(), Error>;

/// How a photo is to be restored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How much of what the photo needs is done, 0.0 to 1.0. Marks are repaired completely or, at 0.0,
    /// not at all.
    pub strength: f32,
    /// The result has no colour, not even a tint.
    pub monochrome: bool,
    /// By how much the result is wider and higher than the photo: 1, 2 or 4 times.
    pub enlarge: u32,
}

impl Default for Options {
    /// Everything that the photo needs, in its own size.
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

/// Restores a photo, upright and in sRGB, and returns it `options.enlarge` times as wide and high.
///
/// Between steps `progress` is told the share that is done, rising from 0.0 to 1.0. Its answer continues
/// the work or cancels it.
///
/// # Errors
///
/// [`Error::Cancelled`] if `progress` answers `Break`, [`Error::Enlargement`] if `options.enlarge` is not
/// 1, 2 or 4, or too much for this photo.
///
/// # Examples
///
/// A photo in good condition stays as it is:
///
/// ```
/// use std::ops::ControlFlow;
///
/// use atelier_restore::{Error, Options, restore};
/// use image::{Rgb, RgbImage};
///
/// let photo = RgbImage::from_fn(64, 48, |x, y| Rgb([4 * x as u8, 5 * y as u8, 0]));
/// let restored = restore(photo.clone(), &Options::default(), |_| ControlFlow::Continue(()))?;
/// assert_eq!(restored, photo);
/// # Ok::<(), Error>(())
/// ```
pub fn restore(
    photo: RgbImage,
    options: &Options,
    mut progress: impl FnMut(f32) -> ControlFlow<()>,
) -> Result<RgbImage, Error> {
    options.check(&photo)?;
    step_by_step(photo, options, &mut |done| answer(progress(done)))
}

/// Paints over what is masked from its surroundings and leaves the rest as it is. Of the options
/// `monochrome` and `enlarge` count; `progress` is that of [`restore`].
///
/// The mask is laid over the whole photo, whatever its own size: 255 where the photo is to be repaired,
/// 0 where it is to stay. A mask that covers the whole photo changes nothing.
///
/// # Errors
///
/// As with [`restore`].
///
/// # Examples
///
/// ```
/// use std::ops::ControlFlow;
///
/// use atelier_restore::{Error, Options, inpaint};
/// use image::{GrayImage, Luma, Rgb, RgbImage};
///
/// let clean = RgbImage::from_pixel(40, 40, Rgb([90, 120, 60]));
/// let mut damaged = clean.clone();
/// let mut mask = GrayImage::new(40, 40);
/// for x in 10..30 {
///     damaged.put_pixel(x, 20, Rgb([255; 3]));
///     mask.put_pixel(x, 20, Luma([255]));
/// }
/// let repaired = inpaint(damaged, &mask, &Options::default(), |_| ControlFlow::Continue(()))?;
/// assert_eq!(repaired, clean);
/// # Ok::<(), Error>(())
/// ```
pub fn inpaint(
    mut photo: RgbImage,
    mask: &GrayImage,
    options: &Options,
    mut progress: impl FnMut(f32) -> ControlFlow<()>,
) -> Result<RgbImage, Error> {
    options.check(&photo)?;
    let progress: Progress<'_> = &mut |done| answer(progress(done));
    progress(0.0)?;
    if photo.is_empty() {
        return Ok(photo);
    }
    damage::paint_over(&mut photo, mask);
    progress(0.8)?;
    if options.monochrome {
        let mut planes = Photo::from_rgb(&photo);
        without_colour(&mut planes);
        photo = planes.to_rgb();
    }
    let repaired = enlarged(photo, options.enlarge);
    progress(1.0)?;
    Ok(repaired)
}

const fn answer(answer: ControlFlow<()>) -> Result<(), Error> {
    match answer {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}

impl Options {
    fn check(&self, photo: &RgbImage) -> Result<(), Error> {
        let (width, height) = photo.dimensions();
        let factor = self.enlarge;
        let bytes = || {
            let side = |side: u32| side.checked_mul(factor).map(|side| side as usize);
            side(width)?.checked_mul(side(height)?)?.checked_mul(3)
        };
        if matches!(factor, 1 | 2 | 4) && bytes().is_some() {
            return Ok(());
        }
        Err(Error::Enlargement {
            width,
            height,
            factor,
        })
    }
}

/// The order of the steps matters:
///
/// 1. [`damage`]: scratches, creases and dust are found and painted over. First, because every later
///    step would take them for content: smoothing smears them, and a white scratch would pass for the
///    photo's white.
/// 2. [`denoise`]: grain goes while its strength is still the same everywhere; the steps that follow
///    would amplify it unevenly.
/// 3. [`tone`] and, for monochrome photos, [`toning`]: fading and colour cast. On clean pixels, because
///    black and white are read from the extremes, which is where noise and dust would be.
/// 4. [`contrast`]: local contrast, once the global range is right.
/// 5. [`sharpen`]: last among the corrections, because it would magnify the faults of all others.
/// 6. [`enlarge`]: when asked for, from the finished picture.
///
/// Beside the picture in floating point (four times its size in bytes) a step holds at most one more
/// plane; with the enlarged result the peak stays within six times the decoded photo.
fn step_by_step(
    mut photo: RgbImage,
    options: &Options,
    progress: Progress<'_>,
) -> Result<RgbImage, Error> {
    progress(0.0)?;
    if photo.is_empty() {
        return Ok(photo);
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
    Ok(restored)
}

fn without_colour(photo: &mut Photo) {
    photo.map(|[y, _, _]| [y, 0.0, 0.0]);
}

fn enlarged(photo: RgbImage, times: u32) -> RgbImage {
    (0..times.ilog2()).fold(photo, |photo, _| enlarge::doubled(&photo))
}

fn correct_tones(photo: &mut Photo, ends: &Ends, fading: Fading) {
    if fading.tint > 0.0 {
        let tint = Tint::of(photo);
        tone::correct(photo, ends, fading, tint);
    }
}
