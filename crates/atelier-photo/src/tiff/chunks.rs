//! Strips and tiles, looked at before they are decoded: the library unpacks JPEG data as large as the data
//! themselves say, and reads the same bytes as often as it is told to.

use tiff::{decoder::ChunkType, tags::Tag};
use zune_jpeg::{JpegDecoder, errors::DecodeErrors, zune_core::bytestream::ZCursor};

use super::{
    super::{BYTES_A_PIXEL, Bounds, Refusal},
    DAMAGED, JPEG_COMPRESSION, Kind, Reader, UNREAD, number, refusal,
};

/// Some programs round the sides of JPEG data up, to whole blocks of colours at half the resolution.
const BLOCK: u64 = 16;

/// The most that JPEG data share, bytes. All the tables that there can be take fewer than 3,000.
const MOST_TABLES: usize = 16_000;

pub(super) fn check(
    file: &[u8],
    decoder: &mut Reader<'_>,
    kind: &Kind,
    bounds: Bounds,
) -> Result<(), Refusal> {
    let places = places(decoder)?;
    let lengths = places.iter().map(|(_, length)| *length);
    if lengths.fold(0, u64::saturating_add) > file.len() as u64 {
        return Err(DAMAGED);
    }
    let size = size(decoder)?;
    // Tiles may reach beyond the picture, but all of them not far beyond what is allowed.
    let count = (places.len() / kind.planes()) as u64;
    let factors = [count, size.0, size.1, kind.bytes_a_pixel()];
    let unpacked = factors.into_iter().fold(1, u64::saturating_mul);
    if unpacked > bounds.max_pixels.saturating_mul(2 * BYTES_A_PIXEL) {
        return Err(UNREAD);
    }
    if number(decoder, Tag::Compression)? == Some(JPEG_COMPRESSION) {
        check_jpegs(file, decoder, &places, size)?;
    }
    Ok(())
}

fn check_jpegs(
    file: &[u8],
    decoder: &mut Reader<'_>,
    places: &[(u64, u64)],
    (width, height): (u64, u64),
) -> Result<(), Refusal> {
    let tables = tables(decoder)?;
    let (most_across, most_down) = (
        width.next_multiple_of(BLOCK),
        height.next_multiple_of(BLOCK),
    );
    for place in places {
        let jpeg = part(file, *place).ok_or(DAMAGED)?;
        let (across, down) = jpeg_size(jpeg, tables.as_deref())?;
        if across > most_across || down > most_down {
            return Err(DAMAGED);
        }
    }
    Ok(())
}

/// Where each begins, and its length.
fn places(decoder: &mut Reader<'_>) -> Result<Vec<(u64, u64)>, Refusal> {
    let (starts, lengths) = match decoder.get_chunk_type() {
        ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
        ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
    };
    let starts = decoder.get_tag_u64_vec(starts).map_err(refusal)?;
    let lengths = decoder.get_tag_u64_vec(lengths).map_err(refusal)?;
    Ok(starts.into_iter().zip(lengths).collect())
}

/// The width and height of each. Strips may claim more rows than the picture has.
fn size(decoder: &mut Reader<'_>) -> Result<(u64, u64), Refusal> {
    let (_, rows) = decoder.dimensions().map_err(refusal)?;
    let (width, height) = decoder.chunk_dimensions();
    let height = match decoder.get_chunk_type() {
        ChunkType::Strip => height.min(rows),
        ChunkType::Tile => height,
    };
    Ok((width.into(), height.into()))
}

fn part(file: &[u8], (start, length): (u64, u64)) -> Option<&[u8]> {
    let start = usize::try_from(start).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    file.get(start..end)
}

/// What all JPEG data share, without the marker that ends it.
fn tables(decoder: &mut Reader<'_>) -> Result<Option<Vec<u8>>, Refusal> {
    let Some(value) = decoder.find_tag(Tag::JPEGTables).map_err(refusal)? else {
        return Ok(None);
    };
    let mut tables = value.into_u8_vec().map_err(refusal)?;
    let length = tables.len().checked_sub(2).ok_or(DAMAGED)?;
    if length > MOST_TABLES {
        return Err(UNREAD);
    }
    tables.truncate(length);
    Ok(Some(tables))
}

/// The size that the data state, as the library reads it: with its own reader, and put together as it does.
fn jpeg_size(jpeg: &[u8], tables: Option<&[u8]>) -> Result<(u64, u64), Refusal> {
    let joined = match tables {
        Some(tables) => [tables, jpeg.get(2..).ok_or(DAMAGED)?].concat(),
        None => jpeg.to_vec(),
    };
    let mut decoder = JpegDecoder::new(ZCursor::new(joined));
    decoder.decode_headers().map_err(|error| match error {
        DecodeErrors::Unsupported(_) => UNREAD,
        _ => DAMAGED,
    })?;
    let (width, height) = decoder.dimensions().ok_or(DAMAGED)?;
    Ok((width as u64, height as u64))
}
