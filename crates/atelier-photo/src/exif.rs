//! The EXIF block of a photo (CIPA DC-008, in the form of TIFF 6.0), changed in place so that what it says
//! of the picture is true of the one it goes with: offsets, those of a maker's note among them, stay.

use image::metadata::Orientation;

/// The largest block that a JPEG holds.
const LARGEST: usize = 65_500;

const ENTRY: usize = 12;
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// Of a directory; the names are those of the standard.
mod tag {
    pub(super) const IMAGE_WIDTH: u16 = 0x0100;
    pub(super) const IMAGE_LENGTH: u16 = 0x0101;
    pub(super) const STRIP_OFFSETS: u16 = 0x0111;
    pub(super) const ORIENTATION: u16 = 0x0112;
    pub(super) const STRIP_BYTE_COUNTS: u16 = 0x0117;
    pub(super) const WHITE_POINT: u16 = 0x013E;
    pub(super) const PRIMARY_CHROMATICITIES: u16 = 0x013F;
    pub(super) const JPEG_INTERCHANGE_FORMAT: u16 = 0x0201;
    pub(super) const JPEG_INTERCHANGE_FORMAT_LENGTH: u16 = 0x0202;
    pub(super) const EXIF_IFD: u16 = 0x8769;
    pub(super) const ICC_PROFILE: u16 = 0x8773;
    pub(super) const COLOR_SPACE: u16 = 0xA001;
    pub(super) const PIXEL_X_DIMENSION: u16 = 0xA002;
    pub(super) const PIXEL_Y_DIMENSION: u16 = 0xA003;
    pub(super) const INTEROPERABILITY_IFD: u16 = 0xA005;
    pub(super) const GAMMA: u16 = 0xA500;
    pub(super) const INTEROPERABILITY_INDEX: u16 = 0x0001;
}

/// A block whose header is one.
#[derive(Debug, Clone)]
pub(super) struct Exif {
    bytes: Vec<u8>,
    big_endian: bool,
    main: usize,
}

