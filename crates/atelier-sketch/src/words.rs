//! Reading a prompt: which of its words mean something to a painter.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::topic::{Colour, Hour, Mood, Scene, Season, Style, Weather};

/// Words read before the painter has heard enough. The rest of a long prompt still seeds the picture.
const ATTENTION: usize = 600;
/// How many words a count or a colour waits for the thing it belongs to.
const PATIENCE: usize = 4;
/// How many a plural means when nobody counts.
const SEVERAL: u8 = 3;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    scene: BTreeMap<Scene, Vec<String>>,
    subject: BTreeMap<String, Vec<String>>,
    hour: BTreeMap<Hour, Vec<String>>,
    season: BTreeMap<Season, Vec<String>>,
    weather: BTreeMap<Weather, Vec<String>>,
    mood: BTreeMap<Mood, Vec<String>>,
    colour: BTreeMap<Colour, Vec<String>>,
    style: BTreeMap<Style, Vec<String>>,
    count: BTreeMap<String, Vec<String>>,
    skip: BTreeMap<String, Vec<String>>,
}

#[derive(Clone)]
enum Meaning {
    Scene(Scene),
    Subject(String),
    Hour(Hour),
    Season(Season),
    Weather(Weather),
    Mood(Mood),
    Colour(Colour),
    Style(Style),
    Count(u8),
    Skip,
}

type Lexicon = HashMap<String, Vec<Meaning>>;

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program and a test reads it"
    )]
    let lists: Lists = toml::from_str(include_str!("words.toml")).expect("words.toml is valid");
    let mut lexicon = Lexicon::new();
    enter(&mut lexicon, lists.scene, Meaning::Scene);
    enter(&mut lexicon, lists.subject, Meaning::Subject);
    enter(&mut lexicon, lists.hour, Meaning::Hour);
    enter(&mut lexicon, lists.season, Meaning::Season);
    enter(&mut lexicon, lists.weather, Meaning::Weather);
    enter(&mut lexicon, lists.mood, Meaning::Mood);
    enter(&mut lexicon, lists.colour, Meaning::Colour);
    enter(&mut lexicon, lists.style, Meaning::Style);
    enter(&mut lexicon, lists.count, |n| {
        Meaning::Count(n.parse().unwrap_or(1))
    });
    enter(&mut lexicon, lists.skip, |_| Meaning::Skip);
    lexicon
});

fn enter<K>(lexicon: &mut Lexicon, list: BTreeMap<K, Vec<String>>, mean: impl Fn(K) -> Meaning) {
    for (key, words) in list {
        let meaning = mean(key);
        for word in words {
            lexicon.entry(word).or_default().push(meaning.clone());
        }
    }
}

/// A thing the prompt names, how many of it and in which colour.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mention {
    pub(crate) name: String,
    pub(crate) count: u8,
    pub(crate) colour: Option<Colour>,
}

/// What was understood. Of hours, seasons and the like the first one named counts.
#[derive(Default)]
pub(crate) struct Reading {
    pub(crate) scene: Option<Scene>,
    pub(crate) subjects: Vec<Mention>,
    pub(crate) hour: Option<Hour>,
    pub(crate) season: Option<Season>,
    pub(crate) weather: Option<Weather>,
    pub(crate) mood: Option<Mood>,
    pub(crate) tint: Option<Colour>,
    pub(crate) style: Option<Style>,
}

