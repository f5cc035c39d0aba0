//! A digest of what a JSON value means: the same for every order of members, spelling of
//! numbers and escaping of strings, and different for everything else.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use crate::json::{Cursor, Json, Kind};

/// Where in a request of Anthropic's a value stands. `cache_control` changes the price of a
/// block or a tool, but not the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The request itself.
    Request,
    Messages,
    Blocks,
    Tools,
    /// Where every member counts.
    Elsewhere,
}

impl Place {
    fn of_member(self, name: &str) -> Self {
        match (self, name) {
            (Self::Request, "messages") => Self::Messages,
            (Self::Request, "system") | (Self::Messages | Self::Blocks, "content") => Self::Blocks,
            (Self::Request, "tools") => Self::Tools,
            _ => Self::Elsewhere,
        }
    }

    fn ignores(self, name: &str) -> bool {
        name == "cache_control" && matches!(self, Self::Request | Self::Blocks | Self::Tools)
    }
}

/// What a text is told apart by: strings, those that no string can hold because of unpaired
/// surrogates, and numbers.
const STRING: &[u8] = b"s";
const UNPAIRED: &[u8] = b"u";
const NUMBER: &[u8] = b"n";

/// Collects members and finishes them to one digest, whatever their order was.
#[derive(Debug, Default)]
pub(crate) struct Members<'a>(Vec<Member<'a>>);

#[derive(Debug)]
struct Member<'a> {
    kind: &'static [u8],
    name: Cow<'a, str>,
    value: [u8; 32],
}

impl<'a> Members<'a> {
    /// Adds a member with its value.
    pub(crate) fn add(&mut self, name: Cow<'a, str>, value: Json<'_>, place: Place) {
        self.add_next(name, &mut Cursor::before(value), place);
    }

    fn add_next(&mut self, name: Cow<'a, str>, value: &mut Cursor<'_>, place: Place) {
        if place.ignores(&name) {
            value.next_value();
            return;
        }
        let mut hash = Sha256::new();
        write(&mut hash, value, place.of_member(&name));
        self.add_digest(name, hash.finalize().into());
    }

    /// Adds a member whose name is no string.
    fn add_unpaired(&mut self, name: &'a str, value: &mut Cursor<'_>) {
        let mut hash = Sha256::new();
        write(&mut hash, value, Place::Elsewhere);
        let (name, value) = (Cow::Borrowed(name), hash.finalize().into());
        self.0.push(Member {
            kind: UNPAIRED,
            name,
            value,
        });
    }

    /// Adds a member whose value is a string.
    pub(crate) fn add_text(&mut self, name: impl Into<Cow<'a, str>>, text: &str) {
        let mut hash = Sha256::new();
        string(&mut hash, text);
        self.add_digest(name, hash.finalize().into());
    }

    /// Adds a member whose value is hashed already.
    pub(crate) fn add_digest(&mut self, name: impl Into<Cow<'a, str>>, value: [u8; 32]) {
        let name = name.into();
        self.0.push(Member {
            kind: STRING,
            name,
            value,
        });
    }

    /// Members of one name stay in their order: who reads them takes the last, or the first.
    pub(crate) fn finish(mut self) -> [u8; 32] {
        let mut hash = Sha256::new();
        self.write(&mut hash);
        hash.finalize().into()
    }

    fn write(&mut self, hash: &mut Sha256) {
        self.0
            .sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        hash.update(b"{");
        for member in &self.0 {
            sized(hash, member.kind, &member.name);
            hash.update(member.value);
        }
        hash.update(b"}");
    }
}

/// Adds a value. Nesting is bounded by [`check`](crate::json::check).
fn write(hash: &mut Sha256, cursor: &mut Cursor<'_>, place: Place) {
    match cursor.peek() {
        Some(b'{') => object(hash, cursor, place),
        Some(b'[') => {
            hash.update(b"[");
            cursor.enter();
            while cursor.goes_on() {
                write(hash, cursor, place);
            }
            hash.update(b"]");
        }
        _ => {
            if let Some(value) = cursor.next_value() {
                scalar(hash, value);
            }
        }
    }
}

fn object(hash: &mut Sha256, cursor: &mut Cursor<'_>, place: Place) {
    let mut members = Members::default();
    cursor.enter();
    while cursor.goes_on() {
        let Some(key) = cursor.next_value() else {
            break;
        };
        match key.as_str() {
            Some(name) => members.add_next(name, cursor, place),
            None => members.add_unpaired(key.text(), cursor),
        }
    }
    members.write(hash);
}

fn scalar(hash: &mut Sha256, value: Json<'_>) {
    match value.kind() {
        Kind::String => match value.as_str() {
            Some(text) => string(hash, &text),
            None => sized(hash, UNPAIRED, value.text()),
        },
        Kind::Number => sized(hash, NUMBER, &number(value.text())),
        _ => hash.update(value.text()),
    }
}

fn string(hash: &mut Sha256, text: &str) {
    sized(hash, STRING, text);
}

/// The length before the text keeps neighbours apart.
fn sized(hash: &mut Sha256, kind: &[u8], text: &str) {
    hash.update(kind);
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

/// One spelling for each number, without loss: its significant digits as an integer, and the
/// power of ten that they are multiplied by.
fn number(text: &str) -> Cow<'_, str> {
    let (sign, rest) = text
        .strip_prefix('-')
        .map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Cow::Borrowed("0");
    }
    let Ok(exponent) = exponent.parse::<i64>() else {
        return Cow::Borrowed(text);
    };
    let zeros = (digits.len() - significant.len()) as i64;
    let power = exponent.saturating_add(zeros - fraction.len() as i64);
    Cow::Owned(format!("{sign}{significant}e{power}"))
}

/// A digest in hexadecimal.
pub(crate) fn hex(digest: [u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_spelling() {
        for same in [
            &["1", "1.0", "1e0", "10e-1", "0.1E+1", "1.000"][..],
            &["0", "-0", "0.0", "0e9", "-0.00e-5"],
            &["120", "1.2e2", "12e1", "120.0"],
            &["-0.5", "-5e-1", "-0.50"],
        ] {
            for text in same {
                assert_eq!(number(text), number(same[0]), "{text}");
            }
        }
        let far = "1e99999999999999999999";
        for (a, b) in [
            ("1", "-1"),
            ("1", "10"),
            ("0.1", "0.10000000000000001"),
            ("12345678901234567890123", "12345678901234567890124"),
            (far, "1e99999999999999999998"),
        ] {
            assert_ne!(number(a), number(b));
        }
    }
}
