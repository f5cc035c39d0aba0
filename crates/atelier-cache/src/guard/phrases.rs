//! Words with a joint meaning: lettering, idioms, and phrases that stand for one word.

use super::{
    constructions,
    lexicon::{Group, LEXICON},
    text::unaccented,
    token::{Role, Token, bare},
};

/// If more long words than this are capitalised, capitals carry no meaning.
const TITLE: usize = 2;

/// Marks words in capitals as lettering, unless all are.
pub(super) fn mark_capitals(tokens: &mut [Token], text: &str) {
    let capital = |word: &str| {
        word.chars().filter(|c| c.is_alphabetic()).count() > 1 && !word.contains(char::is_lowercase)
    };
    let text = unaccented(text);
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().any(char::is_alphabetic))
        .collect();
    let shouted: Vec<String> = words
        .iter()
        .filter(|word| capital(word))
        .map(|word| word.to_lowercase())
        .collect();
    // The first word of a sentence is always capitalised.
    for at in 0..tokens.len() {
        tokens[at].capital &= at > 0 && tokens[at - 1].role != Role::Break;
    }
    let long = || words.iter().filter(|word| word.chars().count() > 2);
    let begun = long().filter(|word| word.starts_with(char::is_uppercase));
    let (begun, long) = (begun.count(), long().count());
    let titled = long > 1 && begun == long || long > TITLE && 4 * begun > 3 * long;
    if titled || 2 * shouted.len() > words.len() {
        tokens
            .iter_mut()
            .for_each(|token| token.written = token.written.to_lowercase());
    }
    if 2 * shouted.len() > words.len() {
        return;
    }
    for token in tokens
        .iter_mut()
        .filter(|token| shouted.contains(&token.text))
    {
        // The US flag, an IT office: no small words.
        if LEXICON.grammar.initials.contains(&token.text) {
            token.role = Role::Content;
        }
        token.literal |= token.role == Role::Content;
    }
    // "Letter A", "plan a": no article.
    for at in 1..tokens.len() {
        if tokens[at].text == "a" && LEXICON.grammar.numbered.contains(&tokens[at - 1].text) {
            tokens[at].role = Role::Content;
            tokens[at].literal = true;
        }
    }
}

/// "A sign that says big sale" does not say large sale.
pub(super) fn mark_lettering(tokens: &mut [Token]) {
    let (mut announced, mut borne) = (false, false);
    for token in tokens {
        if token.role == Role::Break {
            (announced, borne) = (false, false);
            continue;
        }
        let spoken = token.role == Role::Empty && !LEXICON.grammar.joiners.contains(&token.text);
        let article = matches!(token.text.as_str(), "a" | "an" | "the");
        if announced && spoken && !article {
            token.role = Role::Content;
        }
        if announced && matches!(token.role, Role::Content | Role::Light) {
            token.literal = true;
        }
        borne |= LEXICON.grammar.bearers.contains(&token.text);
        announced |=
            LEXICON.grammar.lettering.contains(&token.text) || borne && token.text == "reading";
    }
}

/// "By the sea" is a place, "eaten by the sea" is not; "hold the onions" means none.
pub(super) fn mark_idioms(tokens: &mut [Token]) {
    for at in 0..tokens.len() {
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let participle = before.is_some_and(Token::is_participle);
        let begins = before.is_none_or(|before| before.role == Role::Break);
        let medium = before.is_some_and(|before| before.is_of(&LEXICON.grammar.media));
        let the = tokens.get(at + 1).is_some_and(|next| next.text == "the");
        match tokens[at].text.as_str() {
            "by" if !participle && !medium => tokens[at].role = Role::Preposition("beside"),
            "hold" if begins && the && at > 0 => tokens[at].role = Role::Negator,
            _ => {}
        }
    }
}

/// Merges words with a joint meaning into one token.
pub(super) fn phrases(tokens: &[Token]) -> Vec<Token> {
    let mut joined = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let (token, taken) = constructions::joined(&tokens[at..])
            .or_else(|| number(&tokens[at..]))
            .or_else(|| preposition(&tokens[at..]))
            .or_else(|| phrase(&tokens[at..]))
            .unwrap_or_else(|| (tokens[at].clone(), 1));
        joined.push(token);
        at += taken;
    }
    joined
}

/// Twenty-one; half a dozen.
fn number(tokens: &[Token]) -> Option<(Token, usize)> {
    let value = |token: &Token| match token.role {
        Role::Number(value) => Some(value),
        _ => matches!(token.text.as_str(), "one" | "1").then_some(1),
    };
    let (first, next) = (tokens.first()?, tokens.get(1)?);
    if first.literal {
        return None;
    }
    let (sum, taken) = match (first.text.as_str(), next.text.as_str(), tokens.get(2)) {
        ("half", "a", Some(dozen)) if dozen.text == "dozen" => (6, 3),
        ("half", "dozen", _) => (6, 2),
        _ => match (first.role, value(next)) {
            // Not twenty one-dollar bills, nor 20 1-dollar bills.
            (Role::Number(tens @ 20..=90), Some(ones @ 1..=9))
                if tens % 10 == 0
                    && first.text.starts_with(char::is_alphabetic)
                    && (next.joined || tokens.get(2).is_none_or(|after| !after.joined)) =>
            {
                (tens + ones, 2)
            }
            _ => return None,
        },
    };
    let words = tokens[..taken].iter().map(|token| token.text.as_str());
    let text = words.collect::<Vec<_>>().join(" ");
    Some((bare(text, Role::Number(sum)), taken))
}

fn preposition(tokens: &[Token]) -> Option<(Token, usize)> {
    let spells = |words: &str| {
        let count = words.split(' ').count();
        let same = tokens.len() >= count
            && words
                .split(' ')
                .zip(tokens)
                .all(|(word, token)| token.text == word);
        same.then_some(count)
    };
    LEXICON.long_prepositions().find_map(|words| {
        let taken = spells(words)?;
        let place = LEXICON.place(words)?;
        Some((bare(words.to_owned(), Role::Preposition(place)), taken))
    })
}

fn phrase(tokens: &[Token]) -> Option<(Token, usize)> {
    let first = tokens
        .first()
        .filter(|token| !token.literal && token.role != Role::Break)?;
    let mut best: Option<(Vec<Group>, usize)> = None;
    for (rest, group) in first.lemmas.iter().flat_map(|lemma| LEXICON.phrases(lemma)) {
        let fits = tokens.len() > rest.len()
            && rest.iter().zip(&tokens[1..]).all(|(word, token)| {
                !token.literal && token.role != Role::Break && is_or_are(&token.text, word)
            });
        let taken = rest.len() + 1;
        match &mut best {
            _ if !fits => {}
            Some((groups, most)) if *most == taken => groups.push(*group),
            Some((_, most)) if *most > taken => {}
            _ => best = Some((vec![*group], taken)),
        }
    }
    let (groups, taken) = best?;
    let text = tokens[..taken]
        .iter()
        .map(|token| token.text.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    // "made of" means about the same as "of".
    let role = if tokens[..taken].iter().all(|t| {
        matches!(
            t.role,
            Role::Light | Role::Preposition(_) | Role::Empty | Role::Auxiliary
        )
    }) {
        Role::Light
    } else {
        Role::Content
    };
    Some((
        Token {
            groups,
            joined: first.joined,
            ..bare(text, role)
        },
        taken,
    ))
}

/// The word, or its plural: a "car park" has nothing to do with "a car parked".
fn is_or_are(text: &str, word: &str) -> bool {
    text == word || text.strip_suffix('s') == Some(word) || text.strip_suffix("es") == Some(word)
}
