//! Distinguishes what is happening from what has happened: a falling vase from a fallen
//! one.

use super::{
    both::Both,
    lexicon::LEXICON,
    reading::Reading,
    token::{Role, Token},
};

impl Both<'_> {
    /// Whether nothing in progress in one has ended in the other.
    pub(super) fn tenses(&self) -> Option<String> {
        self.pairs().find_map(|(x, y)| {
            let (one, other) = (&self.a.tokens[x], &self.b.tokens[y]);
            let related = one.lemmas.iter().any(|lemma| other.lemmas.contains(lemma));
            if one.literal || other.literal || !related {
                return None;
            }
            let perfect = |reading: &Reading, at: usize, token: &Token| {
                is_perfect(reading, at) && !is_over(token)
            };
            let ended = is_perfect(self.a, x) && !is_over(other)
                || is_perfect(self.b, y) && !is_over(one)
                || perfect(self.a, x, one) != perfect(self.b, y, other);
            let lasts = one.is_of(&LEXICON.grammar.lasting);
            let passive = has_agent(self.a, x) || has_agent(self.b, y);
            let differs = is_going_on(one) && is_over(other) || is_going_on(other) && is_over(one);
            (ended || differs && !lasts && !passive)
                .then(|| format!("“{}” and “{}” are not the same time", one.text, other.text))
        })
    }
}

/// Falling, and no noun or adjective.
fn is_going_on(token: &Token) -> bool {
    token.text.ends_with("ing") && token.lemmas.len() > 1
}

/// Fallen, painted.
fn is_over(token: &Token) -> bool {
    token.text.ends_with("ed")
        || token.is_past() && token.lemmas.len() > 1 && !token.text.ends_with("ing")
}

/// "Has fallen", "had just been painted".
fn is_perfect(reading: &Reading, at: usize) -> bool {
    let mut before = reading.tokens[..at].iter().rev();
    let helper = before.find(|token| {
        let between =
            token.role == Role::Empty && !matches!(token.text.as_str(), "a" | "an" | "the");
        !between && token.text != "been"
    });
    helper.is_some_and(|helper| matches!(helper.text.as_str(), "has" | "have" | "had" | "having"))
}

fn has_agent(reading: &Reading, at: usize) -> bool {
    reading
        .tokens
        .get(at + 1)
        .is_some_and(|next| next.role == Role::By)
}
