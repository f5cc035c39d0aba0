//! The built-in engines, the default without a key: [`atelier_sketch`] for
//! pictures, [`atelier_restore`] for photos. No network, no AI.

use std::{io::Cursor, ops::ControlFlow, time::Duration};

use async_trait::async_trait;
use atelier_api::Kind;
use atelier_restore::Options;
use atelier_sketch::Sketch;
use bytes::Bytes;
use image::{ExtendedColorType, RgbImage};
use tokio::task::spawn_blocking;

use super::{Answer, Error, Offers, Progress, Provider, Work};
use crate::{
    job::{ImageTask, Request, RestorationTask, Task},
    photo,
};

/// The built-in engine.
#[derive(Debug, Default)]
pub struct Local;

/// The width and height of a picture whose size is `auto`.
const AUTO: u32 = 1024;

/// The longer sides of the successive previews, which together take a twelfth of the picture's time.
const PREVIEWS: [u32; 2] = [96, 288];

#[async_trait]
impl Provider for Local {
    fn name(&self) -> &str {
        "local"
    }

    fn offers(&self, _: &str) -> Offers {
        Offers {
            masks: true,
            backgrounds: false,
            edits: false,
            photos: true,
            enlarges: true,
            strengths: true,
        }
    }

    fn typical(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Image => Duration::from_secs(1),
            Kind::Restoration => Duration::from_secs(3),
        }
    }

    /// Local computing is free.
    fn estimate(&self, _: &str, _: Work<'_>) -> f64 {
        0.0
    }

    async fn make(
        &self,
        request: &Request,
        pictures: Vec<Bytes>,
        progress: Progress,
    ) -> Result<Answer, Error> {
        let original = pictures.into_iter().next();
        let (task, variation) = (request.task.clone(), request.variation);
        spawn_blocking(move || match (task, original) {
            (Task::Image(task), source) => match (task.enlarge, source) {
                (None, _) => draw(&task, variation, &progress),
                (Some(times), Some(source)) => enlarge(times, &source, &progress),
                (Some(_), None) => Err(Error::photo_lost()),
            },
            (Task::Restoration(task), Some(original)) => restore(&task, &original, &progress),
            (Task::Restoration(_), None) => Err(Error::photo_lost()),
            (Task::Notice(_) | Task::Call(_) | Task::Message(_), _) => Err(Error::no_picture()),
        })
        .await
        .map_err(|_| {
            Error::last(
                "engine_failed",
                "The built-in engine failed on this request.",
            )
        })?
    }
}

fn draw(task: &ImageTask, variation: u64, progress: &Progress) -> Result<Answer, Error> {
    let (width, height) = task.size.sides().unwrap_or((AUTO, AUTO));
    // The engine has no style of the operator's, but reads its words.
    let prompt = match &task.style_words {
        Some(words) => format!("{}, {words}", task.prompt),
        None => task.prompt.clone(),
    };
    let sketch = |index: u32| Sketch {
        prompt: &prompt,
        style: task.style.as_deref().and_then(|id| id.parse().ok()),
        width,
        height,
        variation: variation.wrapping_add(u64::from(index)),
    };
    for side in PREVIEWS {
        show_preview(sketch(0), side, progress)?;
    }
    let pictures = (0..task.n).map(|index| {
        let done = |fraction: f32| (index as f32 + fraction) / task.n as f32;
        painted(&sketch(index), |fraction| progress.report(done(fraction)))
    });
    Ok(Answer {
        left_out: sketch(0).left_out(),
        ..Answer::of(pictures.collect::<Result<_, _>>()?, None)
    })
}

/// Shows a small first picture before the long work.
fn show_preview(mut sketch: Sketch<'_>, side: u32, progress: &Progress) -> Result<(), Error> {
    let long = sketch.width.max(sketch.height);
    sketch.width = sketch.width * side / long;
    sketch.height = sketch.height * side / long;
    let preview = painted(&sketch, |_| progress.report(0.0))?;
    progress.show(preview).ok_or_else(stopped)
}

fn painted(sketch: &Sketch<'_>, report: impl Fn(f32) -> Option<()>) -> Result<Bytes, Error> {
    let picture = sketch.draw(|done| answer(report(done)))?;
    png(
        picture.as_raw(),
        picture.dimensions(),
        ExtendedColorType::Rgba8,
    )
}

fn decoded(original: &[u8]) -> Result<RgbImage, Error> {
    let unreadable = |_| Error::last("photo_lost", "The photo cannot be read any more.");
    photo::decode(Cursor::new(original), u64::MAX).map_err(unreadable)
}

/// The picture in its own colours, without any repair, so many times as wide and high.
fn enlarge(times: u32, source: &[u8], progress: &Progress) -> Result<Answer, Error> {
    let options = Options {
        strength: 0.0,
        monochrome: false,
        enlarge: times,
    };
    let report = |done| answer(progress.report(done));
    let enlarged = atelier_restore::restore(decoded(source)?, &options, report)?;
    let (sides, color) = (enlarged.dimensions(), ExtendedColorType::Rgb8);
    let picture = png(enlarged.as_raw(), sides, color)?;
    Ok(Answer::of(vec![picture], None))
}

fn restore(task: &RestorationTask, original: &[u8], progress: &Progress) -> Result<Answer, Error> {
    let photo = decoded(original)?;
    let options = Options {
        // What was repaired before is not repaired again.
        strength: match task.base {
            Some(_) => 0.0,
            None => f32::from(task.strength) / 100.0,
        },
        monochrome: task.monochrome,
        enlarge: task.times(),
    };
    let report = |done| answer(progress.report(done));
    let restored = match task.mask() {
        Some(mask) => atelier_restore::inpaint(photo, mask.as_gray(), &options, report),
        None => atelier_restore::restore(photo, &options, report),
    }?;
    let bytes = photo::encode_original(&restored).map_err(|_| unencodable())?;
    Ok(Answer::of(vec![bytes.into()], None))
}

fn answer(waiting: Option<()>) -> ControlFlow<()> {
    waiting.map_or(ControlFlow::Break(()), ControlFlow::Continue)
}

impl From<atelier_sketch::Error> for Error {
    fn from(error: atelier_sketch::Error) -> Self {
        match error {
            atelier_sketch::Error::Cancelled => stopped(),
            error => impossible(&error),
        }
    }
}

impl From<atelier_restore::Error> for Error {
    fn from(error: atelier_restore::Error) -> Self {
        match error {
            atelier_restore::Error::Cancelled => stopped(),
            error => impossible(&error),
        }
    }
}

fn png(
    pixels: &[u8],
    (width, height): (u32, u32),
    color: ExtendedColorType,
) -> Result<Bytes, Error> {
    photo::encode_png(pixels, width, height, color)
        .map(Into::into)
        .map_err(|_| unencodable())
}

fn unencodable() -> Error {
    Error::last("engine_failed", "The picture could not be encoded.")
}

/// The engine cannot make what was requested.
fn impossible(error: &dyn std::error::Error) -> Error {
    Error::last(
        "engine_failed",
        format!("The built-in engine failed: {error}."),
    )
}

/// The call was dropped; nobody reads this error.
fn stopped() -> Error {
    Error::passing("stopped", "The work was stopped.")
}
