//! Embeddings: a vector of length one that depends on the text.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::tokens;
use crate::{call::Call, refusal::Refusal, reply::Reply, route::Answer};

pub(crate) fn create(call: &Call) -> Answer {
    let fields = call.fields()?;
    let model = fields.model()?;
    let inputs = inputs(fields.required("input")?)?;
    let length = fields.number("dimensions", 1, 1536)?.unwrap_or(1536);
    let as_base64 = match fields.get("encoding_format") {
        None => false,
        Some(format) if format == "float" => false,
        Some(format) if format == "base64" => true,
        Some(other) => {
            return Err(Refusal::wrong(
                "encoding_format",
                "'float' or 'base64'",
                other,
            ));
        }
    };
    let embedded = inputs.iter().enumerate().map(|(index, text)| {
        let vector = vector(text, length);
        let embedding = if as_base64 {
            let bytes: Vec<u8> = vector
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect();
            json!(BASE64.encode(bytes))
        } else {
            json!(vector)
        };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    });
    let used: usize = inputs.iter().map(|text| tokens(text).max(1)).sum();
    Ok(Reply::Json(json!({
        "object": "list", "data": embedded.collect::<Vec<_>>(), "model": model,
        "usage": {"prompt_tokens": used, "total_tokens": used},
    })))
}

/// A text, texts, tokens, or lists of tokens; tokens as text.
fn inputs(input: &Value) -> Result<Vec<String>, Refusal> {
    let refused = || Refusal::wrong("input", "text or tokens that are not empty", input);
    let one = |value: &Value| match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Array(tokens) if !tokens.is_empty() && tokens.iter().all(Value::is_u64) => {
            Some(value.to_string())
        }
        _ => None,
    };
    match (one(input), input) {
        (Some(text), _) => Ok(vec![text]),
        (None, Value::Array(several)) if (1..=2048).contains(&several.len()) => {
            let texts: Option<Vec<String>> = several.iter().map(one).collect();
            texts.ok_or_else(refused)
        }
        _ => Err(refused()),
    }
}

/// All ones but for the text's bytes, then made as long as one.
pub(crate) fn vector(text: &str, length: u64) -> Vec<f32> {
    let mut bytes = text.bytes().cycle();
    let numbers = (0..length).map(|_| 1.0 + f32::from(bytes.next().unwrap_or(0)) / 64.0);
    let numbers: Vec<f32> = numbers.collect();
    let norm = numbers
        .iter()
        .map(|number| number * number)
        .sum::<f32>()
        .sqrt();
    numbers.into_iter().map(|number| number / norm).collect()
}
