//! Kinds of TIFF.

use super::{tiffs::Tiff, *};

const WHITE_IS_ZERO: u32 = 0;
const BLACK_IS_ZERO: u32 = 1;
const RGB: u32 = 2;
const PALETTE: u32 = 3;

fn pixels(tiff: Tiff) -> Vec<[u8; 3]> {
    let photo = decode_bytes(&tiff.file()).unwrap();
    photo.pixels().map(|pixel| pixel.0).collect()
}

fn greys(tiff: Tiff) -> Vec<u8> {
    pixels(tiff).into_iter().map(|[red, ..]| red).collect()
}

/// Three channels of this many bits.
fn rgb(width: u32, strip: &[u8], bits: u32) -> Tiff {
    Tiff::new(width, 1, RGB, strip)
        .with(258, &[bits; 3])
        .with(277, &[3])
}

#[test]
fn palettes_are_looked_up() {
    let colours = |length: u32, scale: u32| -> Vec<u32> {
        (0..3 * length).map(|entry| entry % 200 * scale).collect()
    };
    for scale in [257, 1] {
        let eight = Tiff::new(2, 1, PALETTE, &[0, 7]).with(320, &colours(256, scale));
        assert_eq!(pixels(eight), [[0, 56, 112], [7, 63, 119]]);
        let four = Tiff::new(3, 1, PALETTE, &[0x0F, 0x20]).with(258, &[4]);
        let four = four.with(320, &colours(16, scale));
        assert_eq!(pixels(four), [[0, 16, 32], [15, 31, 47], [2, 18, 34]]);
    }
    let short = Tiff::new(2, 1, PALETTE, &[0, 7]).with(320, &colours(2, 1));
    assert_eq!(decode_bytes(&short.file()), Err(Refusal::Damaged("a TIFF")));
}

#[test]
fn grey_comes_in_many_depths() {
    let grey = |bits: u32, strip: &[u8]| Tiff::new(2, 1, BLACK_IS_ZERO, strip).with(258, &[bits]);
    let real = |values: [f32; 2]| grey(32, &values.map(f32::to_le_bytes).concat()).with(339, &[3]);
    let whole = |values: [u32; 2]| grey(32, &values.map(u32::to_le_bytes).concat());
    assert_eq!(greys(grey(1, &[0b0100_0000])), [0, 255]);
    assert_eq!(greys(grey(4, &[0x3F])), [51, 255]);
    assert_eq!(greys(grey(16, &[0x01, 0x80, 0xFF, 0xFF])), [128, 255]);
    assert_eq!(greys(real([0.2, 1.5])), [51, 255]);
    assert_eq!(greys(real([51.0, 255.0])), [51, 255]);
    assert_eq!(greys(real([f32::NAN, -3.0])), [0, 0]);
    assert_eq!(greys(whole([51, 255])), [51, 255]);
    assert_eq!(greys(whole([51 << 24, u32::MAX])), [51, 255]);
    let inverted = Tiff::new(2, 1, WHITE_IS_ZERO, &[0b0100_0000]).with(258, &[1]);
    assert_eq!(greys(inverted), [255, 0]);
}

#[test]
fn channels_come_in_many_orders() {
    let colour = [200, 80, 60];
    assert_eq!(pixels(rgb(1, &colour, 8)), [colour]);
    assert_eq!(pixels(rgb(1, &colour, 8).big()), [colour]);
    let planes = rgb(2, &[], 8).with(284, &[2]);
    assert!(decode_bytes(&planes.file()).is_err());
    let extra = |kind: u32, strip: &[u8]| {
        let tiff = rgb(1, strip, 8).with(258, &[8; 4]).with(277, &[4]);
        pixels(tiff.with(338, &[kind]))
    };
    assert_eq!(extra(0, &[200, 80, 60, 9]), [colour]);
    assert_eq!(extra(2, &[200, 80, 60, 0]), [[255; 3]]);
    // Multiplied by half already.
    let [[red, green, blue]] = extra(1, &[100, 40, 30, 128])[..] else {
        panic!("one pixel")
    };
    assert!(red.abs_diff(227) < 3 && green.abs_diff(167) < 3 && blue.abs_diff(157) < 3);
}

#[test]
fn lab_is_read_with_a_sign_and_without() {
    let lab = |kind: u32, strip: &[u8]| {
        let tiff = Tiff::new(1, 1, kind, strip).with(258, &[8; 3]);
        pixels(tiff.with(277, &[3]))[0]
    };
    for (kind, strip) in [(8, [158, 44, 60]), (9, [158, 172, 188])] {
        let found = lab(kind, &strip);
        let right = [233, 114, 39];
        assert!(
            found.iter().zip(right).all(|(a, b)| a.abs_diff(b) < 4),
            "{found:?}"
        );
    }
}

#[test]
fn a_tiff_stands_as_its_tag_says() {
    let turned = |way: u32| decode_bytes(&rgb(1, &[1, 2, 3], 8).with(274, &[way]).file());
    for way in 0..12 {
        assert!(turned(way).is_ok(), "{way}");
    }
    let long = Tiff::new(3, 1, BLACK_IS_ZERO, &[1, 2, 3]).with(274, &[6]);
    assert_eq!(decode_bytes(&long.file()).unwrap().dimensions(), (1, 3));
}

#[test]
fn kinds_of_tiff_that_are_not_read_are_called_so() {
    let plain = || Tiff::new(2, 1, BLACK_IS_ZERO, &[1, 2]);
    for (kind, tiff) in [
        ("group 3", plain().with(258, &[1]).with(259, &[3])),
        ("old JPEG", plain().with(259, &[6])),
        ("LZMA", plain().with(259, &[34_925])),
        ("Zstandard", plain().with(259, &[50_000])),
        ("WebP", plain().with(259, &[50_001])),
        ("raw of a camera", plain().with(262, &[32_803])),
        ("mask", plain().with(262, &[4])),
        ("bits reversed", plain().with(258, &[1]).with(266, &[2])),
        ("twelve bits", plain().with(258, &[12])),
        ("with a sign", plain().with(339, &[2])),
        ("mixed depths", rgb(1, &[1, 2, 3], 8).with(258, &[8, 8, 16])),
        ("coarse colours", rgb(1, &[1, 2, 3], 8).with(262, &[6])),
        (
            "other inks",
            rgb(1, &[1, 2, 3, 4], 8)
                .with(258, &[8; 4])
                .with(277, &[4])
                .with(262, &[5])
                .with(332, &[2]),
        ),
    ] {
        assert_eq!(
            decode_bytes(&tiff.file()),
            Err(Refusal::Unread("TIFF")),
            "{kind}"
        );
    }
    let words = Refusal::Unread("TIFF").to_string();
    assert!(words.contains("this kind of TIFF is not read"), "{words}");
    let whole = rgb(4, &[1; 12], 8).file();
    assert!(decode_bytes(&whole).is_ok());
    for length in 4..whole.len() {
        let found = decode_bytes(&whole[..length]);
        assert!(
            matches!(found, Err(Refusal::Damaged(_))),
            "{length}: {found:?}"
        );
    }
}
