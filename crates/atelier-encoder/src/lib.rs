//! A sentence encoder with its weights inside: a text becomes a vector of unit
//! length, offline, in milliseconds on one core. Texts that mean alike have vectors
//! whose scalar product is near one.
//!
//! The model is [`paraphrase-MiniLM-L3-v2`], a BERT of three layers, its weights in
//! four bits. It was made for English.
//!
//! ```
//! use atelier_encoder::Encoder;
//!
//! let encoder = Encoder::new()?;
//! let alike = |a: &str, b: &str| -> Result<f32, atelier_encoder::Error> {
//!     let (a, b) = (encoder.encode(a)?, encoder.encode(b)?);
//!     Ok(a.iter().zip(&b).map(|(a, b)| a * b).sum())
//! };
//! let fox = "a red fox in the snow";
//! assert!(alike(fox, "a fox with red fur on a snowy field")? > 0.8);
//! assert!(alike(fox, "a lighthouse in a storm")? < 0.4);
//! # Ok::<(), atelier_encoder::Error>(())
//! ```
//!
//! [`paraphrase-MiniLM-L3-v2`]: https://huggingface.co/sentence-transformers/paraphrase-MiniLM-L3-v2

mod attention;
mod bert;
mod functions;
mod linear;
mod matrix;
mod tokens;
mod weights;

#[cfg(test)]
mod tests;

use crate::{bert::Bert, tokens::Tokenizer};

/// Names the weights, and what is done before and after them. Only vectors of the
/// same name may be compared.
pub const MODEL: &str = "pocket-encoder/minilm-l3-q4-g32-v1";

/// Numbers in a vector.
pub const DIMENSIONS: usize = 384;

/// Tokens that are read of a text, its start and end included; the rest is not.
pub const MAX_TOKENS: usize = 128;

/// Bytes that a text may have.
pub const MAX_BYTES: usize = 64 * 1024;

/// Why there is no vector. Nothing of the text is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing but white space.
    #[error("the text is empty")]
    Empty,
    /// More than [`MAX_BYTES`].
    #[error("the text has more than {MAX_BYTES} bytes")]
    TooLong,
    /// The weights inside the binary are not what this version expects.
    #[error("the weights cannot be read: {0}")]
    Weights(String),
    /// What the layers made of the text has no length, or an infinite one.
    #[error("the vector has no length")]
    NoLength,
}

/// Makes vectors. It is to be made once and shared; it takes about 6 MB.
pub struct Encoder {
    tokenizer: Tokenizer,
    model: Bert,
}

impl Encoder {
    /// Unpacks the weights, which takes some ten milliseconds.
    ///
    /// # Errors
    /// [`Error::Weights`] if the weights inside the binary are damaged.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            tokenizer: Tokenizer::new(),
            model: Bert::new()?,
        })
    }

    /// Returns the text's vector: [`DIMENSIONS`] numbers, of unit length. It takes
    /// the time of a core; call it where nothing else waits for that.
    ///
    /// # Errors
    /// [`Error::Empty`] or [`Error::TooLong`] if the text is so.
    pub fn encode(&self, text: &str) -> Result<Vec<f32>, Error> {
        if text.trim().is_empty() {
            return Err(Error::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(Error::TooLong);
        }
        unit(self.model.sum(&self.tokenizer.encode(text)))
    }
}

/// The same direction, of length one.
fn unit(mut vector: Vec<f32>) -> Result<Vec<f32>, Error> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if !length.is_finite() || length == 0.0 {
        return Err(Error::NoLength);
    }
    for x in &mut vector {
        *x /= length;
    }
    Ok(vector)
}
