//! Names of blobs.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The extensions that a key may have, with their media types.
const MEDIA_TYPES: [(&str, &str); 3] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("webp", "image/webp"),
];

/// The extension of blobs that are no pictures. They are never looked up by a name from outside.
const BYTES: &str = "bin";

/// The suffix of the names of private blobs; a UUID has no such letter.
pub(crate) const PRIVATE: &str = "p";

/// Who may see a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody who knows its key.
    Everybody,
    /// Its owner, and those whom the application lets see it.
    Owner,
}

/// The name of a blob, for example `0190….png`. Whatever a record says is taken for one;
/// [`Self::parse`] checks what comes from outside.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlobKey(String);

impl BlobKey {
    /// Creates a key that nobody can guess, and that contains the blob's visibility.
    pub fn new(extension: &str, visibility: Visibility) -> Self {
        let mark = match visibility {
            Visibility::Everybody => "",
            Visibility::Owner => PRIVATE,
        };
        Self(format!("{}{mark}.{extension}", Uuid::new_v4().simple()))
    }

    /// Creates a key for what is no picture, and nobody's but its owner's.
    pub fn of_bytes() -> Self {
        Self::new(BYTES, Visibility::Owner)
    }

    /// The key that this text is; `None` if there can be no such key.
    pub fn parse(text: &str) -> Option<Self> {
        let key = Self(text.to_owned());
        let name = key.stem();
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (plain && key.media_type().is_some()).then_some(key)
    }

    /// The keys that a blob of this name may have.
    pub(crate) fn of_stem(stem: &str) -> impl Iterator<Item = Self> + use<> {
        let stem = stem.to_owned();
        let pictures = MEDIA_TYPES.map(|(extension, _)| extension).into_iter();
        let extensions = pictures.chain([BYTES]);
        extensions.map(move |extension| Self(format!("{stem}.{extension}")))
    }

    /// The part before the extension.
    pub(crate) fn stem(&self) -> &str {
        self.0.split_once('.').map_or(&self.0, |(stem, _)| stem)
    }

    /// The extension of the file.
    pub fn extension(&self) -> Option<&str> {
        self.0.split_once('.').map(|(_, extension)| extension)
    }

    /// The media type by the extension; `None` for an extension that no picture has.
    pub fn media_type(&self) -> Option<&'static str> {
        let extension = self.extension()?;
        let mut known = MEDIA_TYPES.into_iter();
        known.find_map(|(known, media_type)| (known == extension).then_some(media_type))
    }

    /// Who may see the blob.
    pub fn visibility(&self) -> Visibility {
        if self.extension().is_some() && self.stem().ends_with(PRIVATE) {
            Visibility::Owner
        } else {
            Visibility::Everybody
        }
    }
}

impl Deref for BlobKey {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for BlobKey {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for BlobKey {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<BlobKey> for String {
    fn from(key: BlobKey) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_what_is_behind_it() {
        for visibility in [Visibility::Everybody, Visibility::Owner] {
            let key = BlobKey::new("jpg", visibility);
            assert_eq!(key.visibility(), visibility);
            assert_eq!(key.extension(), Some("jpg"));
            assert_eq!(key.media_type(), Some("image/jpeg"));
            assert_eq!(BlobKey::parse(&key), Some(key));
        }
        assert_eq!(BlobKey::from("0190abp").visibility(), Visibility::Everybody);
        let bytes = BlobKey::of_bytes();
        assert_eq!(bytes.visibility(), Visibility::Owner);
        assert!(BlobKey::of_stem(bytes.stem()).any(|key| key == bytes));
    }

    #[test]
    fn only_keys_are_looked_up() {
        assert_eq!(BlobKey::parse("0190ab.png"), Some("0190ab.png".into()));
        for text in [
            "",
            ".png",
            "../../etc/passwd",
            "a/b.png",
            "a.svg",
            "a",
            "..png",
            "a.320.webp",
            "0190ab.bin",
        ] {
            assert_eq!(BlobKey::parse(text), None, "{text}");
        }
    }
}
