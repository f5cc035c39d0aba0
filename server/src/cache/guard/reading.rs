//! A prompt taken apart: its words with their lemmas, who is denied, and what
//! belongs to what.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use unicode_normalization::UnicodeNormalization;

use super::{
    lemma,
    lexicon::{Group, LEXICON},
};

/// A prompt as the guard sees it.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) tokens: Vec<Token>,
}

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
    /// A form of "to be" and a participle follows: `being eaten by`.
    By,
    Negator,
    /// The end of a clause.
    Break,
}

/// Marks a quotation in the text: the quotation's number follows.
const QUOTED: char = '\u{E000}';

static QUOTES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#""([^"]{1,300})"|(?:^|[\s(:,])'([^']{1,300}(?:'[a-z][^']{0,200})?)'(?:$|[\s).,;:!?])"#,
    )
    .ok()
});

/// Takes a prompt apart.
pub(super) fn read(prompt: &str) -> Reading {
    let plain = plain(prompt);
    let (text, quotations) = take_quotations(&plain);
    let mut tokens = Vec::new();
    for raw in split(&without_filler(&text)) {
        match raw {
            Raw::Quotation(number) => {
                let quoted = quotations.get(number).map_or("", String::as_str);
                tokens.extend(split(quoted).into_iter().filter_map(literal));
            }
            raw => tokens.push(token(raw)),
        }
    }
    mark_capitals(&mut tokens, &plain);
    mark_lettering(&mut tokens);
    mark_idioms(&mut tokens);
    let mut reading = Reading {
        tokens: phrases(&tokens),
    };
    reading.number_clauses();
    reading.mark_particles();
    reading.mark_negated();
    reading
}

