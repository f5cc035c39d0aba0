//! Strips and tiles of a TIFF that say more than the picture does.

use image::GrayImage;

use super::{tiffs::Tiff, *};

const BLACK_IS_ZERO: u32 = 1;
const DAMAGED: Result<RgbImage, Refusal> = Err(Refusal::Damaged("a TIFF"));

fn grey_jpeg(width: u32, height: u32, grey: u8) -> Vec<u8> {
    let picture = GrayImage::from_pixel(width, height, image::Luma([grey]));
    encoded(&DynamicImage::ImageLuma8(picture), ImageFormat::Jpeg)
}

/// Strips of this many rows, 16 pixels wide, in each of which are JPEG data.
fn jpegs(rows: u32, a_strip: u32, strips: &[&[u8]]) -> Tiff {
    let mut end = 0;
    let piece = |strip: &&[u8]| {
        let start = end;
        end += u32::try_from(strip.len()).unwrap();
        start..end
    };
    let pieces = strips.iter().map(piece).collect();
    Tiff::new(16, rows, BLACK_IS_ZERO, &strips.concat())
        .with(259, &[7])
        .with(278, &[a_strip])
        .cut(pieces)
}

/// Tables and all else of a JPEG, each between the markers of start and end.
fn parted(jpeg: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut tables, mut rest) = (vec![0xFF, 0xD8], vec![0xFF, 0xD8]);
    let mut at = 2;
    while jpeg[at + 1] != 0xDA {
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        let segment = &jpeg[at..at + 2 + length];
        match segment[1] {
            0xC4 | 0xDB => tables.extend(segment),
            _ => rest.extend(segment),
        }
        at += segment.len();
    }
    rest.extend(&jpeg[at..]);
    tables.extend([0xFF, 0xD9]);
    (tables, rest)
}

fn assert_two_halves(tiff: Tiff) {
    let photo = decode_bytes(&tiff.file()).unwrap();
    assert_eq!(photo.dimensions(), (16, 28));
    for (y, grey) in [(0, 50), (15, 50), (16, 200), (27, 200)] {
        let found = photo.get_pixel(15, y).0[0];
        assert!(found.abs_diff(grey) < 4, "{y}: {found}");
    }
}

#[test]
fn jpeg_strips_are_read() {
    let (first, second) = (grey_jpeg(16, 16, 50), grey_jpeg(16, 12, 200));
    assert_two_halves(jpegs(28, 16, &[&first, &second]));
    // Of whole height, though the picture ends before.
    assert_two_halves(jpegs(28, 16, &[&first, &grey_jpeg(16, 16, 200)]));
    let ((tables, first), (_, second)) = (parted(&first), parted(&second));
    assert!(decode_bytes(&jpegs(28, 16, &[&first, &second]).file()).is_err());
    assert_two_halves(jpegs(28, 16, &[&first, &second]).with_bytes(347, &tables));
    let long = [&tables[..2], &[0; 20_000], &tables[2..]].concat();
    let long = jpegs(28, 16, &[&first, &second]).with_bytes(347, &long);
    assert_eq!(decode_bytes(&long.file()), Err(Refusal::Unread("TIFF")));
}

#[test]
fn jpeg_data_are_no_larger_than_their_strip() {
    let large = grey_jpeg(2_000, 2_000, 90);
    assert_eq!(decode_bytes(&jpegs(64, 64, &[&large]).file()), DAMAGED);
    let shared = jpegs(64, 1, &[&large]).cut(vec![0..large.len() as u32; 64]);
    assert_eq!(decode_bytes(&shared.file()), DAMAGED);
    let (tables, large) = parted(&large);
    let large = jpegs(64, 64, &[&large]).with_bytes(347, &tables);
    assert_eq!(decode_bytes(&large.file()), DAMAGED);
    for (width, height, taken) in [(16, 16, true), (17, 16, false), (16, 17, false)] {
        let tiff = jpegs(9, 64, &[&grey_jpeg(width, height, 90)]);
        let found = decode_bytes(&tiff.file());
        assert_eq!(found.is_ok(), taken, "{width} x {height}: {found:?}");
    }
}

#[test]
fn strips_lie_side_by_side() {
    let cut = |pieces| {
        Tiff::new(100, 8, BLACK_IS_ZERO, &[7; 800])
            .with(278, &[2])
            .cut(pieces)
    };
    let whole = cut(vec![0..200, 200..400, 400..600, 600..800]);
    assert!(decode_bytes(&whole.file()).is_ok());
    let overlapping = cut(vec![0..800, 0..800, 0..800, 0..800]);
    assert_eq!(decode_bytes(&overlapping.file()), DAMAGED);
}

#[test]
fn tiles_do_not_reach_far_beyond_the_picture() {
    let tiled = |width: u32, rows: u32| {
        let count = rows.div_ceil(16);
        let length = 16 * width;
        let pieces = (0..count).map(|tile| tile * length..(tile + 1) * length);
        Tiff::new(1, rows, BLACK_IS_ZERO, &vec![7; (count * length) as usize])
            .with(322, &[width])
            .with(323, &[16])
            .cut(pieces.collect())
    };
    assert!(decode_bytes(&tiled(16, 40).file()).is_ok());
    assert!(decode_bytes(&tiled(1024, 160).file()).is_ok());
    let far = decode_bytes(&tiled(65_520, 160).file());
    assert_eq!(far, Err(Refusal::Unread("TIFF")));
}
