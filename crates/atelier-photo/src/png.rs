//! What a PNG says of its colours (PNG, third edition, 11.3.2): the first of `cICP`, `iCCP`, `sRGB`, and
//! `gAMA` with `cHRM` that is there and understood.

use std::{io::Cursor, ops::RangeInclusive};

use moxcms::{Chromaticity as Point, CicpColorPrimaries, ColorPrimaries, TransferCharacteristics};
use png::{CodingIndependentCodePoints, Info, ScaledFloat};

use super::colour::{Chromaticity, Colours, SRGB, Space, Transfer};

pub(super) fn colours(file: &[u8]) -> Colours {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_ignore_text_chunk(true);
    match decoder.read_info() {
        Ok(reader) => of(reader.info()),
        Err(_) => Colours::Unsaid,
    }
}

/// Takes away code points that no PNG may have: the library would refuse the whole file for them.
pub(super) fn without_foreign_code_points(file: &mut [u8]) {
    let mut at = 8;
    while let Some(&[a, b, c, d, ref kind @ ..]) = file.get(at..).and_then(<[u8]>::first_chunk::<8>)
    {
        let (length, kind) = (u32::from_be_bytes([a, b, c, d]), *kind);
        if &kind == b"IDAT" {
            return;
        }
        let foreign = |points: &[u8]| points[2] != 0 || points[3] > 1;
        if &kind == b"cICP" && file.get(at + 8..at + 12).is_some_and(foreign) {
            // A chunk of nobody's, which is skipped.
            file[at + 4..at + 8].copy_from_slice(b"noNe");
        }
        at += 12 + length as usize;
    }
}

fn of(info: &Info<'_>) -> Colours {
    let coded = info
        .coding_independent_code_points
        .as_ref()
        .and_then(by_code_points);
    if let Some(space) = coded {
        return Colours::Described(space);
    }
    if let Some(profile) = &info.icc_profile {
        return Colours::Profile(profile.to_vec());
    }
    if info.srgb.is_some() {
        return Colours::Unsaid;
    }
    measured(info).map_or(Colours::Unsaid, Colours::Described)
}

/// `gAMA` and `cHRM`; of one the other is that of sRGB.
fn measured(info: &Info<'_>) -> Option<Space> {
    // What is written beside `sRGB`, and by many programs without it, for the curve of sRGB.
    const SRGB_GAMMA: RangeInclusive<u32> = 45_000..=46_000;
    const KNOWN: RangeInclusive<u32> = 10_000..=1_000_000;
    let light = info.chrm_chunk.map(|light| {
        [light.white, light.red, light.green, light.blue]
            .map(|(x, y)| (f64::from(x.into_value()), f64::from(y.into_value())))
    });
    let light = light.filter(|light| light.iter().all(|(x, y)| *x >= 0.0 && *y > 0.0));
    let light = light.filter(|light| !is_srgb(light));
    let gamma = info.gama_chunk.map(ScaledFloat::into_scaled);
    let gamma = gamma
        .filter(|gamma| KNOWN.contains(gamma) && (light.is_some() || !SRGB_GAMMA.contains(gamma)));
    if gamma.is_none() && light.is_none() {
        return None;
    }
    let transfer = match gamma {
        Some(gamma) => Transfer::Power(100_000.0 / f64::from(gamma)),
        None => table(|value| TransferCharacteristics::Srgb.linearize(value)),
    };
    Some(space(light.unwrap_or(SRGB), transfer))
}

fn is_srgb(light: &[Chromaticity; 4]) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() < 0.001;
    let mut pairs = light.iter().zip(SRGB);
    pairs.all(|(found, known)| near(found.0, known.0) && near(found.1, known.1))
}

const fn space([white, red, green, blue]: [Chromaticity; 4], transfer: Transfer) -> Space {
    Space {
        white,
        red,
        green,
        blue,
        transfer,
    }
}

/// The code points of ITU-T H.273, for red, green and blue of full range as a PNG has to have them.
fn by_code_points(points: &CodingIndependentCodePoints) -> Option<Space> {
    if points.matrix_coefficients != 0 || !points.is_video_full_range_image {
        return None;
    }
    let primaries = CicpColorPrimaries::try_from(points.color_primaries).ok()?;
    let light = ColorPrimaries::try_from(primaries).ok()?;
    let curve = TransferCharacteristics::try_from(points.transfer_function).ok()?;
    // Of what is brighter than paper (ITU-R BT.2408: 203 cd/m²) this site keeps nothing.
    let white = match curve {
        TransferCharacteristics::Reserved | TransferCharacteristics::Unspecified => return None,
        TransferCharacteristics::Smpte2084 => 203.0 / 10_000.0,
        TransferCharacteristics::Hlg => 203.0 / 1_000.0,
        _ => 1.0,
    };
    let point = |point: Point| (f64::from(point.x), f64::from(point.y));
    let light = [
        white_of(primaries),
        point(light.red),
        point(light.green),
        point(light.blue),
    ];
    Some(space(light, table(|value| curve.linearize(value) / white)))
}

/// The white that belongs to the primaries (H.273, table 2).
const fn white_of(primaries: CicpColorPrimaries) -> Chromaticity {
    match primaries {
        CicpColorPrimaries::Bt470M | CicpColorPrimaries::GenericFilm => (0.310, 0.316),
        CicpColorPrimaries::Xyz => (1.0 / 3.0, 1.0 / 3.0),
        CicpColorPrimaries::Smpte431 => (0.314, 0.351),
        _ => SRGB[0],
    }
}

fn table(light: impl Fn(f64) -> f64) -> Transfer {
    const LAST: u32 = 4095;
    let at = |index| light(f64::from(index) / f64::from(LAST));
    // `as` saturates: no clamp is needed.
    let value = |light: f64| (light * f64::from(u16::MAX)).round() as u16;
    Transfer::Table((0..=LAST).map(at).map(value).collect())
}
