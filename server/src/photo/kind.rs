//! What a file is, by its bytes and not by its name.

use std::io::{BufRead, Seek, SeekFrom};

use image::ImageFormat;

use super::Refusal;

/// The types that are read.
pub(super) const TAKEN: [ImageFormat; 6] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::WebP,
    ImageFormat::Gif,
    ImageFormat::Bmp,
    ImageFormat::Tiff,
];

/// The type of a file, left at its beginning; one that is not [`TAKEN`] is refused.
pub(super) fn recognise(file: &mut (impl BufRead + Seek)) -> Result<ImageFormat, Refusal> {
    let unreadable = |_| Refusal::UnknownType("The file cannot be read.".into());
    let head = file.fill_buf().map_err(unreadable)?;
    let head = head[..head.len().min(64)].to_vec();
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    if head.is_empty() {
        return Err(Refusal::Empty);
    }
    match image::guess_format(&head) {
        Ok(format) if TAKEN.contains(&format) => Ok(format),
        _ => Err(Refusal::UnknownType(foreign_type(&head))),
    }
}

pub(super) const fn type_name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "a JPEG",
        ImageFormat::Png => "a PNG",
        ImageFormat::WebP => "a WebP",
        ImageFormat::Gif => "a GIF",
        ImageFormat::Bmp => "a BMP",
        ImageFormat::Tiff => "a TIFF",
        _ => "",
    }
}

/// Names what people send by mistake.
fn foreign_type(head: &[u8]) -> String {
    let brand = head.get(4..12).unwrap_or_default();
    match brand {
        b"ftypheic" | b"ftypheix" | b"ftypheim" | b"ftypheis" | b"ftypmif1" | b"ftypmsf1"
        | b"ftyphevc" | b"ftyphevx" => {
            "This is a HEIC photo: in your phone's camera settings choose \"most compatible\", or export it as JPEG.".into()
        }
        b"ftypavif" | b"ftypavis" => "This is an AVIF picture: export it as JPEG or PNG.".into(),
        _ if head.starts_with(b"%PDF") => "This is a PDF, not a photo.".into(),
        _ if head.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) => {
            "This is a text file, whatever its name says.".into()
        }
        _ => "This is not a kind of picture we can read.".into(),
    }
}

/// The JPEG decoder fills what is missing with grey; a photo cut in half is
/// better refused. Some cameras pad the end, so the marker may come earlier.
pub(super) fn ends_with_marker(file: &mut (impl BufRead + Seek)) -> Result<(), Refusal> {
    const TAIL: u64 = 64 * 1024;
    let damaged = |_| Refusal::Damaged("a JPEG");
    let end = file.seek(SeekFrom::End(0)).map_err(damaged)?;
    file.seek(SeekFrom::Start(end.saturating_sub(TAIL)))
        .map_err(damaged)?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).map_err(damaged)?;
    file.seek(SeekFrom::Start(0)).map_err(damaged)?;
    if tail.windows(2).any(|pair| pair == [0xFF, 0xD9]) {
        Ok(())
    } else {
        Err(Refusal::Damaged("a JPEG"))
    }
}
