//! The guard decides whether two prompts ask for the same picture, or two questions for the
//! same answer ([`Kind`]; `question` is about those).
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
mod question;
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

/// What kind of text is compared.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The description of a picture.
    #[default]
    Picture,
    /// A question, or a request for a text.
    Question,
}

impl Kind {
    /// Longer texts are only compared exactly.
    pub const fn most_chars(self) -> usize {
        match self {
            Self::Picture => MOST_CHARS,
            Self::Question => question::MOST_CHARS,
        }
    }
}

/// The guard's verdict on two texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether they ask for the same.
    pub agree: bool,
    /// The reason, for the operator.
    pub reason: String,
}

/// A text that has been read.
#[derive(Debug)]
pub struct Reading {
    read: Read,
}

#[derive(Debug)]
enum Read {
    Picture {
        reading: reading::Reading,
        essence: String,
        personal: bool,
    },
    Question(question::Question),
}

impl Reading {
    /// Reads the description of a picture.
    pub fn new(prompt: &str) -> Self {
        let wish = text::Wish::of(prompt);
        let read = Read::Picture {
            reading: reader::read(&wish),
            essence: wish.essence(),
            personal: wish.personal,
        };
        Self { read }
    }

    /// Reads a text of that kind.
    pub fn of(kind: Kind, text: &str) -> Self {
        match kind {
            Kind::Picture => Self::new(text),
            Kind::Question => Self {
                read: Read::Question(question::Question::new(text)),
            },
        }
    }

    /// The kind of the text.
    pub const fn kind(&self) -> Kind {
        match self.read {
            Read::Picture { .. } => Kind::Picture,
            Read::Question(_) => Kind::Question,
        }
    }

    /// The text without politeness and praise, as the encoder reads it.
    pub fn essence(&self) -> &str {
        match &self.read {
            Read::Picture { essence, .. } => essence,
            Read::Question(question) => &question.essence,
        }
    }

    /// Whether the comparison ignores something that may tell of a person.
    pub const fn is_personal(&self) -> bool {
        match &self.read {
            Read::Picture { personal, .. } => *personal,
            Read::Question(question) => question.personal,
        }
    }

    /// Whether both ask for the same; texts of two kinds do not. Symmetric.
    pub fn compare(&self, other: &Self) -> Verdict {
        match (&self.read, &other.read) {
            (Read::Picture { reading: one, .. }, Read::Picture { reading: other, .. }) => {
                let there = compare::compare(one, other);
                let back = there.agree.then(|| compare::compare(other, one));
                back.filter(|back| !back.agree).unwrap_or(there)
            }
            (Read::Question(one), Read::Question(other)) => one.compare(other),
            _ => Verdict {
                agree: false,
                reason: "a picture and a question".into(),
            },
        }
    }
}
