//! More than two hundred files that no decoder should trust, sent over HTTP.

use std::{io::Write as _, time::Duration};

use image::{DynamicImage, ExtendedColorType, ImageFormat, Rgb, RgbImage};

use super::studio;
use crate::support::{encode, photo, problem, taken};

/// What the server may take above what it held before, however bad the file.
const MOST_MEMORY: u64 = 350_000_000;

const FORMATS: [ImageFormat; 6] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::WebP,
    ImageFormat::Gif,
    ImageFormat::Bmp,
    ImageFormat::Tiff,
];

#[tokio::test]
async fn no_file_brings_the_server_down() {
    let (_setup, openai, server) = studio().await;
    // Taken and restored once, so that what is loaded on first use is there.
    server
        .succeeded(&taken(server.restore(photo(64, 48, ImageFormat::Jpeg)).await).await)
        .await;
    let before = server.peak_memory();
    let files = corpus();
    assert!(files.len() >= 200, "{} files", files.len());
    let mut accepted = 0;
    for (name, file) in files {
        // Far beyond what any takes: a decoder that hangs is found, a busy machine is not.
        let answer = tokio::time::timeout(Duration::from_secs(60), server.restore(file)).await;
        let answer = answer.unwrap_or_else(|_| panic!("{name}: no answer"));
        match answer.status().as_u16() {
            200 | 202 => {
                server.finished(&taken(answer).await).await;
                accepted += 1;
            }
            status => {
                let (_, told) = problem(answer).await;
                assert!(matches!(status, 413 | 415 | 422), "{name}: {told}");
                assert!(
                    told["detail"]
                        .as_str()
                        .is_some_and(|detail| detail.len() > 20),
                    "{name}: {told}"
                );
            }
        }
        let peak = server.peak_memory();
        assert!(
            peak < before + MOST_MEMORY,
            "{name}: {} MB",
            peak / 1_000_000
        );
    }
    assert!(
        accepted > 0,
        "broken metadata is no reason to refuse a photo"
    );
    assert!(
        server
            .get("/restore")
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    drop(openai);
}

type File = (String, Vec<u8>);

fn corpus() -> Vec<File> {
    let mut files = Vec::new();
    for format in FORMATS {
        let whole = photo(96, 64, format);
        files.extend(truncated(&format!("{format:?}"), &whole));
        files.extend(scribbled(&format!("{format:?}"), &whole));
        files.extend(disguised(format, &whole));
    }
    files.extend(claimed_sizes());
    files.extend(metadata());
    files.extend(polyglots());
    files.extend(bombs());
    files
}

/// Cut at every chunk of a PNG, every segment of a JPEG, and at steps through all.
fn truncated(name: &str, whole: &[u8]) -> Vec<File> {
    let mut places: Vec<usize> = (1..12).map(|part| whole.len() * part / 12).collect();
    places.extend([1, 2, 3, 4, 8, 11, 12, 13, 16, 24]);
    let marks = |pair: &[u8]| pair[0] == 0xFF && pair[1] >= 0xC0 && pair[1] != 0xFF;
    let chunks = [&b"IHDR"[..], b"IDAT", b"IEND", b"VP8 ", b"VP8L"];
    places.extend((0..whole.len() - 4).filter(|at| match name {
        "Jpeg" => marks(&whole[*at..at + 2]),
        _ => chunks.contains(&&whole[*at..at + 4]),
    }));
    places.sort_unstable();
    places.dedup();
    let cut = |place: usize| (format!("{name} cut at {place}"), whole[..place].to_vec());
    places
        .into_iter()
        .filter(|place| *place < whole.len())
        .map(cut)
        .collect()
}

/// Bytes overwritten from a seed.
fn scribbled(name: &str, whole: &[u8]) -> Vec<File> {
    let scribble = |seed: u64| {
        let (mut dice, mut file) = (fastrand::Rng::with_seed(seed), whole.to_vec());
        for _ in 0..=seed {
            let place = dice.usize(8..file.len());
            file[place] = dice.u8(..);
        }
        (format!("{name} scribbled {seed}"), file)
    };
    (0..10).map(scribble).collect()
}

/// The head of another format, and the name says nothing of it.
fn disguised(format: ImageFormat, whole: &[u8]) -> Vec<File> {
    let other = |mask: ImageFormat| {
        let mut file = photo(8, 8, mask);
        file.truncate(16);
        file.extend_from_slice(&whole[16..]);
        (format!("{format:?} that begins as {mask:?}"), file)
    };
    let masks = FORMATS.into_iter().filter(|mask| *mask != format);
    masks.map(other).collect()
}

/// Headers that claim sides of 0, 1 and 65,535 pixels, or worse.
fn claimed_sizes() -> Vec<File> {
    let mut files = Vec::new();
    for (width, height) in [
        (0, 0),
        (0, 9),
        (9, 0),
        (1, 65_535),
        (65_535, 1),
        (65_535, 65_535),
    ] {
        let mut claim = |format: ImageFormat, put: &dyn Fn(&mut Vec<u8>)| {
            let mut file = photo(96, 64, format);
            put(&mut file);
            files.push((format!("{format:?} of {width} x {height}"), file));
        };
        let (w, h) = (width as u16, height as u16);
        claim(ImageFormat::Png, &|file| {
            claim_png_size(file, width, height);
        });
        claim(ImageFormat::Jpeg, &|file| {
            let frame = file
                .windows(2)
                .position(|pair| pair == [0xFF, 0xC0])
                .unwrap();
            file[frame + 5..frame + 7].copy_from_slice(&h.to_be_bytes());
            file[frame + 7..frame + 9].copy_from_slice(&w.to_be_bytes());
        });
        claim(ImageFormat::Gif, &|file| {
            file[6..8].copy_from_slice(&w.to_le_bytes());
            file[8..10].copy_from_slice(&h.to_le_bytes());
        });
        claim(ImageFormat::Bmp, &|file| {
            file[18..22].copy_from_slice(&width.to_le_bytes());
            file[22..26].copy_from_slice(&height.to_le_bytes());
        });
        claim(ImageFormat::Tiff, &|file| {
            claim_tiff(file, 256, width);
            claim_tiff(file, 257, height);
        });
    }
    let mut negative = photo(96, 64, ImageFormat::Bmp);
    negative[22..26].copy_from_slice(&i32::MIN.to_le_bytes());
    files.push(("Bmp of a negative height".into(), negative));
    let mut endless = photo(96, 64, ImageFormat::Tiff);
    endless[4..8].copy_from_slice(&8_u32.to_le_bytes());
    files.push(("Tiff whose directory is its header".into(), endless));
    files
}

/// Overwrites the value of a little-endian TIFF's tag.
fn claim_tiff(file: &mut [u8], tag: u16, value: u32) {
    let start = u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize;
    let count = usize::from(u16::from_le_bytes([file[start], file[start + 1]]));
    for entry in (0..count).map(|i| start + 2 + 12 * i) {
        if file[entry..entry + 2] == tag.to_le_bytes() {
            file[entry + 8..entry + 12].copy_from_slice(&value.to_le_bytes());
        }
    }
}

/// Writes a size into a PNG's header.
pub(super) fn claim_png_size(file: &mut [u8], width: u32, height: u32) {
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&file[12..29]);
    file[29..33].copy_from_slice(&crc.to_be_bytes());
}

