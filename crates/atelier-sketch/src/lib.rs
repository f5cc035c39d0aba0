#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod spelling;
mod words;
mod lexicon;
mod part;
mod topic;
mod plan;
mod left_out;
mod light;
mod scene;
mod sky;
mod land;
mod water;
mod flora;
mod cast;
mod figure;
mod finish;
mod canvas;
mod pen;
mod colour;
mod noise;
mod rng;
mod error;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use image::RgbaImage;

use canvas::Canvas;
pub use error::{Error, UnknownStyle};
use plan::Plan;
pub use topic::Style;

/// How the passes report the share that is done, and learn that they are to stop.
type Progress<'a> = &'a mut dyn FnMut(f32) -> Result<(), Error>;

/// What to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sketch<'a> {
    /// In English or German. Case and white space do not matter, and the words that follow the first 600 only
    /// decide between pictures that fit the first.
    pub prompt: &'a str,
    /// Takes precedence over words of style in the prompt. `None`: what the prompt says, else
    /// [`Style::Gouache`].
    pub style: Option<Style>,
    /// Pixels, at least 1.
    pub width: u32,
    /// Pixels, at least 1.
    pub height: u32,
    /// Each number gives another composition of the same subject.
    pub variation: u64,
}

impl<'a> Sketch<'a> {
    /// A sketch in the style that the prompt names, if it names one, of `width` x `height` pixels.
    #[must_use]
    pub const fn new(prompt: &'a str, width: u32, height: u32) -> Self {
        Self {
            prompt,
            style: None,
            width,
            height,
            variation: 0,
        }
    }

    /// Draws the picture; all of it is opaque. The same sketch is always the same picture.
    ///
    /// Between passes `progress` is told the share that is done, rising from 0.0 to 1.0. Its answer
    /// continues the work or cancels it.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] if `progress` answers `Break`, [`Error::Size`] if a side is 0 or the
    /// picture is larger than can be addressed.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// use atelier_sketch::{Error, Sketch};
    ///
    /// let sketch = Sketch::new("a village in winter", 64, 64);
    /// let picture = sketch.draw(|_| ControlFlow::Continue(()))?;
    /// assert_eq!(picture, sketch.draw(|_| ControlFlow::Continue(()))?);
    ///
    /// let cancelled = sketch.draw(|_| ControlFlow::Break(()));
    /// assert_eq!(cancelled, Err(Error::Cancelled));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn draw(
        &self,
        mut progress: impl FnMut(f32) -> ControlFlow<()>,
    ) -> Result<RgbaImage, Error> {
        self.pass_by_pass(&mut |done| match progress(done) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        })
    }

    /// The words of the prompt that name a thing, a colour or an attribute that the picture does not
    /// show, in their order and at most twelve. What nobody looks for in a picture (moods, hours,
    /// manners of painting) is not among them.
    ///
    /// # Examples
    ///
    /// ```
    /// use atelier_sketch::Sketch;
    ///
    /// let sketch = Sketch::new("a bowl of lemons on a blue table", 64, 64);
    /// assert_eq!(sketch.left_out(), ["bowl"]);
    /// ```
    #[must_use]
    pub fn left_out(&self) -> Vec<String> {
        Plan::new(self.prompt, self.style, self.variation).left_out()
    }

    /// 1. [`words`] reads the prompt with the lists of its language (`words/*.toml`, in [`lexicon`]):
    ///    scene, subjects with counts and colours, parts of the scene, hour, season and so on (the
    ///    lists of [`topic`] and [`part`]). Unknown words count only through their hash.
    /// 2. [`plan`] fills the gaps from that hash and decides a composition; the variation moves things,
    ///    never the subject. [`light`] turns hour, air and mood into the colours of `light.toml`.
    /// 3. [`scene`] paints from far to near on a [`canvas`]: [`sky`], [`land`], [`water`], [`flora`],
    ///    and the [`cast`] of [`figure`]s drawn in `figures/*.toml`.
    /// 4. [`finish`] turns the painting into a watercolour, an etching, pixels and so on.
    ///
    /// Nothing reads a clock or the system's randomness.
    fn pass_by_pass(&self, progress: Progress<'_>) -> Result<RgbaImage, Error> {
        progress(0.0)?;
        let plan = Plan::new(self.prompt, self.style, self.variation);
        let mut canvas = Canvas::new(self.width, self.height).ok_or(self.unfit())?;
        let passes = scene::passes(plan.scene);
        for (done, pass) in passes.iter().enumerate() {
            pass(&mut canvas, &plan);
            progress(0.6 * (done + 1) as f32 / passes.len() as f32)?;
        }
        let painting = canvas.into_image().ok_or(self.unfit())?;
        let picture = finish::apply(painting, &plan, progress)?;
        progress(1.0)?;
        Ok(picture)
    }

    const fn unfit(&self) -> Error {
        Error::Size {
            width: self.width,
            height: self.height,
        }
    }
}
