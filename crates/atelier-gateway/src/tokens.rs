//! Counts tokens as far as that is worth its time: `docs/decisions.md` has the figures.

/// How many bytes of text are a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    bytes: u64,
}

impl Counter {
    /// The counter for a model. Anthropic's tokenizers cut finer than OpenAI's, which most
    /// others come close to.
    pub fn for_model(model: &str) -> Self {
        let bytes = if model.contains("claude") { 3 } else { 4 };
        Self { bytes }
    }

    /// Returns the number of tokens of a text, rounded up. A letter of four bytes, such as a
    /// pictograph, counts as one more.
    pub fn count(self, text: &str) -> u64 {
        let wide = text.bytes().filter(|byte| *byte >= 0xf0).count() as u64;
        (text.len() as u64).div_ceil(self.bytes) + wide
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_estimated_by_bytes() {
        let (gpt, claude) = (
            Counter::for_model("gpt-5"),
            Counter::for_model("x/claude-opus-5"),
        );
        for (text, by_gpt, by_claude) in [
            ("", 0, 0),
            ("a", 1, 1),
            ("Hello, world", 3, 4),
            ("\u{1f980}\u{1f980}", 4, 5),
        ] {
            assert_eq!(
                (gpt.count(text), claude.count(text)),
                (by_gpt, by_claude),
                "{text}"
            );
        }
    }
}
