//! The word lists, read once.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

/// What is known of English.
pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::read);

/// Words that mean the same share one of these.
pub(super) type Group = u32;

/// All lists.
pub(super) struct Lexicon {
    pub(super) grammar: Grammar,
    /// Sorted.
    known: Vec<&'static str>,
    irregular: HashMap<&'static str, Vec<&'static str>>,
    pub(super) verbs: HashSet<&'static str>,
    opposites: HashSet<(&'static str, &'static str)>,
    synonyms: HashMap<&'static str, Vec<Group>>,
    /// By their first word: the further words, and what they mean.
    phrases: HashMap<&'static str, Vec<(Vec<&'static str>, Group)>>,
    pub(super) filler: Vec<Regex>,
}

/// The small words; each list is explained in `words/grammar.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Grammar {
    pub(super) articles: HashSet<String>,
    pub(super) auxiliaries: HashSet<String>,
    pub(super) joiners: HashSet<String>,
    pub(super) clauses: HashSet<String>,
    pub(super) light: HashSet<String>,
    pub(super) empty: HashSet<String>,
    pub(super) negators: HashSet<String>,
    pub(super) lone: HashSet<String>,
    pub(super) many: HashSet<String>,
    pub(super) media: HashSet<String>,
    pub(super) fixed: HashSet<String>,
    pub(super) roots: HashSet<String>,
    pub(super) lettering: HashSet<String>,
    pub(super) bearers: HashSet<String>,
    pub(super) foreign: HashSet<String>,
    pub(super) symmetric: HashSet<String>,
    pub(super) numbers: HashMap<String, u64>,
    places: HashMap<String, Vec<String>>,
    apart: Vec<Apart>,
    kinds: HashMap<String, HashSet<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Apart {
    places: [String; 2],
}

impl Lexicon {
    #[expect(
        clippy::expect_used,
        reason = "the lists are part of the program, and a test reads them"
    )]
    fn read() -> Self {
        let grammar = toml::from_str(include_str!("words/grammar.toml")).expect("grammar.toml");
        let filler = lines(include_str!("words/filler.txt")).map(|pattern| {
            RegexBuilder::new(pattern)
                .case_insensitive(true)
                .build()
                .expect("filler.txt")
        });
        let mut lexicon = Self {
            grammar,
            known: include_str!("words/known.txt").lines().collect(),
            irregular: HashMap::new(),
            verbs: lines(include_str!("words/verbs.txt")).collect(),
            opposites: HashSet::new(),
            synonyms: HashMap::new(),
            phrases: HashMap::new(),
            filler: filler.collect(),
        };
        for line in lines(include_str!("words/irregular.txt")) {
            if let Some((form, lemma)) = line.split_once(' ') {
                lexicon.irregular.entry(form).or_default().push(lemma);
            }
        }
        for line in lines(include_str!("words/opposites.txt")) {
            if let Some((one, other)) = line.split_once(", ") {
                lexicon.opposites.extend([(one, other), (other, one)]);
            }
        }
        for (group, line) in lines(include_str!("words/synonyms.txt")).enumerate() {
            for member in line.split(", ") {
                lexicon.add(member, group as Group);
            }
        }
        lexicon
    }

    fn add(&mut self, member: &'static str, group: Group) {
        let mut words = member.split([' ', '-']).filter(|word| !word.is_empty());
        let Some(first) = words.next() else { return };
        let rest: Vec<_> = words.collect();
        if rest.is_empty() {
            self.synonyms.entry(first).or_default().push(group);
        } else {
            self.phrases.entry(first).or_default().push((rest, group));
        }
    }

    /// Whether it is an English word; names of common places and people are.
    pub(super) fn knows(&self, word: &str) -> bool {
        self.known.binary_search(&word).is_ok()
            || self.synonyms.contains_key(word)
            || self.verbs.contains(word)
            || self.grammar.kinds.values().any(|kind| kind.contains(word))
    }

    pub(super) fn irregular(&self, form: &str) -> &[&'static str] {
        self.irregular.get(form).map_or(&[], Vec::as_slice)
    }

    pub(super) fn groups(&self, lemma: &str) -> &[Group] {
        self.synonyms.get(lemma).map_or(&[], Vec::as_slice)
    }

    /// Phrases that begin with the word.
    pub(super) fn phrases(&self, first: &str) -> &[(Vec<&'static str>, Group)] {
        self.phrases.get(first).map_or(&[], Vec::as_slice)
    }

    pub(super) fn are_opposites(&self, one: &str, other: &str) -> bool {
        self.opposites.contains(&(one, other))
    }

    /// Where a preposition puts a thing.
    pub(super) fn place(&self, preposition: &str) -> Option<&str> {
        let found = self
            .grammar
            .places
            .iter()
            .find(|(_, words)| words.iter().any(|word| word == preposition));
        found.map(|(place, _)| place.as_str())
    }

    /// Prepositions of several words.
    pub(super) fn long_prepositions(&self) -> impl Iterator<Item = &str> {
        let all = self.grammar.places.values().flatten();
        all.map(String::as_str).filter(|words| words.contains(' '))
    }

    /// Whether two places exclude each other.
    pub(super) fn are_apart(&self, one: &str, other: &str) -> bool {
        self.grammar
            .apart
            .iter()
            .any(|Apart { places: [a, b] }| (a == one && b == other) || (a == other && b == one))
    }

    /// What sort of thing the word tells: "colour", "style", …
    pub(super) fn kind(&self, lemma: &str) -> Option<&str> {
        let found = self
            .grammar
            .kinds
            .iter()
            .find(|(_, words)| words.contains(lemma));
        found.map(|(kind, _)| kind.as_str())
    }
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}
