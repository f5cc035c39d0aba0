//! The built-in sketch engine: pictures without a network, for who has no key yet.
//!
//! The walk of one sketch:
//! 1. [`words`] reads the prompt with the lists in `words.toml`: scene, subjects with counts and
//!    colours, hour, season and so on (the lists of [`topic`]). Unknown words count only through their hash.
//! 2. [`plan`] fills the gaps from that hash and decides a composition; the variation moves things,
//!    never the subject. [`light`] turns hour, air and mood into the colours of `light.toml`.
//! 3. [`scene`] paints from far to near on a [`canvas`]: [`sky`], [`land`], [`water`], [`flora`],
//!    and the [`cast`] of [`figure`]s drawn in `figures/*.toml`.
//! 4. [`finish`] turns the painting into a watercolour, an etching, pixels and so on.
//!
//! Nothing reads a clock or the system's randomness: the same sketch is always the same picture.

mod words;
mod topic;
mod plan;
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
#[cfg(test)]
mod tests;

use image::RgbaImage;

use canvas::Canvas;
use plan::Plan;

/// What to draw. Sizes are pixels; 0 draws nothing.
pub(crate) struct Sketch<'a> {
    pub(crate) prompt: &'a str,
    /// A style preset's id; it wins over style words of the prompt.
    pub(crate) style: Option<&'a str>,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Siblings: another composition of the same subject.
    pub(crate) variation: u64,
}

impl Sketch<'_> {
    /// Pure: the same sketch is always the same picture. `progress` gets `0.0..=1.0` between passes
    /// and answers `None` to stop; then, and for a size that cannot be held, the result is `None`.
    pub(crate) fn draw(&self, progress: &mut dyn FnMut(f32) -> Option<()>) -> Option<RgbaImage> {
        progress(0.0)?;
        let plan = Plan::new(self.prompt, self.style, self.variation);
        let mut canvas = Canvas::new(self.width, self.height)?;
        let passes = scene::passes(plan.scene);
        for (done, pass) in passes.iter().enumerate() {
            pass(&mut canvas, &plan);
            progress(0.6 * (done + 1) as f32 / passes.len() as f32)?;
        }
        let picture = finish::apply(canvas.into_image()?, &plan, progress)?;
        progress(1.0)?;
        Some(picture)
    }
}
