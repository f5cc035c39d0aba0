//! What the painter understands, a list of words for each language.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::part::Part;
use crate::topic::{Colour, Hour, Mood, Scene, Season, Style, Weather};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    scene: BTreeMap<Scene, Vec<String>>,
    part: BTreeMap<Part, Vec<String>>,
    subject: BTreeMap<String, Vec<String>>,
    hour: BTreeMap<Hour, Vec<String>>,
    season: BTreeMap<Season, Vec<String>>,
    weather: BTreeMap<Weather, Vec<String>>,
    mood: BTreeMap<Mood, Vec<String>>,
    colour: BTreeMap<Colour, Vec<String>>,
    style: BTreeMap<Style, Vec<String>>,
    count: BTreeMap<String, Vec<String>>,
    grammar: Grammar,
}

/// `words/english.toml` says what each is for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grammar {
    endings: Vec<(String, String)>,
    capital_nouns: bool,
    without: Vec<String>,
    on: Vec<String>,
    and: Vec<String>,
    bound: Vec<String>,
    whole: Vec<String>,
    manner: Vec<String>,
    quiet: Vec<String>,
    quiet_endings: Vec<String>,
    missing: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning {
    Scene(Scene),
    Part(Part),
    Subject(String),
    Hour(Hour),
    Season(Season),
    Weather(Weather),
    Mood(Mood),
    Colour(Colour),
    Style(Style),
    Count(u8),
    Without,
    On,
    And,
    Bound,
    Whole,
    Manner,
    Quiet,
    Missing,
}

pub(crate) struct Language {
    words: HashMap<String, Vec<Meaning>>,
    endings: Vec<(String, String)>,
    quiet_endings: Vec<String>,
    pub(crate) capital_nouns: bool,
}

/// The first of equals wins.
static LANGUAGES: LazyLock<[Language; 2]> = LazyLock::new(|| {
    [
        include_str!("words/english.toml"),
        include_str!("words/german.toml"),
    ]
    .map(Language::new)
});

/// A word or phrase that is listed.
pub(crate) struct Entry {
    pub(crate) meanings: &'static [Meaning],
    /// As it is listed.
    pub(crate) base: &'static str,
    /// It does not stand there as it is listed: a plural, perhaps.
    pub(crate) inflected: bool,
}

impl Language {
    fn new(text: &str) -> Self {
        #[expect(
            clippy::expect_used,
            reason = "the files are part of the program and a test reads them"
        )]
        let lists: Lists = toml::from_str(text).expect("the list of words is valid");
        let grammar = lists.grammar;
        let mut language = Self {
            words: HashMap::new(),
            endings: grammar.endings,
            quiet_endings: grammar.quiet_endings,
            capital_nouns: grammar.capital_nouns,
        };
        language.enter(lists.scene, Meaning::Scene);
        language.enter(lists.part, Meaning::Part);
        language.enter(lists.subject, Meaning::Subject);
        language.enter(lists.hour, Meaning::Hour);
        language.enter(lists.season, Meaning::Season);
        language.enter(lists.weather, Meaning::Weather);
        language.enter(lists.mood, Meaning::Mood);
        language.enter(lists.colour, Meaning::Colour);
        language.enter(lists.style, Meaning::Style);
        language.enter(lists.count, |n| Meaning::Count(n.parse().unwrap_or(1)));
        let grammar = [
            (grammar.without, Meaning::Without),
            (grammar.on, Meaning::On),
            (grammar.and, Meaning::And),
            (grammar.bound, Meaning::Bound),
            (grammar.whole, Meaning::Whole),
            (grammar.manner, Meaning::Manner),
            (grammar.quiet, Meaning::Quiet),
            (grammar.missing, Meaning::Missing),
        ];
        for (words, meaning) in grammar {
            language.enter(BTreeMap::from([((), words)]), |()| meaning.clone());
        }
        language
    }

    fn enter<K>(&mut self, list: BTreeMap<K, Vec<String>>, mean: impl Fn(K) -> Meaning) {
        for (key, words) in list {
            let meaning = mean(key);
            for word in words {
                self.words.entry(word).or_default().push(meaning.clone());
            }
        }
    }

    /// The language that knows the most of these words, in small letters.
    pub(crate) fn of(words: &[&str]) -> &'static Self {
        let known = |language: &'static Self| {
            let known = words.iter().filter(|word| language.entry(word).is_some());
            known.count()
        };
        let [first, others @ ..] = &*LANGUAGES;
        others.iter().fold(first, |best, other| {
            if known(other) > known(best) {
                other
            } else {
                best
            }
        })
    }

    /// What a word or phrase in small letters means, in whatever form it stands there.
    pub(crate) fn entry(&'static self, word: &str) -> Option<Entry> {
        let listed = |word: &str, inflected| {
            let (base, meanings) = self.words.get_key_value(word)?;
            Some(Entry {
                meanings,
                base,
                inflected,
            })
        };
        let stem = |(ending, stands): &(String, String)| {
            let stem = word.strip_suffix(ending.as_str())?;
            let stem = format!("{stem}{stands}");
            listed(&stem, true).or_else(|| listed(&undotted(&stem)?, true))
        };
        listed(word, false)
            .or_else(|| self.endings.iter().find_map(stem))
            .or_else(|| listed(&undotted(word)?, true))
    }

    /// Whether a word that is not listed is one that nobody looks for in the picture.
    pub(crate) fn is_quiet(&self, word: &str) -> bool {
        let ends = |ending: &String| {
            let stem = word.strip_suffix(ending.as_str());
            stem.is_some_and(|stem| stem.chars().count() > 2)
        };
        let strange = |c: char| c.is_ascii_digit() || c == '\'' || c == '’';
        word.chars().count() < 2 || word.contains(strange) || self.quiet_endings.iter().any(ends)
    }
}

/// With the vowels of the singular: "bäum" becomes "baum". `None` if it has no other.
fn undotted(word: &str) -> Option<String> {
    let plain = |c| match c {
        'ä' => 'a',
        'ö' => 'o',
        'ü' => 'u',
        other => other,
    };
    let undotted: String = word.chars().map(plain).collect();
    (undotted != word).then_some(undotted)
}

/// Every name of a subject, in every language.
#[cfg(test)]
pub(crate) fn subjects() -> impl Iterator<Item = &'static str> {
    let words = LANGUAGES.iter().flat_map(|language| &language.words);
    words
        .flat_map(|(_, meanings)| meanings)
        .filter_map(|meaning| match meaning {
            Meaning::Subject(name) => Some(name.as_str()),
            _ => None,
        })
}
