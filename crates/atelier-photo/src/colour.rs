//! From the colours of a file to sRGB. LittleCMS does the reckoning: it reads every kind of ICC profile, and
//! others are judged by it. A profile that cannot be read, or is of other colours than its picture, counts as
//! none.

use image::RgbImage;
use lcms2::{
    CIExyY, CIExyYTRIPLE, DisallowCache, Flags, Intent, PixelFormat, Profile, ThreadContext,
    ToneCurve, Transform,
};
use rayon::prelude::*;

use super::raw::{Channels, Raw, Samples};

/// What a file says of its colours.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Colours {
    /// Nothing, which means sRGB; for inks the plain formula.
    Unsaid,
    /// An ICC profile (ICC.1:2022).
    Profile(Vec<u8>),
    Described(Space),
}

/// Colours by the light of their primaries.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Space {
    pub(super) white: Chromaticity,
    pub(super) red: Chromaticity,
    pub(super) green: Chromaticity,
    pub(super) blue: Chromaticity,
    pub(super) transfer: Transfer,
}

/// CIE 1931 x and y.
pub(super) type Chromaticity = (f64, f64);

/// Light by sample, both from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Transfer {
    Power(f64),
    Table(Vec<u16>),
}

/// D65 and the primaries of sRGB (IEC 61966-2-1).
pub(super) const SRGB: [Chromaticity; 4] =
    [(0.3127, 0.3290), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06)];

/// D50, the white of CIE L*a*b* in files.
const D50: CIExyY = CIExyY {
    x: 0.3457,
    y: 0.3585,
    Y: 1.0,
};

/// Larger profiles are no profiles of a photo.
const LARGEST_PROFILE: usize = 4_000_000;

/// Pixels that one task converts.
const SPAN: usize = 1 << 16;

type ToSrgb = Transform<u8, u8, ThreadContext, DisallowCache>;

/// The picture in sRGB, transparency on white.
pub(super) fn to_srgb(raw: Raw, colours: &Colours) -> RgbImage {
    let raw = match colours {
        Colours::Profile(profile) if space_of(profile) == Some(b"RGB ") => raw.in_three_channels(),
        _ => raw,
    };
    let (width, height) = (raw.width, raw.height);
    let pixels = match transform(colours, &raw) {
        Some(transform) => converted(&raw, &transform),
        None => plain(raw),
    };
    RgbImage::from_raw(width, height, pixels).unwrap_or_default()
}

/// `None` where nothing is to be done, or nothing can be.
fn transform(colours: &Colours, raw: &Raw) -> Option<ToSrgb> {
    let context = ThreadContext::new();
    let from = match colours {
        _ if raw.channels == Channels::Lab => Profile::new_lab2_context(&context, &D50).ok()?,
        Colours::Unsaid => return None,
        Colours::Profile(profile) => read(&context, profile, raw.channels)?,
        Colours::Described(space) => space.profile(&context, raw.channels)?,
    };
    let srgb = Profile::new_srgb_context(&context);
    let (format, to) = (format(raw), PixelFormat::RGB_8);
    // The intent that its tools take unless told otherwise.
    let (intent, flags) = (Intent::Perceptual, Flags::NO_CACHE);
    Transform::new_flags_context(&context, &from, format, &srgb, to, intent, flags).ok()
}

/// A profile that fits these channels.
fn read(
    context: &ThreadContext,
    profile: &[u8],
    channels: Channels,
) -> Option<Profile<ThreadContext>> {
    let space = space_of(profile)?;
    let fits = match channels {
        Channels::Grey | Channels::GreyAlpha => space == b"GRAY",
        Channels::Rgb | Channels::Rgba => space == b"RGB ",
        Channels::Cmyk => space == b"CMYK",
        Channels::Lab => false,
    };
    Profile::new_icc_context(context, profile)
        .ok()
        .filter(|_| fits)
}

/// The colour space that a profile of a device names in its header (ICC.1:2022, 7.2).
fn space_of(profile: &[u8]) -> Option<&[u8; 4]> {
    let class = profile.get(12..16)?;
    let device = [b"scnr", b"mntr", b"prtr", b"spac"];
    let known = profile.len() <= LARGEST_PROFILE && device.iter().any(|known| *known == class);
    profile.get(16..20)?.try_into().ok().filter(|_| known)
}

