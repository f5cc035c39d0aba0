//! Reading a prompt: which of its words mean something to a painter, and what they belong to.

use crate::lexicon::{Entry, Language, Meaning};
use crate::part::Part;
use crate::spelling::{Word, words};
use crate::topic::{Colour, Hour, Mood, Scene, Season, Style, Weather};

/// How many words a count, a colour or an "on" waits for the thing it belongs to.
const PATIENCE: usize = 4;
/// Words of the longest phrase that is listed.
const LONGEST: usize = 3;
/// How many a plural means when nobody counts.
const SEVERAL: u8 = 3;

/// A thing the prompt names, how many of it and in which colour.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mention {
    pub(crate) name: String,
    pub(crate) count: u8,
    pub(crate) colour: Option<Colour>,
    /// The second of two colours.
    pub(crate) trim: Option<Colour>,
    pub(crate) on: Option<Spot>,
}

/// What a thing is on or in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Spot {
    /// The subject of this index.
    Subject(usize),
    Part(Part),
}

/// A word that one looks for in the picture.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) word: String,
    /// It is there if one of these is drawn.
    pub(crate) any: Vec<Thing>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Thing {
    Subject(String),
    Part(Part),
    Season(Season),
    Weather(Weather),
    /// The colour of a part.
    Coloured(Part, Colour),
    /// The second colour of a subject.
    Trimmed(String, Colour),
}

/// What was understood. Of hours, seasons and the like the first one named counts.
#[derive(Default)]
pub(crate) struct Reading {
    pub(crate) scene: Option<Scene>,
    pub(crate) subjects: Vec<Mention>,
    pub(crate) parts: Vec<(Part, Option<Colour>)>,
    pub(crate) hour: Option<Hour>,
    pub(crate) season: Option<Season>,
    pub(crate) weather: Option<Weather>,
    pub(crate) mood: Option<Mood>,
    pub(crate) tint: Option<Colour>,
    pub(crate) style: Option<Style>,
    pub(crate) wanted: Vec<Wanted>,
}

pub(crate) fn read(prompt: &str) -> Reading {
    let words = words(prompt);
    let small: Vec<&str> = words.iter().map(|word| word.small.as_str()).collect();
    let language = Language::of(&small);
    let mut reader = Reader {
        reading: Reading::default(),
        language,
        cased: language.capital_nouns && words.iter().skip(1).any(Word::capital),
        votes: Vec::new(),
        count: None,
        colour: None,
        on: None,
        negated: false,
        hushed: false,
        position: 0,
    };
    let mut at = 0;
    while at < words.len() {
        at += reader.step(&words[at..]);
    }
    reader.finish()
}

/// An adjective that waits for its noun.
#[derive(Clone)]
struct Waiting<T> {
    what: T,
    since: usize,
    /// A word in between may be the thing it belongs to.
    claimed: bool,
}

/// A colour, with the word as it is listed, and a second one.
#[derive(Clone, Copy)]
struct Paint {
    colour: Colour,
    word: &'static str,
    trim: Option<(Colour, &'static str)>,
}

struct Reader {
    reading: Reading,
    language: &'static Language,
    /// Nouns can be told by their capitals.
    cased: bool,
    votes: Vec<(Scene, u32)>,
    count: Option<Waiting<u8>>,
    colour: Option<Waiting<Paint>>,
    /// The index of the subject that is on what comes next.
    on: Option<Waiting<usize>>,
    negated: bool,
    /// Names of painters follow.
    hushed: bool,
    position: usize,
}

impl Reader {
    /// Reads one phrase and returns how many words it took.
    fn step(&mut self, words: &[Word]) -> usize {
        let word = &words[0];
        if word.new_phrase {
            self.end_phrase();
            (self.on, self.hushed) = (None, false);
        }
        self.forget();
        let phrase = (1..=LONGEST.min(words.len())).rev().find_map(|taken| {
            let phrase = &words[..taken];
            let whole = phrase.iter().skip(1).all(|word| !word.new_phrase);
            let small: Vec<&str> = phrase.iter().map(|word| word.small.as_str()).collect();
            let entry = self.language.entry(&small.join(" ")).filter(|_| whole)?;
            Some((phrase, entry))
        });
        let article = phrase
            .as_ref()
            .is_some_and(|(_, entry)| entry.meanings == [Meaning::Quiet]);
        if !article {
            self.position += 1;
        }
        let Some((phrase, entry)) = phrase else {
            if !std::mem::take(&mut self.negated) {
                self.wonder(word);
            }
            return 1;
        };
        if article || !std::mem::take(&mut self.negated) {
            self.understand(phrase, &entry);
        }
        phrase.len()
    }

