//! What a file is, by its bytes and not by its name.

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

/// TIFF with offsets of 64 bits.
const BIG_TIFF: [&[u8; 4]; 2] = [b"II+\0", b"MM\0+"];

/// The type of a file; one that is not [`TAKEN`] is refused.
pub(super) fn recognise(file: &[u8]) -> Result<ImageFormat, Refusal> {
    if file.is_empty() {
        return Err(Refusal::Empty);
    }
    if BIG_TIFF.iter().any(|magic| file.starts_with(*magic)) {
        return Ok(ImageFormat::Tiff);
    }
    match image::guess_format(file) {
        Ok(format) if TAKEN.contains(&format) => Ok(format),
        _ => Err(Refusal::UnknownType(foreign_type(file))),
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
fn foreign_type(file: &[u8]) -> String {
    let head = &file[..file.len().min(64)];
    let text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let words = match container(file) {
        Some(Container::Heic) => {
            "This is a HEIC photo: in your phone's camera settings choose \"most compatible\", or export it as JPEG."
        }
        Some(Container::Avif) => "This is an AVIF picture: export it as JPEG or PNG.",
        Some(Container::Video) => "This is a video, not a photo.",
        None if head.starts_with(b"%PDF") => "This is a PDF, not a photo.",
        None if head.iter().all(text) => "This is a text file, whatever its name says.",
        None => "This is not a kind of picture we can read.",
    };
    words.into()
}

/// What is in a file of the ISO base media format (ISO/IEC 14496-12).
enum Container {
    Heic,
    Avif,
    Video,
}

fn container(file: &[u8]) -> Option<Container> {
    const AVIF: [&[u8; 4]; 2] = [b"avif", b"avis"];
    const HEIC: [&[u8; 4]; 8] = [
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs",
    ];
    // Both write these: what is inside, the other brands tell.
    const EITHER: [&[u8; 4]; 2] = [b"mif1", b"msf1"];
    const VIDEO: [&[u8; 4]; 6] = [b"isom", b"mp41", b"mp42", b"qt  ", b"M4V ", b"3gp4"];
    let length = u32::from_be_bytes(*file.first_chunk()?) as usize;
    let head = file.get(4..length.clamp(16, 1024).min(file.len()))?;
    let brands = head.strip_prefix(b"ftyp")?.as_chunks::<4>().0;
    let has = |known: &[&[u8; 4]]| brands.iter().any(|brand| known.contains(&brand));
    let major = |known: &[&[u8; 4]]| brands.first().is_some_and(|brand| known.contains(&brand));
    Some(if major(&AVIF) || has(&AVIF) && !major(&HEIC) {
        Container::Avif
    } else if has(&HEIC) || has(&EITHER) {
        Container::Heic
    } else if has(&VIDEO) {
        Container::Video
    } else {
        return None;
    })
}
