//! JPEG (ITU-T T.81): where the picture ends, and its samples as they are stored, four inks included.

use zune_jpeg::{
    JpegDecoder,
    errors::DecodeErrors,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use super::{
    Bounds, File, Refusal,
    colour::Colours,
    raw::{Channels, Raw, Samples},
};

const NAME: &str = "JPEG";
const DAMAGED: Refusal = Refusal::Damaged("a JPEG");

pub(super) fn read(file: &[u8], bounds: Bounds) -> Result<File, Refusal> {
    let file = &file[..extent(file)?];
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(|error| refusal(&error))?;
    let (width, height) = decoder.dimensions().ok_or(DAMAGED)?;
    let (width, height) = (width as u32, height as u32);
    let stored = decoder.input_colorspace().ok_or(DAMAGED)?;
    let (asked, channels) = match stored {
        ColorSpace::Luma => (stored, Channels::Grey),
        ColorSpace::YCbCr | ColorSpace::RGB => (ColorSpace::RGB, Channels::Rgb),
        ColorSpace::CMYK | ColorSpace::YCCK => (stored, Channels::Cmyk),
        _ => return Err(Refusal::Unread(NAME)),
    };
    bounds.check(width, height, channels.count() as u64)?;
    decoder.set_options(options.jpeg_set_out_colorspace(asked));
    let mut samples = decoder.decode().map_err(|error| refusal(&error))?;
    match stored {
        ColorSpace::CMYK => samples.iter_mut().for_each(|ink| *ink = 255 - *ink),
        ColorSpace::YCCK => samples.as_chunks_mut().0.iter_mut().for_each(to_inks),
        _ => {}
    }
    let colours = decoder
        .icc_profile()
        .map_or(Colours::Unsaid, Colours::Profile);
    Ok(File {
        raw: Raw {
            width,
            height,
            channels,
            samples: Samples::Bytes(samples),
        },
        colours,
        orientation: None,
        exif: decoder.exif().cloned(),
    })
}

fn refusal(error: &DecodeErrors) -> Refusal {
    match error {
        DecodeErrors::Unsupported(_) => Refusal::Unread(NAME),
        _ => DAMAGED,
    }
}

/// Adobe's programs, and those that follow them, store four inks inverted, the first three as the red,
/// green and blue of YCbCr (T.871) inverted once more.
fn to_inks(pixel: &mut [u8; 4]) {
    let [y, cb, cr, k] = pixel.map(f32::from);
    let (cb, cr) = (cb - 128.0, cr - 128.0);
    // `as` saturates: no clamp is needed.
    let inks = [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
        255.0 - k,
    ];
    *pixel = inks.map(|ink| (ink + 0.5) as u8);
}

/// The length of the picture, from its first marker to its last (annex B). What follows is not the
/// picture's: a video, more pictures, padding. The decoder would fill with grey what is missing, so a
/// file that breaks off before that is refused.
fn extent(file: &[u8]) -> Result<usize, Refusal> {
    let mut at = 2;
    loop {
        let (marker, after) = next_marker(file, at).ok_or(DAMAGED)?;
        at = after;
        match marker {
            END => return Ok(at),
            // They stand alone.
            0x01 | START => continue,
            frame @ 0xC0..=0xCF if !TABLES.contains(&frame) => supported(frame, &file[at..])?,
            _ => {}
        }
        let length = file.get(at..at + 2).ok_or(DAMAGED)?;
        let length = u16::from_be_bytes([length[0], length[1]]);
        if length < 2 {
            return Err(DAMAGED);
        }
        at += usize::from(length);
    }
}

const START: u8 = 0xD8;
const END: u8 = 0xD9;

/// Between the markers of frames: Huffman tables, a reserved one, arithmetic conditioning.
const TABLES: [u8; 3] = [0xC4, 0xC8, 0xCC];

/// The next marker but restarts, and where it ends. Between segments there is entropy-coded data, where
/// a 0xFF is followed by 0, or nothing, or what a careless program left.
fn next_marker(file: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += file.get(at..)?.iter().position(|byte| *byte == 0xFF)? + 1;
        match *file.get(at)? {
            0x00 | 0xD0..=0xD7 => at += 1,
            // Fill bytes.
            0xFF => {}
            marker => return Some((marker, at + 1)),
        }
    }
}

/// Baseline, extended and progressive frames with Huffman codes are read, of eight bits a sample.
fn supported(frame: u8, segment: &[u8]) -> Result<(), Refusal> {
    let precision = segment.get(2).ok_or(DAMAGED)?;
    if matches!(frame, 0xC0..=0xC2) && *precision == 8 {
        Ok(())
    } else {
        Err(Refusal::Unread(NAME))
    }
}
