//! Value noise and its fractal sums: clouds, rock, paper and the wobble of a hand.

/// A field of smooth noise in `0.0..=1.0` over the whole plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise(u32);

impl Noise {
    pub(crate) fn new(seed: u32) -> Self {
        Self(seed)
    }

    fn lattice(self, x: i32, y: i32) -> f32 {
        let mut h = (x as u32).wrapping_mul(0x27d4_eb2d)
            ^ (y as u32).wrapping_mul(0x1656_67b1)
            ^ self.0.wrapping_mul(0x9e37_79b9);
        h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
        h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
        (h >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// White noise: one independent value for each pixel.
    pub(crate) fn grain(self, x: u32, y: u32) -> f32 {
        self.lattice(x as i32, y as i32)
    }

    pub(crate) fn at(self, x: f32, y: f32) -> f32 {
        let (ix, iy) = (floor(x), floor(y));
        let (sx, sy) = (smooth(x - ix as f32), smooth(y - iy as f32));
        let (jx, jy) = (ix.wrapping_add(1), iy.wrapping_add(1));
        let top = lerp(self.lattice(ix, iy), self.lattice(jx, iy), sx);
        let low = lerp(self.lattice(ix, jy), self.lattice(jx, jy), sx);
        lerp(top, low, sy)
    }

    /// Fractal sum of `octaves` fields, each half as strong and about twice as fine.
    pub(crate) fn fbm(self, x: f32, y: f32, octaves: u32) -> f32 {
        let (mut sum, mut gain, mut total) = (0.0, 0.5, 0.0);
        let (mut x, mut y) = (x, y);
        for octave in 0..octaves {
            sum += gain * Self(self.0.wrapping_add(octave)).at(x, y);
            total += gain;
            gain *= 0.5;
            (x, y) = (x * 2.03 + 17.7, y * 2.03 + 9.2);
        }
        sum / total
    }

    /// Fractal sum of folded noise: sharp crests, as of rock or of folded cloth.
    pub(crate) fn ridged(self, x: f32, y: f32, octaves: u32) -> f32 {
        let (mut sum, mut gain, mut total) = (0.0, 0.5, 0.0);
        let (mut x, mut y) = (x, y);
        for octave in 0..octaves {
            let n = Self(self.0.wrapping_add(octave)).at(x, y);
            sum += gain * (1.0 - (2.0 * n - 1.0).abs());
            total += gain;
            gain *= 0.47;
            (x, y) = (x * 2.07 + 5.3, y * 2.07 + 31.9);
        }
        sum / total
    }
}

/// `f32::floor` is a library call on plain x86-64; this is two instructions.
fn floor(x: f32) -> i32 {
    let i = x as i32;
    i.wrapping_sub(i32::from(x < i as f32))
}

fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

pub(crate) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 below `low`, 1 above `high`, an S-curve between. `low > high` turns it round.
pub(crate) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    smooth(((x - low) / (high - low)).clamp(0.0, 1.0))
}
