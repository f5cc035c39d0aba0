//! TIFF 6.0 and BigTIFF: the samples are decoded by a library, what they mean is read here, because the
//! library knows fewer kinds of colour than there are files.

mod chunks;
mod samples;
mod tag;

use std::io::Cursor;

use image::metadata::Orientation;
use tiff::{
    TiffError, TiffFormatError,
    decoder::{ChunkType, Decoder, DecodingResult, Limits},
    tags::Tag,
};

use self::samples::Layout;
use super::{
    Bounds, File, Refusal,
    colour::Colours,
    raw::{Channels, Raw, Samples, byte},
};

const UNREAD: Refusal = Refusal::Unread("TIFF");
const DAMAGED: Refusal = Refusal::Damaged("a TIFF");

/// Values of `PhotometricInterpretation`.
mod photometric {
    pub(super) const WHITE_IS_ZERO: u16 = 0;
    pub(super) const BLACK_IS_ZERO: u16 = 1;
    pub(super) const RGB: u16 = 2;
    pub(super) const PALETTE: u16 = 3;
    pub(super) const CMYK: u16 = 5;
    pub(super) const YCBCR: u16 = 6;
    pub(super) const CIE_LAB: u16 = 8;
    pub(super) const ICC_LAB: u16 = 9;
}

const FILL_ORDER: Tag = Tag::Unknown(266);
const INK_SET: Tag = Tag::Unknown(332);
const JPEG_COMPRESSION: u16 = 7;

/// The largest value of a tag: offsets of strips, or a profile.
const LARGEST_VALUE: usize = 8_000_000;

type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

pub(super) fn read(mut file: Vec<u8>, bounds: Bounds) -> Result<File, Refusal> {
    let mut decoder = open(&file)?;
    let (width, height) = decoder.dimensions().map_err(refusal)?;
    let kind = Kind::read(&mut decoder)?;
    bounds.check(width, height, kind.bytes_a_pixel())?;
    let colours = match decoder.get_tag_u8_vec(Tag::IccProfile) {
        Ok(profile) => Colours::Profile(profile),
        Err(_) => Colours::Unsaid,
    };
    let orientation = number(&mut decoder, Tag::Orientation)?.unwrap_or(1);
    drop(decoder);
    // Told that they are grey, the library hands over samples of any kind as they are.
    tag::write_short(&mut file, Tag::PhotometricInterpretation, 1).ok_or(DAMAGED)?;
    let samples = decoded(&file, &kind, bounds)?;
    drop(file);
    let raw = kind.raw(width, height, samples)?;
    Ok(File {
        raw,
        colours,
        orientation: Orientation::from_exif(orientation.min(255) as u8),
        exif: None,
    })
}

fn open(file: &[u8]) -> Result<Reader<'_>, Refusal> {
    let mut limits = Limits::default();
    limits.ifd_value_size = LARGEST_VALUE;
    // What is decoded has been measured before.
    limits.decoding_buffer_size = usize::MAX;
    let decoder = Decoder::new(Cursor::new(file)).map_err(refusal)?;
    Ok(decoder.with_limits(limits))
}

fn decoded(file: &[u8], kind: &Kind, bounds: Bounds) -> Result<DecodingResult, Refusal> {
    let mut samples = DecodingResult::U8(Vec::new());
    let mut decoder = open(file)?;
    chunks::check(file, &mut decoder, kind, bounds)?;
    let layout = decoder
        .read_image_to_buffer(&mut samples)
        .map_err(refusal)?;
    if layout.planes == kind.planes() {
        Ok(samples)
    } else {
        Err(DAMAGED)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "reads best in map_err")]
fn refusal(error: TiffError) -> Refusal {
    match error {
        TiffError::UnsupportedError(_)
        | TiffError::FormatError(TiffFormatError::UnknownPredictor(_)) => UNREAD,
        _ => DAMAGED,
    }
}

fn number(decoder: &mut Reader<'_>, tag: Tag) -> Result<Option<u16>, Refusal> {
    decoder.find_tag_unsigned(tag).map_err(refusal)
}

fn numbers(decoder: &mut Reader<'_>, tag: Tag) -> Result<Vec<u16>, Refusal> {
    let values = decoder.find_tag_unsigned_vec(tag).map_err(refusal)?;
    Ok(values.unwrap_or_default())
}

/// What the samples of a file mean.
struct Kind {
    photometric: u16,
    samples: usize,
    bits: u16,
    planar: bool,
    alpha: Option<Alpha>,
    palette: Vec<u16>,
}

#[derive(Clone, Copy, PartialEq)]
enum Alpha {
    /// The colours are multiplied by it already.
    Associated,
    Straight,
}