/// Case folded and white space collapsed: prompts that differ in nothing else are the same prompt.
pub(crate) fn normalise(prompt: &str) -> String {
    let folded = prompt.to_lowercase();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Expects a normalised prompt.
pub(crate) fn read(prompt: &str) -> Reading {
    let words: Vec<&str> = prompt
        .split(|c: char| !(c.is_alphanumeric() || c == '-'))
        .filter(|word| !word.is_empty())
        .take(ATTENTION)
        .collect();
    let mut reader = Reader::default();
    let mut at = 0;
    while at < words.len() {
        at += reader.step(&words[at..]);
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    reading: Reading,
    votes: Vec<(Scene, u32)>,
    count: Option<(u8, usize)>,
    colour: Option<(Colour, usize)>,
    negated: bool,
    /// The word at hand is not listed as it stands: a plural form.
    plural: bool,
    position: usize,
}

impl Reader {
    /// Reads one phrase and returns how many words it took.
    fn step(&mut self, words: &[&str]) -> usize {
        self.position += 1;
        self.forget();
        let pair = words
            .get(1)
            .and_then(|next| look_up(&format!("{} {next}", words[0])));
        let (meanings, taken) = match pair {
            Some(meanings) => (meanings, 2),
            None => (look_up(words[0]).unwrap_or(&[]), 1),
        };
        self.plural = !LEXICON.contains_key(words[taken - 1]);
        let skipped = std::mem::take(&mut self.negated) && !meanings.is_empty();
        if !skipped {
            let named = meanings.iter().any(|m| matches!(m, Meaning::Subject(_)));
            meanings
                .iter()
                .for_each(|meaning| self.note(meaning, named));
        }
        taken
    }

    /// A colour that found no thing colours the picture as a whole.
    fn forget(&mut self) {
        let position = self.position;
        if let Some((colour, _)) = self
            .colour
            .take_if(|(_, since)| position - *since > PATIENCE)
        {
            self.reading.tint.get_or_insert(colour);
        }
        self.count
            .take_if(|(_, since)| position - *since > PATIENCE);
    }

    fn note(&mut self, meaning: &Meaning, names_subject: bool) {
        let reading = &mut self.reading;
        match meaning {
            Meaning::Scene(scene) => self.vote(*scene),
            Meaning::Subject(name) => self.mention(name),
            Meaning::Hour(hour) => _ = reading.hour.get_or_insert(*hour),
            Meaning::Season(season) => _ = reading.season.get_or_insert(*season),
            Meaning::Weather(weather) => _ = reading.weather.get_or_insert(*weather),
            Meaning::Mood(mood) => _ = reading.mood.get_or_insert(*mood),
            Meaning::Style(style) => _ = reading.style.get_or_insert(*style),
            // "rose" and "salmon" are things first.
            Meaning::Colour(_) if names_subject => {}
            Meaning::Colour(colour) => self.colour = Some((*colour, self.position)),
            Meaning::Count(n) => self.count = Some((*n, self.position)),
            Meaning::Skip => self.negated = true,
        }
    }

    fn vote(&mut self, scene: Scene) {
        match self.votes.iter_mut().find(|(known, _)| *known == scene) {
            Some((_, votes)) => *votes += scene.weight(),
            None => self.votes.push((scene, scene.weight())),
        }
    }

    fn mention(&mut self, name: &str) {
        let usual = if self.plural { SEVERAL } else { 1 };
        let count = self.count.take().map_or(usual, |(n, _)| n);
        let colour = self.colour.take().map(|(colour, _)| colour);
        if self.reading.subjects.iter().all(|known| known.name != name) {
            let name = name.to_owned();
            self.reading.subjects.push(Mention {
                name,
                count,
                colour,
            });
        }
    }

    fn finish(mut self) -> Reading {
        if let Some((colour, _)) = self.colour {
            self.reading.tint.get_or_insert(colour);
        }
        // The first of equals: `max_by_key` would return the last.
        let best = self.votes.iter().rev().max_by_key(|(_, votes)| *votes);
        self.reading.scene = best.map(|(scene, _)| *scene);
        self.reading
    }
}

fn look_up(word: &str) -> Option<&'static [Meaning]> {
    let known = |w: &str| LEXICON.get(w).map(Vec::as_slice);
    known(word)
        .or_else(|| known(word.strip_suffix('s')?))
        .or_else(|| known(word.strip_suffix("es")?))
        .or_else(|| known(&format!("{}y", word.strip_suffix("ies")?)))
        .or_else(|| known(&format!("{}f", word.strip_suffix("ves")?)))
        .or_else(|| known(word.strip_suffix("'s")?))
}

/// Every name under `[subject]`.
#[cfg(test)]
pub(crate) fn subjects() -> impl Iterator<Item = &'static str> {
    LEXICON
        .values()
        .flatten()
        .filter_map(|meaning| match meaning {
            Meaning::Subject(name) => Some(name.as_str()),
            _ => None,
        })
}
