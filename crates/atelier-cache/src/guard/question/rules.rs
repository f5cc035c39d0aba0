//! Rules that rewrite a sequence of words, from the lists in `words/questions`.
//!
//! A rule is `pattern => replacement`. In a pattern stand words (`a|b`: either; `a?`: may
//! be missing; `<a|b>`: either, and found; `@wh` and `@do`: question words and
//! requests, and found), `^` and `$` (where a sentence begins and ends), `*` (words up to what comes
//! next) and `%` (one word; `%ing` and `%ed` by its form). The replacement has words and
//! what was found, by number; `~1` is the verb of which that is a form.

use std::collections::HashMap;

use super::{
    split::{Form, Token},
    vocabulary::is_participle,
    word::lemmas,
};

/// Maximum number of rewritings of one text.
const MOST: usize = 40;

/// Maximum length of what `*` finds.
const SPAN: usize = 24;

const QUESTIONS: [&str; 11] = [
    "what", "which", "who", "whom", "whose", "where", "when", "why", "how", "if", "whether",
];

const REQUESTS: [&str; 42] = [
    "write",
    "translate",
    "summarize",
    "summarise",
    "suggest",
    "recommend",
    "give",
    "list",
    "name",
    "explain",
    "describe",
    "compare",
    "convert",
    "create",
    "generate",
    "draft",
    "fix",
    "correct",
    "proofread",
    "rewrite",
    "rephrase",
    "paraphrase",
    "show",
    "tell",
    "provide",
    "define",
    "plan",
    "calculate",
    "compute",
    "compose",
    "outline",
    "brainstorm",
    "share",
    "edit",
    "simplify",
    "identify",
    "classify",
    "analyze",
    "propose",
    "solve",
    "put",
    "come",
];

/// Whether it asks for a text rather than how something is done.
pub(super) fn is_request(word: &str) -> bool {
    REQUESTS.contains(&word)
}

enum Piece {
    Start,
    End,
    /// The end of a clause, with what links it to the next.
    Close,
    Words {
        any: Vec<&'static str>,
        optional: bool,
        found: bool,
    },
    Span,
    One(&'static str),
}

enum Part {
    Word(&'static str),
    Found(usize),
    Base(usize),
}

struct Rule {
    pieces: Vec<Piece>,
    parts: Vec<Part>,
}

/// Rules, by the words that they may begin with.
pub(super) struct Rules {
    rules: Vec<Rule>,
    by_word: HashMap<&'static str, Vec<usize>>,
}

impl Rules {
    pub(super) fn read(lines: impl Iterator<Item = &'static str>) -> Self {
        let mut rules = Self {
            rules: Vec::new(),
            by_word: HashMap::new(),
        };
        for line in lines {
            let Some((pattern, replacement)) = line.split_once("=>") else {
                continue;
            };
            let rule = Rule {
                pieces: pattern.split_whitespace().map(piece).collect(),
                parts: replacement.split_whitespace().map(part).collect(),
            };
            rules.add(rule);
        }
        rules
    }

    /// Reads patterns of whole clauses that are taken out.
    pub(super) fn read_clauses(lines: impl Iterator<Item = &'static str>) -> Self {
        let mut rules = Self {
            rules: Vec::new(),
            by_word: HashMap::new(),
        };
        for line in lines {
            let inside = line.split_whitespace().map(piece);
            let pieces = std::iter::once(Piece::Start)
                .chain(inside)
                .chain(std::iter::once(Piece::Close));
            rules.add(Rule {
                pieces: pieces.collect(),
                parts: Vec::new(),
            });
        }
        rules
    }

    fn add(&mut self, rule: Rule) {
        for word in rule.first_words() {
            self.by_word.entry(word).or_default().push(self.rules.len());
        }
        self.rules.push(rule);
    }

    /// Rewrites the words as long as a rule applies.
    pub(super) fn apply(&self, tokens: &mut Vec<Token>) {
        let (mut at, mut done) = (0, 0);
        while at < tokens.len() {
            match self.rewrite(tokens, at) {
                Some(back) if done < MOST => {
                    done += 1;
                    at = back;
                }
                _ => at += 1,
            }
        }
    }

