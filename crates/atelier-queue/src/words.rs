//! The words of a text, for searching.

use std::collections::HashSet;

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// A longer word counts by its beginning, in characters.
const LONGEST: usize = 40;

/// Returns the words of a text, each once: without case and accents, so that those of a search are found whatever their
/// spelling. Of scripts that write no spaces, every character is a word.
///
/// ```
/// use atelier_queue::words;
///
/// assert_eq!(words("Ein Café, ein STRAẞENSCHILD: 猫の絵"), ["ein", "cafe", "strassenschild", "猫", "の", "絵"]);
/// ```
pub fn words(text: &str) -> Vec<String> {
    let plain = text.chars().flat_map(char::to_lowercase).nfkd();
    let plain: String = plain.filter(|c| !is_accent(*c)).nfc().collect();
    let mut words = Words::default();
    for c in plain.chars().flat_map(char::to_lowercase) {
        match spelled(c) {
            Some(letters) => letters.chars().for_each(|letter| words.letter(letter)),
            None if stands_alone(c) => words.alone(c),
            None if c.is_alphanumeric() => words.letter(c),
            None if is_combining_mark(c) && words.length > 0 => words.letter(c),
            None => words.end(),
        }
    }
    words.end();
    words.found
}

#[derive(Default)]
struct Words {
    found: Vec<String>,
    seen: HashSet<String>,
    word: String,
    /// Of the word, in characters.
    length: usize,
}

impl Words {
    fn letter(&mut self, letter: char) {
        if self.length < LONGEST {
            self.word.push(letter);
        }
        self.length += 1;
    }

    fn alone(&mut self, c: char) {
        self.end();
        self.letter(c);
        self.end();
    }

    fn end(&mut self) {
        let word = std::mem::take(&mut self.word);
        self.length = 0;
        if !word.is_empty() && self.seen.insert(word.clone()) {
            self.found.push(word);
        }
    }
}

/// Accents that a word may be written without: those of Latin, Greek and Cyrillic, and the points of Hebrew and Arabic.
const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// Letters that decompose into no other.
const fn spelled(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'þ' => "th",
        'ς' => "σ",
        _ => return None,
    })
}

/// Whether it is of a script that writes no spaces: Chinese and Japanese.
const fn stands_alone(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{2fff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_word_are_one() {
        for (one, other) in [
            ("Café", "cafe\u{301}"),
            ("ÅNGSTRÖM", "angstrom"),
            ("Straße", "STRASSE"),
            ("İstanbul", "istanbul"),
            ("ΣΊΣΥΦΟΣ", "σισυφος"),
            ("Łódź", "lodz"),
            ("שָׁלוֹם", "שלום"),
            ("ﬁsh", "fish"),
            ("Ёлка", "елка"),
            ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
        ] {
            assert_eq!(words(one), words(other), "{one}");
            assert_eq!(words(one).len(), 1, "{one}");
        }
    }

    #[test]
    fn what_is_no_word_separates() {
        let none: [&str; 0] = [];
        for empty in [
            "",
            " \t\n",
            "\"*(-)'",
            "\0\u{1b}[31m".trim_matches(|c| c != '\0'),
            "\u{301}",
            "😀",
        ] {
            assert_eq!(words(empty), none, "{empty:?}");
        }
        assert_eq!(
            words("a\"b*c:(d) AND -e_f"),
            ["a", "b", "c", "d", "and", "e", "f"]
        );
        assert_eq!(words("cat, CAT & cat"), ["cat"]);
    }

    #[test]
    fn vowel_signs_stay_in_their_words() {
        assert_eq!(words("हिन्दी भाषा").len(), 2);
        assert_ne!(words("कि"), words("का"));
        assert_eq!(words("ガラス").concat(), "ガラス");
    }

    #[test]
    fn long_words_count_by_their_beginnings() {
        let long = "x".repeat(10_000);
        assert_eq!(words(&long), ["x".repeat(LONGEST)]);
    }
}
