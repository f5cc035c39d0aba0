//! A word of a question that counts, with what it may mean.

use super::{
    super::{lemma, lexicon::LEXICON},
    split::{Form, Token},
    vocabulary::{Group, VOCABULARY, is_participle},
};

/// A word, or a phrase that stands for one.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) lemmas: Vec<String>,
    pub(super) groups: Vec<Group>,
    pub(super) class: Class,
    literal: bool,
    /// Whether it is written as a name.
    pub(super) name: bool,
    /// Whether names are told from other words in its text.
    pub(super) cased: bool,
    /// Whether it is a past form.
    pub(super) past: bool,
    /// Whether something is going on: is running, unlike "before running".
    pub(super) progressive: bool,
    pub(super) plural: bool,
    /// Whether one of them stands for all: an egg.
    pub(super) generic: bool,
}

/// What a word does in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Content,
    Verb,
    /// A word of grammar.
    Small,
    And,
    Or,
    Pause,
    Stop,
}

impl Word {
    pub(super) fn new(token: &Token) -> Self {
        let lemmas = if token.literal || token.is_number() {
            vec![token.text.clone()]
        } else {
            lemmas(&token.text)
        };
        let groups = lemmas
            .iter()
            .flat_map(|lemma| VOCABULARY.groups(lemma))
            .copied()
            .collect();
        let verb = lemmas.iter().any(|lemma| VOCABULARY.is_verb(lemma));
        let class = match token.text.as_str() {
            _ if token.literal => Class::Content,
            "and" => Class::And,
            "or" => Class::Or,
            text if VOCABULARY.is_small(text) => Class::Small,
            _ if verb && token.form == Form::Lower => Class::Verb,
            _ => Class::Content,
        };
        let changed = lemmas.iter().any(|lemma| *lemma != token.text);
        Self {
            past: changed && verb && is_participle(&token.text),
            plural: changed && token.text.ends_with('s') && !token.text.ends_with("ss")
                || is_irregular_plural(&token.text),
            name: matches!(token.form, Form::Capital | Form::Upper),
            literal: token.literal,
            text: token.text.clone(),
            progressive: false,
            cased: true,
            generic: false,
            lemmas,
            groups,
            class,
        }
    }

    pub(super) fn mark(class: Class) -> Self {
        let mut word = Self::new(&Token::word(","));
        word.class = class;
        word
    }

    pub(super) const fn is_mark(&self) -> bool {
        matches!(self.class, Class::Pause | Class::Stop)
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        !self.literal && words.contains(&self.text.as_str())
    }

    pub(super) const fn is_content(&self) -> bool {
        matches!(self.class, Class::Content | Class::Verb)
    }

    /// Whether it is a time or a measure of a text, neither of which tells of a thing.
    pub(super) fn is_time(&self) -> bool {
        let is_year = self.text.len() == 4 && self.text.parse::<u16>().is_ok();
        is_year
            || self
                .lemmas
                .iter()
                .any(|lemma| VOCABULARY.times.contains(lemma.as_str()))
    }

    /// Whether it is an adjective that a list knows.
    pub(super) fn is_quality(&self) -> bool {
        self.lemmas
            .iter()
            .any(|lemma| LEXICON.kind(lemma) == Some("colour"))
    }

    /// Whether it compares, by its form.
    pub(super) fn is_comparative(&self) -> bool {
        self.text.ends_with("er") || self.is_any(&["worse", "more", "less"])
    }

    /// Whether both mean the same here. `far`: whether they stand well inside their questions.
    pub(super) fn is_like(&self, other: &Self, far: bool) -> bool {
        if self.literal || other.literal {
            return self.text == other.text;
        }
        let shared = self.groups.iter().any(|group| other.groups.contains(group));
        if self.text == other.text {
            return self.progressive == other.progressive && self.name_agrees(other);
        }
        let lemma = self.lemmas.iter().any(|lemma| other.lemmas.contains(lemma));
        let name = (self.name || other.name) && !shared;
        (shared || lemma && !name)
            && self.progressive == other.progressive
            && self.count_agrees(other, far)
    }

    /// Turkey is no turkey.
    fn name_agrees(&self, other: &Self) -> bool {
        self.name == other.name
            || !(self.cased && other.cased)
            || !LEXICON.grammar.names.contains(&self.text)
    }

    /// One is as good as many if it stands for all.
    fn count_agrees(&self, other: &Self, far: bool) -> bool {
        if self.plural == other.plural || self.class == Class::Verb || other.class == Class::Verb {
            return true;
        }
        let single = if self.plural { other } else { self };
        single.generic && far
            || single
                .lemmas
                .iter()
                .any(|lemma| VOCABULARY.is_attribute(lemma))
    }
}

fn is_irregular_plural(word: &str) -> bool {
    matches!(
        word,
        "people"
            | "children"
            | "men"
            | "women"
            | "mice"
            | "geese"
            | "feet"
            | "teeth"
            | "dice"
            | "leaves"
            | "wolves"
            | "knives"
            | "wives"
            | "lives"
            | "loaves"
            | "shelves"
            | "halves"
    )
}

/// What the word may be a form of.
pub(super) fn lemmas(word: &str) -> Vec<String> {
    const FIXED: [&str; 12] = [
        "us", "as", "this", "his", "less", "does", "news", "physics", "better", "best", "thing",
        "things",
    ];
    if VOCABULARY.is_small(word) || FIXED.contains(&word) || word.len() < 3 {
        return vec![word.to_owned()];
    }
    // The list of known words begins with three letters.
    if matches!(word, "going" | "goes") {
        return vec!["go".into(), word.to_owned()];
    }
    let mut found = lemma::lemmas(word);
    found.extend(act(word));
    found
}

/// The verb of an act: procrastination, procrastinate.
fn act(word: &str) -> Option<String> {
    const ENDS: [(&str, &str); 4] = [
        ("ization", "ize"),
        ("ation", "ate"),
        ("ment", ""),
        ("ction", "ct"),
    ];
    ENDS.iter().find_map(|(end, verb)| {
        let stem = word.strip_suffix(end).filter(|stem| stem.len() >= 4)?;
        let verb = format!("{stem}{verb}");
        let known = if *end == "ment" {
            VOCABULARY.is_verb(&verb)
        } else {
            LEXICON.knows(&verb)
        };
        known.then_some(verb)
    })
}
