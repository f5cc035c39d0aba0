//! Decodes pictures from base64 and data URLs.

use std::borrow::Cow;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use percent_encoding::percent_decode_str;

/// Accepts missing padding and non-zero trailing bits.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes base64 as servers write it: in the standard or the URL-safe alphabet, padded or not, in one line
/// or wrapped, bare or inside a data URL (RFC 2397). `None` if it is not base64, or empty.
pub(super) fn decode(text: &str) -> Option<Bytes> {
    let standard = |byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => byte,
    };
    let payload = payload(text.trim())?;
    let bytes = payload.iter().copied();
    let bytes: Vec<u8> = bytes
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(standard)
        .collect();
    let decoded = LENIENT.decode(bytes).ok()?;
    (!decoded.is_empty()).then(|| decoded.into())
}

/// The content of a data URL; `None` for any other text.
pub(super) fn in_data_url(text: &str) -> Option<Bytes> {
    is_data_url(text.trim()).then(|| decode(text)).flatten()
}

fn is_data_url(text: &str) -> bool {
    text.get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// The base64 of a data URL, or the text itself.
fn payload(text: &str) -> Option<Cow<'_, [u8]>> {
    if !is_data_url(text) {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let (head, payload) = text.split_once(',')?;
    let encoding = head.rsplit_once(';')?.1.trim();
    encoding
        .eq_ignore_ascii_case("base64")
        .then(|| percent_decode_str(payload).into())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn base64_is_read_in_every_usual_dress() {
        let bytes: Vec<u8> = (0..=255).chain(0..=250).collect();
        let standard = BASE64.encode(&bytes);
        let wrapped = |end: &str| {
            let lines = standard.as_bytes().chunks(76);
            let lines: Vec<_> = lines.map(|line| str::from_utf8(line).unwrap()).collect();
            lines.join(end) + end
        };
        let percent = standard.replace('+', "%2B").replace('/', "%2F");
        for dressed in [
            standard.clone(),
            format!(" {standard}\n"),
            URL_SAFE_NO_PAD.encode(&bytes),
            wrapped("\n"),
            wrapped("\r\n"),
            format!("data:image/png;base64,{standard}"),
            format!("DATA:image/png;charset=utf-8;BASE64, {}", wrapped("\n")),
            format!("data:;base64,{}", percent.replace('=', "%3D")),
        ] {
            assert_eq!(decode(&dressed).as_deref(), Some(&bytes[..]), "{dressed}");
        }
        for other in [
            "",
            "data:image/png;base64,",
            "data:text/plain,hello",
            "a!b",
            "data:",
        ] {
            assert_eq!(decode(other), None, "{other}");
        }
    }
}
