//! What is known of the words of questions, from `words/questions`.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use super::{super::lexicon::LEXICON, rules::Rules};

pub(super) static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(Vocabulary::read);

/// The id of a group of synonyms.
pub(super) type Group = u32;

/// All lists.
pub(super) struct Vocabulary {
    /// Short, slack and wrong spellings, and what they stand for.
    pub(super) spellings: HashMap<&'static str, Vec<&'static str>>,
    /// Words of which a clause that asks for nothing is made.
    pub(super) talk: HashSet<&'static str>,
    /// Words of which such a clause has at least one.
    pub(super) courtesies: HashSet<&'static str>,
    /// Clauses of talk.
    pub(super) clauses: Rules,
    /// Ways of asking.
    pub(super) asking: Rules,
    /// Ways of saying the same.
    pub(super) forms: Rules,
    synonyms: HashMap<&'static str, Vec<Group>>,
    /// By first word: the further words, and the group.
    phrases: HashMap<&'static str, Vec<(Vec<&'static str>, Group)>>,
    verbs: HashSet<&'static str>,
    small: HashSet<&'static str>,
    attributes: HashSet<&'static str>,
    /// Times, and measures of a text.
    pub(super) times: HashSet<&'static str>,
    /// Words that ask for work on a text that follows.
    pub(super) tasks: HashSet<&'static str>,
    foreign: HashSet<&'static str>,
}

impl Vocabulary {
    fn read() -> Self {
        let (talk, courtesies) = sections(include_str!("../words/questions/filler.txt"));
        let small = include_str!("../words/questions/small.txt");
        let section = |name| section(small, name).collect();
        let mut vocabulary = Self {
            spellings: HashMap::new(),
            talk,
            courtesies,
            clauses: Rules::read_clauses(lines(include_str!("../words/questions/talk.txt"))),
            asking: Rules::read(lines(include_str!("../words/questions/asking.txt"))),
            forms: Rules::read(lines(include_str!("../words/questions/forms.txt"))),
            synonyms: HashMap::new(),
            phrases: HashMap::new(),
            verbs: section("verbs"),
            small: section("small"),
            attributes: section("attributes"),
            times: section("times"),
            tasks: section("tasks"),
            foreign: section("foreign"),
        };
        for line in lines(include_str!("../words/questions/spellings.txt")) {
            if let Some((slack, plain)) = line.split_once(": ") {
                for slack in slack.split(' ') {
                    vocabulary
                        .spellings
                        .insert(slack, plain.split(' ').collect());
                }
            }
        }
        let ours = lines(include_str!("../words/questions/synonyms.txt"));
        let others = lines(include_str!("../words/questions/wordnet.txt"));
        for (group, line) in ours.chain(others).enumerate() {
            for member in line.split(", ") {
                vocabulary.add(member, group as Group);
            }
        }
        vocabulary
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

    pub(super) fn groups(&self, lemma: &str) -> &[Group] {
        self.synonyms.get(lemma).map_or(&[], Vec::as_slice)
    }

    /// Phrases that begin with the word.
    pub(super) fn phrases(&self, first: &str) -> &[(Vec<&'static str>, Group)] {
        self.phrases.get(first).map_or(&[], Vec::as_slice)
    }

    pub(super) fn is_verb(&self, lemma: &str) -> bool {
        self.verbs.contains(lemma) || LEXICON.verbs.contains(lemma)
    }

    /// Whether it is a word of grammar.
    pub(super) fn is_small(&self, word: &str) -> bool {
        self.small.contains(word)
    }

    /// Whether it is what a thing has by nature: the price of a car is a car price.
    pub(super) fn is_attribute(&self, lemma: &str) -> bool {
        self.attributes.contains(lemma)
    }

    /// Whether it is a word of another language that is none of English.
    pub(super) fn is_foreign(&self, word: &str) -> bool {
        self.foreign.contains(word)
    }

    /// Whether it is an English word.
    pub(super) fn knows(&self, word: &str) -> bool {
        word.len() < 3
            || self.small.contains(word)
            || self.talk.contains(word)
            || self.synonyms.contains_key(word)
            || self.spellings.contains_key(word)
            || LEXICON.knows(word)
    }
}

/// Whether it may be a past participle, by its form.
pub(super) fn is_participle(word: &str) -> bool {
    word.ends_with("ed")
        && word.len() > 4
        && !matches!(
            word,
            "speed" | "breed" | "indeed" | "exceed" | "proceed" | "succeed"
        )
        || is_irregular_past(word)
}

/// Whether it is a past form that no rule makes, other than that of the verb itself.
pub(super) fn is_irregular_past(word: &str) -> bool {
    let forms = LEXICON.irregular(word);
    forms.iter().any(|lemma| {
        VOCABULARY.is_verb(lemma)
            && *lemma != word
            && !word.ends_with("ing")
            && !word.ends_with('s')
    })
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The words below a heading in brackets.
fn section(text: &'static str, name: &'static str) -> impl Iterator<Item = &'static str> {
    let from =
        lines(text).skip_while(move |line| line.strip_prefix('[') != Some(&format!("{name}]")));
    from.skip(1)
        .take_while(|line| !line.starts_with('['))
        .flat_map(str::split_whitespace)
}

/// The words of the two sections of the list of fillers.
fn sections(text: &'static str) -> (HashSet<&'static str>, HashSet<&'static str>) {
    let courtesies: HashSet<_> = section(text, "courtesies").collect();
    let mut talk: HashSet<_> = section(text, "talk").collect();
    talk.extend(&courtesies);
    (talk, courtesies)
}
