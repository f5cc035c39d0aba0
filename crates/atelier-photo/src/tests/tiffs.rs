//! TIFF files of kinds that no library writes.

use std::{iter, ops::Range};

/// A TIFF, little-endian, of one strip unless it is cut.
#[derive(Clone)]
pub(super) struct Tiff {
    big: bool,
    tags: Vec<(u16, u16, Vec<u32>)>,
    strip: Vec<u8>,
    pieces: Vec<Range<u32>>,
}

const SHORT: u16 = 3;
const LONG: u16 = 4;
const UNDEFINED: u16 = 7;

const TILE_WIDTH: u16 = 322;

impl Tiff {
    pub(super) fn new(width: u32, height: u32, photometric: u32, strip: &[u8]) -> Self {
        let tiff = Self {
            big: false,
            tags: Vec::new(),
            strip: strip.to_vec(),
            pieces: iter::once(0..u32::try_from(strip.len()).unwrap()).collect(),
        };
        tiff.with(256, &[width])
            .with(257, &[height])
            .with(258, &[8])
            .with(259, &[1])
            .with(262, &[photometric])
            .with(277, &[1])
            .with(278, &[height])
    }

    /// With offsets of 64 bits.
    pub(super) fn big(mut self) -> Self {
        self.big = true;
        self
    }

    /// In several strips, or tiles where their width is given: which bytes each takes.
    pub(super) fn cut(mut self, pieces: Vec<Range<u32>>) -> Self {
        self.pieces = pieces;
        self
    }

    pub(super) fn with(self, tag: u16, values: &[u32]) -> Self {
        self.tagged(tag, SHORT, values)
    }

    pub(super) fn profile(self, profile: &[u8]) -> Self {
        self.with_bytes(34675, profile)
    }

    pub(super) fn with_bytes(self, tag: u16, bytes: &[u8]) -> Self {
        let bytes: Vec<u32> = bytes.iter().map(|byte| u32::from(*byte)).collect();
        self.tagged(tag, UNDEFINED, &bytes)
    }

    fn tagged(mut self, tag: u16, kind: u16, values: &[u32]) -> Self {
        self.tags.retain(|(known, ..)| *known != tag);
        self.tags.push((tag, kind, values.to_vec()));
        self
    }

    /// With the places of strips or tiles in data that begin here.
    fn placed(self, head: u32) -> Self {
        let starts: Vec<u32> = self.pieces.iter().map(|piece| head + piece.start).collect();
        let lengths: Vec<u32> = self.pieces.iter().map(|p| p.end - p.start).collect();
        let tiled = self.tags.iter().any(|(tag, ..)| *tag == TILE_WIDTH);
        let (offsets, counts) = if tiled { (324, 325) } else { (273, 279) };
        self.tagged(offsets, LONG, &starts)
            .tagged(counts, LONG, &lengths)
    }

    pub(super) fn file(self) -> Vec<u8> {
        let (head, room) = if self.big { (16, 8) } else { (8, 4) };
        let (strip, big) = (self.strip.clone(), self.big);
        let mut tags = self.placed(head).tags;
        tags.sort();
        let number = |value: usize| value.to_le_bytes()[..room].to_vec();
        let directory = head as usize + strip.len();
        let mut file = if big {
            b"II+\0\x08\0\0\0".to_vec()
        } else {
            b"II*\0".to_vec()
        };
        file.extend(number(directory));
        file.extend(strip);
        let count = tags.len().to_le_bytes();
        file.extend(&count[..if big { 8 } else { 2 }]);
        // Values that do not fit an entry come after the directory.
        let mut after = file.len() + tags.len() * (4 + 2 * room) + room;
        let mut outside = Vec::new();
        for (tag, kind, values) in tags {
            file.extend(tag.to_le_bytes());
            file.extend(kind.to_le_bytes());
            file.extend(number(values.len()));
            let length = match kind {
                SHORT => 2,
                LONG => 4,
                _ => 1,
            };
            let bytes = values
                .iter()
                .flat_map(|v| v.to_le_bytes()[..length].to_vec());
            let mut bytes: Vec<u8> = bytes.collect();
            if bytes.len() > room {
                file.extend(number(after));
                after += bytes.len();
                outside.extend(bytes);
            } else {
                bytes.resize(room, 0);
                file.extend(bytes);
            }
        }
        file.extend(number(0));
        file.extend(outside);
        file
    }
}
