//! Reads the words of a question that count.

use super::{
    super::lexicon::LEXICON,
    numbers,
    split::{Form, Token},
    vocabulary::{Group, VOCABULARY},
    word::{Class, Word, lemmas},
};

/// What is said by words that may stand in several places.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mood {
    /// Can, must, should and the like.
    pub(super) modals: Vec<&'static str>,
    /// Whether an auxiliary says that it is past.
    pub(super) past: bool,
}

/// What is being read.
struct Reader<'a> {
    tokens: &'a [Token],
    words: Vec<Word>,
    mood: Mood,
    /// Since when a form of "be" may have something going on.
    be: Option<usize>,
    /// Whether an auxiliary was read in this sentence.
    helped: bool,
}

/// A phrase that was found, and what it may mean.
struct Phrase {
    length: usize,
    groups: Vec<Group>,
    /// Whether its last word is another form than that of the list.
    inflected: bool,
}

/// Reads the words that count.
pub(super) fn read(tokens: &[Token], cased: bool) -> (Vec<Word>, Mood) {
    let tokens = numbers::read(&genitives(tokens));
    let mut reader = Reader {
        tokens: &tokens,
        words: Vec::new(),
        mood: Mood::default(),
        be: None,
        helped: false,
    };
    let mut at = 0;
    while at < tokens.len() {
        at = reader.step(at);
    }
    reader.mood.modals.sort_unstable();
    while reader.words.last().is_some_and(Word::is_mark) {
        reader.words.pop();
    }
    for word in &mut reader.words {
        word.cased = cased;
    }
    (reader.words, reader.mood)
}