impl Space {
    fn profile(
        &self,
        context: &ThreadContext,
        channels: Channels,
    ) -> Option<Profile<ThreadContext>> {
        let light = |(x, y): Chromaticity| CIExyY { x, y, Y: 1.0 };
        let curve = match &self.transfer {
            Transfer::Power(gamma) => ToneCurve::new(*gamma),
            Transfer::Table(table) => ToneCurve::new_tabulated(table),
        };
        let white = light(self.white);
        let primaries = CIExyYTRIPLE {
            Red: light(self.red),
            Green: light(self.green),
            Blue: light(self.blue),
        };
        match channels {
            channels if channels.is_grey() => {
                Profile::new_gray_context(context, &white, &curve).ok()
            }
            Channels::Rgb | Channels::Rgba => {
                Profile::new_rgb_context(context, &white, &primaries, &[&curve; 3]).ok()
            }
            _ => None,
        }
    }
}

fn format(raw: &Raw) -> PixelFormat {
    use Channels as C;
    use PixelFormat as P;
    match (raw.channels, raw.samples.width()) {
        (C::Grey, 1) => P::GRAY_8,
        (C::Grey, _) => P::GRAY_16,
        (C::GreyAlpha, 1) => P::GRAYA_8,
        (C::GreyAlpha, _) => P::GRAYA_16,
        (C::Rgb, 1) => P::RGB_8,
        (C::Rgb, _) => P::RGB_16,
        (C::Rgba, 1) => P::RGBA_8,
        (C::Rgba, _) => P::RGBA_16,
        (C::Cmyk, 1) => P::CMYK_8,
        (C::Cmyk, _) => P::CMYK_16,
        (C::Lab, 1) => P::Lab_8,
        (C::Lab, _) => P::Lab_16,
    }
}

fn converted(raw: &Raw, transform: &ToSrgb) -> Vec<u8> {
    let stride = raw.channels.count() * raw.samples.width();
    let from = raw.samples.as_bytes();
    let mut pixels = vec![0; from.len() / stride * 3];
    let spans = pixels
        .par_chunks_mut(3 * SPAN)
        .zip(from.par_chunks(stride * SPAN));
    spans.for_each(|(to, from)| {
        transform.transform_pixels(from, to);
        if raw.channels.has_alpha() {
            on_white(to, from, stride, raw.samples.width());
        }
    });
    pixels
}

/// Lays red, green and blue on white, by the last sample of each pixel of `from`.
fn on_white(to: &mut [u8], from: &[u8], stride: usize, width: usize) {
    // The most significant byte is enough.
    let alpha = if cfg!(target_endian = "big") {
        stride - width
    } else {
        stride - 1
    };
    for (pixel, from) in to.chunks_exact_mut(3).zip(from.chunks_exact(stride)) {
        let alpha = u32::from(from[alpha]);
        for value in pixel {
            let blended = (u32::from(*value) * alpha + 255 * (255 - alpha) + 127) / 255;
            *value = blended as u8;
        }
    }
}

/// The picture without a profile.
fn plain(raw: Raw) -> Vec<u8> {
    let raw = raw.in_bytes().in_three_channels();
    let Samples::Bytes(bytes) = raw.samples else {
        return Vec::new();
    };
    match raw.channels {
        Channels::Rgba => without_alpha(bytes),
        Channels::Cmyk => bytes.as_chunks::<4>().0.iter().flat_map(inks).collect(),
        _ => bytes,
    }
}

/// In place: a second copy of a large photo is what memory there is.
fn without_alpha(mut samples: Vec<u8>) -> Vec<u8> {
    let pixels = samples.len() / 4;
    for pixel in 0..pixels {
        let alpha = u32::from(samples[4 * pixel + 3]);
        for channel in 0..3 {
            let value = u32::from(samples[4 * pixel + channel]);
            let on_white = (value * alpha + 255 * (255 - alpha)) / 255;
            samples[3 * pixel + channel] = on_white as u8;
        }
    }
    samples.truncate(3 * pixels);
    samples
}

/// Inks that let through what they do not take.
fn inks([c, m, y, k]: &[u8; 4]) -> [u8; 3] {
    let left = |ink: u8| u32::from(255 - ink);
    [*c, *m, *y].map(|ink| ((left(ink) * left(*k) + 127) / 255) as u8)
}
