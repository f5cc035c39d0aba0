//! Whether two questions ask for the same.
//!
//! Most of a question is how it is asked. `split` cuts it into words, `filler` takes out
//! talk, `rules` turns ways of asking and of saying into one of them (`words/questions`
//! lists these), and `words` reads what is left: every word with what it may mean, and
//! apart from these what auxiliaries say. Two questions are the same if their words are,
//! one by one and in order; `order` knows the few turns that change nothing: what stands in
//! front may stand behind, and the items of a list in any order.
//!
//! So a word that one of them lacks, a number, a name, a "not" or a "before" is a
//! difference without being understood.

mod filler;
mod numbers;
mod order;
mod rules;
mod split;
mod vocabulary;
mod word;
mod words;
#[cfg(test)]
mod tests;

use self::{
    rules::is_request,
    split::{Token, is_code, split},
    vocabulary::VOCABULARY,
    word::Word,
    words::Mood,
};
use super::Verdict;

/// Longer questions are only compared exactly.
pub(super) const MOST_CHARS: usize = 1000;

/// So are those of more words.
const MOST_WORDS: usize = 120;

/// A question that was read.
#[derive(Debug)]
pub(super) struct Question {
    words: Vec<Word>,
    mood: Mood,
    /// The text as it is, if it cannot be read.
    exact: Option<String>,
    pub(super) essence: String,
    pub(super) personal: bool,
}

impl Question {
    pub(super) fn new(text: &str) -> Self {
        let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (request, payload) = split_payload(text);
        let mut tokens = split(request);
        let readable = tokens.len() <= MOST_WORDS && !is_code(request) && !is_foreign(&tokens);
        if !readable {
            return Self {
                words: Vec::new(),
                mood: Mood::default(),
                exact: Some(plain.clone()),
                essence: plain,
                personal: false,
            };
        }
        spell(&mut tokens);
        if !is_cased(request) {
            spell_to(&mut tokens);
        }
        let personal = filler::without_talk(&mut tokens);
        VOCABULARY.asking.apply(&mut tokens);
        VOCABULARY.forms.apply(&mut tokens);
        label(&mut tokens);
        if payload.is_some()
            && tokens
                .last()
                .is_some_and(|last| last.is_any(&["here", "below"]))
        {
            tokens.pop();
        }
        let payload = payload.map(|payload| Token {
            literal: true,
            ..Token::word(payload)
        });
        tokens.extend(payload);
        let texts: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
        let essence = texts.join(" ");
        let (words, mood) = words::read(&tokens, is_cased(request));
        let nothing = words.iter().all(|word| !word.is_content());
        Self {
            exact: nothing.then_some(plain),
            words,
            mood,
            essence,
            personal,
        }
    }

    /// Whether both ask for the same. Symmetric.
    pub(super) fn compare(&self, other: &Self) -> Verdict {
        match self.difference(other) {
            Some(reason) => Verdict {
                agree: false,
                reason,
            },
            None => Verdict {
                agree: true,
                reason: "the same question, word by word".into(),
            },
        }
    }

    fn difference(&self, other: &Self) -> Option<String> {
        if self.exact.is_some() || other.exact.is_some() {
            return (self.exact != other.exact)
                .then(|| "a text that is compared exactly only".into());
        }
        self.lacks(other)
            .or_else(|| other.lacks(self))
            .or_else(|| self.mood_differs(other))
            .or_else(|| {
                (!order::agrees(&self.words, &other.words))
                    .then(|| "the same words in an order that may say something else".into())
            })
    }

    /// A word without a counterpart.
    fn lacks(&self, other: &Self) -> Option<String> {
        let counts = |word: &&Word| !word.is_mark() && !word.is_any(&["and", "or"]);
        let mut free: Vec<&Word> = other.words.iter().filter(counts).collect();
        self.words.iter().filter(counts).find_map(|word| {
            let place = free.iter().position(|other| word.is_like(other, true));
            place.map_or_else(
                || Some(format!("no counterpart for “{}”", word.text)),
                |place| {
                    free.swap_remove(place);
                    None
                },
            )
        })
    }

