//! The words of a prompt, each with what it does there.

use std::collections::HashSet;

use super::{
    lemma,
    lexicon::{Group, LEXICON},
};

/// One word, or a phrase that stands for one.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// Lower case, without accents.
    pub(super) text: String,
    /// As it stands in the prompt, unless all of that is in capitals.
    pub(super) written: String,
    /// What it may be a form of, the word itself included.
    pub(super) lemmas: Vec<String>,
    pub(super) groups: Vec<Group>,
    pub(super) role: Role,
    /// Which clause it stands in.
    pub(super) clause: usize,
    pub(super) negated: bool,
    /// Lettering: only the very same word will do.
    pub(super) literal: bool,
    /// Lettering in quotation marks.
    pub(super) quoted: bool,
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
        const IRREGULAR: [&str; 13] = [
            "people",
            "children",
            "grandchildren",
            "mice",
            "geese",
            "feet",
            "teeth",
            "oxen",
            "cacti",
            "fungi",
            "dice",
            "leaves",
            "woods",
        ];
        if let Some((_, last)) = self.text.rsplit_once(' ') {
            return last.ends_with('s') && lemma::lemmas(last).len() > 1;
        }
        self.text.ends_with('s') && self.lemmas.iter().any(|lemma| *lemma != self.text)
            || IRREGULAR.contains(&self.text.as_str())
            || self.text.ends_with("men") && !LEXICON.irregular(&self.text).is_empty()
    }

    /// An adjective for sure.
    pub(super) fn is_adjective(&self) -> bool {
        const ENDS: [&str; 4] = ["ful", "ous", "ish", "less"];
        let grammar = &LEXICON.grammar;
        let thing = [&grammar.beings, &grammar.times, &grammar.scenery]
            .iter()
            .any(|things| self.is_of(things));
        ENDS.iter().any(|end| self.text.ends_with(end))
            || self.lemmas.iter().any(|lemma| {
                LEXICON.has_opposite(lemma) && !thing
                    || LEXICON.kind(lemma) == Some("colour")
                    || lemma::root(lemma).is_some()
            })
    }

    /// A, an, the.
    pub(super) fn is_article(&self) -> bool {
        self.role == Role::Empty && matches!(self.text.as_str(), "a" | "an" | "the")
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
        written: text.clone(),
        text,
        groups: Vec::new(),
        role,
        clause: 0,
        negated: false,
        literal: false,
        quoted: false,
        joined: false,
        known: true,
        capital: false,
        owner: false,
        mark: None,
    }
}
