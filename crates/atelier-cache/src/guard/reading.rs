//! A parsed prompt, made by [`reader`](super::reader).

use super::token::{Role, Token};

/// A parsed prompt.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) tokens: Vec<Token>,
}

impl Reading {
    /// Whether the words and their order are the same, ignoring articles.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let said = |reading: &Self| -> Vec<(String, Option<&'static str>)> {
            let said = reading.tokens.iter().filter(|token| {
                token.role != Role::Break && !matches!(token.text.as_str(), "a" | "an" | "the")
            });
            said.map(|token| (token.text.clone(), token.mark)).collect()
        };
        said(self) == said(other)
    }

    /// All words as written.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let words = self.tokens.iter().filter(|token| token.role != Role::Break);
        words.map(|token| token.text.as_str())
    }

    /// All words with accents and capitals, except the capital that begins a sentence.
    pub(super) fn spelt(&self) -> impl Iterator<Item = String> {
        let words = (0..self.tokens.len()).filter(|at| self.tokens[*at].role != Role::Break);
        words.map(|at| {
            let written = &self.tokens[at].written;
            if self.begins(at) {
                written.to_lowercase()
            } else {
                written.clone()
            }
        })
    }

    /// Whether the word is the first of its sentence.
    pub(super) fn begins(&self, at: usize) -> bool {
        at.checked_sub(1)
            .is_none_or(|before| self.tokens[before].role == Role::Break)
    }

    /// Words that need a counterpart.
    pub(super) fn weighty(&self) -> impl Iterator<Item = usize> {
        (0..self.tokens.len()).filter(|at| self.tokens[*at].role.is_weighty())
    }
}
