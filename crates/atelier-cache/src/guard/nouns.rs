//! Nouns in the walk: what a run of them is attached to.

use super::{
    clause::{Last, Walk},
    lexicon::LEXICON,
    syntax::{Link, MOST_CANDIDATES, OF_RUN, is_position, is_where, link},
    token::Role,
};

impl Walk<'_> {
    /// Reads a run of nouns. Returns the index after it.
    pub(super) fn noun(&mut self, first: usize) -> usize {
        let end = (first + 1..self.reading.tokens.len())
            .find(|at| !self.goes_on(*at))
            .unwrap_or(self.reading.tokens.len());
        let head = end - 1;
        self.attach_run(first, head);
        match self.clause.preposition.take() {
            Some(link) => self.object(head, link),
            None => self.bare_noun(first, head),
        }
        (self.clause.joins, self.clause.copula) = (false, false);
        self.clause.noun = Some(head);
        self.clause.last = Some(Last::Noun);
        self.clause.heads.push(head);
        self.before = Some(head);
        end
    }

    fn goes_on(&self, at: usize) -> bool {
        let token = self.token(at);
        token.role.is_weighty()
            && link(token).is_none()
            && !self.reading.acts(at)
            && !token.is_of(&LEXICON.grammar.adverbs)
            && self.text(at + 1) != "than"
    }

    /// Each word of a run is attached to one after it.
    fn attach_run(&mut self, first: usize, head: usize) {
        for at in first..head {
            let next = self.token(at + 1);
            let bound = self.token(at).owner || next.joined && !next.text.ends_with("ing");
            if next.joined && next.is_of(&LEXICON.grammar.having) && at + 1 < head {
                self.attach(at, (at + 2..=head).collect(), "with", true);
                continue;
            }
            let to = if bound {
                at + 1..at + 2
            } else {
                at + 1..head + 1
            };
            self.attach(at, to.collect(), OF_RUN, !bound);
        }
    }

    /// The noun of a preposition.
    fn object(&mut self, noun: usize, link: Link) {
        let clause = &self.clause;
        let Some(near) = clause.heads.last().copied() else {
            self.clause.fronted.push((noun, link));
            self.clause.waiting.push((noun, link));
            return;
        };
        if link == "by" && clause.verb == Some(near) {
            let frame = self.syntax.frames.entry(near).or_default();
            if frame.patients.is_empty() {
                frame.patients = std::mem::take(&mut frame.agents);
            }
            frame.agents = vec![noun];
            return;
        }
        let mut to = vec![near];
        to.extend(self.syntax.siblings.get(&near).into_iter().flatten());
        let mut loose = clause.phrase;
        if clause.phrase {
            to.extend(self.subjects());
        }
        if let Some(frame) = self.syntax.frames.get(&near) {
            to.extend(frame.agents.iter().chain(&frame.patients));
            loose = true;
        } else if is_where(link)
            && let Some(whole) = self.whole(near)
        {
            to.push(whole);
            loose = true;
        } else if self.is_scenery(near) && link != "of" {
            to.extend(self.syntax.attached[&near].iter().map(|to| to.to));
            loose = true;
        }
        if self.token(noun).is_of(&LEXICON.grammar.scenery)
            && !matches!(link, "of" | "with" | "from")
        {
            to.extend(clause.heads.iter().rev());
            loose = true;
        }
        self.attach(noun, to, link, loose);
    }

    /// In "a hat of the captain on the table", the hat or the captain is there. A picture of
    /// something is not where that is.
    fn whole(&self, part: usize) -> Option<usize> {
        let to = self.syntax.attached.get(&part)?.first()?;
        let medium = self.token(to.to).is_of(&LEXICON.grammar.media);
        (to.by == "of" && !medium).then_some(to.to)
    }

    /// A noun without a preposition.
    fn bare_noun(&mut self, first: usize, noun: usize) {
        let predicate = self.clause.copula || first == noun && self.text(noun + 1) == "than";
        let subject = self.subjects().first().copied();
        match (self.clause.noun, self.clause.verb, subject) {
            (Some(before), ..) if self.clause.joins => self.join(before, noun),
            (_, Some(verb), _) if self.clause.last == Some(Last::Verb) => self.patient(verb, noun),
            (.., Some(subject)) if predicate => self.attach(noun, vec![subject], OF_RUN, false),
            _ if self.clause.heads.is_empty() && first == noun && self.is_tag_of_tag(noun) => {}
            _ => {
                for (waiting, link) in std::mem::take(&mut self.clause.waiting) {
                    self.attach(waiting, vec![noun], link, false);
                }
            }
        }
    }

    /// "Plate, blue" and "left: a king".
    fn is_tag_of_tag(&mut self, noun: usize) -> bool {
        let token = self.token(noun);
        let ends = self
            .reading
            .tokens
            .get(noun + 1)
            .is_none_or(|next| next.role == Role::Break);
        let colour = token
            .lemmas
            .iter()
            .any(|lemma| LEXICON.kind(lemma) == Some("colour"));
        if !ends || !colour && !is_position(token) {
            return false;
        }
        if is_position(token) && self.forward {
            let next =
                (noun + 1..self.reading.tokens.len()).find(|at| self.token(*at).role.is_weighty());
            let head = next.and_then(|next| {
                (next..self.reading.tokens.len())
                    .take_while(|at| *at == next || self.goes_on(*at))
                    .last()
            });
            self.attach(noun, head.into_iter().collect(), OF_RUN, false);
        } else {
            self.attach(noun, self.before.into_iter().collect(), OF_RUN, false);
        }
        true
    }

    /// What follows "and" is in the same place.
    fn join(&mut self, before: usize, noun: usize) {
        let patient = self
            .clause
            .verb
            .is_some_and(|verb| self.syntax.frames[&verb].patients.contains(&before));
        let to = self
            .syntax
            .attached
            .get(&before)
            .filter(|to| to.first().is_some_and(|to| to.by != OF_RUN));
        if let Some(to) = to.cloned() {
            self.syntax.attached.insert(noun, to);
            if self.syntax.loose.contains(&before) {
                self.syntax.loose.insert(noun);
            }
        } else if patient {
            let verb = self.clause.verb.unwrap_or(noun);
            self.syntax
                .frames
                .entry(verb)
                .or_default()
                .patients
                .push(noun);
        } else {
            self.clause.heads.clear();
        }
        let mut siblings = vec![before];
        siblings.extend(self.syntax.siblings.get(&before).into_iter().flatten());
        siblings.truncate(MOST_CANDIDATES);
        self.syntax.siblings.insert(noun, siblings);
    }

    fn patient(&mut self, verb: usize, noun: usize) {
        let has = self.token(verb).is_of(&LEXICON.grammar.having);
        let frame = self.syntax.frames.entry(verb).or_default();
        if std::mem::take(&mut frame.inverted) {
            frame.agents = vec![noun];
            return;
        }
        if frame.patients.is_empty() {
            frame.patients = vec![noun];
        }
        let owners = frame.agents.clone();
        if has {
            self.attach(noun, owners, "with", false);
        }
    }
}
