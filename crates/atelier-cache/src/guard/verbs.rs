//! Detects verbs by their form and place.

use super::{
    lexicon::LEXICON,
    reading::Reading,
    token::{Role, Token},
};

impl Reading {
    /// Whether the word is used as a verb, by its form.
    pub(super) fn is_verb(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        if !matches!(token.role, Role::Content | Role::Light) || token.literal {
            return false;
        }
        let of_verb = token
            .lemmas
            .iter()
            .any(|lemma| LEXICON.verbs.contains(lemma.as_str()));
        let form = token.text.as_str();
        let inflected = form.ends_with("ing")
            || form.ends_with("ed")
            || form.ends_with('s')
            || !LEXICON.irregular(form).is_empty();
        of_verb && inflected && self.follows_noun(at)
    }

    /// Whether a content word or an auxiliary directly precedes it.
    fn follows_noun(&self, at: usize) -> bool {
        at > 0
            && matches!(
                self.tokens[at - 1].role,
                Role::Content
                    | Role::Light
                    | Role::Auxiliary
                    | Role::Pronoun
                    | Role::Negator
                    | Role::Empty
            )
            && !matches!(self.tokens[at - 1].text.as_str(), "a" | "an" | "the")
    }

    /// Whether it is a verb here, by its form or its place.
    pub(super) fn acts(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let compound = self.tokens.get(at + 1).is_some_and(|next| next.joined);
        let may = matches!(token.role, Role::Content | Role::Light)
            && !token.literal
            && !token.joined
            && !compound
            && !token.text.contains(' ');
        may && (self.goes_on(at)
            || self.is_base(at)
            || self.is_making(at)
            || self.is_verb(at) && !self.is_qualified(at))
    }

    fn before(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at.checked_sub(1)?)
    }

    fn is_behind_noun(&self, at: usize) -> bool {
        self.before(at)
            .is_some_and(|before| before.role.is_weighty())
    }

    fn is_before_noun(&self, at: usize) -> bool {
        let next = self.tokens.get(at + 1);
        next.is_some_and(|next| next.role.is_weighty())
    }

    /// "Is singing", "a boy singing".
    fn goes_on(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let helped = self
            .before(at)
            .is_some_and(|before| before.role == Role::Auxiliary);
        token.text.ends_with("ing")
            && (token.lemmas.len() > 1 || !token.known)
            && (helped || self.is_behind_noun(at))
    }

    /// "Two hikers sit".
    fn is_base(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        self.is_behind_noun(at)
            && self.before(at).is_some_and(Token::is_plural)
            && !self.is_before_noun(at)
            && token.lemmas.len() == 1
            && LEXICON.verbs.contains(token.text.as_str())
    }

    /// "A woman painting a cat"; a painting is a noun elsewhere.
    fn is_making(&self, at: usize) -> bool {
        let next = self.tokens.get(at + 1).map(|next| next.text.as_str());
        self.is_behind_noun(at)
            && matches!(self.tokens[at].text.as_str(), "painting" | "drawing")
            && matches!(next, Some("a" | "an" | "the"))
    }

    /// "A moodily lit garage".
    fn is_qualified(&self, at: usize) -> bool {
        let manner = self
            .before(at)
            .is_some_and(|before| before.text.ends_with("ly"));
        manner && self.is_before_noun(at)
    }

    /// "Chased by", "covered in".
    pub(super) fn is_passive(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let next = self.tokens.get(at + 1).map(|next| next.role);
        token.is_participle()
            && match next {
                Some(Role::By) => true,
                Some(Role::Preposition("in" | "with")) => token.text.ends_with("ed"),
                _ => false,
            }
    }
}
