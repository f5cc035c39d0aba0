//! A picture as its file holds it, before its colours are anybody's but its own.

use image::{DynamicImage, EncodableLayout as _};

/// What the samples of a pixel mean, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channels {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
    /// Inks: 0 is bare paper.
    Cmyk,
    /// CIE L*a*b* under D50, in the 8-bit encoding of ICC profiles.
    Lab,
}

impl Channels {
    pub(super) const fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb | Self::Lab => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }

    pub(super) const fn has_alpha(self) -> bool {
        matches!(self, Self::GreyAlpha | Self::Rgba)
    }

    pub(super) const fn is_grey(self) -> bool {
        matches!(self, Self::Grey | Self::GreyAlpha)
    }
}

/// Interleaved, the highest value is full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Samples {
    Bytes(Vec<u8>),
    /// Native byte order.
    Words(Vec<u16>),
}

impl Samples {
    pub(super) const fn width(&self) -> usize {
        match self {
            Self::Bytes(_) => 1,
            Self::Words(_) => 2,
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Words(words) => words.as_bytes(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Raw {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) channels: Channels,
    pub(super) samples: Samples,
}

impl Raw {
    /// The same with grey written as red, green and blue.
    pub(super) fn in_three_channels(self) -> Self {
        let channels = match self.channels {
            Channels::Grey => Channels::Rgb,
            Channels::GreyAlpha => Channels::Rgba,
            _ => return self,
        };
        let from = self.channels.count();
        let samples = match self.samples {
            Samples::Bytes(bytes) => Samples::Bytes(repeated(&bytes, from)),
            Samples::Words(words) => Samples::Words(repeated(&words, from)),
        };
        Self {
            channels,
            samples,
            ..self
        }
    }

    /// The same with eight bits a sample.
    pub(super) fn in_bytes(self) -> Self {
        let samples = match self.samples {
            Samples::Bytes(bytes) => bytes,
            Samples::Words(words) => words.into_iter().map(byte).collect(),
        };
        Self {
            samples: Samples::Bytes(samples),
            ..self
        }
    }
}

/// Grey, followed by alpha where a pixel has two samples, with the grey three times.
fn repeated<T: Copy>(samples: &[T], from: usize) -> Vec<T> {
    let mut out = Vec::with_capacity(samples.len() / from * (from + 2));
    for pixel in samples.chunks_exact(from) {
        out.extend([pixel[0]; 3]);
        out.extend_from_slice(&pixel[1..]);
    }
    out
}

pub(super) fn byte(word: u16) -> u8 {
    ((u32::from(word) + 128) / 257) as u8
}

impl From<DynamicImage> for Raw {
    fn from(picture: DynamicImage) -> Self {
        use Channels as C;
        use DynamicImage as D;
        use Samples as S;
        let (width, height) = (picture.width(), picture.height());
        let (channels, samples) = match picture {
            D::ImageLuma8(pixels) => (C::Grey, S::Bytes(pixels.into_raw())),
            D::ImageLumaA8(pixels) => (C::GreyAlpha, S::Bytes(pixels.into_raw())),
            D::ImageRgb8(pixels) => (C::Rgb, S::Bytes(pixels.into_raw())),
            D::ImageRgba8(pixels) => (C::Rgba, S::Bytes(pixels.into_raw())),
            D::ImageLuma16(pixels) => (C::Grey, S::Words(pixels.into_raw())),
            D::ImageLumaA16(pixels) => (C::GreyAlpha, S::Words(pixels.into_raw())),
            D::ImageRgb16(pixels) => (C::Rgb, S::Words(pixels.into_raw())),
            D::ImageRgba16(pixels) => (C::Rgba, S::Words(pixels.into_raw())),
            other => (C::Rgba, S::Words(other.into_rgba16().into_raw())),
        };
        Self {
            width,
            height,
            channels,
            samples,
        }
    }
}
