//! Where a JPEG ends, and which kinds there are.

use super::*;

fn jpeg() -> Vec<u8> {
    encoded(&DynamicImage::ImageRgb8(photo()), ImageFormat::Jpeg)
}

/// The same photo with a small one in its metadata, as cameras write it.
fn with_thumbnail() -> Vec<u8> {
    let (file, small) = (jpeg(), [b"Exif\0\0", &jpeg()[..]].concat());
    let length = u16::try_from(small.len() + 2).unwrap().to_be_bytes();
    [&file[..2], &[0xFF, 0xE1], &length, &small, &file[2..]].concat()
}

#[test]
fn what_follows_a_jpeg_is_not_the_picture() {
    let video = [&b"\0\0\0\x18ftypmp42\0\0\0\0isommp42"[..], &[7; 300_000]].concat();
    let right = decode_bytes(&jpeg()).unwrap();
    for tail in [
        video,
        vec![0; 100_000],
        vec![0xFF; 5_000],
        jpeg(),
        jpeg()[..99].to_vec(),
    ] {
        for file in [jpeg(), with_thumbnail()] {
            let found = decode_bytes(&[&file[..], &tail].concat());
            assert_eq!(found.as_ref(), Ok(&right));
        }
    }
}

#[test]
fn a_jpeg_that_breaks_off_anywhere_is_refused() {
    for file in [jpeg(), with_thumbnail()] {
        for length in 4..file.len() {
            let found = decode_bytes(&file[..length]);
            assert_eq!(found, Err(Refusal::Damaged("a JPEG")), "{length}");
        }
    }
}

#[test]
fn restarts_and_fill_bytes_end_nothing() {
    let mut file = jpeg();
    let end = file.len() - 2;
    file.splice(end..end, [0xFF, 0xD3, 0x55, 0xFF, 0x00, 0xFF, 0xFF]);
    assert!(decode_bytes(&file).is_ok());
    assert!(decode_bytes(&file[..file.len() - 1]).is_err());
}

#[test]
fn kinds_of_jpeg_that_are_not_read_are_called_so() {
    let file = jpeg();
    let frame = file.windows(2).position(|two| two == [0xFF, 0xC0]).unwrap() + 1;
    // Lossless, hierarchical, and with arithmetic codes.
    for kind in [0xC3, 0xC5, 0xC7, 0xC9, 0xCA, 0xCB, 0xCF] {
        let mut file = file.clone();
        file[frame] = kind;
        assert_eq!(
            decode_bytes(&file),
            Err(Refusal::Unread("JPEG")),
            "{kind:x}"
        );
    }
    let mut deep = file.clone();
    deep[frame + 3] = 12;
    assert_eq!(decode_bytes(&deep), Err(Refusal::Unread("JPEG")));
    // Extended, but no different for eight bits.
    let mut extended = file;
    extended[frame] = 0xC1;
    assert!(decode_bytes(&extended).is_ok());
}

#[test]
fn heic_and_avif_are_told_apart() {
    for (head, words) in [
        (&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"\0\0\0\x1cftypmsf1\0\0\0\0avismsf1miaf", "AVIF"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1miaf", "AVIF"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "video"),
        (b"\0\0\0\x18ftyp", "not a kind of picture"),
    ] {
        let file = [head, &[0; 40]].concat();
        let refusal = decode_bytes(&file).unwrap_err().to_string();
        assert!(refusal.contains(words), "{words}: {refusal}");
    }
}
