//! Two prompts side by side, with the counterparts of their words.

use super::{pairing::Pairing, reading::Reading};

/// The input of every check.
pub(super) struct Both<'a> {
    pub(super) a: &'a Reading,
    pub(super) b: &'a Reading,
    pub(super) pairing: Pairing,
}

impl<'a> Both<'a> {
    pub(super) fn new(a: &'a Reading, b: &'a Reading) -> Self {
        let pairing = Pairing::new(a, b);
        Self { a, b, pairing }
    }

    /// The counterparts of one reading's words, and the other reading they are in.
    pub(super) fn counterparts(&self, reading: &Reading) -> (&[Option<usize>], &Reading) {
        if std::ptr::eq(reading, self.a) {
            (&self.pairing.there, self.b)
        } else {
            (&self.pairing.back, self.a)
        }
    }

    /// Every word of the first that has a counterpart, with that.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let there = self.pairing.there.iter().enumerate();
        there.filter_map(|(x, y)| Some((x, (*y)?)))
    }

    /// Whether they are counterparts, or halves of one.
    pub(super) fn are_same(&self, x: usize, y: usize) -> bool {
        self.pairing.there[x] == Some(y)
            || self.pairing.back[y] == Some(x)
            || self.a.tokens[x].text == self.b.tokens[y].text
    }

    pub(super) fn share_lemma(&self, x: usize, y: usize) -> bool {
        let (one, other) = (&self.a.tokens[x], &self.b.tokens[y]);
        one.lemmas.iter().any(|lemma| other.lemmas.contains(lemma))
    }
}