    /// A word that is not listed.
    fn wonder(&mut self, word: &Word) {
        let adjective = self.cased && !word.capital();
        if self.hushed || adjective || self.language.is_quiet(&word.small) {
            return;
        }
        self.claim();
        self.want(self.shown(word), Vec::new());
    }

    /// What waits may belong to this word.
    fn claim(&mut self) {
        if let Some(colour) = &mut self.colour {
            colour.claimed = true;
        }
        if let Some(count) = &mut self.count {
            count.claimed = true;
        }
    }

    fn understand(&mut self, words: &[Word], entry: &Entry) {
        let has = |wanted: fn(&Meaning) -> bool| entry.meanings.iter().any(wanted);
        if has(|m| matches!(m, Meaning::Without)) {
            self.negated = true;
            return;
        }
        self.hushed |= has(|m| matches!(m, Meaning::Manner));
        if has(|m| matches!(m, Meaning::And)) {
            self.count.take_if(|count| count.claimed);
            self.colour.take_if(|colour| colour.claimed);
            self.on = None;
            return;
        }
        if has(|m| matches!(m, Meaning::On | Meaning::Bound)) {
            self.end_phrase();
            self.hushed = false;
            let last = self.reading.subjects.len().checked_sub(1);
            let on = last.filter(|_| has(|m| matches!(m, Meaning::On)));
            self.on = on.map(|index| self.waiting(index));
        }
        let noun = has(|m| matches!(m, Meaning::Subject(_) | Meaning::Part(_) | Meaning::Missing));
        let whole = has(|m| matches!(m, Meaning::Hour(_) | Meaning::Scene(_) | Meaning::Whole));
        let count = self.count.take_if(|_| noun);
        let colour = self.colour.take_if(|_| noun || whole);
        let paint = colour.map(|colour| colour.what);
        self.note_what(words, entry, paint);
        for meaning in entry.meanings {
            self.note(meaning, entry, noun);
        }
        if noun {
            self.place(entry, count, paint);
        } else if let Some(paint) = paint {
            self.reading.tint.get_or_insert(paint.colour);
            self.lose(paint.trim);
        } else if has(|m| matches!(m, Meaning::Season(_) | Meaning::Weather(_))) {
            self.claim();
        }
    }

    /// Notes that this is looked for in the picture.
    fn note_what(&mut self, words: &[Word], entry: &Entry, paint: Option<Paint>) {
        let is = |meaning: Meaning| entry.meanings.contains(&meaning);
        if is(Meaning::Quiet) {
            return;
        }
        let shown = words.iter().map(|word| self.shown(word));
        let shown = shown.collect::<Vec<_>>().join(" ");
        if is(Meaning::Missing) {
            self.want(shown, Vec::new());
            return;
        }
        let thing = |meaning: &Meaning| match meaning {
            Meaning::Subject(name) => Some(Thing::Subject(name.clone())),
            Meaning::Part(part) => Some(Thing::Part(*part)),
            Meaning::Season(season) => Some(Thing::Season(*season)),
            Meaning::Weather(weather) => Some(Thing::Weather(*weather)),
            _ => None,
        };
        let any: Vec<Thing> = entry.meanings.iter().filter_map(thing).collect();
        match (paint, any.first()) {
            (Some(paint), Some(Thing::Part(part))) => {
                let coloured = vec![Thing::Coloured(*part, paint.colour)];
                self.want(paint.word.to_owned(), coloured);
                self.lose(paint.trim);
            }
            (Some(paint), Some(Thing::Subject(name))) => {
                if let Some((colour, word)) = paint.trim {
                    let trimmed = vec![Thing::Trimmed(name.clone(), colour)];
                    self.want(word.to_owned(), trimmed);
                }
            }
            _ => {}
        }
        if !any.is_empty() {
            self.want(shown, any);
        }
    }

    fn want(&mut self, word: String, any: Vec<Thing>) {
        self.reading.wanted.push(Wanted { word, any });
    }

    /// As it is written, but not with the capital of a first word.
    fn shown(&self, word: &Word) -> String {
        if word.first && !self.language.capital_nouns {
            word.small.clone()
        } else {
            word.written.to_owned()
        }
    }

    fn waiting<T>(&self, what: T) -> Waiting<T> {
        Waiting {
            what,
            since: self.position,
            claimed: false,
        }
    }

