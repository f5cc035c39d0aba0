//! Finds scratches, creases, dust and lint, and paints them over.
//!
//! Everything here is told from the subject by how it differs from its own neighbourhood: the photo is
//! compared with its local median, and the difference is measured in units of what is usual around it.

mod dust;
mod inpaint;
mod mask;
mod residual;
mod scratches;

use super::noise::Noise;
use super::plane::{Plane, lerp, quantile, smoothstep};
use image::RgbImage;
use mask::Mask;
use residual::Residual;

/// Fewer specks than this, and no scratch, are rather glints, stars or buttons than dust.
const FEW: usize = 6;

/// More specks than this on a megapixel are stars, snow or gravel: in a sound photo, in an aged one.
const MOST_DENSE: (f32, f32) = (150.0, 600.0);

/// What was wrong with a photo.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Damage {
    pub scratches: usize,
    pub specks: usize,
    /// How aged the photo looks apart from these marks, 0.0 to 1.0.
    suspicion: f32,
}

impl Damage {
    /// How sure the marks make it that the photo has aged: 0.0 to 1.0.
    pub fn wear(&self) -> f32 {
        let marks = self.scratches as f32 / 3.0 + self.specks as f32 / 20.0;
        self.suspicion * smoothstep(0.0, 1.0, marks)
    }

    fn is_none(&self) -> bool {
        self.scratches == 0 && self.specks < FEW
    }
}

/// Repairs a photo in place and returns what was found.
pub fn repair(photo: &mut RgbImage) -> Damage {
    let (damage, mask) = find(photo);
    if damage.is_none() {
        return Damage::default();
    }
    inpaint::inpaint(photo, &mask);
    damage
}

/// The damage and the pixels it covers.
fn find(photo: &RgbImage) -> (Damage, Mask) {
    let residual = Residual::of(photo);
    let suspicion = suspicion(&residual);
    let mut mask = Mask::new(residual.width, residual.height);
    let scratches = scratches::mark(&residual, suspicion, &mut mask);
    let dust = dust::find(&residual, suspicion, &mask);
    let per_megapixel = dust.len() as f32 * 1.0e6 / residual.steps.len() as f32;
    let too_many = per_megapixel > lerp(MOST_DENSE.0, MOST_DENSE.1, suspicion);
    let specks = if too_many { 0 } else { dust.len() };
    dust.iter().take(specks).flatten().for_each(|pixel| mask.data[*pixel] = true);
    // One pixel around, for the soft rim that scaling and JPEG leave.
    let mask =
        mask.grown().enlarged(residual.scale, photo.width() as usize, photo.height() as usize);
    (Damage { scratches, specks, suspicion }, mask)
}

/// How aged the photo looks apart from marks, 0.0 to 1.0: grain together with blacks that are none.
fn suspicion(residual: &Residual) -> f32 {
    let mut grey = Plane::new(residual.width, residual.height);
    grey.data.iter_mut().zip(residual.grey.as_raw()).for_each(|(g, v)| *g = f32::from(*v));
    let grain = smoothstep(1.8, 3.8, Noise::of(&grey).level());
    let faded = smoothstep(13.0, 27.0, quantile(&mut grey.data, 0.005));
    (grain * faded).sqrt()
}
// DEV
pub fn dev(photo: &RgbImage) -> Vec<bool> { let (d, m) = find(photo); if d.is_none() { vec![false; m.data.len()] } else { m.data } }
