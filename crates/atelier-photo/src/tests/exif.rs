//! What the metadata of a download says is true of it.

use image::metadata::Orientation;
use proptest::prelude::*;

use crate::exif::Exif;

const SHORT: u16 = 3;
const LONG: u16 = 4;
const ASCII: u16 = 2;

/// A block as cameras write it: sideways, in Adobe RGB, with a small copy at its end.
struct Block(bool);

impl Block {
    fn short(&self, value: u16) -> Vec<u8> {
        if self.0 {
            value.to_be_bytes().into()
        } else {
            value.to_le_bytes().into()
        }
    }

    fn long(&self, value: u32) -> Vec<u8> {
        if self.0 {
            value.to_be_bytes().into()
        } else {
            value.to_le_bytes().into()
        }
    }

    fn directory(&self, entries: &[(u16, u16, u32)], next: u32) -> Vec<u8> {
        let mut bytes = self.short(entries.len() as u16);
        for (tag, kind, value) in entries {
            bytes.extend(self.short(*tag));
            bytes.extend(self.short(*kind));
            bytes.extend(self.long(if *kind == ASCII { 4 } else { 1 }));
            let mut value = match *kind {
                SHORT => self.short(*value as u16),
                ASCII => value.to_be_bytes().into(),
                _ => self.long(*value),
            };
            value.resize(4, 0);
            bytes.extend(value);
        }
        bytes.extend(self.long(next));
        bytes
    }

    fn bytes(&self, orientation: u16) -> Vec<u8> {
        let mut bytes = if self.0 {
            b"MM\0*".to_vec()
        } else {
            b"II*\0".to_vec()
        };
        bytes.extend(self.long(8));
        // 8: three entries; 50: six; 128: one; 146: two; 176: the small copy.
        let main = [
            (0x0112, SHORT, orientation.into()),
            (0x013E, LONG, 8),
            (0x8769, LONG, 50),
        ];
        bytes.extend(self.directory(&main, 146));
        let photo = [
            (0xA001, SHORT, 65_535),
            (0xA002, SHORT, 3000),
            (0xA003, SHORT, 2000),
            (0xA005, LONG, 128),
            (0xA434, ASCII, u32::from_be_bytes(*b"len\0")),
            (0xA500, LONG, 8),
        ];
        bytes.extend(self.directory(&photo, 0));
        let index = [(0x0001, ASCII, u32::from_be_bytes(*b"R03\0"))];
        bytes.extend(self.directory(&index, 0));
        bytes.extend(self.directory(&[(0x0201, LONG, 176), (0x0202, LONG, 6)], 0));
        bytes.extend(b"\xFF\xD8tiny");
        bytes
    }
}

#[test]
fn a_block_is_true_of_the_finished_photo() {
    for big_endian in [false, true] {
        let block = Block(big_endian);
        let exif = Exif::read(block.bytes(6)).unwrap();
        assert_eq!(exif.orientation(), Some(Orientation::Rotate90));
        let bytes = exif.of_upright_srgb().of_size(70_000, 40).into_bytes();
        let main = [(0x0112, SHORT, 1), (0x8769, LONG, 50)];
        let main = block.directory(&main, 0);
        assert_eq!(bytes[8..8 + main.len()], main);
        let photo = [
            (0xA001, SHORT, 1),
            (0xA002, LONG, 70_000),
            (0xA003, LONG, 40),
            (0xA005, LONG, 128),
            (0xA434, ASCII, u32::from_be_bytes(*b"len\0")),
        ];
        let photo = block.directory(&photo, 0);
        assert_eq!(bytes[50..50 + photo.len()], photo);
        let has = |words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
        assert!(has(b"R98") && !has(b"R03") && !has(b"tiny"));
        assert_eq!(bytes.len(), 176, "the small copy takes no room");
    }
}

#[test]
fn twelve_orientations_are_understood_or_left() {
    for value in 0..12 {
        let exif = Exif::read(Block(false).bytes(value)).unwrap();
        let known = (1..=8).contains(&value);
        assert_eq!(exif.orientation().is_some(), known, "{value}");
        assert!(exif.of_upright_srgb().orientation() == Some(Orientation::NoTransforms));
    }
}

#[test]
fn what_is_no_block_is_left_out() {
    for bytes in [
        &b""[..],
        b"II*",
        b"II*\0\xFF\xFF\xFF\xFF",
        b"MM*\0\0\0\0\x08",
        b"II*\0\x08\0\0\0\x09\0",
    ] {
        assert!(Exif::read(bytes.to_vec()).is_none(), "{bytes:?}");
    }
    let prefixed = [b"Exif\0\0", &Block(true).bytes(3)[..]].concat();
    assert!(Exif::read(prefixed).is_some());
    let mut large = Block(true).bytes(3);
    large.resize(65_501, 0);
    assert!(Exif::read(large).is_none());
}

proptest! {
    #[test]
    fn no_block_breaks_the_rewriting(
        changes in prop::collection::vec((0..182_usize, any::<u8>()), 0..20),
        length in 0..182_usize,
        big_endian in any::<bool>(),
    ) {
        let mut bytes = Block(big_endian).bytes(6);
        for (place, value) in changes {
            bytes[place] = value;
        }
        bytes.truncate(182 - length);
        let length = bytes.len();
        if let Some(exif) = Exif::read(bytes) {
            let bytes = exif.of_upright_srgb().of_size(7, 5).into_bytes();
            prop_assert!(bytes.len() <= length);
        }
    }
}