impl Exif {
    /// `None` for what is no block, or a larger one than can be handed on.
    pub(super) fn read(mut bytes: Vec<u8>) -> Option<Self> {
        if bytes.starts_with(b"Exif\0\0") {
            bytes.drain(..6);
        }
        let big_endian = match bytes.get(..4)? {
            b"MM\0*" => true,
            b"II*\0" => false,
            _ => return None,
        };
        let mut exif = Self {
            bytes,
            big_endian,
            main: 0,
        };
        exif.main = exif.long(4)? as usize;
        exif.entries(exif.main)?;
        Some(exif).filter(|exif| exif.bytes.len() <= LARGEST)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// How the photo has to be turned to stand upright.
    pub(super) fn orientation(&self) -> Option<Orientation> {
        let value = self.value(self.find(self.main, tag::ORIENTATION)?)?;
        Orientation::from_exif(u8::try_from(value).ok()?)
    }

    /// The block of the photo turned upright, in sRGB, without the small copy that was neither.
    pub(super) fn of_upright_srgb(mut self) -> Self {
        self.set(self.main, tag::ORIENTATION, SHORT, 1);
        self.drop_thumbnail();
        for described in [
            tag::WHITE_POINT,
            tag::PRIMARY_CHROMATICITIES,
            tag::ICC_PROFILE,
        ] {
            self.remove(self.main, described);
        }
        if let Some(photo) = self.directory(self.main, tag::EXIF_IFD) {
            self.set(photo, tag::COLOR_SPACE, SHORT, 1);
            self.remove(photo, tag::GAMMA);
            self.say_basic(photo);
        }
        self
    }

    /// The block of the photo in this size.
    pub(super) fn of_size(mut self, width: u32, height: u32) -> Self {
        self.set(self.main, tag::IMAGE_WIDTH, LONG, width);
        self.set(self.main, tag::IMAGE_LENGTH, LONG, height);
        if let Some(photo) = self.directory(self.main, tag::EXIF_IFD) {
            self.set(photo, tag::PIXEL_X_DIMENSION, LONG, width);
            self.set(photo, tag::PIXEL_Y_DIMENSION, LONG, height);
        }
        self
    }

    /// "R03" stands for Adobe RGB, "R98" for sRGB (DCF 2.0).
    fn say_basic(&mut self, photo: usize) {
        let index = self
            .directory(photo, tag::INTEROPERABILITY_IFD)
            .and_then(|directory| self.find(directory, tag::INTEROPERABILITY_INDEX));
        if let Some(value) = index.and_then(|entry| self.bytes.get_mut(entry + 8..entry + ENTRY))
            && value == b"R03\0"
        {
            value.copy_from_slice(b"R98\0");
        }
    }

    /// Cuts off the second directory and blanks the picture that it leads to.
    fn drop_thumbnail(&mut self) {
        let Some((first, entries)) = self.entries(self.main) else {
            return;
        };
        let link = first + ENTRY * entries;
        let Some(directory) = self.long(link).filter(|next| *next != 0) else {
            return;
        };
        for (offset, length) in [
            (
                tag::JPEG_INTERCHANGE_FORMAT,
                tag::JPEG_INTERCHANGE_FORMAT_LENGTH,
            ),
            (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS),
        ] {
            let value = |tag| self.value(self.find(directory as usize, tag)?);
            if let (Some(offset), Some(length)) = (value(offset), value(length)) {
                self.blank(offset as usize, length as usize);
            }
        }
        self.put(link, LONG, 0);
    }

    fn blank(&mut self, from: usize, length: usize) {
        let to = from.saturating_add(length);
        if from < 8 || to > self.bytes.len() {
            return;
        }
        if to == self.bytes.len() {
            self.bytes.truncate(from);
        } else {
            self.bytes[from..to].fill(0);
        }
    }

    /// Where a directory's first entry is, and how many there are.
    fn entries(&self, directory: usize) -> Option<(usize, usize)> {
        let (first, entries) = (directory + 2, usize::from(self.short(directory)?));
        (first + ENTRY * entries <= self.bytes.len()).then_some((first, entries))
    }

    fn find(&self, directory: usize, tag: u16) -> Option<usize> {
        let (first, entries) = self.entries(directory)?;
        (0..entries)
            .map(|index| first + ENTRY * index)
            .find(|entry| self.short(*entry) == Some(tag))
    }

    /// The directory that an entry leads to.
    fn directory(&self, directory: usize, tag: u16) -> Option<usize> {
        let place = self.value(self.find(directory, tag)?)? as usize;
        self.entries(place).map(|_| place)
    }

    /// An entry's only number.
    fn value(&self, entry: usize) -> Option<u32> {
        match (self.short(entry + 2)?, self.long(entry + 4)?) {
            (SHORT, 1) => self.short(entry + 8).map(u32::from),
            (LONG, 1) => self.long(entry + 8),
            _ => None,
        }
    }

    /// Changes an entry that is there to this one number.
    fn set(&mut self, directory: usize, tag: u16, kind: u16, value: u32) {
        if let Some(entry) = self.find(directory, tag) {
            self.put(entry + 2, SHORT, kind.into());
            self.put(entry + 4, LONG, 1);
            self.put(entry + 8, LONG, 0);
            self.put(entry + 8, kind, value);
        }
    }

    fn remove(&mut self, directory: usize, tag: u16) {
        let found = self.find(directory, tag).zip(self.entries(directory));
        let Some((entry, (first, entries))) = found else {
            return;
        };
        // The link to the next directory moves up as well.
        let end = (first + ENTRY * entries + 4).min(self.bytes.len());
        self.bytes.copy_within(entry + ENTRY..end, entry);
        self.put(directory, SHORT, entries as u32 - 1);
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    /// Writes a number where there is room for it.
    fn put(&mut self, at: usize, kind: u16, value: u32) {
        let (long, short) = (value.to_be_bytes(), (value as u16).to_be_bytes());
        let digits: &[u8] = if kind == SHORT { &short } else { &long };
        let Some(place) = self.bytes.get_mut(at..at + digits.len()) else {
            return;
        };
        place.copy_from_slice(digits);
        if !self.big_endian {
            place.reverse();
        }
    }
}