impl Reader<'_> {
    fn is_any(&self, at: usize, words: &[&str]) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_any(words))
    }

    fn before(&self, at: usize, words: &[&str]) -> bool {
        at.checked_sub(1)
            .is_some_and(|before| self.is_any(before, words))
    }

    /// Whether a sentence or clause begins there.
    fn begins(&self, at: usize) -> bool {
        at.checked_sub(1)
            .is_none_or(|before| !self.tokens[before].is_word())
    }

    fn ends(&self, at: usize) -> bool {
        self.tokens
            .get(at + 1)
            .is_none_or(|next| next.form == Form::Stop)
    }

    /// Reads what stands there; returns where to go on.
    fn step(&mut self, at: usize) -> usize {
        let token = &self.tokens[at];
        if !token.is_word() {
            let stop = token.form == Form::Stop;
            self.words
                .push(Word::mark(if stop { Class::Stop } else { Class::Pause }));
            (self.be, self.helped) = (None, false);
            return at + 1;
        }
        if token.literal {
            self.words.push(Word::new(token));
            return at + 1;
        }
        if let Some(next) = self.asks_what(at) {
            return next;
        }
        if let Some(phrase) = self.phrase(at) {
            let length = phrase.length;
            self.push_phrase(at, phrase);
            return at + length;
        }
        if !self.helps(at) && !self.is_empty(at) {
            self.push(at);
        }
        at + 1
    }

    /// "What is the age of" is "the age of".
    fn asks_what(&mut self, at: usize) -> Option<usize> {
        const BE: [&str; 4] = ["is", "are", "was", "were"];
        if !self.begins(at) || !self.is_any(at, &["what"]) {
            return None;
        }
        let past = |at| self.is_any(at, &["was", "were"]);
        let (direct, past_now) = (self.is_any(at + 1, &BE), past(at + 1));
        let busy = self.tokens.get(at + 2).is_none_or(|next| {
            !next.is_word() || next.text.ends_with("ing") && next.text.len() > 5
        });
        if direct && !busy && !self.counts_nothing(at) {
            self.mood.past |= past_now;
            return Some(at + 2);
        }
        let end = (at..self.tokens.len()).find(|end| self.ends(*end))?;
        let indirect = self.is_any(end, &BE) && end > at + 1;
        indirect.then_some(at + 1)
    }

    /// "What are the largest" asks for several, which no other word says.
    fn counts_nothing(&self, at: usize) -> bool {
        let rest = self.tokens[at + 2..]
            .iter()
            .take_while(|token| token.form != Form::Stop);
        self.is_any(at + 1, &["are", "were"])
            && !rest.into_iter().any(|token| Word::new(token).plural)
    }

    /// The longest phrase that begins there, and what it may mean.
    fn phrase(&self, at: usize) -> Option<Phrase> {
        let mut longest: Option<Phrase> = None;
        for first in lemmas(&self.tokens[at].text) {
            for (rest, group) in VOCABULARY.phrases(&first) {
                let length = rest.len() + 1;
                let mut words = rest.iter().zip(at + 1..);
                if !words.all(|(word, at)| self.is_form(at, word)) {
                    continue;
                }
                match &mut longest {
                    Some(known) if known.length > length => {}
                    Some(known) if known.length == length => known.groups.push(*group),
                    _ => {
                        let last = &self.tokens[at + length - 1];
                        let inflected = rest.last().is_some_and(|word| *word != last.text);
                        longest = Some(Phrase {
                            length,
                            groups: vec![*group],
                            inflected,
                        });
                    }
                }
            }
        }
        longest
    }

    fn is_form(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| {
            token.is_word()
                && !token.literal
                && (token.text == word || lemmas(&token.text).iter().any(|lemma| lemma == word))
        })
    }

    fn push_phrase(&mut self, at: usize, phrase: Phrase) {
        let Phrase {
            length,
            groups,
            inflected,
        } = phrase;
        let mut word = Word::new(&self.tokens[at]);
        let texts: Vec<&str> = self.tokens[at..at + length]
            .iter()
            .map(|token| token.text.as_str())
            .collect();
        word.text = texts.join(" ");
        word.lemmas = vec![word.text.clone()];
        word.groups = groups;
        word.name = false;
        word.plural = inflected && Word::new(&self.tokens[at + length - 1]).plural;
        self.words.push(self.marked(word, at));
    }

    fn push(&mut self, at: usize) {
        let word = Word::new(&self.tokens[at]);
        self.words.push(self.marked(word, at));
    }

    fn marked(&self, mut word: Word, at: usize) -> Word {
        let verbal = word
            .text
            .split(' ')
            .next()
            .is_some_and(|first| first.ends_with("ing"))
            && word.class == Class::Verb;
        let near = self.be.is_some_and(|be| at - be <= 4);
        let after = at.checked_sub(1).is_some_and(|before| {
            let before = &self.tokens[before];
            VOCABULARY.is_small(&before.text)
                && !before.is_any(&[
                    "is", "are", "was", "were", "am", "be", "been", "not", "i", "you", "he", "she",
                    "it", "we", "they",
                ])
        });
        word.progressive = verbal && near && !after;
        word.generic = self.before(at, &["a", "an"])
            || at
                .checked_sub(1)
                .is_some_and(|before| self.tokens[before].is_number());
        word
    }

    /// Whether it is an auxiliary, which is remembered instead.
    fn helps(&mut self, at: usize) -> bool {
        let text = self.tokens[at].text.as_str();
        let begins = self.begins(at);
        let modal = match text {
            "can" | "could" => Some("can"),
            "may" | "might" => Some("may"),
            "must" => Some("must"),
            "should" | "shall" => Some("should"),
            "will" => Some("will"),
            "would" => Some("would"),
            _ => None,
        };
        let hour = text == "am"
            && at
                .checked_sub(1)
                .is_some_and(|before| self.tokens[before].is_number());
        let be = !hour && matches!(text, "is" | "are" | "am" | "was" | "were" | "be" | "been");
        let past = matches!(text, "was" | "were" | "did");
        let helping = match modal {
            Some(_) => !self.is_named(at),
            None => be || self.helps_do(at),
        };
        if !helping {
            return false;
        }
        if be {
            self.be = Some(at);
        }
        self.mood.modals.extend(modal);
        self.mood.past |= past;
        self.helped = true;
        if begins {
            self.words.push(Word::new(&Token::word("whether")));
        }
        true
    }

    /// A can, a will, in May.
    fn is_named(&self, at: usize) -> bool {
        const MINE: [&str; 10] = [
            "a", "an", "the", "my", "your", "his", "her", "their", "our", "this",
        ];
        let month = self.tokens[at].text == "may"
            && (self.before(
                at,
                &[
                    "in", "of", "since", "until", "by", "last", "next", "early", "late", "during",
                    "on",
                ],
            ) || self.tokens.get(at + 1).is_some_and(Token::is_number));
        self.before(at, &MINE) || month
    }

    /// Whether "do" only helps another verb.
    fn helps_do(&self, at: usize) -> bool {
        if !self.is_any(at, &["do", "does", "did"]) || self.ends(at) && !self.begins(at) {
            return false;
        }
        self.is_any(at + 1, &["not"])
            || !(self.helped
                || self.before(
                    at,
                    &[
                        "to", "howto", "not", "i", "you", "he", "she", "we", "they", "it",
                    ],
                ))
    }

    /// Whether it says nothing of its own.
    fn is_empty(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        match token.text.as_str() {
            "the" | "an" => !self.is_mentioned(at),
            "there" => true,
            "a" => !self.is_letter(at) && !self.is_mentioned(at),
            "really" | "actually" | "very" | "basically" | "literally" | "please" | "kindly" => {
                true
            }
            "that" => self.is_any(
                at + 1,
                &[
                    "i", "you", "he", "she", "it", "we", "they", "the", "my", "his", "her",
                    "their", "our",
                ],
            ),
            _ => false,
        }
    }

    /// Is "a" the right word?
    fn is_mentioned(&self, at: usize) -> bool {
        self.is_any(
            at + 1,
            &["a", "an", "the", "is", "are", "or", "and", "in", "of"],
        )
    }

    /// Vitamin A.
    fn is_letter(&self, at: usize) -> bool {
        let named = at
            .checked_sub(1)
            .is_some_and(|before| LEXICON.grammar.numbered.contains(&self.tokens[before].text));
        named || self.tokens.get(at + 1).is_none_or(|next| !next.is_word())
    }
}

/// Turns Chile's capital into the capital of Chile.
fn genitives(tokens: &[Token]) -> Vec<Token> {
    let mut turned: Vec<Token> = tokens.to_vec();
    while let Some(at) = turned.iter().position(|token| token.is("'s")) {
        let is_part =
            |token: &Token| token.is_word() && !token.literal && !VOCABULARY.is_small(&token.text);
        let whose = turned[..at]
            .iter()
            .rev()
            .take_while(|token| is_part(token))
            .count();
        let owner = |token: &Token| {
            token.is_any(&[
                "my", "your", "his", "her", "our", "their", "a", "an", "the", "this",
            ])
        };
        let begin = at - whose;
        let begin = begin - usize::from(begin > 0 && whose > 0 && owner(&turned[begin - 1]));
        let what = turned[at + 1..]
            .iter()
            .take_while(|token| is_part(token))
            .count();
        if whose == 0 || what == 0 {
            turned.remove(at);
            continue;
        }
        let mut phrase: Vec<Token> = turned[at + 1..=at + what].to_vec();
        phrase.push(Token::word("of"));
        phrase.extend_from_slice(&turned[begin..at]);
        turned.splice(begin..=at + what, phrase);
    }
    turned
}
