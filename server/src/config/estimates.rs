//! The price table.

use serde::{Deserialize, Serialize};

/// US dollars per million tokens.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    pub text_input: f64,
    pub image_input: f64,
    pub image_output: f64,
    /// Of words and thoughts; like `image_output`, if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_output: Option<f64>,
}

impl Prices {
    pub(super) fn all(&self) -> impl Iterator<Item = f64> + use<> {
        let given = [self.text_input, self.image_input, self.image_output];
        given.into_iter().chain(self.text_output)
    }
}

/// The expected cost of a model's pictures, in US dollars for 1024 x 1024 pixels.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// A name, or the beginning of one and `*`.
    pub model: String,
    pub low: f64,
    pub medium: f64,
    pub high: f64,
    /// The additional cost of an uploaded photo.
    pub photo: f64,
}

/// Returns the first entry for the model; `*` at the end of a name matches anything.
pub fn find_estimate<'a>(table: &'a [Estimate], model: &str) -> Option<&'a Estimate> {
    table.iter().find(|entry| {
        entry
            .model
            .strip_suffix('*')
            .map_or(entry.model == model, |prefix| model.starts_with(prefix))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_counts() {
        let entry = |model: &str, high| Estimate {
            model: model.into(),
            low: 0.01,
            medium: 0.05,
            high,
            photo: 0.02,
        };
        let table = [entry("a", 1.0), entry("a-*", 2.0), entry("*", 3.0)];
        let high = |model| find_estimate(&table, model).map(|entry| entry.high);
        assert_eq!(high("a"), Some(1.0));
        assert_eq!(high("a-flare"), Some(2.0));
        assert_eq!(high("ab"), Some(3.0));
        assert_eq!(
            find_estimate(&table[..2], "ab").map(|entry| entry.high),
            None
        );
    }
}
