//! A small palette for a picture: k-means in OKLab.

use image::RgbaImage;

use super::filter;
use crate::colour::{Lab, Rgb};
use crate::rng::Rng;

const SAMPLES: usize = 3000;
const ROUNDS: usize = 10;

pub(crate) fn of(picture: &RgbaImage, size: usize, rng: &mut Rng) -> Vec<Lab> {
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let samples: Vec<Lab> = (0..SAMPLES)
        .map(|_| Lab::from_rgb(filter::pixel(picture, rng.unit() * w, rng.unit() * h)))
        .collect();
    let mut palette = spread(&samples, size);
    for _ in 0..ROUNDS {
        palette = refine(&samples, &palette);
    }
    palette
}

/// Starts from the samples that lie farthest from each other, so that small accents get a colour too.
fn spread(samples: &[Lab], size: usize) -> Vec<Lab> {
    let mut chosen = vec![samples[0]];
    let mut gaps: Vec<f32> = samples.iter().map(|s| s.distance(samples[0])).collect();
    while chosen.len() < size {
        let widest = (0..samples.len())
            .max_by(|a, b| gaps[*a].total_cmp(&gaps[*b]))
            .unwrap_or(0);
        let next = samples[widest];
        gaps.iter_mut()
            .zip(samples)
            .for_each(|(gap, s)| *gap = gap.min(s.distance(next)));
        chosen.push(next);
    }
    chosen
}

fn refine(samples: &[Lab], palette: &[Lab]) -> Vec<Lab> {
    let mut sums = vec![(Lab::grey(0.0), 0.0f32); palette.len()];
    for s in samples {
        let (sum, count) = &mut sums[nearest(palette, *s)];
        *sum = Lab {
            l: sum.l + s.l,
            a: sum.a + s.a,
            b: sum.b + s.b,
        };
        *count += 1.0;
    }
    let mean = |((sum, n), old): (&(Lab, f32), &Lab)| match *n {
        0.0 => *old,
        n => Lab {
            l: sum.l / n,
            a: sum.a / n,
            b: sum.b / n,
        },
    };
    sums.iter().zip(palette).map(mean).collect()
}

pub(crate) fn nearest(palette: &[Lab], c: Lab) -> usize {
    let by = |a: &usize, b: &usize| palette[*a].distance(c).total_cmp(&palette[*b].distance(c));
    (0..palette.len()).min_by(by).unwrap_or(0)
}

/// The nearest entry for every colour, six bits a channel: a look-up instead of a search per pixel.
pub(crate) struct Table {
    entries: Vec<u8>,
}

impl Table {
    pub(crate) fn new(palette: &[Lab]) -> Self {
        let channel = |i: usize| (i & 63) as f32 * (255.0 / 63.0);
        let entry = |i: usize| {
            let c = Lab::from_rgb([channel(i >> 12), channel(i >> 6), channel(i)]);
            nearest(palette, c) as u8
        };
        Self {
            entries: (0..1 << 18).map(entry).collect(),
        }
    }

    pub(crate) fn find(&self, c: Rgb) -> usize {
        let [r, g, b] = c.map(|v| ((v * (63.0 / 255.0) + 0.5) as usize).min(63));
        usize::from(self.entries[r << 12 | g << 6 | b])
    }
}
