//! The text of a prompt: made plain, without what is not part of the wish, and
//! split into words.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};
use unicode_normalization::UnicodeNormalization as _;

use super::{lexicon::LEXICON, personal::tells_of_a_person};

/// Marks a quotation in the text: the quotation's number follows.
const QUOTED: char = '\u{E000}';

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

/// What a prompt asks for.
pub(super) struct Wish {
    /// The whole prompt, made plain.
    pub(super) plain: String,
    /// Without what is not part of the wish; quotations are marked.
    pub(super) text: String,
    pub(super) quotations: Vec<String>,
    /// What was taken away may tell of a person.
    pub(super) personal: bool,
}

impl Wish {
    /// What this prompt asks for.
    pub(super) fn of(prompt: &str) -> Self {
        let plain = plain(prompt);
        let (text, quotations) = take_quotations(&plain);
        let (wish, talk) = without_talk(&text);
        let (text, filler) = without_filler(&wish);
        // Thanks are no news of anybody.
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
        parts.join(", ")
    }
}

/// Trimmed, with single blanks.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
            '–' | '—' => ';',
            '−' => '-',
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
    let replaced = QUOTES.replace_all(text, |found: &Captures| {
        let quoted = found
            .get(1)
            .or_else(|| found.get(2))
            .or_else(|| found.get(3));
        let quoted = quoted.map_or("", |quoted| quoted.as_str());
        quotations.push(quoted.to_owned());
        // What announces capitals stays.
        let announced = if found.get(3).is_some() {
            found[0].strip_suffix(quoted).unwrap_or_default()
        } else {
            ""
        };
        format!("{announced} {QUOTED}{} ", quotations.len() - 1)
    });
    (replaced.into_owned(), quotations)
}

/// The text without sentences in which somebody speaks of themselves beside others
/// that do not; and those.
fn without_talk(text: &str) -> (String, String) {
    const SPEAKERS: [&str; 13] = [
        "i", "i'm", "i'd", "i've", "me", "my", "we", "we're", "us", "our", "you", "your", "myself",
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
    let those = |places: Vec<usize>| places.into_iter().map(|at| sentences[at]).collect();
    let (talk, rest): (Vec<&str>, Vec<&str>) = (those(talk), those(rest));
    // Thanks alone are no wish.
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

/// Whether what follows is lettering.
fn announces(sentence: &str) -> bool {
    words(sentence).any(|word| {
        let word = word.to_lowercase();
        LEXICON.grammar.bearers.contains(&word) || LEXICON.grammar.lettering.contains(&word)
    })
}

/// What stands before and behind the part of a match that is kept.
fn around<'t>(found: &Captures<'t>) -> (&'t str, &'t str) {
    let (Some(whole), Some(kept)) = (found.get(0), found.name("keep")) else {
        return (found.get(0).map_or("", |whole| whole.as_str()), "");
    };
    let (text, from) = (whole.as_str(), whole.start());
    (&text[..kept.start() - from], &text[kept.end() - from..])
}

/// The text without filler, and that.
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

#[derive(Debug)]
pub(super) enum Raw {
    Word { text: String, joined: bool },
    Quotation(usize),
    Break,
}

/// Words, quotations, and the ends of clauses.
pub(super) fn split(text: &str) -> Vec<Raw> {
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
        let decimal = matches!(c, '.' | ':')
            && next.is_ascii_digit()
            && word.ends_with(|c: char| c.is_ascii_digit());
        let thousands =
            c == ',' && word.ends_with(|c: char| c.is_ascii_digit()) && is_thousand(&letters[at..]);
        if thousands {
            continue;
        }
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
        let before = at.checked_sub(2).map_or(' ', |before| letters[before]);
        joined |= matches!(c, '-' | '_' | '\u{2010}' | '\u{2011}')
            && next.is_alphanumeric()
            && before.is_alphanumeric();
        sign(&mut raw, c, next, before);
    }
    raw
}

/// What a character between words says.
fn sign(raw: &mut Vec<Raw>, c: char, next: char, before: char) {
    let word = |text: &str| Raw::Word {
        text: text.into(),
        joined: false,
    };
    match c {
        '-' if next.is_ascii_digit() && before.is_whitespace() => raw.push(word("minus")),
        '&' | '+' => raw.push(word("and")),
        '@' => raw.push(word("at")),
        '%' | '$' | '#' => raw.push(word(c.encode_utf8(&mut [0; 4]))),
        '/' if matches!(raw.last(), Some(Raw::Word { text, .. }) if text.eq_ignore_ascii_case("w")) =>
        {
            raw.pop();
            raw.push(word("with"));
        }
        ',' | ';' | ':' | '.' | '!' | '?' | '|' | '/' | '(' | ')' | '[' | ']' | '{' | '}'
        | '\n' | '…' | '•' | '·' => raw.push(Raw::Break),
        // Pictographs and the like say something.
        c if !c.is_whitespace() && !c.is_ascii() => raw.push(word(c.encode_utf8(&mut [0; 4]))),
        _ => {}
    }
}

/// Three digits and no more: the rest of `1,000`.
fn is_thousand(letters: &[char]) -> bool {
    letters.iter().take_while(|c| c.is_ascii_digit()).count() == 3
}

/// The letters after a number that belong to it: `3d`, `1980s`, `19th`.
fn is_unit(letters: &[char]) -> bool {
    let unit: String = letters.iter().take_while(|c| c.is_alphanumeric()).collect();
    matches!(
        unit.to_lowercase().as_str(),
        "d" | "s" | "th" | "st" | "nd" | "rd"
    )
}
