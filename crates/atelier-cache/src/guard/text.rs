//! Normalises the text of a prompt and removes what is not part of the request.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};
use unicode_normalization::UnicodeNormalization as _;

use super::{lexicon::LEXICON, personal::tells_of_a_person};

/// The marker of a quotation in the text; its number follows.
pub(super) const QUOTED: char = '\u{E000}';

#[expect(
    clippy::expect_used,
    reason = "it is part of the program, and tests use it"
)]
static QUOTES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#""([^"]{1,300})"|(?:^|[\s(:,])'([^']{1,300}(?:'[a-z][^']{0,200})?)'(?:$|[\s).,;:!?])|\b(?:says|saying|reads|reading|words?|titled):? ([A-Z][A-Z']*(?: [A-Z']+)+)\b"#,
    )
    .expect("a regular expression")
});

#[expect(
    clippy::expect_used,
    reason = "it is part of the program, and tests use it"
)]
static NUMBERED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\b(?:no|nr)\.\s?(\d)").expect("a regular expression"));

/// A sad face; a happy one is only politeness.
#[expect(
    clippy::expect_used,
    reason = "it is part of the program, and tests use it"
)]
static SAD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(^|\s)[:;=]'?-?\((\s|$)").expect("a regular expression"));

/// What a prompt asks for.
pub(super) struct Wish {
    /// The whole prompt, normalised.
    pub(super) plain: String,
    /// Without what is not part of the request; quotations are replaced by markers.
    pub(super) text: String,
    pub(super) quotations: Vec<String>,
    /// Whether what was removed may tell of a person.
    pub(super) personal: bool,
}

impl Wish {
    /// What this prompt asks for.
    pub(super) fn of(prompt: &str) -> Self {
        let plain = plain(prompt);
        let (text, quotations) = take_quotations(&plain);
        let (wish, talk) = without_talk(&text);
        let (text, filler) = without_filler(&wish);
        // Thanks tell nothing of anybody.
        let (talk, polite) = without_filler(&talk);
        Self {
            personal: [filler, talk, polite]
                .iter()
                .any(|gone| tells_of_a_person(gone)),
            text,
            plain,
            quotations,
        }
    }

    /// The words that matter, for the encoder: without filler, invisible characters
    /// and odd spacing.
    pub(super) fn essence(&self) -> String {
        let mut essence = self.text.clone();
        for (number, quoted) in self.quotations.iter().enumerate() {
            essence = essence.replace(&format!("{QUOTED}{number} "), &format!("\"{quoted}\""));
        }
        let parts = essence.split([',', ';']).map(spaced);
        let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
        unaccented(&parts.join(", ")).into_owned()
    }
}

/// Trimmed, with single blanks.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Normalises to compatibility forms, plain quotes and dashes, without invisible characters.
fn plain(prompt: &str) -> String {
    let plain = visible(unquoted(prompt.trim()))
        .map(|c| match c {
            '“' | '”' | '„' | '«' | '»' | '‟' => '"',
            '‘' | '’' | '‚' | '`' | '´' => '\'',
            '–' | '—' => ';',
            '−' => '-',
            '⁄' => '/',
            c => c,
        })
        .collect::<String>()
        .replace("--", ";");
    let plain = NUMBERED.replace_all(&plain, "number $1");
    SAD.replace_all(&plain, "$1☹$2").into_owned()
}

fn visible(prompt: &str) -> impl Iterator<Item = char> {
    // The tags after a black flag determine which flag it is.
    let mut flag = false;
    prompt.nfkc().filter(move |c| {
        flag = *c == '\u{1F3F4}' || flag && matches!(c, '\u{E0020}'..='\u{E007F}');
        flag || !is_invisible(*c)
    })
}

/// Removes accents, which are often omitted.
pub(super) fn unaccented(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let letters = text.nfkd();
    let letters = letters.filter(|c| !matches!(*c, '\u{300}'..='\u{337}' | '\u{339}'..='\u{36F}'));
    Cow::Owned(letters.nfkc().collect())
}