/// The words that matter, for the encoder: without filler, invisible characters and
/// odd spacing.
pub(super) fn essence(prompt: &str) -> String {
    let plain = plain(prompt);
    let (text, quotations) = take_quotations(&plain);
    let mut essence = without_filler(&text);
    for (number, quoted) in quotations.iter().enumerate() {
        essence = essence.replace(&format!("{QUOTED}{number} "), &format!("\"{quoted}\""));
    }
    let mut words = String::with_capacity(essence.len());
    for part in essence
        .split([',', ';'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        if !words.is_empty() {
            words.push_str(", ");
        }
        words.push_str(&part.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    words
}

/// Compatibility forms, plain quotes and dashes, nothing invisible.
fn plain(prompt: &str) -> String {
    let prompt = unquoted(prompt.trim());
    // Letters without their accents, which many leave out.
    let latin = |c: &char| !matches!(*c, '\u{300}'..='\u{36F}');
    let visible = prompt
        .nfkd()
        .filter(latin)
        .nfkc()
        .filter(|c| !is_invisible(*c));
    visible
        .map(|c| match c {
            '“' | '”' | '„' | '«' | '»' | '‟' => '"',
            '‘' | '’' | '‚' | '`' | '´' => '\'',
            '–' | '—' | '−' => ';',
            c => c,
        })
        .collect::<String>()
        .replace("--", ";")
}

/// A prompt that is quoted as a whole is no lettering.
fn unquoted(prompt: &str) -> &str {
    const PAIRS: [(char, char); 4] = [('"', '"'), ('\'', '\''), ('“', '”'), ('«', '»')];
    let inner = PAIRS.iter().find_map(|(open, close)| {
        let inner = prompt.strip_prefix(*open)?.strip_suffix(*close)?;
        (!inner.contains([*open, *close])).then_some(inner)
    });
    inner.unwrap_or(prompt)
}

/// Zero-width characters, marks of direction, soft hyphens, variation selectors.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180B}'..='\u{180E}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

fn take_quotations(text: &str) -> (String, Vec<String>) {
    let mut quotations = Vec::new();
    let Some(quotes) = &*QUOTES else {
        return (text.to_owned(), quotations);
    };
    let replaced = quotes.replace_all(text, |found: &Captures| {
        let quoted = found.get(1).or_else(|| found.get(2));
        quotations.push(quoted.map_or("", |quoted| quoted.as_str()).to_owned());
        format!(" {QUOTED}{} ", quotations.len() - 1)
    });
    (replaced.into_owned(), quotations)
}

/// Sentences in which somebody speaks of themselves, beside others that do not.
fn without_talk(text: &str) -> String {
    const SPEAKERS: [&str; 14] = [
        "i",
        "i'm",
        "i'd",
        "i've",
        "me",
        "my",
        "we",
        "we're",
        "us",
        "our",
        "you",
        "your",
        "this idea",
        "myself",
    ];
    let sentences: Vec<&str> = text.split_inclusive(['.', '!', '?', ':']).collect();
    let is_talk = |at: usize| {
        let sentence = sentences[at];
        let lettering = at > 0 && sentences[at - 1].ends_with(':') && announces(sentences[at - 1]);
        let spoken = words(sentence).any(|word| {
            let shouted = word.chars().count() > 1 && !word.contains(char::is_lowercase);
            !shouted && SPEAKERS.contains(&word.to_lowercase().as_str())
        });
        let denies = words(sentence).any(|word| {
            let word = word.to_lowercase();
            word != "can't" && LEXICON.grammar.negators.contains(&word)
        });
        spoken && !denies && !lettering && !sentence.contains(QUOTED)
    };
    let (talk, rest): (Vec<usize>, Vec<usize>) = (0..sentences.len()).partition(|at| is_talk(*at));
    let rest: Vec<&str> = rest.into_iter().map(|at| sentences[at]).collect();
    let says_something = rest
        .iter()
        .any(|sentence| sentence.split_whitespace().count() >= 2);
    if talk.is_empty() || !says_something {
        return text.to_owned();
    }
    rest.join(" ")
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
}

/// Whether what follows is lettering.
fn announces(sentence: &str) -> bool {
    words(sentence).any(|word| {
        let word = word.to_lowercase();
        LEXICON.grammar.bearers.contains(&word) || LEXICON.grammar.lettering.contains(&word)
    })
}

fn without_filler(text: &str) -> String {
    let text = without_talk(text);
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for filler in &LEXICON.filler {
        let replaced = filler.replace_all(&text, |found: &Captures| {
            let kept = found.name("keep").map_or("", |kept| kept.as_str());
            let ends = found[0].starts_with([',', '.', ';', ':', '!', '?']);
            format!("{}{kept} ", if ends { ", " } else { " " })
        });
        if let std::borrow::Cow::Owned(replaced) = replaced {
            text = replaced.split_whitespace().collect::<Vec<_>>().join(" ");
        }
    }
    text
}

#[derive(Debug)]
enum Raw {
    Word { text: String, joined: bool },
    Quotation(usize),
    Break,
}

/// Words, quotations, and the ends of clauses.
fn split(text: &str) -> Vec<Raw> {
    let mut raw: Vec<Raw> = Vec::new();
    let mut word = String::new();
    let mut joined = false;
    let letters: Vec<char> = text.chars().chain([' ']).collect();
    let mut at = 0;
    while at < letters.len() {
        let (c, next) = (letters[at], letters.get(at + 1).copied().unwrap_or(' '));
        at += 1;
        if c == QUOTED {
            let digits: String = letters[at..]
                .iter()
                .take_while(|c| c.is_ascii_digit())
                .collect();
            at += digits.len();
            raw.push(Raw::Quotation(digits.parse().unwrap_or(usize::MAX)));
            continue;
        }
        let apostrophe = c == '\'' && !word.is_empty() && next.is_alphanumeric();
        let decimal =
            c == '.' && next.is_ascii_digit() && word.ends_with(|c: char| c.is_ascii_digit());
        let combining = !c.is_whitespace() && unicode_normalization::char::is_combining_mark(c);
        if c.is_alphanumeric() || apostrophe || decimal || combining {
            let before = word.chars().last();
            let hump = before.is_some_and(|before| {
                before.is_lowercase() && c.is_uppercase()
                    || before.is_ascii_digit() && c.is_alphabetic() && !is_unit(&letters[at - 1..])
                    || before.is_alphabetic() && c.is_ascii_digit()
            });
            if hump {
                raw.push(Raw::Word {
                    text: std::mem::take(&mut word),
                    joined,
                });
                joined = true;
            }
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            raw.push(Raw::Word {
                text: std::mem::take(&mut word),
                joined,
            });
            joined = false;
        }
        let initial = c == '.'
            && matches!(raw.last(), Some(Raw::Word { text, .. }) if text.chars().count() == 1 && text.chars().all(char::is_alphabetic));
        if initial {
            continue;
        }
        match c {
            '-' | '_' | '\u{2010}' | '\u{2011}' if next.is_alphanumeric() => {
                joined = at > 1 && letters[at - 2].is_alphanumeric();
            }
            '&' | '+' => raw.push(Raw::Word {
                text: "and".into(),
                joined: false,
            }),
            '@' => raw.push(Raw::Word {
                text: "at".into(),
                joined: false,
            }),
            '/' if matches!(raw.last(), Some(Raw::Word { text, .. }) if text.eq_ignore_ascii_case("w")) =>
            {
                raw.pop();
                raw.push(Raw::Word {
                    text: "with".into(),
                    joined: false,
                });
            }
            ',' | ';' | ':' | '.' | '!' | '?' | '|' | '/' | '(' | ')' | '[' | ']' | '{' | '}'
            | '\n' | '…' | '•' | '·' => raw.push(Raw::Break),
            // Pictographs and the like say something.
            c if !c.is_whitespace() && !c.is_ascii() => raw.push(Raw::Word {
                text: c.into(),
                joined: false,
            }),
            _ => {}
        }
    }
    raw
}

/// The letters after a number that belong to it: `3d`, `1980s`, `19th`.
fn is_unit(letters: &[char]) -> bool {
    let unit: String = letters.iter().take_while(|c| c.is_alphanumeric()).collect();
    matches!(
        unit.to_lowercase().as_str(),
        "d" | "s" | "th" | "st" | "nd" | "rd"
    )
}

fn literal(raw: Raw) -> Option<Token> {
    let Raw::Word { text, .. } = raw else {
        return None;
    };
    let text = text.to_lowercase();
    Some(Token {
        lemmas: vec![text.clone()],
        text,
        groups: Vec::new(),
        role: Role::Content,
        clause: 0,
        negated: false,
        literal: true,
        joined: false,
        known: true,
        capital: false,
    })
}

fn token(raw: Raw) -> Token {
    let (original, joined) = match raw {
        Raw::Word { text, joined } => (text, joined),
        Raw::Quotation(_) | Raw::Break => (String::new(), false),
    };
    let mut text = original.to_lowercase();
    if let Some(owner) = text.strip_suffix("'s") {
        // 1980's as 1980s; whose it is shows in the order.
        let decade = owner.ends_with(|c: char| c.is_ascii_digit());
        text = if decade {
            format!("{owner}s")
        } else {
            owner.to_owned()
        };
    }
    if LEXICON.grammar.negators.contains(&text) {
        return bare(text, Role::Negator);
    }
    text.retain(|c| c != '\'');
    let role = role(&text, &original);
    let lemmas = match role {
        Role::Content | Role::Light => lemma::lemmas(&text),
        _ => vec![text.clone()],
    };
    let role = match role {
        Role::Content
            if lemmas
                .iter()
                .any(|lemma| LEXICON.grammar.light.contains(lemma)) =>
        {
            Role::Light
        }
        role => role,
    };
    let groups = lemmas
        .iter()
        .flat_map(|lemma| LEXICON.groups(lemma))
        .copied();
    Token {
        groups: groups.collect(),
        known: lemmas.iter().any(|lemma| LEXICON.knows(lemma)),
        capital: original.starts_with(char::is_uppercase),
        joined,
        role,
        lemmas,
        ..bare(text, role)
    }
}

fn bare(text: String, role: Role) -> Token {
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
    }
}

fn role(text: &str, original: &str) -> Role {
    let grammar = &LEXICON.grammar;
    if text.is_empty() {
        return Role::Break;
    }
    // A letter of its own, as in "the letter A".
    let letter = text.len() == 1 && original != text && text != "i" && text != "a";
    if letter {
        return Role::Content;
    }
    if text == "1" {
        return Role::Content;
    }
    if let Some(number) = text
        .parse()
        .ok()
        .or_else(|| grammar.numbers.get(text).copied())
    {
        return Role::Number(number);
    }
    if matches!(text, "which" | "whom" | "it" | "them" | "that") {
        return Role::Pronoun;
    }
    if text == "by" {
        return Role::By;
    }
    if grammar.articles.contains(text)
        || grammar.joiners.contains(text)
        || grammar.empty.contains(text)
    {
        return Role::Empty;
    }
    if grammar.auxiliaries.contains(text) {
        return Role::Auxiliary;
    }
    if grammar.clauses.contains(text) {
        return Role::Break;
    }
    match LEXICON.place(text) {
        Some(place) => Role::Preposition(place),
        None => Role::Content,
    }
}

/// Words in capitals are lettering, unless all are.
fn mark_capitals(tokens: &mut [Token], text: &str) {
    let capital = |word: &str| {
        word.chars().filter(|c| c.is_alphabetic()).count() > 1 && !word.contains(char::is_lowercase)
    };
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().any(char::is_alphabetic))
        .collect();
    let shouted: Vec<String> = words
        .iter()
        .filter(|word| capital(word))
        .map(|word| word.to_lowercase())
        .collect();
    // The first word of a sentence is written like a name in any case.
    for at in 0..tokens.len() {
        tokens[at].capital &= at > 0 && tokens[at - 1].role != Role::Break;
    }
    if 2 * shouted.len() > words.len() {
        return;
    }
    for token in tokens
        .iter_mut()
        .filter(|token| token.role == Role::Content && shouted.contains(&token.text))
    {
        token.literal = true;
    }
    // "Letter A" is no article; nor is the last "A" of a sentence.
    for at in 1..tokens.len() {
        if tokens[at].text == "a" && tokens[at - 1].text == "letter" {
            tokens[at].role = Role::Content;
            tokens[at].literal = true;
        }
    }
}

/// "A sign that says big sale" does not say large sale.
fn mark_lettering(tokens: &mut [Token]) {
    let (mut announced, mut borne) = (false, false);
    for token in tokens {
        if token.role == Role::Break {
            (announced, borne) = (false, false);
            continue;
        }
        if announced && matches!(token.role, Role::Content | Role::Light) {
            token.literal = true;
        }
        borne |= LEXICON.grammar.bearers.contains(&token.text);
        announced |=
            LEXICON.grammar.lettering.contains(&token.text) || borne && token.text == "reading";
    }
}

/// "By the sea" is a place, "eaten by the sea" is not; "hold the onions" means none.
fn mark_idioms(tokens: &mut [Token]) {
    for at in 0..tokens.len() {
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let participle = before.is_some_and(|before| {
            before.text.ends_with("ed")
                || before.text.ends_with("en")
                || !LEXICON.irregular(&before.text).is_empty()
        });
        let begins = before.is_none_or(|before| before.role == Role::Break);
        let medium = before.is_some_and(|before| {
            before
                .lemmas
                .iter()
                .any(|lemma| LEXICON.grammar.media.contains(lemma))
        });
        let the = tokens.get(at + 1).is_some_and(|next| next.text == "the");
        match tokens[at].text.as_str() {
            "by" if !participle && !medium => tokens[at].role = Role::Preposition("beside"),
            "hold" if begins && the && at > 0 => tokens[at].role = Role::Negator,
            _ => {}
        }
    }
}

/// Puts several words in one token where they have a meaning together.
fn phrases(tokens: &[Token]) -> Vec<Token> {
    let mut joined = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let (token, taken) = preposition(&tokens[at..])
            .or_else(|| phrase(&tokens[at..]))
            .unwrap_or_else(|| (tokens[at].clone(), 1));
        joined.push(token);
        at += taken;
    }
    joined
}

