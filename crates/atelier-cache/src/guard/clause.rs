//! The state of a walk within a clause.

use super::{
    lexicon::LEXICON,
    reading::Reading,
    syntax::{Attachment, Link, MOST_CANDIDATES, Syntax, is_where},
    token::Token,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Noun,
    Verb,
}

/// The state in the middle of a clause.
#[derive(Debug, Default)]
pub(super) struct Clause {
    /// Nouns and verbs so far.
    pub(super) heads: Vec<usize>,
    /// Nouns of prepositions that begin the clause.
    pub(super) fronted: Vec<(usize, Link)>,
    /// Those of them that are not attached yet.
    pub(super) waiting: Vec<(usize, Link)>,
    pub(super) preposition: Option<Link>,
    /// Whether it ends a phrase like "made of".
    pub(super) phrase: bool,
    pub(super) joins: bool,
    pub(super) copula: bool,
    pub(super) verb: Option<usize>,
    pub(super) noun: Option<usize>,
    pub(super) last: Option<Last>,
}

pub(super) struct Walk<'a> {
    pub(super) reading: &'a Reading,
    pub(super) syntax: Syntax,
    pub(super) clause: Clause,
    /// The noun of the previous clause.
    pub(super) before: Option<usize>,
    /// Whether the prompt begins with "left:" or the like.
    pub(super) forward: bool,
}

impl Walk<'_> {
    pub(super) fn token(&self, at: usize) -> &Token {
        &self.reading.tokens[at]
    }

    pub(super) fn text(&self, at: usize) -> &str {
        self.reading.tokens.get(at).map_or("", |token| &token.text)
    }

    pub(super) fn is_fronted(&self, noun: usize) -> bool {
        self.clause
            .fronted
            .iter()
            .any(|(fronted, _)| *fronted == noun)
    }

    /// The possible agents of what follows: the nearest noun, and what that is part of.
    pub(super) fn subjects(&self) -> Vec<usize> {
        let is_noun = |at: &&usize| !self.syntax.frames.contains_key(at) && !self.is_fronted(**at);
        let nouns: Vec<usize> = self
            .clause
            .heads
            .iter()
            .rev()
            .filter(is_noun)
            .copied()
            .collect();
        let nearest = nouns.iter().copied().find(|noun| !self.is_scenery(*noun));
        let Some(nearest) = nearest.or_else(|| nouns.first().copied()) else {
            return Vec::new();
        };
        let mut subjects = vec![nearest];
        while let Some(to) = self
            .syntax
            .attached
            .get(&subjects[subjects.len() - 1])
            .and_then(|to| to.first())
            && matches!(to.by, "of" | "with" | "in")
            && !subjects.contains(&to.to)
            && subjects.len() < MOST_CANDIDATES
        {
            subjects.push(to.to);
        }
        subjects
    }

    /// Whether it only says where something is.
    pub(super) fn is_scenery(&self, noun: usize) -> bool {
        let to = self.syntax.attached.get(&noun).and_then(|to| to.first());
        to.is_some_and(|to| is_where(to.by)) && self.token(noun).is_of(&LEXICON.grammar.scenery)
    }

    pub(super) fn attach(&mut self, noun: usize, mut to: Vec<usize>, by: Link, loose: bool) {
        to.truncate(MOST_CANDIDATES);
        to.retain(|to| *to != noun);
        if to.is_empty() {
            return;
        }
        let to = to.into_iter().map(|to| Attachment { to, by }).collect();
        self.syntax.attached.insert(noun, to);
        if loose {
            self.syntax.loose.insert(noun);
        }
    }
}
