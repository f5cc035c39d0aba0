//! Vectors as numbers or as base64 of little-endian floats. OpenAI's clients ask for base64
//! unless they are told otherwise; a stored answer serves both.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Number, Value};

use crate::{Call, Endpoint};

/// How the vectors of an answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As arrays of numbers.
    Float,
    /// As base64 of little-endian floats of 32 bits.
    Base64,
}

impl Call {
    /// How the client wants its vectors. `None` if it asks for something else that only its
    /// upstream may know, or not for vectors at all.
    pub fn encoding(&self) -> Option<Encoding> {
        if self.endpoint() != Endpoint::Embeddings {
            return None;
        }
        match self.string("encoding_format").ok()?.as_deref() {
            None | Some("float") => Some(Encoding::Float),
            Some("base64") => Some(Encoding::Base64),
            Some(_) => None,
        }
    }
}

/// Writes all vectors of an answer in one way. Those that are written so already stay as they
/// are, and so do those that are not understood.
pub fn encode(answer: &mut Value, encoding: Encoding) {
    let data = answer.get_mut("data").and_then(Value::as_array_mut);
    for item in data.into_iter().flatten() {
        if let Some(vector) = item.get_mut("embedding")
            && let Some(other) = encoded(vector, encoding)
        {
            *vector = other;
        }
    }
}

fn encoded(vector: &Value, encoding: Encoding) -> Option<Value> {
    match (vector, encoding) {
        (Value::Array(numbers), Encoding::Base64) => to_base64(numbers).map(Value::String),
        (Value::String(text), Encoding::Float) => to_floats(text),
        _ => None,
    }
}

fn to_base64(numbers: &[Value]) -> Option<String> {
    let mut bytes = Vec::with_capacity(numbers.len() * 4);
    for number in numbers {
        let number = number.as_f64()? as f32;
        if !number.is_finite() {
            return None;
        }
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    Some(STANDARD.encode(bytes))
}

fn to_floats(text: &str) -> Option<Value> {
    let bytes = STANDARD.decode(text).ok()?;
    let (numbers, []) = bytes.as_chunks::<4>() else {
        return None;
    };
    let number = |bytes: &[u8; 4]| Number::from_f64(f32::from_le_bytes(*bytes).into());
    let numbers = numbers.iter().map(|bytes| number(bytes).map(Value::Number));
    numbers.collect::<Option<Vec<_>>>().map(Value::Array)
}

#[cfg(test)]
mod tests;
