//! Pairs the words of two prompts that mean the same.

use super::{
    lemma,
    lexicon::LEXICON,
    reading::Reading,
    token::{Role, Token},
};

/// With more unpaired words than this, they are not compared closely.
const MOST_ODD: usize = 24;

/// The pairs: one-to-one, except that both halves of a compound written apart have the
/// same counterpart.
#[derive(Debug)]
pub(super) struct Pairing {
    /// For each token of one prompt, that of the other.
    pub(super) there: Vec<Option<usize>>,
    /// The reverse.
    pub(super) back: Vec<Option<usize>>,
    /// Counterparts that are other words.
    pub(super) reworded: Vec<(usize, usize)>,
}

impl Pairing {
    /// Pairs the surest counterparts first.
    pub(super) fn new(a: &Reading, b: &Reading) -> Self {
        let mut pairing = Self {
            there: vec![None; a.tokens.len()],
            back: vec![None; b.tokens.len()],
            reworded: Vec::new(),
        };
        pairing.join(a, b, |x, y| x.text == y.text);
        pairing.compounds(a, b);
        pairing.join(a, b, share_lemma);
        pairing.join(a, b, |x, y| {
            !x.literal && !y.literal && x.groups.iter().any(|g| y.groups.contains(g))
        });
        let odd = pairing.odd(a).len().max(pairing.odd_back(b).len());
        if odd <= MOST_ODD {
            pairing.join(a, b, share_root);
            pairing.join(a, b, is_misspelt);
        }
        pairing
    }

    fn join(&mut self, a: &Reading, b: &Reading, alike: impl Fn(&Token, &Token) -> bool) {
        let (near_a, near_b) = (neighbours(a), neighbours(b));
        for x in a.weighty() {
            if self.there[x].is_some() {
                continue;
            }
            let fits = |y: &usize| self.back[*y].is_none() && alike(&a.tokens[x], &b.tokens[*y]);
            // If a word occurs twice, its neighbours decide.
            let kinship = |y: usize| {
                let sides = near_a[x].iter().zip(&near_b[y]);
                sides
                    .filter(|(one, other)| one.is_some() && one == other)
                    .count()
            };
            let best = b
                .weighty()
                .filter(fits)
                .max_by_key(|y| (kinship(*y), usize::MAX - y.abs_diff(x)));
            if let Some(y) = best {
                self.pair(a, b, x, y);
            }
        }
    }

    fn pair(&mut self, a: &Reading, b: &Reading, x: usize, y: usize) {
        self.there[x] = Some(y);
        self.back[y] = Some(x);
        if !share_lemma(&a.tokens[x], &b.tokens[y]) {
            self.reworded.push((x, y));
        }
    }

    /// `lofi` and `lo-fi`, `raincoat` and `rain coat`.
    fn compounds(&mut self, a: &Reading, b: &Reading) {
        let (one, two) = (
            unite(a, b, &self.there, &self.back),
            unite(b, a, &self.back, &self.there),
        );
        for (x, y) in one {
            self.there[x] = Some(y);
            self.there[x + 1] = Some(y);
            self.back[y] = Some(x);
        }
        for (y, x) in two {
            self.back[y] = Some(x);
            self.back[y + 1] = Some(x);
            self.there[x] = Some(y);
        }
    }

    /// Words of the first prompt without a counterpart.
    pub(super) fn odd(&self, a: &Reading) -> Vec<usize> {
        a.weighty().filter(|x| self.there[*x].is_none()).collect()
    }

    /// Words of the second prompt without a counterpart.
    pub(super) fn odd_back(&self, b: &Reading) -> Vec<usize> {
        b.weighty().filter(|y| self.back[*y].is_none()).collect()
    }
}

/// The neighbours of each word, ignoring small words.
fn neighbours(reading: &Reading) -> Vec<[Option<&str>; 2]> {
    let tokens = &reading.tokens;
    let beside = |at: usize, step: isize| {
        let mut at = at.checked_add_signed(step)?;
        while matches!(tokens.get(at)?.role, Role::Empty | Role::Auxiliary) {
            at = at.checked_add_signed(step)?;
        }
        tokens[at].lemmas.first().map(String::as_str)
    };
    (0..tokens.len())
        .map(|at| [beside(at, -1), beside(at, 1)])
        .collect()
}

/// Pairs of neighbours in `a` that are one word in `b`.
fn unite(
    a: &Reading,
    b: &Reading,
    there: &[Option<usize>],
    back: &[Option<usize>],
) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for x in 0..a.tokens.len().saturating_sub(1) {
        let (one, two) = (&a.tokens[x], &a.tokens[x + 1]);
        let whole = |token: &Token| !matches!(token.role, Role::Break | Role::Negator);
        if there[x].is_some() || there[x + 1].is_some() || !whole(one) || !whole(two) {
            continue;
        }
        // A black bird need not be a blackbird.
        if one.is_adjective() && !two.joined {
            continue;
        }
        let y = b.weighty().find(|y| {
            let together = &b.tokens[*y].text;
            back[*y].is_none()
                && together.len() >= 4
                && together.starts_with(one.text.as_str())
                && two.lemmas.iter().any(|lemma| {
                    together.ends_with(lemma.as_str())
                        && together.len() == one.text.len() + lemma.len()
                })
                || back[*y].is_none() && *together == format!("{}{}", one.text, two.text)
        });
        if let Some(y) = y {
            found.push((x, y));
        }
    }
    found
}

fn share_lemma(x: &Token, y: &Token) -> bool {
    match (x.role, y.role) {
        (Role::Number(one), Role::Number(other)) => one == other,
        (Role::Number(_), _) | (_, Role::Number(_)) => false,
        _ if x.literal || y.literal => x.text == y.text,
        _ => x.lemmas.iter().any(|lemma| y.lemmas.contains(lemma)),
    }
}

/// `wind` and `windy`; `rainy` and `rains`.
fn share_root(x: &Token, y: &Token) -> bool {
    if x.literal || y.literal {
        return false;
    }
    let roots = |token: &Token| -> Vec<String> {
        let roots = token.lemmas.iter().filter_map(|lemma| lemma::root(lemma));
        roots.collect()
    };
    let (one, other) = (roots(x), roots(y));
    let same = |roots: &[String], token: &Token| {
        roots.iter().any(|root| {
            token.lemmas.contains(root)
                || LEXICON
                    .groups(root)
                    .iter()
                    .any(|group| token.groups.contains(group))
        })
    };
    same(&one, y) || same(&other, x) || one.iter().any(|root| other.contains(root))
}

/// Whether one is a misspelling of the other: only one of them is an English word.
fn is_misspelt(x: &Token, y: &Token) -> bool {
    if x.literal || y.literal || x.capital || y.capital || x.known == y.known {
        return false;
    }
    let (wrong, right) = if x.known { (y, x) } else { (x, y) };
    if right.text.contains(' ') || !matches!(wrong.role, Role::Content) {
        return false;
    }
    let slips = match wrong.text.chars().count() {
        0..=3 => return false,
        4..=7 => 1,
        _ => 2,
    };
    let starts = wrong.text.chars().next() == right.text.chars().next();
    starts
        && right.text.chars().count() >= 4
        && strsim::osa_distance(&wrong.text, &right.text) <= slips
}
