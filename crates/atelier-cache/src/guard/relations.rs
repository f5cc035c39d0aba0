//! What belongs to what in one prompt.

use super::{lexicon::LEXICON, reading::Reading, token::Role};

/// The number of words considered on either side of one.
const REACH: usize = 12;

/// A run of words without a word of grammar between them, without verbs at the edges.
pub(super) fn run(reading: &Reading, at: usize) -> Vec<usize> {
    let inside = |at: usize| {
        let compound = reading
            .tokens
            .get(at + 1)
            .is_some_and(|next| next.joined && next.text.ends_with("ing"));
        matches!(reading.tokens[at].role, Role::Content | Role::Number(_))
            && !reading.is_verb(at)
            && !compound
    };
    if !inside(at) {
        return Vec::new();
    }
    let mut first = at;
    while first > 0 && at - first < REACH && inside(first - 1) {
        first -= 1;
    }
    let mut last = at;
    while last + 1 < reading.tokens.len() && last - at < REACH && inside(last + 1) {
        last += 1;
    }
    (first..=last).collect()
}

/// The noun that a word describes: the last of its run, if it is not that itself.
pub(super) fn head(reading: &Reading, at: usize) -> Option<usize> {
    run(reading, at).last().copied().filter(|head| *head != at)
}

pub(super) fn head_before(reading: &Reading, at: usize) -> Option<usize> {
    reading.weighty().filter(|other| *other < at).last()
}

/// The preposition before a thing, with only its own words between.
pub(super) fn governor(reading: &Reading, at: usize) -> Option<usize> {
    let run = run(reading, at);
    if run.last() != Some(&at) {
        return None;
    }
    let mut before = run.first()?.checked_sub(1)?;
    while matches!(reading.tokens[before].role, Role::Empty) {
        before = before.checked_sub(1)?;
    }
    Some(before)
}

/// A verb or preposition, with what precedes and follows it in its clause.
pub(super) struct Relation {
    pub(super) at: usize,
    pub(super) left: Vec<usize>,
    pub(super) right: Vec<usize>,
}

pub(super) fn relations(reading: &Reading) -> Vec<Relation> {
    let tokens = &reading.tokens;
    let relates = |at: &usize| {
        let token = &tokens[*at];
        let symmetric = token.is_of(&LEXICON.grammar.symmetric);
        match token.role {
            Role::Preposition(place) => !symmetric && place != "beside",
            Role::Content | Role::Light => !symmetric,
            _ => false,
        }
    };
    let all = (0..tokens.len()).filter(relates);
    all.filter_map(|at| relation(reading, at)).collect()
}

fn relation(reading: &Reading, at: usize) -> Option<Relation> {
    let tokens = &reading.tokens;
    let token = &tokens[at];
    let next = tokens.get(at + 1).map(|token| token.role);
    let preposition = matches!(token.role, Role::Preposition(_));
    // "On which", "on it", "scarf-wearing".
    if preposition && next == Some(Role::Pronoun) || token.joined {
        return None;
    }
    let within =
        |other: &usize| tokens[*other].role.is_weighty() && tokens[*other].clause == token.clause;
    let left: Vec<_> = (0..at).rev().filter(within).take(REACH).collect();
    let mut right: Vec<_> = (at + 1..tokens.len()).filter(within).take(REACH).collect();
    if preposition {
        // Words after its noun do not belong to it.
        let together = right
            .windows(2)
            .take_while(|two| two[0] + 1 == two[1])
            .count();
        right.truncate(together + 1);
    }
    let passive = match next {
        Some(Role::By) => true,
        Some(Role::Preposition("in" | "with")) => token.text.ends_with("ed"),
        _ => false,
    };
    if token.is_participle() && passive && !preposition {
        return Some(Relation {
            at,
            left: right,
            right: left,
        });
    }
    Some(Relation { at, left, right })
}
