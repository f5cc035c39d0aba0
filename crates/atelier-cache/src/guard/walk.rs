//! One pass over a prompt, as much of a parser as prompts need: it remembers the clause so
//! far, and attaches each word to it.

use super::{
    clause::{Clause, Last, Walk},
    constructions::is_role,
    lexicon::LEXICON,
    reading::Reading,
    syntax::{Attachment, Link, Syntax, is_position, link},
    token::Role,
};

/// The state of the pass, which reads every word once.
pub(super) fn walk(reading: &Reading) -> Syntax {
    let mut words = reading.weighty().map(|at| &reading.tokens[at]);
    let mut walk = Walk {
        reading,
        syntax: Syntax::default(),
        clause: Clause::default(),
        before: None,
        forward: words.next().is_some_and(is_position),
    };
    let mut at = 0;
    while at < reading.tokens.len() {
        at = walk.step(at);
    }
    walk.end_clause();
    walk.syntax
}

impl Walk<'_> {
    /// Reads what stands there; where the next begins.
    fn step(&mut self, at: usize) -> usize {
        let role = self.token(at).role;
        if role == Role::Break {
            self.end_clause();
            if self.text(at) == "as" && is_role(self.reading, at) {
                self.clause.heads.extend(self.before);
                self.clause.preposition = Some("as");
            }
            return at + 1;
        }
        if let Some(link) = link(self.token(at)) {
            return self.preposition(at, link);
        }
        match role {
            Role::Auxiliary if self.has_something(at) => {
                self.clause.preposition = Some("with");
                self.clause.phrase = false;
            }
            Role::Auxiliary => {
                self.clause.copula |= matches!(self.text(at), "is" | "are" | "was" | "were" | "be");
            }
            Role::Empty if matches!(self.text(at), "and" | "or" | "nor") => {
                self.clause.joins = true;
            }
            role if !role.is_weighty() => {
                self.clause.last = self.clause.last.filter(|last| *last == Last::Verb);
            }
            _ if self.token(at).is_of(&LEXICON.grammar.adverbs) => self.clause.last = None,
            _ if self.reading.acts(at) && self.clause.preposition.is_none() => self.verb(at),
            _ => return self.noun(at),
        }
        at + 1
    }

    /// "Has a crown", not "has fallen".
    fn has_something(&self, at: usize) -> bool {
        let counted = self.reading.tokens.get(at + 1).is_some_and(|next| {
            matches!(next.role, Role::Number(_)) || LEXICON.grammar.articles.contains(&next.text)
        });
        counted && matches!(self.text(at), "has" | "have" | "had" | "having")
    }

    fn end_clause(&mut self) {
        self.dangle();
        self.clause = Clause::default();
    }

    /// Handles a preposition without a noun.
    fn dangle(&mut self) {
        if let (Some(link), Some(head)) = (self.clause.preposition.take(), self.clause.heads.last())
        {
            self.syntax.dangling.push((link, *head));
        }
    }

    fn preposition(&mut self, at: usize, link: Link) -> usize {
        match self.text(at + 1) {
            "which" | "whom" => {
                self.clause.heads.clear();
                self.clause.last = None;
                return at + 2;
            }
            "it" | "them" => {
                self.turn_round(link);
                return at + 2;
            }
            _ => {}
        }
        self.dangle();
        // "To celebrate" is not a place.
        let infinitive = link == "toward"
            && self
                .reading
                .tokens
                .get(at + 1)
                .is_some_and(|next| LEXICON.verbs.contains(next.text.as_str()));
        if !infinitive {
            self.clause.preposition = Some(link);
            self.clause.phrase = self.token(at).role.is_weighty();
        }
        (self.clause.joins, self.clause.copula) = (false, false);
        self.clause.last = None;
        at + 1
    }

    /// A table with grapes on it: grapes on a table.
    fn turn_round(&mut self, link: Link) {
        let with = |to: &Vec<Attachment>| to.first().filter(|to| to.by == "with").map(|to| to.to);
        let things: Vec<(usize, usize)> = self
            .syntax
            .attached
            .iter()
            .filter_map(|(thing, to)| Some((*thing, with(to)?)))
            .collect();
        for (thing, place) in things {
            self.syntax.attached.remove(&thing);
            let attached = self.syntax.attached.entry(place).or_default();
            attached.push(Attachment {
                to: thing,
                by: link,
            });
        }
    }

    fn verb(&mut self, at: usize) {
        let passive = self.reading.is_passive(at);
        let again = self
            .clause
            .verb
            .filter(|_| self.clause.joins && self.clause.last != Some(Last::Noun));
        let mut subjects = match again.and_then(|verb| self.syntax.frames.get(&verb)) {
            Some(frame) => frame.agents.clone(),
            None => self.subjects(),
        };
        if subjects.is_empty() && (passive || self.text(at).ends_with("ing")) {
            subjects.extend(self.clause.fronted.last().map(|(noun, _)| *noun));
        }
        let inside = subjects
            .first()
            .is_some_and(|subject| self.is_fronted(*subject));
        let waiting = if inside {
            Vec::new()
        } else {
            std::mem::take(&mut self.clause.waiting)
        };
        for (noun, link) in &waiting {
            let to = std::iter::once(at).chain(subjects.iter().copied());
            self.attach(*noun, to.collect(), link, true);
        }
        let frame = self.syntax.frames.entry(at).or_default();
        frame.inverted = subjects.is_empty() && !waiting.is_empty();
        *if passive {
            &mut frame.patients
        } else {
            &mut frame.agents
        } = subjects;
        self.clause.verb = Some(at);
        self.clause.heads.push(at);
        (self.clause.joins, self.clause.copula) = (false, false);
        self.clause.last = Some(Last::Verb);
    }
}
