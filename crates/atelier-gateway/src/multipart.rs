//! Parts of a `multipart/form-data` body, found where they stand: nothing is copied.

use std::{borrow::Cow, ops::Range, str};

use memchr::memmem;

use crate::ApiError;

/// How many parts a body may have: sixteen pictures and some forty fields are usual at most.
const MAX_PARTS: usize = 256;
/// How long the header of a part may be.
const MAX_HEADER: usize = 8 * 1024;
/// The longest boundary by RFC 2046.
const MAX_BOUNDARY: usize = 70;

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content_type: Option<String>,
    /// Where its content stands in the body.
    pub(crate) content: Range<usize>,
}

/// A body in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Multipart {
    pub(crate) boundary: String,
    pub(crate) parts: Vec<Part>,
    /// Where the first delimiter begins.
    pub(crate) start: usize,
}

/// Returns the value of a parameter of a header field, such as `boundary` or `filename`.
fn parameter<'a>(field: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut rest = field.split_once(';')?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (Cow::Borrowed(after.get(..end)?.trim()), after.get(end..)?)
            }
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = next.split_once(';')?.1;
    }
}

/// Reads up to the closing quote; returns what follows as well.
fn unquoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((Cow::Owned(value), text.get(at + 1..)?)),
            '\\' => value.push(letters.next()?.1),
            _ => value.push(letter),
        }
    }
    None
}

/// Returns the boundary if the content type is that of a form with files.
pub(crate) fn boundary(content_type: &str) -> Result<String, ApiError> {
    let found = parameter(content_type, "boundary").unwrap_or_default();
    let is_plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if found.is_empty() || found.len() > MAX_BOUNDARY || !found.bytes().all(is_plain) {
        return Err(ApiError::invalid(
            "The content type multipart/form-data needs a boundary of at most 70 letters.",
        ));
    }
    Ok(found.into_owned())
}

/// Finds the parts of a body.
pub(crate) fn read(content_type: &str, body: &[u8]) -> Result<Multipart, ApiError> {
    let boundary = boundary(content_type)?;
    let delimiter = format!("--{boundary}");
    let finder = memmem::Finder::new(&delimiter);
    let next = |mut at: usize| loop {
        let found = at + finder.find(body.get(at..)?)?;
        if found == 0 || body.get(..found)?.ends_with(b"\r\n") {
            return Some(found);
        }
        at = found + 1;
    };
    let broken = || ApiError::invalid("The body is not valid multipart/form-data.");
    let start = next(0).ok_or_else(broken)?;
    let (mut parts, mut at) = (Vec::new(), start + delimiter.len());
    while !body.get(at..).is_some_and(|rest| rest.starts_with(b"--")) {
        let from = line_end(body, at).ok_or_else(broken)?;
        let to = next(from).ok_or_else(broken)?;
        if parts.len() == MAX_PARTS {
            let message = format!("The body has more than {MAX_PARTS} parts.");
            return Err(ApiError::invalid(message));
        }
        // The line break before a delimiter belongs to the delimiter.
        parts.push(part(body, from..to.saturating_sub(2)).ok_or_else(broken)?);
        at = to + delimiter.len();
    }
    Ok(Multipart {
        boundary,
        parts,
        start,
    })
}

/// Behind the line break that ends a delimiter, which blanks may precede.
fn line_end(body: &[u8], at: usize) -> Option<usize> {
    let rest = body.get(at..)?;
    let blanks = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let is_end = rest.get(blanks..)?.starts_with(b"\r\n");
    is_end.then_some(at + blanks + 2)
}

fn part(body: &[u8], range: Range<usize>) -> Option<Part> {
    let bytes = body.get(range.clone())?;
    let head = bytes.get(..bytes.len().min(MAX_HEADER))?;
    let end = memmem::find(head, b"\r\n\r\n")?;
    let head = str::from_utf8(head.get(..end)?).ok()?;
    let field = |name: &str| {
        let fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
        let mut found = fields.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    };
    let disposition = field("content-disposition")?;
    Some(Part {
        name: parameter(disposition, "name")?.into_owned(),
        file_name: parameter(disposition, "filename").map(Cow::into_owned),
        content_type: field("content-type").map(str::to_owned),
        content: range.start + end + 4..range.end,
    })
}
