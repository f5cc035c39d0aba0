//! Words of grammar that need a counterpart where they are nouns, adjectives or names: a
//! can, a round table, a lemonade stand, boat 1.

use super::{
    lexicon::LEXICON,
    reading::Reading,
    relations::run,
    token::{Role, Token},
};

impl Reading {
    /// Marks small words that are things or qualities here: they need a counterpart.
    pub(super) fn mark_nouns(&mut self) {
        let nouns: Vec<usize> = (0..self.tokens.len())
            .filter(|at| !self.tokens[*at].literal && self.is_noun(*at))
            .collect();
        for at in nouns {
            self.tokens[at].role = Role::Content;
        }
    }

    /// "One" that counts nothing is a number among others.
    pub(super) fn mark_ones(&mut self) {
        for at in 0..self.tokens.len() {
            let token = &self.tokens[at];
            let one = token.role == Role::Content && matches!(token.text.as_str(), "one" | "1");
            if one && !token.literal && !self.counts(at) {
                self.tokens[at].role = Role::Number(1);
            }
        }
    }

    /// "1 boat" and "one red boat", not "the one ring", "formula 1" or "one-eyed".
    fn counts(&self, at: usize) -> bool {
        let opens = self.beside(at).is_none_or(|before| match before.role {
            Role::Content | Role::Number(_) | Role::Negator => self.acts(at - 1),
            Role::Empty | Role::Pronoun => {
                !LEXICON.grammar.articles.contains(&before.text) && before.text != "#"
            }
            _ => true,
        });
        let next = self.tokens.get(at + 1);
        // "1girl" counts, "one-eyed" does not.
        let joined = self.tokens[at].text == "one" && next.is_some_and(|next| next.joined);
        if !opens || joined || next.is_none() || self.acts(at + 1) {
            return false;
        }
        let run: Vec<usize> = run(self, at + 1)
            .into_iter()
            .filter(|word| *word > at)
            .collect();
        let Some((_, adjectives)) = run.split_last() else {
            return next.is_some_and(|next| next.role == Role::Light);
        };
        adjectives.iter().all(|at| {
            let token = &self.tokens[*at];
            token.is_adjective() || LEXICON.grammar.lone.contains(&token.text)
        })
    }

    fn is_noun(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let article = self.beside(at).is_some_and(Token::is_article);
        match token.role {
            Role::Preposition(_) => self.is_quality(at, article),
            Role::Auxiliary => self.is_thing(at, article),
            Role::Empty | Role::Pronoun if LEXICON.grammar.nominal.contains(&token.text) => {
                self.is_part(at, article)
            }
            Role::Empty | Role::Pronoun => self.is_name(at, article),
            Role::Light => self.is_meant(at, article),
            _ => false,
        }
    }

    fn beside(&self, at: usize) -> Option<&Token> {
        let before = &self.tokens[at.checked_sub(1)?];
        (before.role != Role::Break).then_some(before)
    }

    fn next(&self, at: usize) -> Option<&Token> {
        let next = self.tokens.get(at + 1)?;
        (next.role != Role::Break).then_some(next)
    }

    /// Whether a content word that is not a verb follows directly.
    fn is_before_thing(&self, at: usize) -> bool {
        let thing = self.next(at).is_some_and(|next| next.role.is_weighty());
        thing && !self.acts(at + 1)
    }

    /// Whether no noun of its own follows: "a well", "a well in a garden".
    fn ends(&self, at: usize) -> bool {
        self.next(at).is_none_or(|next| match next.role {
            Role::Preposition(_) => next.text != "of",
            Role::Empty => matches!(next.text.as_str(), "and" | "or"),
            _ => false,
        })
    }

    /// An in tray, a round table, an off-road car.
    fn is_quality(&self, at: usize, article: bool) -> bool {
        let token = &self.tokens[at];
        let written = token.joined || self.next(at).is_some_and(|next| next.joined);
        let round = token.text == "round" && self.is_before_thing(at);
        !token.text.contains(' ') && (article || written || round)
    }

    /// A can, a will, a human being, 3 am.
    fn is_thing(&self, at: usize, article: bool) -> bool {
        let numbered = self.beside(at).is_some_and(|before| {
            matches!(before.role, Role::Number(_)) || matches!(before.text.as_str(), "1" | "one")
        });
        match self.tokens[at].text.as_str() {
            "am" => article || numbered,
            "will" | "may" if self.beside(at).is_none() => self.is_before_thing(at),
            "can" | "will" | "may" | "might" | "must" => article || self.ends(at),
            "being" => {
                let behind = self
                    .beside(at)
                    .is_some_and(|before| before.role == Role::Content);
                article || behind && self.ends(at)
            }
            _ => article,
        }
    }

    /// A picture frame, a just king, a drill bit, somebody with a picture.
    fn is_part(&self, at: usize, article: bool) -> bool {
        let token = &self.tokens[at];
        let grammar = &LEXICON.grammar;
        let before = self.beside(at);
        let behind = before.is_some_and(|before| before.role == Role::Content);
        let counted = before.is_some_and(|before| matches!(before.role, Role::Number(_)));
        let qualifies = grammar.qualities.contains(&token.text) && !behind && !counted
            || article && matches!(token.text.as_str(), "just" | "like" | "own");
        let participle = self.next(at).is_some_and(Token::is_participle);
        if qualifies && !participle && self.is_before_thing(at) {
            return true;
        }
        // "A scene in a forest" is the picture itself.
        let thing = if grammar.pieces.contains(&token.text) {
            article || behind
        } else {
            article && before.is_some_and(|before| before.text != "the") && self.is_begun(at)
        };
        thing && self.ends(at)
    }

    /// Whether content words precede it in the clause.
    fn is_begun(&self, at: usize) -> bool {
        let clause = self.tokens[at].clause;
        let mut before = self.tokens[..at].iter().rev();
        before.any(|token| token.role.is_weighty() && token.clause == clause)
    }

    /// The Who, the here and now, Elizabeth I, vitamin a.
    fn is_name(&self, at: usize, article: bool) -> bool {
        let token = &self.tokens[at];
        let small = LEXICON.grammar.articles.contains(&token.text)
            || LEXICON.grammar.joiners.contains(&token.text);
        let letter = matches!(token.text.as_str(), "a" | "i");
        let behind = self
            .beside(at)
            .is_some_and(|before| before.role == Role::Content && !self.acts(at - 1));
        let bound = self.next(at).is_some_and(|next| next.joined);
        let title = self.next(at).is_some_and(|next| next.capital);
        let capital = token.written == "A" && !self.begins(at) && !title;
        let ends = self.ends(at);
        small && (article && token.text != "some")
            || letter && (bound || behind && ends)
            || letter && capital
            || token.text == "i" && behind && self.is_before_thing(at)
    }

    /// The back of a horse, a covered bridge, a lemonade stand.
    fn is_meant(&self, at: usize, article: bool) -> bool {
        let token = &self.tokens[at];
        if article {
            return true;
        }
        let behind = self.beside(at).is_some_and(|before| {
            before.role == Role::Content && !before.is_plural() && !self.acts(at - 1)
        });
        behind && self.ends(at) && LEXICON.grammar.stands.contains(&token.text)
    }
}
