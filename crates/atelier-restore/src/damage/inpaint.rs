//! Fills marked pixels from their surroundings by fast marching (Telea, "An image inpainting technique
//! based on the fast marching method", 2004): from the rim inwards, each pixel the mean of the known
//! ones near it, weighted by direction, distance and level.

use super::mask::Mask;
use image::{Rgb, RgbImage};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Pixels up to this far away contribute.
const RADIUS: isize = 4;
/// Arrival time of what the front has not reached.
const NEVER: f32 = 1.0e6;

/// Fills the masked pixels of a picture of the mask's size; an all-covering mask leaves it as it is.
pub(super) fn inpaint(picture: &mut RgbImage, mask: &Mask) {
    let mut front = Front::around(mask);
    while let Some(Arrival { index, .. }) = front.heap.pop() {
        for near in front.beside(index) {
            if !front.known[near] {
                front.time[near] = front.arrival(near);
                let colour = front.estimate(picture, near);
                let (x, y) = front.place(near);
                picture.put_pixel(x as u32, y as u32, colour);
                front.known[near] = true;
                front.heap.push(Arrival {
                    time: front.time[near],
                    index: near,
                });
            }
        }
    }
}

/// A pixel of the front, earliest first out of the heap.
#[derive(PartialEq)]
struct Arrival {
    time: f32,
    index: usize,
}

impl Eq for Arrival {}

impl Ord for Arrival {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .time
            .total_cmp(&self.time)
            .then(other.index.cmp(&self.index))
    }
}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The moving border between known and unknown pixels.
struct Front {
    width: isize,
    height: isize,
    time: Vec<f32>,
    known: Vec<bool>,
    heap: BinaryHeap<Arrival>,
}

impl Front {
    fn around(mask: &Mask) -> Self {
        let known: Vec<bool> = mask.data.iter().map(|set| !set).collect();
        let time = known
            .iter()
            .map(|known| if *known { 0.0 } else { NEVER })
            .collect();
        let (width, height) = (mask.width as isize, mask.height as isize);
        let mut front = Self {
            width,
            height,
            time,
            known,
            heap: BinaryHeap::new(),
        };
        let rim = (0..mask.data.len())
            .filter(|i| front.known[*i] && front.beside(*i).any(|n| !front.known[n]));
        front.heap = rim.map(|index| Arrival { time: 0.0, index }).collect();
        front
    }

    fn place(&self, index: usize) -> (isize, isize) {
        (index as isize % self.width, index as isize / self.width)
    }

    fn index(&self, x: isize, y: isize) -> Option<usize> {
        let inside = (0..self.width).contains(&x) && (0..self.height).contains(&y);
        inside.then_some((y * self.width + x) as usize)
    }

    /// The up to four pixels that share a side with one.
    fn beside(&self, index: usize) -> impl Iterator<Item = usize> + use<> {
        let (x, y) = self.place(index);
        let near = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
        near.map(|(x, y)| self.index(x, y)).into_iter().flatten()
    }

    fn time_at(&self, x: isize, y: isize) -> f32 {
        self.index(x, y)
            .map_or(NEVER, |i| if self.known[i] { self.time[i] } else { NEVER })
    }

    /// Solves the eikonal equation |grad T| = 1 from the earlier neighbour on each axis.
    fn arrival(&self, index: usize) -> f32 {
        let (x, y) = self.place(index);
        let across = self.time_at(x - 1, y).min(self.time_at(x + 1, y));
        let along = self.time_at(x, y - 1).min(self.time_at(x, y + 1));
        let difference = (across - along).abs();
        if difference >= 1.0 {
            return across.min(along) + 1.0;
        }
        0.5 * (across + along + (2.0 - difference * difference).sqrt())
    }

    /// Direction in which the front moves at a pixel, not normalised.
    fn normal(&self, index: usize) -> (f32, f32) {
        let (x, y) = self.place(index);
        let here = self.time[index];
        let slope = |before: f32, after: f32| match (before < NEVER, after < NEVER) {
            (true, true) => 0.5 * (after - before),
            (true, false) => here - before,
            (false, true) => after - here,
            (false, false) => 0.0,
        };
        (
            slope(self.time_at(x - 1, y), self.time_at(x + 1, y)),
            slope(self.time_at(x, y - 1), self.time_at(x, y + 1)),
        )
    }

    /// The weighted mean of the known pixels around.
    fn estimate(&self, picture: &RgbImage, index: usize) -> Rgb<u8> {
        let (x, y) = self.place(index);
        let normal = self.normal(index);
        let (mut sum, mut total) = ([0.0; 3], 0.0);
        for dy in -RADIUS..=RADIUS {
            for dx in -RADIUS..=RADIUS {
                let near = self.index(x + dx, y + dy).filter(|near| self.known[*near]);
                if let Some(near) = near.filter(|_| dx * dx + dy * dy <= RADIUS * RADIUS) {
                    let weight = weight(
                        (dx as f32, dy as f32),
                        normal,
                        self.time[index] - self.time[near],
                    );
                    let colour = picture.get_pixel((x + dx) as u32, (y + dy) as u32);
                    sum = std::array::from_fn(|c| sum[c] + weight * f32::from(colour[c]));
                    total += weight;
                }
            }
        }
        Rgb(sum.map(|s| (s / total + 0.5) as u8))
    }
}

/// Near pixels, those straight behind the front and those at the same level weigh most.
fn weight((dx, dy): (f32, f32), normal: (f32, f32), level: f32) -> f32 {
    let square = dx * dx + dy * dy;
    let along = (dx * normal.0 + dy * normal.1).abs() / square.sqrt();
    along.max(1.0e-3) / (square * (1.0 + level.abs()))
}
