//! Compares relations in two prompts: where things are, whose they are, and who does what
//! to whom.

use super::{
    both::Both,
    lexicon::LEXICON,
    relations::{Relation, governor, head, relations, run},
    token::{Role, Token},
};

impl Both<'_> {
    /// The same thing is not under and on the same thing.
    pub(super) fn places(&self) -> Option<String> {
        self.pairs().find_map(|(x, y)| {
            let (one, other) = (governor(self.a, x)?, governor(self.b, y)?);
            let apart = match (self.a.tokens[one].role, self.b.tokens[other].role) {
                (Role::Preposition(p), Role::Preposition(q)) => LEXICON.are_apart(p, q),
                // A painting of a child is not by a child.
                (Role::By, Role::Preposition(p)) | (Role::Preposition(p), Role::By) => p == "of",
                _ => false,
            };
            apart.then(|| {
                format!(
                    "“{} {}” and “{} {}” are different places",
                    self.a.tokens[one].text,
                    self.a.tokens[x].text,
                    self.b.tokens[other].text,
                    self.b.tokens[y].text
                )
            })
        })
    }

    /// The lamp on the floor beside the table, and on the table beside the floor.
    pub(super) fn places_swapped(&self) -> Option<String> {
        let placed: Vec<_> = self
            .pairs()
            .filter_map(|(x, y)| {
                let (p, q) = (governor(self.a, x)?, governor(self.b, y)?);
                match (self.a.tokens[p].role, self.b.tokens[q].role) {
                    (Role::Preposition(p), Role::Preposition(q)) if p != q => Some((x, p, q)),
                    _ => None,
                }
            })
            .collect();
        placed.iter().find_map(|(x, p, q)| {
            let (other, ..) = placed.iter().find(|(_, r, s)| r == q && s == p)?;
            Some(format!(
                "“{}” and “{}” change places",
                self.a.tokens[*x].text, self.a.tokens[*other].text
            ))
        })
    }

    /// Fallen leaves are no longer falling.
    pub(super) fn participles(&self) -> Option<String> {
        let differ = |x: &Token, y: &Token| x.text.ends_with("ing") && y.is_past();
        self.pairs().find_map(|(x, y)| {
            head(self.a, x)?;
            head(self.b, y)?;
            let (one, other) = (&self.a.tokens[x], &self.b.tokens[y]);
            (differ(one, other) || differ(other, one))
                .then(|| format!("“{}” is not “{}”", one.text, other.text))
        })
    }

    /// The red one is the red one in both.
    pub(super) fn owners(&self) -> Option<String> {
        self.pairs().find_map(|(x, y)| {
            let (one, other) = (head(self.a, x)?, head(self.b, y)?);
            let (there, back) = (self.pairing.there[one]?, self.pairing.back[other]?);
            let same =
                there == other || run(self.b, y).contains(&there) || run(self.a, x).contains(&back);
            (!same).then(|| {
                format!(
                    "“{}” belongs to “{}” in one and to “{}” in the other",
                    self.a.tokens[x].text, self.a.tokens[one].text, self.b.tokens[other].text
                )
            })
        })
    }

    /// Who does what to whom, and what is on what.
    pub(super) fn roles(&self) -> Option<String> {
        let (one, other) = (relations(self.a), relations(self.b));
        for r in &one {
            for s in &other {
                if !self.alike(r, s) {
                    continue;
                }
                if let Some(reason) = self.crossed(r, s) {
                    return Some(reason);
                }
            }
        }
        None
    }

    fn alike(&self, r: &Relation, s: &Relation) -> bool {
        match (self.a.tokens[r.at].role, self.b.tokens[s.at].role) {
            (Role::Preposition(p), Role::Preposition(q)) => p == q,
            (Role::Preposition(_), _) | (_, Role::Preposition(_)) => false,
            _ => self.pairing.there[r.at] == Some(s.at),
        }
    }

    fn crossed(&self, r: &Relation, s: &Relation) -> Option<String> {
        let there = |side: &[usize]| -> Vec<usize> {
            side.iter().filter_map(|x| self.pairing.there[*x]).collect()
        };
        let (left, right) = (there(&r.left), there(&r.right));
        let moved = |from: &[usize], to: &[usize], stays: &[usize]| {
            from.iter()
                .find(|y| to.contains(y) && !stays.contains(y))
                .copied()
        };
        let x = moved(&left, &s.right, &s.left);
        let y = moved(&right, &s.left, &s.right);
        let name = |y: usize| self.b.tokens[y].text.clone();
        if let (Some(x), Some(y)) = (x, y) {
            return Some(format!(
                "“{}” and “{}” change places around “{}”",
                name(x),
                name(y),
                self.a.tokens[r.at].text
            ));
        }
        // Another agent, or another place.
        let known: Vec<usize> = s
            .left
            .iter()
            .copied()
            .filter(|y| self.pairing.back[*y].is_some())
            .collect();
        let apart = |one: &[usize], other: &[usize]| one.iter().all(|y| !other.contains(y));
        let strangers = !left.is_empty()
            && !known.is_empty()
            && apart(&left, &known)
            && apart(&left, &s.right)
            && apart(&known, &right);
        let same_place =
            || matches!((right.last(), s.right.last()), (Some(one), Some(other)) if one == other);
        let tells = match self.a.tokens[r.at].role {
            Role::Preposition(place) => !matches!(place, "of" | "at") && same_place(),
            _ => self.a.is_verb(r.at) && self.b.is_verb(s.at),
        };
        let replaced = tells && strangers;
        replaced.then(|| {
            format!(
                "“{}” is told of “{}” in one and of “{}” in the other",
                self.a.tokens[r.at].text,
                name(left[0]),
                name(known[0])
            )
        })
    }
}
