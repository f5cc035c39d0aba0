//! Keys of providers.

use std::fmt;

/// A key of a provider, which is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// The key with this text.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text with something else in the place of the key.
    pub fn hidden_in(&self, text: &str, instead: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        text.replace(&self.0, instead)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(set, not shown)")
    }
}