    /// Nobody waits for ever.
    fn forget(&mut self) {
        let before = self.position.saturating_sub(PATIENCE);
        if self.colour.as_ref().is_some_and(|c| c.since < before) {
            self.end_phrase();
        }
        self.count.take_if(|count| count.since < before);
        self.on.take_if(|on| on.since < before);
    }

    /// A colour that found no thing is that of the thing before it, or colours the picture as a whole.
    fn end_phrase(&mut self) {
        self.count = None;
        let Some(Waiting { what: paint, .. }) = self.colour.take().filter(|c| !c.claimed) else {
            return;
        };
        let last = self.reading.subjects.last_mut();
        match last.filter(|last| last.colour.is_none()) {
            Some(last) => last.colour = Some(paint.colour),
            None => _ = self.reading.tint.get_or_insert(paint.colour),
        }
        self.lose(paint.trim);
    }

    fn note(&mut self, meaning: &Meaning, entry: &Entry, noun: bool) {
        let reading = &mut self.reading;
        match meaning {
            Meaning::Scene(scene) => self.vote(*scene),
            Meaning::Part(part) => {
                if let Some(scene) = part.scene() {
                    self.vote(scene);
                }
            }
            Meaning::Hour(hour) => _ = reading.hour.get_or_insert(*hour),
            Meaning::Season(season) => _ = reading.season.get_or_insert(*season),
            Meaning::Weather(weather) => _ = reading.weather.get_or_insert(*weather),
            Meaning::Mood(mood) => _ = reading.mood.get_or_insert(*mood),
            Meaning::Style(style) => _ = reading.style.get_or_insert(*style),
            // "rose" and "salmon" are things first.
            Meaning::Colour(_) if noun => {}
            Meaning::Colour(colour) => self.hold(*colour, entry.base),
            Meaning::Count(n) => self.count = Some(self.waiting(*n)),
            _ => {}
        }
    }

    fn hold(&mut self, colour: Colour, word: &'static str) {
        match self.colour.as_mut().filter(|held| !held.claimed) {
            Some(held) => {
                let lost = held.what.trim.replace((colour, word));
                self.lose(lost);
            }
            None => {
                let trim = None;
                self.colour = Some(self.waiting(Paint { colour, word, trim }));
            }
        }
    }

    /// Nothing has this colour.
    fn lose(&mut self, colour: Option<(Colour, &str)>) {
        if let Some((_, word)) = colour {
            self.want(word.to_owned(), Vec::new());
        }
    }

    fn vote(&mut self, scene: Scene) {
        match self.votes.iter_mut().find(|(known, _)| *known == scene) {
            Some((_, votes)) => *votes += scene.weight(),
            None => self.votes.push((scene, scene.weight())),
        }
    }

    /// A noun takes what has waited for it.
    fn place(&mut self, entry: &Entry, count: Option<Waiting<u8>>, paint: Option<Paint>) {
        let usual = if entry.inflected { SEVERAL } else { 1 };
        let count = count.map_or(usual, |count| count.what);
        let on = self.on.take();
        for meaning in entry.meanings {
            let spot = match meaning {
                Meaning::Subject(name) => Spot::Subject(self.mention(name, count, paint)),
                Meaning::Part(part) => {
                    let colour = paint.map(|paint| paint.colour);
                    self.reading.parts.push((*part, colour));
                    Spot::Part(*part)
                }
                _ => continue,
            };
            if let Some(on) = &on
                && spot != Spot::Subject(on.what)
            {
                self.reading.subjects[on.what].on = Some(spot);
            }
        }
    }

    /// The index of the subject. Who is named twice is the same, unless in another colour.
    fn mention(&mut self, name: &str, count: u8, paint: Option<Paint>) -> usize {
        let colour = paint.map(|paint| paint.colour);
        let subjects = &mut self.reading.subjects;
        let same =
            |known: &Mention| known.name == name && (colour.is_none() || known.colour == colour);
        if let Some(index) = subjects.iter().position(same) {
            return index;
        }
        subjects.push(Mention {
            name: name.to_owned(),
            count,
            colour,
            trim: paint.and_then(|paint| Some(paint.trim?.0)),
            on: None,
        });
        subjects.len() - 1
    }

    fn finish(mut self) -> Reading {
        self.end_phrase();
        // The first of equals: `max_by_key` would return the last.
        let best = self.votes.iter().rev().max_by_key(|(_, votes)| *votes);
        self.reading.scene = best.map(|(scene, _)| *scene);
        self.reading
    }
}
