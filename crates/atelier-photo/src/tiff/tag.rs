//! One tag of the first directory, changed in place.

use tiff::tags::Tag;

/// Writes a tag's only value, a short.
pub(super) fn write_short(file: &mut [u8], tag: Tag, value: u16) -> Option<()> {
    let big_endian = file.first()? == &b'M';
    let number = |at: usize, length: usize| -> Option<u64> {
        let bytes = file.get(at..at.checked_add(length)?)?;
        let digits = bytes.iter().map(|byte| u64::from(*byte));
        let join = |number: u64, digit: u64| number << 8 | digit;
        Some(if big_endian {
            digits.fold(0, join)
        } else {
            digits.rev().fold(0, join)
        })
    };
    // Where the directory is, how long its count and its entries are, and where in an entry the value is.
    let (directory, count, entry, inside) = match number(2, 2)? {
        43 => (number(8, 8)?, 8, 20, 12),
        _ => (number(4, 4)?, 2, 12, 8),
    };
    let directory = usize::try_from(directory).ok()?;
    let entries = usize::try_from(number(directory, count)?).ok()?;
    let first = directory.checked_add(count)?;
    let place = (0..entries)
        .map_while(|index| first.checked_add(index.checked_mul(entry)?))
        .map_while(|place| Some((place, number(place, 2)?)))
        .find(|(_, found)| *found == u64::from(tag.to_u16()))?
        .0;
    let bytes = if big_endian {
        value.to_be_bytes()
    } else {
        value.to_le_bytes()
    };
    file.get_mut(place + inside..place + inside + 2)?
        .copy_from_slice(&bytes);
    Some(())
}
