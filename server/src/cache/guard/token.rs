//! The words of a prompt, each with what it does there.

use std::collections::HashSet;

use super::lexicon::{Group, LEXICON};

/// One word, or a phrase that stands for one.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// Lower case.
    pub(super) text: String,
    /// What it may be a form of, the word itself included.
    pub(super) lemmas: Vec<String>,
    pub(super) groups: Vec<Group>,
    pub(super) role: Role,
    /// Which clause it stands in.
    pub(super) clause: usize,
    pub(super) negated: bool,
    /// Lettering: only the very same word will do.
    pub(super) literal: bool,
    /// Written together with the word before, as in `sci-fi`.
    pub(super) joined: bool,
    /// An English word.
    pub(super) known: bool,
    /// Written like a name.
    pub(super) capital: bool,
    /// What follows is its own: `wizard's`.
    pub(super) owner: bool,
    /// The construction that it is or begins.
    pub(super) mark: Option<&'static str>,
}

/// What a word does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Must have its like in the other prompt.
    Content,
    /// Need not, unless the other prompt has something else there.
    Light,
    Number(u64),
    /// Says where something is, or whose.
    Preposition(&'static str),
    /// A word of grammar, or one that says nothing.
    Empty,
    /// Stands for something named before: `on which`, `on it`.
    Pronoun,
    Auxiliary,
    /// Names who did it: `eaten by`, `painting by`.
    By,
    Negator,
    /// The end of a clause.
    Break,
}

impl Role {
    /// Words in this role must be accounted for.
    pub(super) const fn is_weighty(self) -> bool {
        matches!(self, Self::Content | Self::Light | Self::Number(_))
    }
}

impl Token {
    /// It may be a form of one of these.
    pub(super) fn is_of(&self, list: &HashSet<String>) -> bool {
        self.lemmas.iter().any(|lemma| list.contains(lemma))
    }

    /// A plural, as far as its form tells.
    pub(super) fn is_plural(&self) -> bool {
        self.text.ends_with('s') && self.lemmas.iter().any(|lemma| *lemma != self.text)
            || matches!(
                self.text.as_str(),
                "people" | "children" | "men" | "women" | "mice" | "geese"
            )
    }

    /// Eaten, painted, left: as far as its form tells.
    pub(super) fn is_participle(&self) -> bool {
        self.text.ends_with("en") || self.is_past()
    }

    /// A regular past form, or an irregular form of any kind.
    pub(super) fn is_past(&self) -> bool {
        self.text.ends_with("ed") || !LEXICON.irregular(&self.text).is_empty()
    }
}

/// A word of that role, of which no more is known.
pub(super) fn bare(text: String, role: Role) -> Token {
    Token {
        lemmas: vec![text.clone()],
        text,
        groups: Vec::new(),
        role,
        clause: 0,
        negated: false,
        literal: false,
        joined: false,
        known: true,
        capital: false,
        owner: false,
        mark: None,
    }
}
