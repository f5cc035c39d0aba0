//! A text becomes numbers of words and parts of words, exactly as the model's own
//! tokenizer makes them: BERT's normalisation and WordPiece.

use std::collections::HashMap;

use unicode_categories::UnicodeCategories as _;
use unicode_normalization::UnicodeNormalization as _;

use crate::MAX_TOKENS;

/// One token per line, in the order of their numbers.
const VOCABULARY: &str = include_str!("../assets/vocab.txt");

const UNKNOWN: u32 = 100;
const START: u32 = 101;
const END: u32 = 102;

/// These stand for themselves wherever a text has them, in capitals only.
const SPECIAL: [(&str, u32); 5] = [
    ("[PAD]", 0),
    ("[UNK]", UNKNOWN),
    ("[CLS]", START),
    ("[SEP]", END),
    ("[MASK]", 103),
];

/// Words of more characters are not taken apart.
const MAX_WORD: usize = 100;

pub(crate) struct Tokenizer {
    /// Whole words and beginnings of words.
    beginnings: HashMap<&'static str, u32>,
    /// What may follow within a word; `##` in the vocabulary.
    continuations: HashMap<&'static str, u32>,
    /// Bytes of the longest token.
    longest: usize,
}

impl Tokenizer {
    pub(crate) fn new() -> Self {
        let mut beginnings = HashMap::with_capacity(VOCABULARY.len() / 8);
        let mut continuations = HashMap::new();
        for (id, token) in (0..).zip(VOCABULARY.lines()) {
            match token.strip_prefix("##") {
                Some(rest) => continuations.insert(rest, id),
                None => beginnings.insert(token, id),
            };
        }
        Self {
            beginnings,
            continuations,
            longest: VOCABULARY.lines().map(str::len).max().unwrap_or(0),
        }
    }

    /// The tokens of a text between those that mark its start and its end, at most
    /// [`MAX_TOKENS`] of them. What comes later is not looked at.
    pub(crate) fn encode(&self, text: &str) -> Vec<u32> {
        let mut tokens = vec![START];
        let mut rest = text;
        while !rest.is_empty() && tokens.len() < MAX_TOKENS {
            let (before, special, after) = split_at_special(rest);
            self.add_text(before, &mut tokens);
            tokens.extend(special);
            rest = after;
        }
        tokens.truncate(MAX_TOKENS - 1);
        tokens.push(END);
        tokens
    }

    fn add_text(&self, text: &str, tokens: &mut Vec<u32>) {
        let mut word = String::new();
        for c in normalized(text) {
            let alone = is_punctuation(c);
            if alone || c.is_whitespace() {
                self.add_word(&word, tokens);
                word.clear();
            } else {
                word.push(c);
            }
            if alone {
                self.add_word(c.encode_utf8(&mut [0; 4]), tokens);
            }
            if tokens.len() >= MAX_TOKENS {
                return;
            }
        }
        self.add_word(&word, tokens);
    }

    /// The longest known beginning, then the longest known continuations. A word that
    /// does not come out even is one unknown token.
    fn add_word(&self, word: &str, tokens: &mut Vec<u32>) {
        let first = tokens.len();
        let mut known = &self.beginnings;
        let mut rest = if word.chars().nth(MAX_WORD).is_none() {
            word
        } else {
            ""
        };
        while let Some((id, length)) = self.longest_in(known, rest) {
            tokens.push(id);
            rest = &rest[length..];
            known = &self.continuations;
        }
        let complete = rest.is_empty() && (tokens.len() > first || word.is_empty());
        if !complete {
            tokens.truncate(first);
            tokens.push(UNKNOWN);
        }
    }

    fn longest_in(&self, known: &HashMap<&str, u32>, text: &str) -> Option<(u32, usize)> {
        (1..=text.len().min(self.longest))
            .rev()
            .filter_map(|end| Some((*known.get(text.get(..end)?)?, end)))
            .next()
    }
}

/// The text before the first special token, that token, and the text after it.
fn split_at_special(text: &str) -> (&str, Option<u32>, &str) {
    for (at, _) in text.match_indices('[') {
        let (before, from) = text.split_at(at);
        for (name, id) in SPECIAL {
            if let Some(after) = from.strip_prefix(name) {
                return (before, Some(id), after);
            }
        }
    }
    (text, None, "")
}

/// Without control characters and accents, in lower case, with space around Chinese
/// characters.
fn normalized(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|&c| !is_control(c))
        .flat_map(spaced)
        .nfd()
        .filter(|c| !c.is_mark_nonspacing())
        .flat_map(char::to_lowercase)
}

/// Tables of Unicode 9, as the model was trained with and as stored vectors were made
/// with: what was assigned later is an unknown letter.
fn is_control(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\0' | '\u{fffd}' => true,
        _ => c.is_other(),
    }
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || c.is_punctuation()
}

fn spaced(c: char) -> impl Iterator<Item = char> {
    let c = if c.is_whitespace() { ' ' } else { c };
    let space = is_chinese(c).then_some(' ');
    space.into_iter().chain([c]).chain(space)
}

/// Blocks of CJK ideographs; kana and hangul are written in words.
fn is_chinese(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{2a6df}'
        | '\u{2a700}'..='\u{2b81f}'
        | '\u{2b920}'..='\u{2ceaf}'
        | '\u{2f800}'..='\u{2fa1f}')
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{END, START, Tokenizer, UNKNOWN};
    use crate::MAX_TOKENS;

    #[derive(Deserialize)]
    struct Known {
        text: String,
        tokens: Vec<u32>,
    }

    /// Tokens that Hugging Face's tokenizers made of ordinary and of hostile texts.
    #[test]
    fn tokens_are_those_of_the_reference() {
        let tokenizer = Tokenizer::new();
        let ordinary = include_str!("../data/texts.jsonl").lines();
        let hostile = include_str!("../data/hostile.jsonl").lines();
        for line in ordinary.chain(hostile) {
            let known: Known = serde_json::from_str(line).unwrap();
            assert_eq!(
                tokenizer.encode(&known.text),
                known.tokens,
                "{:?}",
                known.text
            );
        }
    }

    #[test]
    fn every_token_of_the_vocabulary_has_its_number() {
        let tokenizer = Tokenizer::new();
        assert_eq!(tokenizer.beginnings["[MASK]"], 103);
        assert_eq!(tokenizer.beginnings["fox"], 4419);
        assert_eq!(tokenizer.continuations["ing"], 2075);
        let known = tokenizer.beginnings.len() + tokenizer.continuations.len();
        assert_eq!(known, crate::bert::VOCABULARY);
    }

    #[test]
    fn the_end_of_a_long_text_is_marked_too() {
        let tokens = Tokenizer::new().encode(&"fox ".repeat(1000));
        assert_eq!(tokens.len(), MAX_TOKENS);
        assert_eq!((tokens[0], tokens[MAX_TOKENS - 1]), (START, END));
    }

    #[test]
    fn a_word_of_too_many_characters_is_unknown() {
        let tokenizer = Tokenizer::new();
        assert_ne!(tokenizer.encode(&"a".repeat(100))[1], UNKNOWN);
        assert_eq!(tokenizer.encode(&"a".repeat(101)), [START, UNKNOWN, END]);
    }
}
