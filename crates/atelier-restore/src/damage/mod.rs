//! Finds scratches, creases, dust and lint, and paints them over.
//!
//! Everything here is told from the subject by how it differs from its own neighbourhood: the photo is
//! compared with its local median, and the difference is measured in units of what is usual around it.

mod bar;
mod dust;
mod inpaint;
mod lines;
mod mask;
mod profile;
mod residual;
mod scratches;
mod wide;

use crate::noise::Noise;
use crate::plane::{Plane, lerp, quantile, smoothstep};
use image::{
    GrayImage, RgbImage,
    imageops::{self, FilterType},
};
use mask::Mask;
use residual::Residual;

/// Fewer specks than this, and no scratch, are rather glints, stars or buttons than dust.
const FEW: usize = 6;

/// More specks than this on a megapixel are stars, snow or gravel: in a sound photo, in an aged one.
const MOST_DENSE: (f32, f32) = (150.0, 600.0);

/// Least side, in pixels, of a picture in which marks can be told from the subject.
const LEAST_SIDE: u32 = 48;

/// How far from a crease, in pixels, its shadow ends.
const SHADOW: usize = 3;

/// What was wrong with a photo.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Damage {
    pub(super) scratches: usize,
    pub(super) specks: usize,
    /// How aged the photo looks apart from these marks, 0.0 to 1.0.
    suspicion: f32,
}

impl Damage {
    /// How sure the marks make it that the photo has aged: 0.0 to 1.0.
    pub(super) fn wear(&self) -> f32 {
        let marks = self.scratches as f32 / 3.0 + self.specks as f32 / 20.0;
        self.suspicion * smoothstep(0.0, 1.0, marks)
    }

    fn is_none(&self) -> bool {
        self.scratches == 0 && self.specks < FEW
    }
}

/// Repairs a photo in place and returns what was found.
pub(super) fn repair(photo: &mut RgbImage) -> Damage {
    if photo.width().min(photo.height()) < LEAST_SIDE {
        return Damage::default();
    }
    let (damage, mask) = find(photo);
    if damage.is_none() {
        return Damage::default();
    }
    inpaint::inpaint(photo, &mask);
    if damage.scratches > 0 {
        // A crease's shadow stands alone, and is found, only now that the crease is gone.
        let mut shadow = find(photo).1;
        shadow.keep(&mask.grown_by(SHADOW));
        inpaint::inpaint(photo, &shadow);
    }
    damage
}

/// Paints over what somebody has marked: 128 and more, once the marks have the photo's size.
pub(super) fn paint_over(photo: &mut RgbImage, marks: &GrayImage) {
    let (width, height) = photo.dimensions();
    let marks = imageops::resize(marks, width, height, FilterType::Triangle);
    let mask = Mask {
        width: width as usize,
        height: height as usize,
        data: marks.iter().map(|share| *share >= 128).collect(),
    };
    drop(marks);
    inpaint::inpaint(photo, &mask);
}

/// The damage and the pixels it covers.
fn find(photo: &RgbImage) -> (Damage, Mask) {
    let residual = Residual::of(photo);
    let smaller = wide::smaller(photo, &residual);
    let suspicion = suspicion(&residual, smaller.first());
    let mut mask = Mask::new(residual.width, residual.height);
    let scratches = wide::mark(&smaller, &residual, suspicion, &mut mask)
        + scratches::mark(&residual, suspicion, &mut mask);
    let dust = dust::find(&residual, suspicion, &mask);
    let per_megapixel = dust.len() as f32 * 1.0e6 / residual.steps.len() as f32;
    let too_many = per_megapixel > lerp(MOST_DENSE.0, MOST_DENSE.1, suspicion);
    let specks = if too_many { 0 } else { dust.len() };
    dust.iter()
        .take(specks)
        .flatten()
        .for_each(|pixel| mask.data[*pixel] = true);
    // One pixel around, for the soft rim that scaling and JPEG leave.
    let mask = mask.grown_by(1).enlarged(
        residual.scale,
        photo.width() as usize,
        photo.height() as usize,
    );
    (
        Damage {
            scratches,
            specks,
            suspicion,
        },
        mask,
    )
}

/// How aged the photo looks apart from marks, 0.0 to 1.0: grain together with blacks that are none.
/// Where a pixel is much darker than its surroundings, near or, in a `smaller` photo, farther ones, which
/// dark marks are, the median counts instead.
fn suspicion(residual: &Residual, smaller: Option<&Residual>) -> f32 {
    let mut grey = Plane::new(residual.width, residual.height);
    let values = residual.grey.as_raw().iter().map(|value| f32::from(*value));
    grey.data
        .iter_mut()
        .zip(values)
        .for_each(|(g, value)| *g = value);
    let grain = smoothstep(1.8, 3.8, Noise::of(&grey).level());
    let dark = smaller.map(|small| (small, small.dark().grown_by(1)));
    for (i, value) in grey.data.iter_mut().enumerate() {
        let wide = dark.as_ref().and_then(|(small, dark)| {
            let index = small.index_in(residual, i);
            dark.data[index].then(|| small.ground(index))
        });
        if let Some(ground) = wide {
            *value = value.max(ground);
        } else if residual.is_dark(i) {
            *value = residual.ground(i);
        }
    }
    let faded = smoothstep(14.0, 28.0, quantile(&mut grey.data, 0.005));
    grain.min(faded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{aged, scene, scratched};

    #[test]
    fn finds_scratches_where_they_were_drawn() {
        let clean = aged(&scene());
        let (damaged, drawn) = scratched(&clean);
        let (damage, mask) = find(&damaged);
        let hits = drawn.iter().filter(|i| mask.data[**i]).count();
        let width = mask.width;
        let near = |i: usize| {
            drawn.iter().any(|d| {
                (i % width)
                    .abs_diff(d % width)
                    .max((i / width).abs_diff(d / width))
                    <= 3
            })
        };
        let strays = (0..mask.data.len())
            .filter(|i| mask.data[*i] && !near(*i))
            .count();
        assert!(damage.scratches >= 2, "{damage:?}");
        assert!(hits * 10 >= drawn.len() * 8, "{hits} of {}", drawn.len());
        assert!(strays * 4 <= drawn.len(), "{strays} pixels are no scratch");
    }

    #[test]
    fn finds_nothing_in_a_sound_picture_with_texture_and_lines() {
        assert!(find(&scene()).0.is_none());
    }

    #[test]
    fn a_hole_on_an_even_ground_closes_without_a_trace() {
        let mut picture = RgbImage::from_pixel(20, 20, image::Rgb([90, 120, 60]));
        let mut mask = Mask::new(20, 20);
        for i in 150..155 {
            mask.data[i] = true;
            picture.put_pixel(i as u32 % 20, i as u32 / 20, image::Rgb([255; 3]));
        }
        inpaint::inpaint(&mut picture, &mask);
        assert!(picture.pixels().all(|p| *p == image::Rgb([90, 120, 60])));
    }
}