    /// Applies the first rule that fits there. Returns where to go on.
    fn rewrite(&self, tokens: &mut Vec<Token>, at: usize) -> Option<usize> {
        let first = &tokens[at];
        if !first.is_word() || first.literal {
            return None;
        }
        let candidates = self.by_word.get(first.text.as_str())?;
        candidates.iter().find_map(|rule| {
            let rule = &self.rules[*rule];
            let mut found = Vec::new();
            let end = matches(&rule.pieces, tokens, at, &mut found)?;
            let put: Vec<Token> = rule
                .parts
                .iter()
                .flat_map(|part| part.tokens(tokens, &found))
                .collect();
            if put == tokens[at..end] {
                return None;
            }
            tokens.splice(at..end, put);
            // A sentence that begins otherwise may be one of the earlier rules'.
            Some(at)
        })
    }
}

impl Rule {
    /// The words with which a match may begin.
    fn first_words(&self) -> Vec<&'static str> {
        let mut first = Vec::new();
        for piece in &self.pieces {
            if let Piece::Words { any, optional, .. } = piece {
                first.extend(any);
                if !optional {
                    break;
                }
            }
        }
        first
    }
}

impl Part {
    fn tokens(&self, tokens: &[Token], found: &[(usize, usize)]) -> Vec<Token> {
        match self {
            Self::Word(word) => vec![Token::word(word)],
            Self::Found(number) => found
                .get(number - 1)
                .map_or_else(Vec::new, |(from, to)| tokens[*from..*to].to_vec()),
            Self::Base(number) => {
                let all = found
                    .get(number - 1)
                    .map_or(&[][..], |(from, to)| &tokens[*from..*to]);
                all.iter()
                    .map(|token| Token {
                        text: base(&token.text),
                        ..token.clone()
                    })
                    .collect()
            }
        }
    }
}

/// The verb of which this is a form.
fn base(word: &str) -> String {
    let lemmas = lemmas(word);
    lemmas
        .into_iter()
        .find(|lemma| lemma != word)
        .unwrap_or_else(|| word.to_owned())
}

fn piece(text: &'static str) -> Piece {
    match text {
        "^" => Piece::Start,
        "$" => Piece::End,
        "*" => Piece::Span,
        "@wh" => Piece::Words {
            any: QUESTIONS.to_vec(),
            optional: false,
            found: true,
        },
        "@do" => Piece::Words {
            any: REQUESTS.to_vec(),
            optional: false,
            found: true,
        },
        _ => match text.strip_prefix('%') {
            Some(form) => Piece::One(form),
            None => {
                let optional = text.strip_suffix('?');
                let choice = text
                    .strip_prefix('<')
                    .and_then(|text| text.strip_suffix('>'));
                let any = choice.or(optional).unwrap_or(text).split('|').collect();
                Piece::Words {
                    any,
                    optional: optional.is_some(),
                    found: choice.is_some(),
                }
            }
        },
    }
}

fn part(text: &'static str) -> Part {
    if let Some(number) = text
        .strip_prefix('~')
        .and_then(|number| number.parse().ok())
    {
        return Part::Base(number);
    }
    text.parse().map_or(Part::Word(text), Part::Found)
}

/// Where the match ends, and what the open places are.
fn matches(
    pieces: &[Piece],
    tokens: &[Token],
    at: usize,
    found: &mut Vec<(usize, usize)>,
) -> Option<usize> {
    let Some((piece, rest)) = pieces.split_first() else {
        return Some(at);
    };
    let token = tokens.get(at);
    match piece {
        Piece::Start => begins(tokens, at).then(|| matches(rest, tokens, at, found))?,
        Piece::End => token
            .is_none_or(|token| token.form == Form::Stop)
            .then(|| matches(rest, tokens, at, found))?,
        Piece::Close => {
            let linked = token.is_some_and(|token| token.is_any(&["but", "so"]));
            let at = at + usize::from(linked);
            let next = tokens.get(at);
            let marked = next.is_some_and(|next| !next.is_word());
            (linked || marked || next.is_none())
                .then(|| matches(rest, tokens, at + usize::from(marked), found))?
        }
        Piece::Words {
            any,
            optional,
            found: keeps,
        } => {
            let here =
                token.is_some_and(|token| !token.literal && any.contains(&token.text.as_str()));
            let depth = found.len();
            if here && *keeps {
                found.push((at, at + 1));
            }
            if here && let Some(end) = matches(rest, tokens, at + 1, found) {
                return Some(end);
            }
            found.truncate(depth);
            optional.then(|| matches(rest, tokens, at, found))?
        }
        Piece::One(form) => {
            let word = token.filter(|token| token.is_word())?;
            let fits = match *form {
                "ing" => word.text.ends_with("ing") && word.text.len() > 4,
                "ed" => is_participle(&word.text),
                _ => true,
            };
            fits.then_some(())?;
            found.push((at, at + 1));
            matches(rest, tokens, at + 1, found)
        }
        Piece::Span => {
            let depth = found.len();
            for end in at + 1..=(at + SPAN).min(tokens.len()) {
                if !tokens[end - 1].is_word() {
                    return None;
                }
                found.truncate(depth);
                found.push((at, end));
                if let Some(end) = matches(rest, tokens, end, found) {
                    return Some(end);
                }
            }
            None
        }
    }
}

/// Whether a sentence, or a clause behind a pause, begins there.
fn begins(tokens: &[Token], at: usize) -> bool {
    at.checked_sub(1)
        .is_none_or(|before| !tokens[before].is_word())
}
