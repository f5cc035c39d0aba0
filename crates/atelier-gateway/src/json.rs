//! Reads single fields of a JSON text where they stand, so that the text can be passed on as it
//! came and a large body needs no memory besides itself.
//!
//! [`check`] validates a text once; everything else here relies on that, and yields nothing
//! rather than panics where it does not hold.

use std::{borrow::Cow, str};

use memchr::{memchr, memchr2};
use serde::de::IgnoredAny;

/// How deeply values may be nested.
pub(crate) const MAX_DEPTH: usize = 128;
/// How many members all objects of a text may have together.
pub(crate) const MAX_MEMBERS: usize = 500_000;

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("The body is not valid UTF-8.")]
    NotUtf8,
    #[error("The body is not valid JSON: {0}.")]
    Syntax(String),
    #[error("The body is nested more than {MAX_DEPTH} levels deep.")]
    TooDeep,
    #[error("The objects of the body have more than {MAX_MEMBERS} members.")]
    TooMany,
}

/// Returns the body as text if it is a JSON value within the bounds.
pub(crate) fn check(body: &[u8]) -> Result<&str, Flaw> {
    let text = str::from_utf8(body).map_err(|_| Flaw::NotUtf8)?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| Flaw::Syntax(error.to_string()))?;
    measure(text.as_bytes())?;
    Ok(text)
}

/// Counts levels and members. Every colon outside of strings belongs to a member.
fn measure(text: &[u8]) -> Result<(), Flaw> {
    let (mut at, mut depth, mut members) = (0, 0_usize, 0);
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'"' => at = end_of_string(text, at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b':' => members += 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Flaw::TooDeep);
        }
    }
    if members > MAX_MEMBERS {
        return Err(Flaw::TooMany);
    }
    Ok(())
}

/// Where a string ends whose opening quote is before `at`: behind its closing quote.
fn end_of_string(text: &[u8], mut at: usize) -> usize {
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if text.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

/// What a value is, in the words of error messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// A value of a text that was [checked](check).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// Takes a text that was checked.
    pub(crate) fn new(text: &'a str) -> Self {
        Self(text.trim_matches(is_blank))
    }

    /// Looks into an event of a stream without validating it: whatever is not JSON has no
    /// members, or has them where it looks like JSON.
    pub(crate) fn of_event(data: &'a [u8]) -> Option<Self> {
        str::from_utf8(data).ok().map(Self::new)
    }

    /// As it is written.
    pub(crate) const fn text(self) -> &'a str {
        self.0
    }

    pub(crate) fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            _ => Kind::Null,
        }
    }

    pub(crate) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The string, if it is one without unpaired surrogates.
    pub(crate) fn as_str(self) -> Option<Cow<'a, str>> {
        if self.kind() != Kind::String {
            return None;
        }
        if memchr(b'\\', self.0.as_bytes()).is_some() {
            return serde_json::from_str(self.0).ok().map(Cow::Owned);
        }
        let inside = self.0.get(1..self.0.len().saturating_sub(1))?;
        Some(Cow::Borrowed(inside))
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    pub(crate) fn as_f64(self) -> Option<f64> {
        if self.kind() != Kind::Number {
            return None;
        }
        self.0.parse().ok()
    }

    /// The members of an object, none of anything else.
    pub(crate) fn members(self) -> impl Iterator<Item = (Json<'a>, Json<'a>)> {
        let mut cursor = Cursor::inside(self, Kind::Object);
        std::iter::from_fn(move || {
            let key = cursor.next_value()?;
            Some((key, cursor.next_value()?))
        })
    }

    /// The elements of an array, none of anything else.
    pub(crate) fn elements(self) -> impl Iterator<Item = Json<'a>> {
        let mut cursor = Cursor::inside(self, Kind::Array);
        std::iter::from_fn(move || cursor.next_value())
    }

    /// The value of a member, if it is there and not null.
    pub(crate) fn get(self, name: &str) -> Option<Json<'a>> {
        let mut members = self.members();
        let (_, value) = members.find(|(key, _)| key.as_str().as_deref() == Some(name))?;
        (!value.is_null()).then_some(value)
    }

    /// The string of a member.
    pub(crate) fn get_str(self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name)?.as_str()
    }

    /// Where the value stands in a text that it is a part of.
    pub(crate) fn range_in(self, text: &str) -> std::ops::Range<usize> {
        let start = (self.0.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        start..start + self.0.len()
    }
}

const fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

/// Walks over a value, each byte once.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Stands before a value.
    pub(crate) const fn before(value: Json<'a>) -> Self {
        Self {
            text: value.0,
            at: 0,
        }
    }

    /// Stands behind the opening bracket of a value, or at its end if it is of another kind.
    fn inside(value: Json<'a>, kind: Kind) -> Self {
        let (text, at) = (value.0, 1);
        let at = if value.kind() == kind { at } else { text.len() };
        Self { text, at }
    }

    /// The byte that comes next besides separators.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b':') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Steps over an opening bracket.
    pub(crate) const fn enter(&mut self) {
        self.at += 1;
    }

    /// Whether something is left before the closing bracket, which it steps over otherwise.
    pub(crate) fn goes_on(&mut self) -> bool {
        match self.peek() {
            Some(b'}' | b']') => {
                self.at += 1;
                false
            }
            next => next.is_some(),
        }
    }

    /// Steps over the next value or key; none at the end.
    pub(crate) fn next_value(&mut self) -> Option<Json<'a>> {
        self.peek();
        let (bytes, start) = (self.text.as_bytes(), self.at);
        self.at = end_of_value(bytes, start);
        let value = self.text.get(start..self.at)?;
        (!value.is_empty()).then_some(Json(value))
    }
}

/// Where the value that begins at `at` ends; there, if none does.
fn end_of_value(text: &[u8], mut at: usize) -> usize {
    let start = at;
    let mut depth = 0_usize;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = end_of_string(text, at + 1),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' if depth == 0 => return start,
            b'}' | b']' => {
                depth -= 1;
                at += 1;
            }
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => at += 1,
            _ => at = end_of_word(text, at),
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

/// Where a number, `true`, `false` or `null` ends.
fn end_of_word(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let ends = |byte: &u8| {
        matches!(
            byte,
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b'}' | b']'
        )
    };
    at + rest.iter().position(ends).unwrap_or(rest.len())
}
