//! The attachments in one prompt, and who does what, as found by [`walk`](super::walk).
//!
//! What follows a preposition or a verb is attached to the nearest word before; where
//! English is ambiguous (a place may belong to any word of its clause), all candidates
//! are kept.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    lexicon::LEXICON,
    token::{Role, Token},
};

/// Maximum number of candidates kept for an attachment.
pub(super) const MOST_CANDIDATES: usize = 12;

/// How something is attached: a preposition, or [`OF_RUN`].
pub(super) type Link = &'static str;

/// Before a noun, without a preposition.
pub(super) const OF_RUN: Link = "mod";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attachment {
    pub(super) to: usize,
    pub(super) by: Link,
}

/// Agent and object of a verb.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) agents: Vec<usize>,
    pub(super) patients: Vec<usize>,
    /// Whether its agent follows it: "on a piano sits a goldfish".
    pub(super) inverted: bool,
}

#[derive(Debug, Default)]
pub(super) struct Syntax {
    /// The candidates for a word's attachment, likeliest first.
    pub(super) attached: BTreeMap<usize, Vec<Attachment>>,
    /// Words for which any candidate is acceptable.
    pub(super) loose: BTreeSet<usize>,
    /// By verb.
    pub(super) frames: BTreeMap<usize, Frame>,
    /// The word before "and", by the word after.
    pub(super) siblings: BTreeMap<usize, Vec<usize>>,
    /// Prepositions without a noun, with the word before.
    pub(super) dangling: Vec<(Link, usize)>,
}

impl Syntax {
    /// The chain of attachments of the word.
    pub(super) fn above(&self, at: usize) -> Vec<usize> {
        let mut above: Vec<usize> = Vec::new();
        let mut next = self.attached.get(&at).and_then(|to| to.first());
        while let Some(Attachment { to, .. }) = next {
            if above.contains(to) || above.len() >= MOST_CANDIDATES {
                break;
            }
            above.push(*to);
            next = self.attached.get(to).and_then(|to| to.first());
        }
        above
    }
}

/// The preposition, or the phrase that ends in one.
pub(super) fn link(token: &Token) -> Option<Link> {
    match token.role {
        Role::By => return Some("by"),
        Role::Preposition(place) => return Some(LEXICON.link(&token.text).unwrap_or(place)),
        _ => {}
    }
    let (first, last) = token.text.split_once(' ')?;
    let last = last.rsplit(' ').next()?;
    let ends = matches!(last, "of" | "from" | "with" | "in" | "by");
    let past = first == "full" || first.ends_with("ed") || !LEXICON.irregular(first).is_empty();
    let made = matches!(first, "made" | "built" | "constructed");
    (ends && past).then_some(if made { "made" } else { "with" })
}

/// Whether the link says where something is.
pub(super) fn is_where(link: Link) -> bool {
    matches!(
        link,
        "in" | "at" | "on" | "through" | "during" | "under" | "over" | "along"
    )
}

pub(super) fn is_position(token: &Token) -> bool {
    token.is_of(&LEXICON.grammar.positions)
}
