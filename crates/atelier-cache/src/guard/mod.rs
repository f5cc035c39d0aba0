//! The guard decides whether two prompts ask for the same picture.
//!
//! Similar vectors only find candidates: "a horse riding an astronaut" is closer to "an
//! astronaut riding a horse" than most paraphrases are. So the guard compares the two
//! prompts word by word: every word that matters must have a counterpart (the same lemma,
//! a known synonym, a misspelling), nothing may be negated or counted differently, and
//! everything must be in the same place, belong to the same thing, and do the same to the
//! same.
//!
//! `text` removes what is not part of the request (`personal` checks whether it tells of
//! somebody), `reader` parses the rest (`token`, `lemma`, `phrases`, `verbs`,
//! `relations`), `pairing` finds counterparts (`both`), and `compare` looks for
//! differences (`roles`: who does what; `tense`: what is over).
//!
//! What it does not understand counts as a difference. `constructions` lists words that
//! change the meaning of a sentence; they must be between the same words in both. `walk`
//! finds what each word is attached to (`syntax`), and `agreement` checks that it is the
//! same in both.
//!
//! The guard's English vocabulary is in `words/`. It gives a reason for its verdict, and
//! in doubt the verdict is no.

mod agreement;
mod both;
mod clause;
mod compare;
mod constructions;
mod lemma;
mod lexicon;
mod names;
mod nominal;
mod nouns;
mod pairing;
mod personal;
mod phrases;
mod reader;
mod reading;
mod relations;
mod roles;
mod split;
mod syntax;
mod tense;
mod text;
mod token;
mod verbs;
mod walk;
#[cfg(test)]
mod tests;

/// Longer prompts are only compared exactly.
pub const MOST_CHARS: usize = 2000;

/// The guard's verdict on two prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether they ask for the same picture.
    pub agree: bool,
    /// The reason, for the operator.
    pub reason: String,
}

/// A parsed prompt.
#[derive(Debug)]
pub struct Reading {
    reading: reading::Reading,
    essence: String,
    personal: bool,
}

impl Reading {
    /// Parses the prompt.
    pub fn new(prompt: &str) -> Self {
        let wish = text::Wish::of(prompt);
        Self {
            reading: reader::read(&wish),
            essence: wish.essence(),
            personal: wish.personal,
        }
    }

    /// The prompt without politeness and praise, as the encoder reads it.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// Whether the comparison ignores something that may tell of a person.
    pub const fn is_personal(&self) -> bool {
        self.personal
    }

    /// Whether both ask for the same picture. Symmetric.
    pub fn compare(&self, other: &Self) -> Verdict {
        let there = compare::compare(&self.reading, &other.reading);
        let back = there
            .agree
            .then(|| compare::compare(&other.reading, &self.reading));
        back.filter(|back| !back.agree).unwrap_or(there)
    }
}
