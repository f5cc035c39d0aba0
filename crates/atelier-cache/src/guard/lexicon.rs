//! The word lists, read once.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

/// The known English vocabulary.
pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::read);

/// The id of a group of synonyms.
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
    /// By first word: the further words, and the meaning.
    phrases: HashMap<&'static str, Vec<(Vec<&'static str>, Group)>>,
    /// By first word: the further words, and the name.
    constructions: HashMap<&'static str, Vec<(Vec<&'static str>, &'static str)>>,
    /// The prepositions of `grammar.places`.
    place_of: HashMap<String, String>,
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
    pub(super) mass: HashSet<String>,
    pub(super) beings: HashSet<String>,
    pub(super) sorts: HashSet<String>,
    pub(super) paired: HashSet<String>,
    pub(super) numbered: HashSet<String>,
    pub(super) initials: HashSet<String>,
    pub(super) names: HashSet<String>,
    pub(super) accented: HashSet<String>,
    pub(super) nominal: HashSet<String>,
    pub(super) qualities: HashSet<String>,
    pub(super) pieces: HashSet<String>,
    pub(super) stands: HashSet<String>,
    pub(super) media: HashSet<String>,
    pub(super) fixed: HashSet<String>,
    pub(super) roots: HashSet<String>,
    pub(super) lettering: HashSet<String>,
    pub(super) bearers: HashSet<String>,
    pub(super) foreign: HashSet<String>,
    pub(super) symmetric: HashSet<String>,
    pub(super) lasting: HashSet<String>,
    pub(super) adverbs: HashSet<String>,
    pub(super) scenery: HashSet<String>,
    pub(super) times: HashSet<String>,
    pub(super) positions: HashSet<String>,
    pub(super) containers: HashSet<String>,
    pub(super) having: HashSet<String>,
    pub(super) numbers: HashMap<String, u64>,
    links: HashMap<String, String>,
    alike: Vec<[String; 2]>,
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
        let grammar: Grammar =
            toml::from_str(include_str!("words/grammar.toml")).expect("grammar.toml");
        let places = grammar.places.iter();
        let place_of = places
            .flat_map(|(place, words)| words.iter().map(|word| (word.clone(), place.clone())))
            .collect();
        let filler = lines(include_str!("words/filler.txt")).map(|pattern| {
            RegexBuilder::new(pattern)
                .case_insensitive(true)
                .build()
                .expect("filler.txt")
        });
        let mut lexicon = Self {
            grammar,
            place_of,
            known: include_str!("words/known.txt").lines().collect(),
            irregular: HashMap::new(),
            verbs: lines(include_str!("words/verbs.txt")).collect(),
            opposites: HashSet::new(),
            synonyms: HashMap::new(),
            phrases: HashMap::new(),
            constructions: HashMap::new(),
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
        for line in lines(include_str!("words/constructions.txt")) {
            if let Some((name, members)) = line.split_once(": ") {
                for member in members.split(", ") {
                    lexicon.add_construction(member, name);
                }
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

    fn add_construction(&mut self, member: &'static str, name: &'static str) {
        let mut words = member.split(' ');
        if let Some(first) = words.next() {
            let known = self.constructions.entry(first).or_default();
            known.push((words.collect(), name));
        }
    }

    /// The construction that the word is by itself.
    pub(super) fn construction(&self, word: &str) -> Option<&'static str> {
        let alone = self
            .constructions(word)
            .iter()
            .find(|(rest, _)| rest.is_empty());
        alone.map(|(_, name)| *name)
    }

    /// Constructions that begin with the word.
    pub(super) fn constructions(&self, first: &str) -> &[(Vec<&'static str>, &'static str)] {
        self.constructions.get(first).map_or(&[], Vec::as_slice)
    }

    /// The sense of a preposition, if its place does not suffice.
    pub(super) fn link(&self, preposition: &str) -> Option<&str> {
        self.grammar.links.get(preposition).map(String::as_str)
    }

    /// Links that may mean the same.
    pub(super) fn are_like(&self, one: &str, other: &str) -> bool {
        let mut alike = self.grammar.alike.iter();
        alike.any(|[a, b]| (a == one && b == other) || (a == other && b == one))
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

    /// Whether it describes a state that can change.
    pub(super) fn has_opposite(&self, word: &str) -> bool {
        self.opposites.iter().any(|(one, _)| *one == word)
    }

    /// The place that a preposition gives.
    pub(super) fn place(&self, preposition: &str) -> Option<&str> {
        self.place_of.get(preposition).map(String::as_str)
    }

    /// Prepositions of several words.
    pub(super) fn long_prepositions(&self) -> impl Iterator<Item = &str> {
        let all = self.place_of.keys().map(String::as_str);
        all.filter(|words| words.contains(' '))
    }

    /// Whether two places exclude each other.
    pub(super) fn are_apart(&self, one: &str, other: &str) -> bool {
        self.grammar
            .apart
            .iter()
            .any(|Apart { places: [a, b] }| (a == one && b == other) || (a == other && b == one))
    }

    /// The category of the word: "colour", "style", …
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
