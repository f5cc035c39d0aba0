//! Names with wildcards.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of a model, or several by `*`, which stands for any characters: `gpt-*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelPattern(String);

/// Maximum length of a pattern, in bytes.
const LONGEST: usize = 200;

/// The text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no pattern of models such as \"gpt-*\": 1 to {LONGEST} characters without spaces"
)]
pub struct InvalidPattern(String);

impl ModelPattern {
    /// Whether it stands for the model of this name.
    pub fn matches(&self, model: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = model.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        for part in parts {
            let Some(at) = rest.find(part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ModelPattern {
    type Error = InvalidPattern;

    fn try_from(text: String) -> Result<Self, InvalidPattern> {
        let strange = |c: char| c.is_whitespace() || c.is_control();
        if text.is_empty() || text.len() > LONGEST || text.contains(strange) {
            return Err(InvalidPattern(text));
        }
        Ok(Self(text))
    }
}

impl FromStr for ModelPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        text.to_owned().try_into()
    }
}

impl From<ModelPattern> for String {
    fn from(pattern: ModelPattern) -> Self {
        pattern.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, matching, others) in [
            (
                "gpt-5",
                &["gpt-5"][..],
                &["gpt-5-mini", "gpt-", "", "a/gpt-5"][..],
            ),
            ("gpt-*", &["gpt-", "gpt-5"], &["gpt", "a-gpt-5", "GPT-5"]),
            ("*", &["", "anything"], &[]),
            (
                "*-mini",
                &["-mini", "gpt-5-mini"],
                &["mini", "gpt-5-mini-2"],
            ),
            (
                "gpt-*-mini-*",
                &["gpt-5-mini-2", "gpt--mini-", "gpt-a-mini-b-mini-c"],
                &["gpt-5-mini", "gpt-mini-2"],
            ),
            // The same characters are not taken twice.
            ("aba*ba", &["ababa"], &["aba"]),
            ("a*b*b", &["abb", "axbxb"], &["ab"]),
            ("ä*ö", &["äö", "äüö"], &["ä"]),
        ] {
            let read: ModelPattern = pattern.parse().unwrap();
            assert_eq!((read.as_str(), &*read.to_string()), (pattern, pattern));
            for model in matching {
                assert!(read.matches(model), "{pattern} stands for {model}");
            }
            for model in others {
                assert!(!read.matches(model), "{pattern} does not stand for {model}");
            }
        }
    }

    #[test]
    fn what_names_no_model_is_refused() {
        let (longest, longer) = ("a".repeat(LONGEST), "a".repeat(LONGEST + 1));
        assert!(longest.parse::<ModelPattern>().is_ok());
        for text in ["", " ", "gpt 5", "gpt\n", "gpt\u{7}", &longer] {
            let error = text.parse::<ModelPattern>().unwrap_err();
            assert!(error.to_string().contains("no pattern"), "{error}");
        }
        assert!(serde_json::from_str::<ModelPattern>("\"\"").is_err());
    }
}