/// As PNG wants it (<https://www.w3.org/TR/png-3/#D-CRCAppendix>).
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Broken EXIF and ICC in whole pictures.
fn metadata() -> Vec<File> {
    let mut dice = fastrand::Rng::with_seed(6);
    let noise: Vec<u8> = (0..3000).map(|_| dice.u8(..)).collect();
    let mut profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    for _ in 0..40 {
        let place = dice.usize(128..profile.len());
        profile[place] = dice.u8(..);
    }
    let mut short = profile.clone();
    short.truncate(140);
    let exif = |body: &[u8]| [b"Exif\0\0", body].concat();
    let icc = |body: &[u8]| [b"ICC_PROFILE\0\x01\x01", body].concat();
    let loops = b"II*\0\x08\0\0\0\xFF\xFF\x12\x01\x03\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF";
    let cases: [(&str, u8, Vec<u8>); 9] = [
        ("EXIF of noise", 0xE1, exif(&noise)),
        ("EXIF that is empty", 0xE1, exif(b"")),
        ("EXIF of 65,535 entries", 0xE1, exif(loops)),
        (
            "EXIF that points past its end",
            0xE1,
            exif(b"MM\0*\xFF\xFF\xFF\xF0"),
        ),
        ("ICC of noise", 0xE2, icc(&noise)),
        ("ICC that is empty", 0xE2, icc(b"")),
        ("ICC scribbled", 0xE2, icc(&profile)),
        ("ICC cut", 0xE2, icc(&short)),
        (
            "ICC of 200 parts",
            0xE2,
            [b"ICC_PROFILE\0\x01\xC8", &noise[..]].concat(),
        ),
    ];
    let jpeg = photo(96, 64, ImageFormat::Jpeg);
    let with = |(name, marker, body): (&str, u8, Vec<u8>)| {
        let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
        let segment = [&[0xFF, marker], &length[..], &body].concat();
        (name.to_owned(), [&jpeg[..2], &segment, &jpeg[2..]].concat())
    };
    cases.into_iter().map(with).collect()
}

