//! The words of a prompt, with their roles.

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
    /// As written, unless the whole prompt is in capitals.
    pub(super) written: String,
    /// Its possible lemmas, the word itself included.
    pub(super) lemmas: Vec<String>,
    pub(super) groups: Vec<Group>,
    pub(super) role: Role,
    /// The index of its clause.
    pub(super) clause: usize,
    pub(super) negated: bool,
    /// Whether it is lettering: only the identical word is a counterpart.
    pub(super) literal: bool,
    /// Whether it is lettering in quotation marks.
    pub(super) quoted: bool,
    /// Whether it is joined to the word before, as in `sci-fi`.
    pub(super) joined: bool,
    /// Whether it is an English word.
    pub(super) known: bool,
    /// Whether it is capitalised like a name.
    pub(super) capital: bool,
    /// Whether it is a possessive: `wizard's`.
    pub(super) owner: bool,
    /// The construction that it is or begins.
    pub(super) mark: Option<&'static str>,
}

/// The role of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Needs a counterpart in the other prompt.
    Content,
    /// Needs one only if the other prompt has something else there.
    Light,
    Number(u64),
    /// A link that says where something is, or whose.
    Preposition(&'static str),
    /// A word of grammar, or one without meaning.
    Empty,
    /// A pronoun for something named before: `on which`, `on it`.
    Pronoun,
    Auxiliary,
    /// Introduces the agent: `eaten by`, `painting by`.
    By,
    Negator,
    /// The end of a clause.
    Break,
}

impl Role {
    /// Whether words in this role need a counterpart.
    pub(super) const fn is_weighty(self) -> bool {
        matches!(self, Self::Content | Self::Light | Self::Number(_))
    }
}

impl Token {
    /// Whether it may be a form of one of these.
    pub(super) fn is_of(&self, list: &HashSet<String>) -> bool {
        self.lemmas.iter().any(|lemma| list.contains(lemma))
    }

    /// Whether it is a plural, by its form.
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

    /// Whether it is certainly an adjective.
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

    /// Whether it is a past participle, by its form: eaten, painted, left.
    pub(super) fn is_participle(&self) -> bool {
        self.text.ends_with("en") || self.is_past()
    }

    /// Whether it is a regular past form, or any irregular form.
    pub(super) fn is_past(&self) -> bool {
        self.text.ends_with("ed") || !LEXICON.irregular(&self.text).is_empty()
    }
}

/// A word of that role without further attributes.
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