impl Kind {
    fn read(decoder: &mut Reader<'_>) -> Result<Self, Refusal> {
        use photometric::{CMYK, PALETTE, YCBCR};
        let photometric = number(decoder, Tag::PhotometricInterpretation)?.ok_or(UNREAD)?;
        let samples = number(decoder, Tag::SamplesPerPixel)?.unwrap_or(1);
        let kind = Self {
            photometric,
            samples: usize::from(samples),
            bits: numbers(decoder, Tag::BitsPerSample)?
                .first()
                .copied()
                .unwrap_or(1),
            planar: number(decoder, Tag::PlanarConfiguration)? == Some(2) && samples > 1,
            alpha: alpha(decoder)?,
            palette: match photometric {
                PALETTE => numbers(decoder, Tag::ColorMap)?,
                _ => Vec::new(),
            },
        };
        let jpeg = number(decoder, Tag::Compression)? == Some(JPEG_COMPRESSION);
        let reversed = number(decoder, FILL_ORDER)?.is_some_and(|order| order != 1);
        let foreign_inks = photometric == CMYK && number(decoder, INK_SET)?.unwrap_or(1) != 1;
        // Colours at a lower resolution than light are resolved in JPEG data only.
        let coarse_colours =
            photometric == YCBCR && !jpeg && numbers(decoder, Tag::ChromaSubsampling)? != [1, 1];
        let odd_jpeg = jpeg && !matches!(samples, 1 | 3 | 4);
        let odd_planes = kind.planar && (kind.bits < 8 || ragged(decoder)?);
        if reversed || foreign_inks || coarse_colours || odd_jpeg || odd_planes {
            return Err(UNREAD);
        }
        Ok(kind)
    }

    fn planes(&self) -> usize {
        if self.planar { self.samples } else { 1 }
    }

    fn bytes_a_pixel(&self) -> u64 {
        (self.samples as u64 * u64::from(self.bits)).div_ceil(8)
    }

    /// The channels that the interpretation names, and how many samples they take.
    fn channels(&self) -> Result<Channels, Refusal> {
        use photometric as p;
        let (plain, with_alpha) = match self.photometric {
            p::WHITE_IS_ZERO | p::BLACK_IS_ZERO => (Channels::Grey, Channels::GreyAlpha),
            p::RGB => (Channels::Rgb, Channels::Rgba),
            p::PALETTE => return Ok(Channels::Grey),
            p::YCBCR => return Ok(Channels::Rgb),
            p::CMYK => return Ok(Channels::Cmyk),
            p::CIE_LAB | p::ICC_LAB => return Ok(Channels::Lab),
            _ => return Err(UNREAD),
        };
        let has_alpha = self.alpha.is_some() && self.samples > plain.count();
        Ok(if has_alpha { with_alpha } else { plain })
    }

    fn raw(&self, width: u32, height: u32, samples: DecodingResult) -> Result<Raw, Refusal> {
        let channels = self.channels()?;
        if self.samples < channels.count() {
            return Err(DAMAGED);
        }
        let layout = Layout {
            row: width as usize * self.samples,
            rows: height as usize,
            bits: self.bits,
            samples: self.samples,
            planar: self.planar,
            kept: channels.count(),
            indices: self.photometric == photometric::PALETTE,
        };
        let samples = layout.interleaved(samples).ok_or(UNREAD)?;
        let raw = Raw {
            width,
            height,
            channels,
            samples,
        };
        self.interpreted(raw)
    }

    fn interpreted(&self, mut raw: Raw) -> Result<Raw, Refusal> {
        use photometric as p;
        match self.photometric {
            p::WHITE_IS_ZERO => samples::inverted(&mut raw),
            p::PALETTE => raw = self.looked_up(&raw)?,
            p::YCBCR => {
                raw = raw.in_bytes();
                samples::from_ycbcr(&mut raw);
            }
            p::CIE_LAB | p::ICC_LAB => {
                samples::most_significant(&mut raw);
                if self.photometric == p::CIE_LAB {
                    samples::unsigned(&mut raw);
                }
            }
            _ => {}
        }
        if self.alpha == Some(Alpha::Associated) && raw.channels.has_alpha() {
            samples::straightened(&mut raw);
        }
        Ok(raw)
    }

    fn looked_up(&self, raw: &Raw) -> Result<Raw, Refusal> {
        let Samples::Bytes(indices) = &raw.samples else {
            return Err(UNREAD);
        };
        let length = 1 << self.bits;
        if self.palette.len() < 3 * length {
            return Err(DAMAGED);
        }
        // Some programs write the values of eight bits that they have.
        let small = self.palette.iter().all(|value| *value < 256);
        let value = |value: u16| if small { value as u8 } else { byte(value) };
        let colour = |index: &u8| {
            let index = usize::from(*index);
            [0, 1, 2].map(|channel| value(self.palette[channel * length + index]))
        };
        let pixels = indices.iter().flat_map(colour).collect();
        Ok(Raw {
            channels: Channels::Rgb,
            samples: Samples::Bytes(pixels),
            ..*raw
        })
    }
}

/// The first of the extra samples, where it is one of opacity. Four samples of red, green and blue whose
/// fourth is not explained are taken for that as well.
fn alpha(decoder: &mut Reader<'_>) -> Result<Option<Alpha>, Refusal> {
    let extra = decoder
        .find_tag_unsigned_vec::<u16>(Tag::ExtraSamples)
        .map_err(refusal)?;
    Ok(match extra.as_deref() {
        None | Some([2, ..]) => Some(Alpha::Straight),
        Some([1, ..]) => Some(Alpha::Associated),
        Some(_) => None,
    })
}

/// Tiles that reach beyond the picture, over which the library stumbles in all planes but the first.
fn ragged(decoder: &mut Reader<'_>) -> Result<bool, Refusal> {
    let (width, height) = decoder.dimensions().map_err(refusal)?;
    let (across, down) = decoder.chunk_dimensions();
    let tiles = decoder.get_chunk_type() == ChunkType::Tile;
    Ok(tiles && !(width.is_multiple_of(across) && height.is_multiple_of(down)))
}