/// Files that are two things at once, or something else altogether.
fn polyglots() -> Vec<File> {
    let png = photo(96, 64, ImageFormat::Png);
    let jpeg = photo(96, 64, ImageFormat::Jpeg);
    let named = |name: &str, file: Vec<u8>| (name.to_owned(), file);
    vec![
        named("PNG and ZIP", [&png[..], b"PK\x03\x04 and more"].concat()),
        named(
            "JPEG and HTML",
            [&jpeg[..], b"<script>alert(1)</script>"].concat(),
        ),
        named("PNG and JPEG", [&png[..], &jpeg].concat()),
        named(
            "GIF and JavaScript",
            b"GIF89a/*\x01\0*/=1;alert(1)".to_vec(),
        ),
        named("PDF and JPEG", [b"%PDF-1.7\n", &jpeg[..]].concat()),
        named("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec()),
        named("AVIF", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1".to_vec()),
        named(
            "SVG",
            b"<svg xmlns='http://www.w3.org/2000/svg'><!ENTITY x '&x;&x;'></svg>".to_vec(),
        ),
        named("zeros", vec![0; 100_000]),
        named("ones", vec![0xFF; 100_000]),
        named("JPEG of markers alone", [0xFF, 0xD8].repeat(50_000)),
        named("JPEG without a scan", [&jpeg[..20], &[0xFF, 0xD9]].concat()),
    ]
}

/// Small files that unpack to much.
fn bombs() -> Vec<File> {
    let flat = |side: u32| DynamicImage::ImageRgb8(RgbImage::from_pixel(side, side, Rgb([9; 3])));
    let large = encode(&flat(7000), ImageFormat::Png);
    let deep = DynamicImage::ImageRgba16(flat(5000).into_rgba16());
    let mut text = photo(8, 8, ImageFormat::Png);
    let end = text.len() - 12;
    let packed = deflated(&vec![b'a'; 60_000_000]);
    let chunk = [b"zTXtComment\0\0", &packed[..]].concat();
    let length = u32::try_from(chunk.len() - 4).unwrap().to_be_bytes();
    let chunk = [&length[..], &chunk, &crc32(&chunk).to_be_bytes()].concat();
    text.splice(end..end, chunk);
    let mut lzw = b"GIF89a\xFF\xFF\xFF\xFF\x80\0\0\0\0\0\xFF\xFF\xFF,\0\0\0\0\xFF\xFF\xFF\xFF\0\x02\x02L\x01\0;".to_vec();
    lzw.extend([0; 500]);
    let thin = image_of_one_row(&vec![7; 49_000_000]);
    vec![
        ("PNG of 49 megapixels".into(), large),
        (
            "PNG of 25 megapixels, 16 bits".into(),
            encode(&deep, ImageFormat::Png),
        ),
        ("PNG with 60 MB of text".into(), text),
        ("GIF of 65,535 x 65,535".into(), lzw),
        ("PNG of one row".into(), thin),
        (
            "BMP of 7 megapixels".into(),
            encode(&flat(2700), ImageFormat::Bmp),
        ),
    ]
}

fn image_of_one_row(line: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut file);
    let width = u32::try_from(line.len()).unwrap();
    image::ImageEncoder::write_image(encoder, line, width, 1, ExtendedColorType::L8).unwrap();
    file
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
