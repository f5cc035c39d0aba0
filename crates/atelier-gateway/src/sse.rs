//! Server-sent events, with the bytes that they came as.
//!
//! A gateway passes events on byte for byte, and must know where they begin and end. Decoders
//! such as `eventsource-stream` and `sse-stream` give up the bytes; hence this one.

use std::str;

use bytes::{Bytes, BytesMut};
use memchr::memchr2;

/// The data of the event that ends OpenAI's streams of chunks.
pub const DONE: &str = "[DONE]";

/// A byte order mark, which may stand before the first event.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// An event, or comments between events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Everything from the end of the event before to the end of this one, line breaks
    /// included: the raw bytes of all events are those of the stream.
    pub raw: Bytes,
    /// The value of the last `event` field, if there is one and it is text.
    pub name: Option<String>,
    /// The `data` lines, joined by line breaks; `None` if there are none.
    pub data: Option<Bytes>,
}

impl Event {
    /// Whether this is the `[DONE]` that ends a stream of chunks.
    pub fn is_done(&self) -> bool {
        self.data
            .as_ref()
            .is_some_and(|data| data.trim_ascii() == DONE.as_bytes())
    }

    /// Reads what an event says. `raw` begins and ends where an event does.
    fn read(raw: Bytes) -> Self {
        let (mut name, mut data, mut joined) = (None, None::<Bytes>, Vec::new());
        for (field, value) in Lines(raw.strip_prefix(MARK).unwrap_or(&raw)) {
            match field {
                b"event" => name = str::from_utf8(value).ok().map(str::to_owned),
                b"data" => match &data {
                    None => data = Some(raw.slice_ref(value)),
                    Some(first) => {
                        if joined.is_empty() {
                            joined.extend_from_slice(first);
                        }
                        joined.push(b'\n');
                        joined.extend_from_slice(value);
                    }
                },
                _ => {}
            }
        }
        let data = if joined.is_empty() {
            data
        } else {
            Some(Bytes::from(joined))
        };
        Self { raw, name, data }
    }
}

/// The fields of an event with their values; comments have an empty name.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr2(b'\n', b'\r', self.0).unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default();
        Some((field, value.strip_prefix(b" ").unwrap_or(value)))
    }
}

/// An event is larger than the splitter allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream has more than {limit} bytes")]
pub struct TooLarge {
    /// The limit in bytes.
    pub limit: usize,
}

/// Splits a stream into events.
#[derive(Debug)]
pub struct Splitter {
    buffer: BytesMut,
    /// How much of the buffer has been looked at.
    seen: usize,
    /// Whether the line that is being looked at is empty so far.
    at_line_start: bool,
    /// Whether the last byte was a carriage return, whose line feed may follow.
    after_return: bool,
    limit: usize,
}

impl Splitter {
    /// Creates a splitter for events of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            seen: 0,
            at_line_start: true,
            after_return: false,
            limit,
        }
    }

    /// Adds bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes of the event that is not complete yet. Nothing may be inserted into the stream
    /// while there are any.
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// Returns the next complete event, or `None` until more bytes are pushed.
    ///
    /// # Errors
    /// If an event is larger than the limit. The stream cannot be read further then.
    pub fn next_event(&mut self) -> Result<Option<Event>, TooLarge> {
        match self.event_end() {
            Some(end) if end > self.limit => Err(TooLarge { limit: self.limit }),
            Some(end) => {
                self.seen = 0;
                Ok(Some(Event::read(self.buffer.split_to(end).freeze())))
            }
            None if self.buffer.len() > self.limit => Err(TooLarge { limit: self.limit }),
            None => Ok(None),
        }
    }

    /// Returns what is left at the end of a stream that lacks its last empty line. The
    /// standard drops such an event; some servers rely on its being read.
    pub fn finish(self) -> Option<Event> {
        (!self.buffer.is_empty()).then(|| Event::read(self.buffer.freeze()))
    }

    /// Looks for an empty line, and returns where it ends. An event ends at the carriage
    /// return of its empty line already: the line feed that may follow belongs to the bytes
    /// of the next.
    fn event_end(&mut self) -> Option<usize> {
        while let Some(byte) = self.buffer.get(self.seen).copied() {
            let was_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if was_return => self.seen += 1,
                b'\n' | b'\r' => {
                    self.seen += 1;
                    if std::mem::replace(&mut self.at_line_start, true) {
                        return Some(self.seen);
                    }
                }
                _ => {
                    self.at_line_start = false;
                    let rest = self.buffer.get(self.seen..).unwrap_or_default();
                    self.seen += memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
