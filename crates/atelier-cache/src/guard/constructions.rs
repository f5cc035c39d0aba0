//! Small words that change the meaning of a sentence: all but one, rather than, before,
//! used to, than, only, not.
//!
//! The guard does not know how. A prompt with such a construction agrees with another
//! only if that has the same one between the same words.

use super::{
    both::Both,
    lexicon::LEXICON,
    reading::Reading,
    token::{Role, Token, bare},
};

/// The agent may be named within this many words after "being".
const AGENT_WITHIN: usize = 4;

/// A construction of several words, with their number.
pub(super) fn joined(tokens: &[Token]) -> Option<(Token, usize)> {
    let first = tokens.first().filter(|token| !token.literal)?;
    let constructions = LEXICON.constructions(&first.text).iter();
    let found = constructions.filter(|(rest, _)| {
        let words = tokens[1..].iter().map(|token| token.text.as_str());
        !rest.is_empty()
            && tokens.len() > rest.len()
            && words.take(rest.len()).eq(rest.iter().copied())
    });
    let (rest, name) = found.max_by_key(|(rest, _)| rest.len())?;
    let mut words = vec![first.text.as_str()];
    words.extend(rest);
    let mark = Some(*name);
    let token = Token {
        mark,
        ..bare(words.join(" "), Role::Empty)
    };
    Some((token, rest.len() + 1))
}

/// Marks single words.
pub(super) fn mark(reading: &mut Reading) {
    for at in 0..reading.tokens.len() {
        let token = &reading.tokens[at];
        if token.mark.is_none() && !token.literal {
            reading.tokens[at].mark = construction(reading, at);
        }
    }
}

fn construction(reading: &Reading, at: usize) -> Option<&'static str> {
    let tokens = &reading.tokens;
    let token = &tokens[at];
    let text = token.text.as_str();
    let next = tokens.get(at + 1);
    let begun = || has_words(reading, at, 0..at);
    match text {
        _ if token.role == Role::Negator => Some("no"),
        // A can, a will.
        _ if token.role == Role::Content && LEXICON.grammar.auxiliaries.contains(text) => None,
        "as" => is_role(reading, at).then_some("as"),
        // At the beginning they are filler.
        "like" | "just" | "so" | "then" => begun().then(|| LEXICON.construction(text)).flatten(),
        "few" if at > 0 && tokens[at - 1].text == "a" => Some("a few"),
        // A little girl is a girl, but a little water is more than little.
        "little" if next.is_some_and(|next| next.is_of(&LEXICON.grammar.mass)) => {
            let some = at > 0 && tokens[at - 1].text == "a";
            Some(if some { "a little" } else { "little" })
        }
        // "Being examined by" is "examined by".
        "being" => {
            let mut behind = tokens[at..].iter().take(AGENT_WITHIN);
            (!behind.any(|token| token.role == Role::By)).then_some("being")
        }
        _ if token.role == Role::Auxiliary => {
            let compound = next.is_some_and(|next| next.joined);
            let says = begun() && has_words(reading, at, at + 1..tokens.len());
            (compound || says)
                .then(|| LEXICON.construction(text))
                .flatten()
        }
        _ => LEXICON.construction(text),
    }
}

/// Whether there are content words in the same clause.
fn has_words(reading: &Reading, at: usize, mut range: std::ops::Range<usize>) -> bool {
    let tokens = &reading.tokens;
    range.any(|other| tokens[other].role.is_weighty() && tokens[other].clause == tokens[at].clause)
}

/// "As a detective", not "as a ship sinks" or "as the sun sets".
pub(super) fn is_role(reading: &Reading, at: usize) -> bool {
    let article = reading.tokens.get(at + 1);
    let clause = reading.tokens[at].clause;
    let mut rest =
        (at + 1..reading.tokens.len()).take_while(|other| reading.tokens[*other].clause == clause);
    article.is_some_and(|article| matches!(article.text.as_str(), "a" | "an"))
        && !rest.any(|other| reading.acts(other))
}

/// A marked word with the content words beside it.
#[derive(Clone, Copy)]
struct Placed {
    mark: &'static str,
    at: usize,
    before: Option<usize>,
    after: Option<usize>,
}

fn placed(reading: &Reading) -> Vec<Placed> {
    let tokens = &reading.tokens;
    let weighty = |at: &usize| tokens[*at].role.is_weighty();
    let marked = (0..tokens.len()).filter_map(|at| {
        let mark = tokens[at].mark?;
        let clause = tokens[at].clause;
        let begins = tokens[at].role == Role::Break;
        let before = (0..at)
            .rev()
            .find(weighty)
            .filter(|before| begins || tokens[*before].clause == clause);
        let after = (at + 1..tokens.len()).find(weighty);
        (before.is_some() || after.is_some()).then_some(Placed {
            mark,
            at,
            before,
            after,
        })
    });
    marked.collect()
}

impl Both<'_> {
    /// Whether both have the same constructions, between the same words.
    pub(super) fn constructions(&self) -> Option<String> {
        let mut others = placed(self.b);
        for one in placed(self.a) {
            let found = others
                .iter()
                .position(|other| one.mark == other.mark && self.is_same_place(one, *other));
            let Some(found) = found else {
                return Some(format!(
                    "“{}” stands elsewhere or not at all in the second",
                    self.a.tokens[one.at].text
                ));
            };
            others.swap_remove(found);
        }
        let other = others.first()?;
        Some(format!(
            "“{}” stands elsewhere or not at all in the first",
            self.b.tokens[other.at].text
        ))
    }

    fn is_same_place(&self, one: Placed, other: Placed) -> bool {
        let same = |x: Option<usize>, y: Option<usize>| match (x, y) {
            (Some(x), Some(y)) => Some(self.are_same(x, y)),
            _ => None,
        };
        match (same(one.before, other.before), same(one.after, other.after)) {
            (before, Some(true)) => before != Some(false),
            (Some(true), None) => one.after.is_none() || other.after.is_none(),
            _ => false,
        }
    }
}
