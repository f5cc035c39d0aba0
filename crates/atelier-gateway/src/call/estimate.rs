//! What a call will use, before anybody has told what it did.

use std::borrow::Cow;

use super::{Call, Form};
use crate::{
    Endpoint, Usage,
    json::{Cursor, Json, Kind},
    tokens::Counter,
};

/// The tokens that an answer is expected to have at most if the client sets no limit.
pub const DEFAULT_OUTPUT: u64 = 4096;
/// What formats add to each message.
const PER_MESSAGE: u64 = 4;
/// What reading a picture or another attachment takes.
const PER_ATTACHMENT: u64 = 1_500;
/// Bytes of a document in base64 for each of its tokens: a page has some 2,000 tokens.
const PER_DOCUMENT_TOKEN: u64 = 50;
/// Tokens of a picture of 1024 x 1024 pixels, by quality.
const PICTURE: [(&str, f64); 2] = [("low", 200.0), ("medium", 1_800.0)];
const DEAREST_PICTURE: f64 = 7_100.0;
/// Pixels of such a picture, and how many of those the largest has that `auto` stands for.
const SQUARE: f64 = 1024.0 * 1024.0;
const LARGEST_AUTO: f64 = 1.5;
/// A preview of a picture while it is drawn.
const PER_PREVIEW: u64 = 100;
/// Audio: tokens spoken for each token of text, tokens for each second that is heard, and
/// bytes of a recording for each second (128 kbit/s).
const SPOKEN: u64 = 6;
const PER_SECOND: u64 = 10;
const BYTES_PER_SECOND: u64 = 16_000;

/// The fields that hold what a model reads.
const TEXTS: [&str; 7] = [
    "prompt",
    "input",
    "instructions",
    "system",
    "messages",
    "suffix",
    "images",
];

/// What a call is expected to use at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimate {
    /// Tokens of the request.
    pub input_tokens: u64,
    /// Tokens of all answers together.
    pub output_tokens: u64,
    /// Pictures that are made.
    pub images: u32,
    /// Seconds of audio that are heard.
    pub seconds: u64,
}

impl Estimate {
    /// The same as usage, to be priced.
    pub fn usage(&self) -> Usage {
        Usage {
            input: self.input_tokens,
            output: self.output_tokens,
            images: self.images.into(),
            seconds: self.seconds,
            ..Usage::default()
        }
    }
}

impl Call {
    /// Estimates what the call will use: its text by the model's tokenizer, attachments by
    /// their usual weight, the answer by the limit that the client sets.
    pub fn estimate(&self, counter: Counter) -> Estimate {
        let seconds = self.seconds();
        let input_tokens = self.input(counter) + seconds * PER_SECOND;
        let n = u64::from(self.n());
        let output_tokens = match self.endpoint {
            Endpoint::Speech => input_tokens * SPOKEN,
            Endpoint::Transcriptions | Endpoint::Translations => seconds * PER_SECOND,
            Endpoint::ImageGenerations | Endpoint::ImageEdits => n * self.picture(),
            _ if self.endpoint.is_generation() => n * self.max_output().unwrap_or(DEFAULT_OUTPUT),
            _ => 0,
        };
        let images = if self.endpoint.is_image() {
            self.n()
        } else {
            0
        };
        Estimate {
            input_tokens,
            output_tokens,
            images,
            seconds,
        }
    }

    fn input(&self, counter: Counter) -> u64 {
        let mut total = 0;
        if let Form::Multipart(form) = &self.form {
            let files = form.parts.iter().filter(|part| part.file_name.is_some());
            if self.endpoint.is_image() {
                total += files.count() as u64 * PER_ATTACHMENT;
            }
        }
        for name in TEXTS {
            total += match self.field(name) {
                Some(super::Field::Json(value)) => weigh(&mut Cursor::before(value), name, counter),
                Some(field) => field.as_str().map_or(0, |text| counter.count(&text)),
                None => 0,
            };
        }
        for name in ["tools", "functions", "response_format", "text"] {
            total += self
                .json(name)
                .map_or(0, |value| counter.count(value.text()));
        }
        total
    }

    fn seconds(&self) -> u64 {
        let Form::Multipart(form) = &self.form else {
            return 0;
        };
        let recordings = form.parts.iter().filter(|part| part.name == "file");
        let bytes: usize = recordings.map(|part| part.content.len()).sum();
        if self.endpoint.is_image() {
            0
        } else {
            (bytes as u64).div_ceil(BYTES_PER_SECOND)
        }
    }

    /// The tokens of a picture of the size and quality that are asked for.
    fn picture(&self) -> u64 {
        let word = |name: &str| self.string(name).ok().flatten().unwrap_or_default();
        let quality = word("quality");
        let known = PICTURE.iter().find(|(name, _)| *name == quality);
        let tokens = known.map_or(DEAREST_PICTURE, |(_, tokens)| *tokens);
        let previews = self.integer("partial_images", 0, 10).ok().flatten();
        let squares = squares(&word("size"));
        (tokens * squares) as u64 + previews.unwrap_or(0) * PER_PREVIEW
    }
}

/// The pixels of a size, such as `1536x1024`, in squares.
fn squares(size: &str) -> f64 {
    let sides = size.split_once('x');
    let pixels = sides.and_then(|(width, height)| {
        Some(f64::from(width.parse::<u16>().ok()?) * f64::from(height.parse::<u16>().ok()?))
    });
    pixels.map_or(LARGEST_AUTO, |pixels| (pixels / SQUARE).max(1.0))
}

/// The tokens of all text below a member of this name.
fn weigh(cursor: &mut Cursor<'_>, name: &str, counter: Counter) -> u64 {
    match cursor.peek() {
        Some(b'{') => {
            cursor.enter();
            let mut total = 0;
            while cursor.goes_on() {
                let Some(key) = cursor.next_value() else {
                    break;
                };
                let key = key.as_str().unwrap_or_default();
                total += if key == "role" { PER_MESSAGE } else { 0 };
                total += weigh(cursor, &key, counter);
            }
            total
        }
        Some(b'[') => {
            cursor.enter();
            let mut total = 0;
            while cursor.goes_on() {
                total += weigh(cursor, name, counter);
            }
            total
        }
        _ => cursor
            .next_value()
            .map_or(0, |value| leaf(value, name, counter)),
    }
}

fn leaf(value: Json<'_>, name: &str, counter: Counter) -> u64 {
    match (value.kind(), name) {
        // Texts may come as the tokens that they consist of.
        (Kind::Number, "input" | "prompt") => 1,
        (Kind::String, "role" | "type" | "id" | "detail" | "media_type" | "format" | "status") => 0,
        (Kind::String, "data" | "file_data" | "url" | "image_url" | "file_id" | "file_url") => {
            attachment(value.text())
        }
        (Kind::String, "signature" | "encrypted_content" | "thought_signature") => 0,
        (Kind::String, _) => {
            let text = value.as_str().unwrap_or(Cow::Borrowed(value.text()));
            counter.count(&text)
        }
        _ => 0,
    }
}

fn attachment(text: &str) -> u64 {
    let is_document = text.starts_with("\"JVBERi") || text.starts_with("\"data:application/");
    let pages = if is_document {
        text.len() as u64 / PER_DOCUMENT_TOKEN
    } else {
        0
    };
    PER_ATTACHMENT + pages
}
