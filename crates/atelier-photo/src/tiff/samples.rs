//! The decoded samples of a TIFF, brought into the form that all pictures have here.

use tiff::decoder::DecodingResult;

use crate::raw::{Raw, Samples};

/// How samples lie in what was decoded.
pub(super) struct Layout {
    /// Samples in a row of pixels.
    pub(super) row: usize,
    pub(super) rows: usize,
    pub(super) bits: u16,
    /// Of a pixel.
    pub(super) samples: usize,
    /// One channel after the other.
    pub(super) planar: bool,
    /// The first of a pixel's samples, which are kept.
    pub(super) kept: usize,
    /// They are no amounts, so they are not scaled.
    pub(super) indices: bool,
}

impl Layout {
    /// `None` where the samples are of no kind that can be read.
    pub(super) fn interleaved(&self, decoded: DecodingResult) -> Option<Samples> {
        use DecodingResult as D;
        use Samples as S;
        let samples = match decoded {
            D::U8(bytes) if self.bits < 8 => S::Bytes(self.unpacked(&bytes)),
            D::U8(bytes) => S::Bytes(bytes),
            D::U16(words) => S::Words(words),
            D::U32(values) => S::Words(whole(&values)),
            D::I32(values) => S::Words(whole(&values)),
            D::F16(values) => S::Words(real(&values)),
            D::F32(values) => S::Words(real(&values)),
            D::F64(values) => S::Words(real(&values)),
            _ => return None,
        };
        Some(match samples {
            S::Bytes(bytes) => S::Bytes(self.arranged(bytes)),
            S::Words(words) => S::Words(self.arranged(words)),
        })
    }

    /// One byte for each sample of less than eight bits; rows begin with a byte.
    fn unpacked(&self, packed: &[u8]) -> Vec<u8> {
        let bits = usize::from(self.bits);
        let most = (1_u16 << bits) - 1;
        let stride = (self.row * bits).div_ceil(8).max(1);
        let rows = packed.chunks_exact(stride).take(self.rows);
        let mut bytes = Vec::with_capacity(self.row * self.rows);
        for row in rows {
            bytes.extend((0..self.row).map(|index| {
                let bit = index * bits;
                let next = row.get(bit / 8 + 1).copied().unwrap_or_default();
                let pair = u16::from_be_bytes([row[bit / 8], next]);
                let value = pair >> (16 - bits - bit % 8) & most;
                (if self.indices {
                    value
                } else {
                    value * 255 / most
                }) as u8
            }));
        }
        bytes
    }

    fn arranged<T: Copy>(&self, samples: Vec<T>) -> Vec<T> {
        if self.planar {
            let plane = samples.len() / self.samples;
            let pixel = |index| (0..self.kept).map(move |channel| (channel, index));
            return (0..plane)
                .flat_map(pixel)
                .map(|(channel, index)| samples[channel * plane + index])
                .collect();
        }
        if self.kept == self.samples {
            return samples;
        }
        let pixels = samples.chunks_exact(self.samples);
        pixels
            .flat_map(|pixel| pixel[..self.kept].iter().copied())
            .collect()
    }
}

/// Whole numbers of 32 bits hold what any program had: as many bits as the largest of them needs are taken
/// for all there are.
fn whole<T: Copy + Into<f64>>(values: &[T]) -> Vec<u16> {
    scaled(
        values,
        white(largest(values), [255.0, 65_535.0, f64::from(u32::MAX)]),
    )
}

/// Real numbers end at 1, and what shines brighter is white; but some programs write 0 to 255.
fn real<T: Copy + Into<f64>>(values: &[T]) -> Vec<u16> {
    let sum: f64 = values.iter().map(|value| (*value).into().max(0.0)).sum();
    let largest = largest(values);
    let mean = sum / values.len().max(1) as f64;
    let bright = if mean > 1.0 {
        white(largest, [255.0, 65_535.0, largest])
    } else {
        1.0
    };
    scaled(values, bright)
}

fn largest<T: Copy + Into<f64>>(values: &[T]) -> f64 {
    values
        .iter()
        .fold(0.0, |largest, value| f64::max(largest, (*value).into()))
}

fn white(largest: f64, ends: [f64; 3]) -> f64 {
    let fits = |end: &f64| *end >= largest;
    ends.into_iter().find(fits).unwrap_or(largest)
}

fn scaled<T: Copy + Into<f64>>(values: &[T], white: f64) -> Vec<u16> {
    let scale = 65_535.0 / white;
    // `as` saturates, and makes 0 of what is no number.
    let word = |value: &T| ((*value).into() * scale).round() as u16;
    values.iter().map(word).collect()
}

pub(super) fn inverted(raw: &mut Raw) {
    let channels = raw.channels.count();
    // Alpha, the second, stays.
    match &mut raw.samples {
        Samples::Bytes(bytes) => bytes
            .iter_mut()
            .step_by(channels)
            .for_each(|value| *value = !*value),
        Samples::Words(words) => words
            .iter_mut()
            .step_by(channels)
            .for_each(|value| *value = !*value),
    }
}

/// From Y'CbCr of full range (ITU-T T.871) in bytes.
pub(super) fn from_ycbcr(raw: &mut Raw) {
    let Samples::Bytes(bytes) = &mut raw.samples else {
        return;
    };
    for pixel in bytes.as_chunks_mut::<3>().0 {
        let [y, cb, cr] = pixel.map(f32::from);
        let (cb, cr) = (cb - 128.0, cr - 128.0);
        let light = [
            y + 1.402 * cr,
            y - 0.344_136 * cb - 0.714_136 * cr,
            y + 1.772 * cb,
        ];
        *pixel = light.map(|value| (value + 0.5) as u8);
    }
}

/// Half of each word: 8 bits of L*a*b* are finer than what is kept.
pub(super) fn most_significant(raw: &mut Raw) {
    if let Samples::Words(words) = &raw.samples {
        raw.samples = Samples::Bytes(words.iter().map(|word| (word >> 8) as u8).collect());
    }
}

/// From a* and b* with a sign to those of ICC profiles, counted from -128.
pub(super) fn unsigned(raw: &mut Raw) {
    if let Samples::Bytes(bytes) = &mut raw.samples {
        for [_, a, b] in bytes.as_chunks_mut().0 {
            *a ^= 0x80;
            *b ^= 0x80;
        }
    }
}

/// Divides by the alpha that was multiplied with.
pub(super) fn straightened(raw: &mut Raw) {
    let channels = raw.channels.count();
    match &mut raw.samples {
        Samples::Bytes(bytes) => bytes.chunks_exact_mut(channels).for_each(|pixel| {
            let Some((alpha, colours)) = pixel.split_last_mut() else {
                return;
            };
            let divide = |value: u8| u32::from(value) * 255 / u32::from(*alpha).max(1);
            colours
                .iter_mut()
                .for_each(|value| *value = divide(*value).min(255) as u8);
        }),
        Samples::Words(words) => words.chunks_exact_mut(channels).for_each(|pixel| {
            let Some((alpha, colours)) = pixel.split_last_mut() else {
                return;
            };
            let divide = |value: u16| u64::from(value) * 65_535 / u64::from(*alpha).max(1);
            colours
                .iter_mut()
                .for_each(|value| *value = divide(*value).min(65_535) as u16);
        }),
    }
}
