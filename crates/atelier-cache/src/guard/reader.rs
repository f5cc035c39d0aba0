//! Parses a prompt: its words with their lemmas, negations, and what belongs to what.

use super::{
    constructions, lemma,
    lexicon::LEXICON,
    phrases::{mark_capitals, mark_idioms, mark_lettering, phrases},
    reading::Reading,
    split::{Raw, split},
    text::{Wish, unaccented},
    token::{Role, Token, bare},
};

/// Parses a request.
pub(super) fn read(wish: &Wish) -> Reading {
    let mut tokens = Vec::new();
    for raw in split(&wish.text) {
        match raw {
            Raw::Quotation(number) => {
                let quoted = wish.quotations.get(number).map_or("", String::as_str);
                tokens.extend(split(quoted).into_iter().filter_map(literal));
            }
            raw => tokens.push(token(raw)),
        }
    }
    mark_capitals(&mut tokens, &wish.plain);
    mark_lettering(&mut tokens);
    mark_idioms(&mut tokens);
    let mut reading = Reading {
        tokens: phrases(&tokens),
    };
    reading.number_clauses();
    reading.mark_nouns();
    reading.mark_ones();
    reading.mark_particles();
    reading.mark_negated();
    constructions::mark(&mut reading);
    reading
}

fn literal(raw: Raw) -> Option<Token> {
    let Raw::Word { text, .. } = raw else {
        return None;
    };
    Some(Token {
        literal: true,
        quoted: true,
        written: text.clone(),
        ..bare(unaccented(&text).to_lowercase(), Role::Content)
    })
}

/// The role of a word, independent of its context.
fn token(raw: Raw) -> Token {
    let (original, joined) = match raw {
        Raw::Word { text, joined } => (text, joined),
        Raw::Quotation(_) | Raw::Break => (String::new(), false),
    };
    let mut text = unaccented(&original).to_lowercase();
    let mut owns = false;
    if let Some(owner) = text.strip_suffix("'s") {
        // 1980's as 1980s; the order shows the possessive.
        let decade = owner.ends_with(|c: char| c.is_ascii_digit());
        owns = !decade;
        text = if decade {
            format!("{owner}s")
        } else {
            owner.to_owned()
        };
    }
    if text.ends_with("s'") {
        text.pop();
        owns = !text.starts_with(|c: char| c.is_ascii_digit());
    }
    if LEXICON.grammar.negators.contains(&text) {
        return bare(text, Role::Negator);
    }
    let measure = text.starts_with(|c: char| c.is_ascii_digit());
    text.retain(|c| c != '\'' || measure);
    if text.contains(':') {
        // 06:30
        text = text.trim_start_matches('0').to_owned();
    }
    let role = role(&text, &original);
    let lemmas = match role {
        Role::Content => lemma::lemmas(&text),
        _ => vec![text.clone()],
    };
    let groups = lemmas
        .iter()
        .flat_map(|lemma| LEXICON.groups(lemma))
        .copied();
    let mut token = Token {
        groups: groups.collect(),
        known: lemmas.iter().any(|lemma| LEXICON.knows(lemma))
            || !text.contains(char::is_alphabetic),
        capital: original.starts_with(char::is_uppercase),
        written: original,
        owner: owns,
        joined,
        lemmas,
        ..bare(text, role)
    };
    if role == Role::Content && token.is_of(&LEXICON.grammar.light) {
        token.role = Role::Light;
    }
    token
}

fn role(text: &str, original: &str) -> Role {
    let grammar = &LEXICON.grammar;
    if text.is_empty() {
        return Role::Break;
    }
    // A letter of its own, as in "the letter A".
    let letter = text.len() == 1 && original != text && text != "i" && text != "a";
    if letter {
        return Role::Content;
    }
    // 007 does not count anything.
    if text == "1" || text.len() > 1 && text.starts_with('0') {
        return Role::Content;
    }
    if let Some(number) = text
        .parse()
        .ok()
        .or_else(|| grammar.numbers.get(text).copied())
    {
        return Role::Number(number);
    }
    if matches!(text, "which" | "whom" | "it" | "them" | "that") {
        return Role::Pronoun;
    }
    if text == "by" {
        return Role::By;
    }
    if grammar.articles.contains(text)
        || grammar.joiners.contains(text)
        || grammar.empty.contains(text)
    {
        return Role::Empty;
    }
    if grammar.auxiliaries.contains(text) {
        return Role::Auxiliary;
    }
    if grammar.clauses.contains(text) {
        return Role::Break;
    }
    match LEXICON.place(text) {
        Some(place) => Role::Preposition(place),
        None => Role::Content,
    }
}

impl Reading {
    fn number_clauses(&mut self) {
        let mut clause = 0;
        for token in &mut self.tokens {
            clause += usize::from(token.role == Role::Break);
            token.clause = clause;
        }
    }

    /// Headlights are on, or off.
    fn mark_particles(&mut self) {
        for at in 0..self.tokens.len() {
            let next = self
                .tokens
                .get(at + 1)
                .map_or(Role::Break, |token| token.role);
            let ends = matches!(next, Role::Break | Role::Preposition(_));
            if ends && matches!(self.tokens[at].text.as_str(), "on" | "off") {
                self.tokens[at].role = Role::Content;
            }
        }
    }

    /// The scope of a "no": to the end of the phrase after it.
    fn mark_negated(&mut self) {
        let mut reach = None;
        for at in 0..self.tokens.len() {
            let verb = self.is_verb(at);
            let token = &mut self.tokens[at];
            match (token.role, reach) {
                (Role::Negator, _) => reach = Some(0),
                (Role::Break | Role::Preposition(_), Some(_)) => reach = None,
                (role, Some(seen)) if role.is_weighty() => {
                    if verb && seen > 0 {
                        reach = None;
                        continue;
                    }
                    token.negated = true;
                    reach = Some(seen + 1);
                }
                _ => {}
            }
        }
    }
}
