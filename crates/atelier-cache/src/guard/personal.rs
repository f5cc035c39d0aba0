//! Detects whether what was removed from a prompt is more than politeness. Visitors may
//! tell of themselves in words that the comparison ignores; nobody else is ever answered
//! from such a prompt.

use std::{collections::HashSet, sync::LazyLock};

/// Possessives and words for people.
const PEOPLE: &str = "my our his her their kid kids daughter son wife husband mom mum dad friend sister brother boss \
    client team grandma grandmother grandson nephew niece teacher partner girlfriend boyfriend";

/// All words in the patterns of `filler.txt`. Any other word in a match came through a
/// wildcard.
static POLITE: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let patterns = include_str!("words/filler.txt").lines();
    let patterns = patterns.filter(|line| !line.starts_with('#'));
    let patterns: Vec<String> = patterns.map(without_classes).collect();
    let polite = patterns.iter().flat_map(|pattern| letters(pattern));
    let people: HashSet<&str> = PEOPLE.split_whitespace().collect();
    polite
        .filter(|word| !people.contains(word))
        .map(str::to_owned)
        .collect()
});

/// The pattern without `\\w` and the like.
fn without_classes(pattern: &str) -> String {
    let mut letters = pattern.chars();
    let mut plain = String::new();
    while let Some(letter) = letters.next() {
        let class = letter == '\\' && letters.next().is_some();
        plain.push(if class { ' ' } else { letter });
    }
    plain
}

fn letters(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty())
}

/// Whether the words may tell of a person; true in doubt.
pub(super) fn tells_of_a_person(words: &str) -> bool {
    let polite = |word: &str| {
        let single = word.strip_suffix('s').unwrap_or(word);
        POLITE.contains(word) || POLITE.contains(single)
    };
    letters(&words.to_lowercase()).any(|word| !polite(word))
}

#[cfg(test)]
mod tests {
    use super::super::Reading;

    #[test]
    fn what_a_prompt_tells_of_its_author_is_found() {
        for personal in [
            "I was diagnosed with leukaemia, I'm Maria Keller, call me at 0171 2345678. A small red house by a lake",
            "My name is John. A small red house by a lake",
            "I am a widower and I would love a small red house by a lake",
            "We have three kids and we want a small red house by a lake",
            "A small red house by a lake for my daughter's birthday",
            "A small red house by a lake for our oncology ward",
            "A small red house by a lake. I miss her",
            "A small red house by a lake, thanks for your Maria",
        ] {
            assert!(Reading::new(personal).is_personal(), "{personal}");
        }
        for plain in [
            "A small red house by a lake",
            "Please draw a small red house by a lake, thank you so much!",
            "Can you make me a picture of a small red house by a lake? Thanks a lot!",
            "I'd like a small red house by a lake, masterpiece, best quality",
            "A small red house by a lake. You are awesome!",
        ] {
            assert!(!Reading::new(plain).is_personal(), "{plain}");
        }
    }
}