fn preposition(tokens: &[Token]) -> Option<(Token, usize)> {
    let spells = |words: &str| {
        let count = words.split(' ').count();
        let same = tokens.len() >= count
            && words
                .split(' ')
                .zip(tokens)
                .all(|(word, token)| token.text == word);
        same.then_some(count)
    };
    LEXICON.long_prepositions().find_map(|words| {
        let taken = spells(words)?;
        let place = LEXICON.place(words)?;
        Some((bare(words.to_owned(), Role::Preposition(place)), taken))
    })
}

fn phrase(tokens: &[Token]) -> Option<(Token, usize)> {
    let first = tokens
        .first()
        .filter(|token| !token.literal && token.role != Role::Break)?;
    let mut best: Option<(Vec<Group>, usize)> = None;
    for (rest, group) in first.lemmas.iter().flat_map(|lemma| LEXICON.phrases(lemma)) {
        let fits = tokens.len() > rest.len()
            && rest.iter().zip(&tokens[1..]).all(|(word, token)| {
                !token.literal && token.role != Role::Break && is_or_are(&token.text, word)
            });
        let taken = rest.len() + 1;
        match &mut best {
            _ if !fits => {}
            Some((groups, most)) if *most == taken => groups.push(*group),
            Some((_, most)) if *most > taken => {}
            _ => best = Some((vec![*group], taken)),
        }
    }
    let (groups, taken) = best?;
    let text = tokens[..taken]
        .iter()
        .map(|token| token.text.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    // "made of" is about as much as "of".
    let role = if tokens[..taken].iter().all(|t| {
        matches!(
            t.role,
            Role::Light | Role::Preposition(_) | Role::Empty | Role::Auxiliary
        )
    }) {
        Role::Light
    } else {
        Role::Content
    };
    Some((
        Token {
            groups,
            joined: first.joined,
            ..bare(text, role)
        },
        taken,
    ))
}

/// The word, or its plural: a "car park" has nothing to do with "a car parked".
fn is_or_are(text: &str, word: &str) -> bool {
    text == word || text.strip_suffix('s') == Some(word) || text.strip_suffix("es") == Some(word)
}

impl Reading {
    fn number_clauses(&mut self) {
        let mut clause = 0;
        for token in &mut self.tokens {
            clause += usize::from(token.role == Role::Break);
            token.clause = clause;
        }
    }

    /// Headlights are on, or off.
    fn mark_particles(&mut self) {
        for at in 0..self.tokens.len() {
            let next = self
                .tokens
                .get(at + 1)
                .map_or(Role::Break, |token| token.role);
            let ends = matches!(next, Role::Break | Role::Preposition(_));
            if ends && matches!(self.tokens[at].text.as_str(), "on" | "off") {
                self.tokens[at].role = Role::Content;
            }
        }
    }

    /// What a "no" reaches: to the end of what it stands before.
    fn mark_negated(&mut self) {
        let mut reach = None;
        for at in 0..self.tokens.len() {
            let verb = self.is_verb(at);
            let token = &mut self.tokens[at];
            match (token.role, reach) {
                (Role::Negator, _) => reach = Some(0),
                (Role::Break | Role::Preposition(_), Some(_)) => reach = None,
                (Role::Content | Role::Light | Role::Number(_), Some(seen)) => {
                    if verb && seen > 0 {
                        reach = None;
                        continue;
                    }
                    token.negated = true;
                    reach = Some(seen + 1);
                }
                _ => {}
            }
        }
    }

    /// Whether the word is used as a verb, as far as its form tells.
    pub(super) fn is_verb(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        if !matches!(token.role, Role::Content | Role::Light) || token.literal {
            return false;
        }
        let of_verb = token
            .lemmas
            .iter()
            .any(|lemma| LEXICON.verbs.contains(lemma.as_str()));
        let form = token.text.as_str();
        let inflected = form.ends_with("ing")
            || form.ends_with("ed")
            || form.ends_with('s')
            || !LEXICON.irregular(form).is_empty();
        of_verb && inflected && self.follows_noun(at)
    }

    /// Something of content stands right before it, or an auxiliary.
    fn follows_noun(&self, at: usize) -> bool {
        at > 0
            && matches!(
                self.tokens[at - 1].role,
                Role::Content
                    | Role::Light
                    | Role::Auxiliary
                    | Role::Pronoun
                    | Role::Negator
                    | Role::Empty
            )
            && !matches!(self.tokens[at - 1].text.as_str(), "a" | "an" | "the")
    }

    /// Words that must be accounted for.
    pub(super) fn weighty(&self) -> impl Iterator<Item = usize> {
        let weighty = |role| matches!(role, Role::Content | Role::Light | Role::Number(_));
        (0..self.tokens.len()).filter(move |at| weighty(self.tokens[*at].role))
    }
}
