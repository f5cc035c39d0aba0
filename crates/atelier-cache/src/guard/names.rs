//! Differences of content words by number, place and spelling: room 7 and 7 rooms, a cat
//! and cats, Turkey and a turkey, a bar and a Bär.

use super::{
    both::Both,
    lexicon::LEXICON,
    reading::Reading,
    relations::run,
    text::unaccented,
    token::{Role, Token},
};

impl Reading {
    /// The word right before a number, which that may be the number of.
    fn numbered(&self, at: usize) -> Option<usize> {
        let before = at.checked_sub(1)?;
        let token = &self.tokens[before];
        let named = matches!(token.role, Role::Content | Role::Number(_));
        let thing = !token.is_plural() && !token.text.ends_with("ing") && !self.acts(before);
        (named && thing).then_some(before)
    }

    /// Whether something follows that the number may count.
    fn is_count(&self, at: usize) -> bool {
        let next = self.tokens.get(at + 1);
        next.is_some_and(|next| next.role.is_weighty()) && !self.acts(at + 1)
    }

    /// The article or the like before a thing and its adjectives.
    pub(super) fn article(&self, at: usize) -> Option<&Token> {
        let first = run(self, at).first().copied().unwrap_or(at);
        let before = &self.tokens[first.checked_sub(1)?];
        let article = LEXICON.grammar.articles.contains(&before.text);
        (before.role == Role::Empty && article).then_some(before)
    }

    /// Whether the whole clause is quoted: such quotes are not lettering.
    fn is_all_quoted(&self, at: usize) -> bool {
        let quoted = |at: &usize| self.tokens[*at].quoted;
        let first = (0..=at).rev().take_while(quoted).last().unwrap_or(at);
        let end = (at..self.tokens.len()).find(|at| !quoted(at));
        let ends = end.is_none_or(|end| self.tokens[end].role == Role::Break);
        self.begins(first) && ends
    }

    /// The first thing in the prompt that is not a style.
    fn subject(&self) -> Option<usize> {
        let things = self
            .weighty()
            .filter_map(|at| run(self, at).last().copied());
        let mut things = things.filter(|at| !self.acts(*at));
        things.find(|at| {
            let token = &self.tokens[*at];
            let style = token
                .lemmas
                .iter()
                .any(|lemma| LEXICON.kind(lemma) == Some("style"));
            !style && !token.is_of(&LEXICON.grammar.media)
        })
    }
}

