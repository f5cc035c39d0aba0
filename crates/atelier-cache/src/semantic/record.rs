//! A vector as the store keeps it.

use serde::{Deserialize, Serialize};

/// What may be compared with what.
pub type Scope = u64;

/// What is kept of a prompt: never the prompt itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What it may be compared with.
    pub scope: Scope,
    /// What a number is multiplied by.
    pub scale: f32,
    /// The numbers of a vector of unit length, each divided by the scale.
    #[serde(with = "bytes")]
    pub vector: Vec<i8>,
    /// Unix seconds.
    pub expires_at: i64,
    /// When it was last of use; Unix seconds.
    pub used_at: i64,
}

mod bytes {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        numbers: &[i8],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = numbers.iter().map(|x| x.cast_unsigned()).collect();
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<i8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(D::Error::custom)?;
        Ok(bytes.into_iter().map(u8::cast_signed).collect())
    }
}
