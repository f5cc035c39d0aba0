//! A vector as the store keeps it.

use serde::{Deserialize, Serialize};

/// The scope within which vectors are compared.
pub type Scope = u64;

/// The record of a prompt, without the prompt itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its scope.
    pub scope: Scope,
    /// The factor of the numbers.
    pub scale: f32,
    /// The numbers of a vector of unit length, each divided by the scale.
    #[serde(with = "bytes")]
    pub vector: Vec<i8>,
    /// Unix seconds.
    pub expires_at: i64,
    /// When it was last used, in Unix seconds.
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