    /// Whether something is possible in one and must be, or was, in the other.
    fn mood_differs(&self, other: &Self) -> Option<String> {
        if self.mood.modals != other.mood.modals {
            return Some(format!(
                "“{}” in one and “{}” in the other",
                self.mood.modals.join(" "),
                other.mood.modals.join(" ")
            ));
        }
        let past = |question: &Self| question.words.iter().filter(|word| word.past).count();
        let (ours, theirs) = (past(self), past(other));
        // "Did it sink" is "it sank".
        let explained = match (self.mood.past, other.mood.past) {
            (true, false) => theirs > ours,
            (false, true) => ours > theirs,
            _ => ours == theirs,
        };
        (!explained).then(|| "not the same time".into())
    }
}

/// The request, and the text that it is about: fix the grammar: …
fn split_payload(text: &str) -> (&str, Option<&str>) {
    const THANKS: [&str; 8] = [
        "thank you",
        "thanks",
        "thank you so much",
        "thanks a lot",
        "thanks in advance",
        "many thanks",
        "thank you very much",
        "cheers",
    ];
    let Some((request, payload)) = text.split_once(':') else {
        return (text, None);
    };
    let asked = split(request);
    let task = asked
        .iter()
        .any(|token| !token.literal && VOCABULARY.tasks.contains(token.text.as_str()));
    let mut payload = payload.trim();
    if !task || payload.is_empty() {
        return (text, None);
    }
    let ended = payload.trim_end_matches(['!', '.', ' ']);
    if let Some(end) = ended.rfind(['.', '!', '?', '\n']) {
        let last = ended[end + 1..].trim().to_lowercase();
        if THANKS.contains(&last.as_str()) {
            payload = ended[..=end].trim();
        }
    }
    (request, Some(payload.trim_end_matches(['.', ' '])))
}

/// Whether the text is in another language than English.
fn is_foreign(tokens: &[Token]) -> bool {
    let words = || {
        tokens
            .iter()
            .filter(|token| token.is_word() && !token.literal && !token.is_number())
    };
    let foreign = words()
        .filter(|token| VOCABULARY.is_foreign(&token.text))
        .count();
    let english = words()
        .filter(|token| VOCABULARY.is_small(&token.text) && !VOCABULARY.is_foreign(&token.text))
        .count();
    let lower = || words().filter(|token| token.form == split::Form::Lower);
    let unknown = lower()
        .filter(|token| !VOCABULARY.knows(&token.text) && !is_form(&token.text))
        .count();
    foreign >= 2 && foreign >= english
        || 2 * unknown > lower().count()
        || tokens
            .iter()
            .any(|token| !token.text.is_ascii() && token.is_word() && !token.literal)
}

fn is_form(word: &str) -> bool {
    super::lemma::lemmas(word)
        .iter()
        .any(|lemma| lemma != word && VOCABULARY.knows(lemma))
}

/// Writes out what is typed short or wrong.
fn spell(tokens: &mut Vec<Token>) {
    *tokens = tokens
        .drain(..)
        .flat_map(|token| {
            let plain = VOCABULARY
                .spellings
                .get(token.text.as_str())
                .filter(|_| token.is_word() && !token.literal);
            match plain {
                Some(words) => words.iter().map(|word| Token::word(word)).collect(),
                None => vec![token],
            }
        })
        .collect();
}

/// A 2 before a verb is "to", where people type as they talk.
fn spell_to(tokens: &mut [Token]) {
    const COUNTED: [&str; 10] = [
        "in", "of", "at", "by", "than", "version", "level", "step", "chapter", "part",
    ];
    for at in 1..tokens.len().saturating_sub(1) {
        let (before, next) = (&tokens[at - 1], &tokens[at + 1]);
        let acts = next.is_word() && VOCABULARY.is_verb(&next.text);
        if tokens[at].is("2") && acts && before.is_word() && !before.is_any(&COUNTED) {
            tokens[at] = Token::word("to");
        }
    }
}

/// Whether capital letters are used; many write "I" and nothing else with one.
fn is_cased(text: &str) -> bool {
    text.split(|c: char| !c.is_alphabetic())
        .any(|word| word != "I" && word.contains(char::is_uppercase))
}

/// A label tells where: "Python: read a file" is "in Python, how to read a file".
fn label(tokens: &mut Vec<Token>) {
    if tokens.len() > 2 && tokens[0].is_word() && tokens[1].form == split::Form::Colon {
        tokens[1] = Token {
            form: split::Form::Pause,
            ..Token::word(",")
        };
        let act = tokens.get(2).is_some_and(|next| {
            next.is_word() && VOCABULARY.is_verb(&next.text) && !is_request(&next.text)
        });
        if act {
            tokens.insert(2, Token::word("howto"));
        }
        tokens.insert(0, Token::word("in"));
    }
}