impl Both<'_> {
    /// Room 7 is not 7 rooms, and 2 to 1 is not 1 to 2.
    pub(super) fn numbers(&self) -> Option<String> {
        let number = |(x, _): &(usize, usize)| matches!(self.a.tokens[*x].role, Role::Number(_));
        let numbers: Vec<_> = self.pairs().filter(number).collect();
        let moved = numbers.iter().find(|(x, y)| {
            let named = match (self.a.numbered(*x), self.b.numbered(*y)) {
                (Some(thing), Some(other)) => self.are_same(thing, other),
                (None, None) => true,
                _ => false,
            };
            !named || self.a.is_count(*x) != self.b.is_count(*y)
        });
        let bare = numbers.iter().filter(|(x, _)| !self.a.is_count(*x));
        let bare: Vec<_> = bare.collect();
        let clause = |(x, _): &(usize, usize)| self.a.tokens[*x].clause;
        let turned = bare
            .windows(2)
            .find(|two| two[0].1 > two[1].1 && clause(two[0]) == clause(two[1]));
        let (x, _) = moved.or_else(|| turned.map(|two| two[0]))?;
        let text = &self.a.tokens[*x].text;
        Some(format!("“{text}” counts or names another thing"))
    }

    /// One main subject is not many, nor one owner several.
    pub(super) fn plurals(&self) -> Option<String> {
        let grammar = &LEXICON.grammar;
        let subject = self.a.subject();
        self.pairs().find_map(|(x, y)| {
            let (one, other) = (&self.a.tokens[x], &self.b.tokens[y]);
            let owners = one.owner && other.owner;
            let general = [one, other]
                .iter()
                .any(|token| token.is_of(&grammar.scenery) || token.is_of(&grammar.many));
            let about = subject == Some(x) && self.b.subject() == Some(y) && !general;
            let counted = |reading: &Reading, at: usize| {
                let run = run(reading, at);
                let first = run.first().copied().unwrap_or(at);
                let before = first.checked_sub(1).map(|before| &reading.tokens[before]);
                let all = ["all", "every", "each"];
                before.is_some_and(|before| all.contains(&before.text.as_str()))
                    || run
                        .iter()
                        .any(|at| matches!(reading.tokens[*at].role, Role::Number(_)))
            };
            let differ = !one.literal
                && !other.literal
                && (is_plural_of(one, other) || is_plural_of(other, one))
                && (owners || about && !counted(self.a, x) && !counted(self.b, y));
            differ.then(|| format!("“{}” and “{}” are not as many", one.text, other.text))
        })
    }

    /// Turkey is no turkey, and a white house is not the White House.
    pub(super) fn names(&self) -> Option<String> {
        self.pairs().find_map(|(x, y)| {
            let (one, other) = (&self.a.tokens[x], &self.b.tokens[y]);
            let named = |token: &Token| token.written.starts_with(char::is_uppercase);
            let (reading, at) = match (named(one), named(other)) {
                (true, false) => (self.a, x),
                (false, true) => (self.b, y),
                _ => return None,
            };
            let token = &reading.tokens[at];
            let next = reading.tokens.get(at + 1);
            let size = matches!(
                token.text.as_str(),
                "big" | "long" | "great" | "grand" | "high"
            );
            let described = (at == 0 || !reading.begins(at))
                && (size || LEXICON.kind(&token.text) == Some("colour"))
                && next.is_some_and(|next| next.capital && next.known);
            let names = LEXICON.grammar.names.contains(&token.text);
            // "Rose in a vase" is capitalised as a beginning only; "Polish shoes" may be a name.
            let opens = reading.begins(at)
                && next.is_some_and(|next| !next.role.is_weighty() && next.role != Role::Break);
            let differ = !one.quoted
                && !other.quoted
                && one.text == other.text
                && (described || names && !opens);
            differ.then(|| format!("“{}” is a name in one of them only", token.written))
        })
    }

    /// A man-eating shark, and a man eating shark.
    pub(super) fn compounds(&self) -> Option<String> {
        let turned = |joined: &Reading, x: usize, other: &Reading, y: usize| {
            joined.tokens[x].joined && !other.tokens[y].joined && other.acts(y)
        };
        self.pairs().find_map(|(x, y)| {
            let (before, behind) = (x.checked_sub(1)?, y.checked_sub(1)?);
            let token = &self.a.tokens[x];
            let differ = token.text.ends_with("ing")
                && self.are_same(before, behind)
                && !self.a.tokens[before].is_adjective()
                && (turned(self.a, x, self.b, y) || turned(self.b, y, self.a, x));
            differ.then(|| format!("“{}” is done in one of them only", token.text))
        })
    }

    /// A "fresh" fish need not be fresh.
    pub(super) fn quotations(&self) -> Option<String> {
        self.pairs().find_map(|(x, y)| {
            let (one, other) = (&self.a.tokens[x], &self.b.tokens[y]);
            let plain = |token: &Token| !token.literal && !token.capital;
            let differ = one.quoted && plain(other) && !self.a.is_all_quoted(x)
                || other.quoted && plain(one) && !self.b.is_all_quoted(y);
            differ.then(|| format!("“{}” is quoted in one of them only", one.text))
        })
    }

    /// A Bär is no bar, and a rosé no rose; other accents are often omitted.
    pub(super) fn spelling(&self) -> Option<String> {
        self.pairs().find_map(|(x, y)| {
            let (one, other) = (&self.a.tokens[x], &self.b.tokens[y]);
            if one.written.is_ascii() && other.written.is_ascii() {
                return None;
            }
            let (left, right) = (one.written.to_lowercase(), other.written.to_lowercase());
            let umlaut = |word: &str| word.contains(['ä', 'ö', 'ü', 'ő', 'ű', 'å']);
            let strict = one.literal
                || other.literal
                || !left.is_ascii() && !right.is_ascii()
                || umlaut(&left)
                || umlaut(&right)
                || one.is_of(&LEXICON.grammar.accented);
            let differ = strict && left != right && unaccented(&left) == unaccented(&right);
            differ.then(|| {
                format!(
                    "“{}” and “{}” have other accents",
                    one.written, other.written
                )
            })
        })
    }
}

/// Cats and a cat, felines and a cat; not spectacles and glasses.
fn is_plural_of(many: &Token, one: &Token) -> bool {
    let mut singular = many.lemmas.iter().filter(|lemma| **lemma != many.text);
    let related = many.text.strip_suffix('s') == Some(&one.text)
        || singular.any(|lemma| {
            let mut groups = LEXICON.groups(lemma).iter();
            one.lemmas.contains(lemma) || groups.any(|group| one.groups.contains(group))
        });
    related && many.is_plural() && !one.is_plural()
}