/// A prompt quoted as a whole is not lettering.
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
    let replaced = QUOTES.replace_all(text, |found: &Captures| {
        let quoted = found
            .get(1)
            .or_else(|| found.get(2))
            .or_else(|| found.get(3));
        let quoted = quoted.map_or("", |quoted| quoted.as_str());
        quotations.push(quoted.to_owned());
        // Words that announce capitals are kept.
        let announced = if found.get(3).is_some() {
            found[0].strip_suffix(quoted).unwrap_or_default()
        } else {
            ""
        };
        format!("{announced} {QUOTED}{} ", quotations.len() - 1)
    });
    (replaced.into_owned(), quotations)
}

/// Splits off the sentences in which the visitor speaks of themselves, if there are
/// others.
fn without_talk(text: &str) -> (String, String) {
    const SPEAKERS: [&str; 13] = [
        "i", "i'm", "i'd", "i've", "me", "my", "we", "we're", "us", "our", "you", "your", "myself",
    ];
    let sentences: Vec<&str> = text.split_inclusive(['.', '!', '?', ':']).collect();
    let is_talk = |at: usize| {
        let sentence = sentences[at];
        let lettering = at > 0 && sentences[at - 1].ends_with(':') && announces(sentences[at - 1]);
        let said: Vec<&str> = words(sentence).filter(|word| !word.is_empty()).collect();
        let spoken = (0..said.len()).any(|at| {
            let word = said[at];
            let shouted = word.chars().count() > 1 && !word.contains(char::is_lowercase);
            let speaks = SPEAKERS.contains(&word.to_lowercase().as_str());
            speaks && !shouted && !is_numeral(&said, at)
        });
        let denies = words(sentence).any(|word| {
            let word = word.to_lowercase();
            word != "can't" && LEXICON.grammar.negators.contains(&word)
        });
        spoken && !denies && !lettering && !sentence.contains(QUOTED)
    };
    let (talk, rest): (Vec<usize>, Vec<usize>) = (0..sentences.len()).partition(|at| is_talk(*at));
    let those = |places: Vec<usize>| places.into_iter().map(|at| sentences[at]).collect();
    let (talk, rest): (Vec<&str>, Vec<&str>) = (those(talk), those(rest));
    // Thanks alone are not a request.
    let says_something = rest.iter().any(|sentence| {
        let (wish, _) = without_filler(sentence);
        words(&wish).filter(|word| !word.is_empty()).count() >= 2
    });
    if talk.is_empty() || !says_something {
        return (text.to_owned(), String::new());
    }
    (rest.join(" "), talk.join(" "))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
}

/// The numeral in Elizabeth I, World War I.
fn is_numeral(words: &[&str], at: usize) -> bool {
    let (before, next) = (
        at.checked_sub(1).map(|before| words[before]),
        words.get(at + 1),
    );
    let grammar = &LEXICON.grammar;
    let named = before.is_some_and(|before| {
        before.starts_with(char::is_uppercase) || grammar.numbered.contains(&before.to_lowercase())
    });
    let acts = next
        .is_some_and(|next| LEXICON.verbs.contains(*next) || grammar.auxiliaries.contains(*next));
    words[at] == "I" && named && !acts
}

/// Whether what follows is lettering.
fn announces(sentence: &str) -> bool {
    words(sentence).any(|word| {
        let word = word.to_lowercase();
        LEXICON.grammar.bearers.contains(&word) || LEXICON.grammar.lettering.contains(&word)
    })
}

/// The parts of a match before and after the one that is kept.
fn around<'t>(found: &Captures<'t>) -> (&'t str, &'t str) {
    let (Some(whole), Some(kept)) = (found.get(0), found.name("keep")) else {
        return (found.get(0).map_or("", |whole| whole.as_str()), "");
    };
    let (text, from) = (whole.as_str(), whole.start());
    (&text[..kept.start() - from], &text[kept.end() - from..])
}

/// Splits the text into the request and the filler.
fn without_filler(text: &str) -> (String, String) {
    let (mut text, mut gone) = (spaced(text), String::new());
    for filler in &LEXICON.filler {
        let replaced = filler.replace_all(&text, |found: &Captures| {
            let kept = found.name("keep").map_or("", |kept| kept.as_str());
            let (before, after) = around(found);
            gone.extend([" ", before, " ", after]);
            let ends = found[0].starts_with([',', '.', ';', ':', '!', '?']);
            format!("{}{kept} ", if ends { ", " } else { " " })
        });
        if let Cow::Owned(replaced) = replaced {
            text = spaced(&replaced);
        }
    }
    (text, gone)
}
