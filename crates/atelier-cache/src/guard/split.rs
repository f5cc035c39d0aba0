//! Splits a text into words, quotations and ends of clauses.

use super::text::QUOTED;

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
        let numeric = word.ends_with(|c: char| c.is_ascii_digit()) && next.is_ascii_digit();
        if numeric && c == ',' && is_thousand(&letters[at..]) {
            continue;
        }
        // 1.5, 16:9, 9/11, 2020-01-31
        let within = numeric && matches!(c, '.' | ',' | ':' | '/' | '-');
        let combining = !c.is_whitespace() && unicode_normalization::char::is_combining_mark(c);
        if c.is_alphanumeric() || apostrophe || within || combining {
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
            if c == '\'' && word.ends_with('s') {
                word.push(c);
            }
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
        sign(&mut raw, c, &letters[at..], before);
    }
    raw
}

/// The meaning of a character between words.
fn sign(raw: &mut Vec<Raw>, c: char, rest: &[char], before: char) {
    let next = rest.first().copied().unwrap_or(' ');
    let character = || word(c.encode_utf8(&mut [0; 4]));
    match c {
        c if c.is_whitespace() && c != '\n' => {}
        _ if is_named(raw, c, rest, before) || is_operator(raw, c, rest) => raw.push(character()),
        '-' if next.is_ascii_digit() && !before.is_alphanumeric() => raw.push(word("minus")),
        // Without people.
        '-' if next.is_alphanumeric() && before.is_whitespace() && is_word(raw.last()) => {
            raw.push(word("minus"));
        }
        // A grade, half of something.
        '-' if before.is_alphabetic() && !next.is_alphanumeric() && is_letter(raw.last()) => {
            raw.push(character());
        }
        '.' if next.is_ascii_digit() && !before.is_alphanumeric() => raw.push(character()),
        '&' => raw.push(word("and")),
        '+' if before.is_whitespace() && next.is_whitespace() => raw.push(word("and")),
        '+' if before.is_alphabetic() && next.is_alphabetic() => raw.push(word("and")),
        '@' => raw.push(word("at")),
        '+' | '%' | '$' | '#' | '<' | '>' | '=' | '^' => raw.push(character()),
        // Feet and inches; about ten.
        '\'' | '"' if before.is_ascii_digit() => raw.push(character()),
        '~' if next.is_ascii_digit() => raw.push(character()),
        '/' if matches!(raw.last(), Some(Raw::Word { text, .. }) if text.eq_ignore_ascii_case("w")) =>
        {
            raw.pop();
            raw.push(word("with"));
        }
        ',' | ';' | ':' | '.' | '!' | '?' | '|' | '/' | '(' | ')' | '[' | ']' | '{' | '}'
        | '\n' | '…' | '•' | '·' => raw.push(Raw::Break),
        // Pictographs and the like carry meaning.
        c if !c.is_ascii() => raw.push(character()),
        _ => {}
    }
}

fn word(text: &str) -> Raw {
    Raw::Word {
        text: text.into(),
        joined: false,
    }
}

const fn is_word(raw: Option<&Raw>) -> bool {
    matches!(raw, Some(Raw::Word { .. }))
}

fn is_letter(raw: Option<&Raw>) -> bool {
    matches!(raw, Some(Raw::Word { text, .. }) if text.chars().count() == 1)
}

/// "A ? on a door" is no question.
fn is_named(raw: &[Raw], c: char, rest: &[char], before: char) -> bool {
    let mark = matches!(
        c,
        '?' | '!' | '*' | '~' | '_' | '/' | '\\' | '-' | '+' | '&' | '@'
    );
    let article = matches!(
        raw.last(),
        Some(Raw::Word { text, .. }) if matches!(text.to_lowercase().as_str(), "a" | "an" | "the")
    );
    let apart = before.is_whitespace() && rest.first().is_none_or(|next| next.is_whitespace());
    let next = rest.iter().find(|c| !c.is_whitespace());
    mark && article && apart && next.is_some_and(|next| next.is_alphabetic())
}

/// Whether it is between two numbers: 2 + 3.
fn is_operator(raw: &[Raw], c: char, rest: &[char]) -> bool {
    let behind = matches!(
        raw.last(),
        Some(Raw::Word { text, .. }) if text.ends_with(|c: char| c.is_ascii_digit())
    );
    let next = rest.iter().find(|c| !c.is_whitespace());
    let number = next.is_some_and(char::is_ascii_digit);
    matches!(c, '+' | '-' | '*' | '/') && behind && number
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
