//! The guard: whether two prompts ask for the same picture.
//!
//! Similar vectors find candidates; they do not decide. "A horse riding an
//! astronaut" is nearer to "an astronaut riding a horse" than most paraphrases
//! are. So the two prompts are laid side by side: every word that matters must
//! have its counterpart (the same lemma, a known synonym, a slip of the pen),
//! nothing may be denied or counted differently, everything must be where it is
//! in the other, belong to the same thing, and do the same to the same.
//!
//! `text` takes away what is not part of the wish (`personal`: whether it tells of
//! somebody), `reader` takes the rest apart (`token`, `lemma`, `phrases`, `verbs`,
//! `relations`), `pairing` finds counterparts (`both`), and `compare` looks for a reason
//! why not (`roles`: who does what; `tense`: what is over).
//!
//! What it does not understand is a difference. `constructions` knows the words that
//! turn a sentence around without knowing how; they stand between the same words in
//! both. `walk` finds what each word is attached to (`syntax`), and `agreement` whether it is
//! attached to the same in both.
//!
//! What the guard knows of English stands in `words/`. It answers with a reason,
//! and in doubt with no.

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

/// Prompts longer than this are only ever compared exactly.
pub const MOST_CHARS: usize = 2000;

/// What the guard thinks of two prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// They ask for the same picture.
    pub agree: bool,
    /// Why, in words for the operator.
    pub reason: String,
}

/// A prompt, read once.
#[derive(Debug)]
pub struct Reading {
    reading: reading::Reading,
    essence: String,
    personal: bool,
}

impl Reading {
    /// Takes the prompt apart.
    pub fn new(prompt: &str) -> Self {
        let wish = text::Wish::of(prompt);
        Self {
            reading: reader::read(&wish),
            essence: wish.essence(),
            personal: wish.personal,
        }
    }

    /// What is left of the prompt without politeness and praise; what the encoder
    /// reads.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// Whether something was left out of the comparison that may tell of a person.
    pub const fn is_personal(&self) -> bool {
        self.personal
    }

    /// Whether both ask for the same picture; whichever came first.
    pub fn compare(&self, other: &Self) -> Verdict {
        let there = compare::compare(&self.reading, &other.reading);
        let back = there
            .agree
            .then(|| compare::compare(&other.reading, &self.reading));
        back.filter(|back| !back.agree).unwrap_or(there)
    }
}
