//! Photos on their way to a model that redraws whole canvases, and back.

use std::io::Cursor;

use bytes::Bytes;
use image::{
    ExtendedColorType, RgbImage,
    imageops::{self, FilterType},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{Answer, Error, frame::Frame};
use crate::photo::{self, Mask};

/// Prepares photos, one at a time: a large one takes some hundred megabytes.
pub(super) struct Bench(Semaphore);

/// A photo, ready to be sent.
pub(super) struct Laid {
    frame: Frame,
    original: Bytes,
    wanted: Option<Mask>,
    /// The canvas with the photo, a JPEG.
    pub(super) photo: Bytes,
    /// The mask on the same canvas, a PNG that is transparent where the model may draw.
    pub(super) mask: Option<Bytes>,
}

impl Default for Bench {
    fn default() -> Self {
        Self(Semaphore::new(1))
    }
}

impl Bench {
    /// Lays the photo out on a canvas that the model can draw, with the mask of what is wanted alone.
    pub(super) async fn lay_out(
        &self,
        wanted: Option<Mask>,
        frame: Frame,
        original: Bytes,
    ) -> Result<Laid, Error> {
        let laid = self.aside(move || {
            let photo = photo::decode(Cursor::new(original.clone()), u64::MAX).ok()?;
            let photo = photo::encode_original(&frame.laid_out(&photo)).ok()?;
            let mask = wanted.as_ref().map(|mask| frame.laid_out_mask(mask));
            Some(Laid {
                frame,
                original,
                photo: photo.into(),
                mask: mask.transpose().ok()?.map(Bytes::from),
                wanted,
            })
        });
        laid.await?.ok_or_else(Error::photo_lost)
    }

    /// Lays a picture out in the middle of what it is to become, and that on a canvas: the rest is the model's to draw.
    pub(super) async fn lay_in_the_middle(
        &self,
        sides: (u32, u32),
        frame: Frame,
        picture: Bytes,
    ) -> Result<Laid, Error> {
        let larger = self.aside(move || {
            let picture = photo::decode(Cursor::new(picture), u64::MAX).ok()?;
            let larger = in_the_middle(&picture, sides);
            let png = photo::encode_png(&larger, sides.0, sides.1, ExtendedColorType::Rgb8).ok()?;
            Some((Mask::around(picture.dimensions(), sides), png.into()))
        });
        let (mask, larger) = larger.await?.ok_or_else(Error::photo_lost)?;
        self.lay_out(Some(mask), frame, larger).await
    }

    /// Cuts the photo out of each result, and keeps the original outside of its mask.
    ///
    /// # Errors
    /// With the cost of the answer, which is lost then.
    pub(super) async fn finish(&self, laid: Laid, mut answer: Answer) -> Result<Answer, Error> {
        let pictures = std::mem::take(&mut answer.pictures);
        let finish = move |picture| {
            let picture = laid.frame.cut_out(picture);
            let blended =
                (laid.wanted.as_ref()).and_then(|mask| put_into(&laid.original, mask, &picture));
            // Unreadable results are refused later, with all others.
            blended.unwrap_or(picture)
        };
        let finished = self.aside(move || pictures.into_iter().map(finish).collect());
        answer.pictures =
            (finished.await).map_err(|error| error.lost().charged(answer.cost_usd))?;
        Ok(answer)
    }

    /// Runs work on pixels on a blocking thread.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let failed = || Error::last("engine_failed", "The photo could not be prepared.");
        let permit = self.0.acquire().await.map_err(|_| failed())?;
        let done = spawn_blocking(work).await.map_err(|_| failed());
        drop(permit);
        done
    }
}

/// The picture as it is, surrounded by its own colours.
fn in_the_middle(picture: &RgbImage, (width, height): (u32, u32)) -> RgbImage {
    let colours = imageops::thumbnail(picture, HINT, HINT);
    let mut larger = imageops::resize(&colours, width, height, FilterType::Triangle);
    let middle = |outer: u32, inner: u32| i64::from(outer.saturating_sub(inner) / 2);
    let (left, top) = (
        middle(width, picture.width()),
        middle(height, picture.height()),
    );
    imageops::replace(&mut larger, picture, left, top);
    larger
}

/// Pixels to a side of the colours around a picture: no shapes, which a model would keep.
const HINT: u32 = 8;

/// Combines the original photo with the masked parts of the result: models treat a mask as a hint only and
/// redraw the rest as well. `None` if either cannot be read.
fn put_into(original: &[u8], mask: &Mask, answer: &[u8]) -> Option<Bytes> {
    let answer = image::load_from_memory(answer).ok()?.into_rgb8();
    let mut photo = photo::decode(Cursor::new(original), u64::MAX).ok()?;
    mask.blend(&mut photo, &answer);
    photo::encode_original(&photo).ok().map(Bytes::from)
}
