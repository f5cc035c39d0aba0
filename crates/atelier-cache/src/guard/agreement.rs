//! Checks that words are attached to the same words in both prompts.

use super::{
    both::Both,
    lexicon::LEXICON,
    reading::Reading,
    syntax::{Attachment, Frame, OF_RUN, Syntax, is_where},
    token::{Role, Token},
    walk::walk,
};

/// Two prompts with their attachments.
struct Sides<'a> {
    both: &'a Both<'a>,
    a: Syntax,
    b: Syntax,
    /// Whether two things beside each other are swapped.
    mirrored: bool,
}

impl Both<'_> {
    /// Whether everything is attached to the same, and does the same.
    pub(super) fn structure(&self) -> Option<String> {
        let (a, b) = (walk(self.a), walk(self.b));
        let mut sides = Sides {
            both: self,
            a,
            b,
            mirrored: false,
        };
        sides
            .reversed()
            .or_else(|| sides.turned_round())
            .or_else(|| sides.elsewhere())
            .or_else(|| sides.owners())
            .or_else(|| sides.joined())
            .or_else(|| sides.frames())
            .or_else(|| sides.dangling())
    }
}

impl Sides<'_> {
    fn one(&self, at: usize) -> &Token {
        &self.both.a.tokens[at]
    }

    fn other(&self, at: usize) -> &Token {
        &self.both.b.tokens[at]
    }

    /// A shadow of a cat is no cat with a shadow.
    fn reversed(&mut self) -> Option<String> {
        let edges: Vec<(usize, Attachment)> = edges(&self.a).collect();
        for (x, to) in edges {
            let (Some(y), Some(g)) = (self.both.pairing.there[x], self.both.pairing.there[to.to])
            else {
                continue;
            };
            if let Some(reason) = self.turns((x, y), (to.to, g), to.by) {
                return Some(reason);
            }
        }
        None
    }

    /// Whether one is attached to the other in the first prompt, and vice versa in the
    /// second.
    fn turns(
        &mut self,
        (x, y): (usize, usize),
        (h, g): (usize, usize),
        by: &str,
    ) -> Option<String> {
        if y == g || x == h || !self.b.above(g).contains(&y) {
            return None;
        }
        let back = self.b.attached[&g].iter().find(|to| to.to == y);
        let back = back.map_or("", |to| to.by);
        let grammar = &LEXICON.grammar;
        if is_mutual(by) && is_mutual(back) {
            self.mirrored = true;
            return None;
        }
        let time = self.one(x).is_of(&grammar.times) || self.one(h).is_of(&grammar.times);
        let reworded = by == OF_RUN
            && back == OF_RUN
            && !(self.both.share_lemma(x, y) && self.both.share_lemma(h, g));
        // A box of eggs, and eggs in a box.
        let held = matches!((by, back), ("of", "in") | ("in", "of"))
            && (self.one(x).is_of(&grammar.containers) || self.one(h).is_of(&grammar.containers));
        (!time && !reworded && !held).then(|| {
            format!(
                "“{}” and “{}” belong to each other the other way round",
                self.one(x).text,
                self.one(h).text
            )
        })
    }

    /// An oil lamp is no lamp oil; a big red bus is a red big bus.
    fn turned_round(&self) -> Option<String> {
        self.a.attached.iter().find_map(|(x, to)| {
            let next = to
                .first()
                .filter(|next| next.by == OF_RUN && next.to == x + 1)?
                .to;
            let (y, g) = (self.both.pairing.there[*x]?, self.both.pairing.there[next]?);
            let mut before = self.b.attached.get(&g)?.iter();
            let turned = before.any(|to| to.to == y && to.by == OF_RUN);
            let describes = describes(self.one(*x)) || describes(self.one(next));
            let reworded = !self.both.share_lemma(*x, y) || !self.both.share_lemma(next, g);
            (turned && !describes && !reworded).then(|| {
                format!(
                    "“{}” and “{}” stand in another order",
                    self.one(*x).text,
                    self.one(next).text
                )
            })
        })
    }

    /// A hat on the bed is not a hat on the table.
    fn elsewhere(&self) -> Option<String> {
        self.both.pairs().find_map(|(x, y)| {
            let one = compound(&self.a, x, |half| self.both.pairing.there[half] == Some(y));
            let other = compound(&self.b, y, |half| self.both.pairing.back[half] == Some(x));
            self.differ(one, other)
                .map(|why| format!("“{}” {why}", self.one(x).text))
        })
    }

    fn differ(&self, x: usize, y: usize) -> Option<String> {
        let (one, other) = (self.a.attached.get(&x)?, self.b.attached.get(&y)?);
        let (near, far) = (one.first()?, other.first()?);
        let pairing = &self.both.pairing;
        let known = one.iter().all(|to| pairing.there[to.to].is_some())
            && other.iter().all(|to| pairing.back[to.to].is_some());
        let token = self.one(x);
        let grammar = &LEXICON.grammar;
        if !known {
            return None;
        }
        let same = |one: &Attachment, other: &Attachment| self.both.are_same(one.to, other.to);
        let shared = one
            .iter()
            .find_map(|one| Some((one, other.iter().find(|other| same(one, other))?)));
        let run = near.by == OF_RUN || far.by == OF_RUN;
        let loose =
            (self.a.loose.contains(&x) || self.b.loose.contains(&y)) && (run || !self.mirrored);
        let either =
            other.iter().any(|far| same(near, far)) && one.iter().any(|near| same(near, far));
        let Some((one, other)) = shared.filter(|_| loose || either) else {
            let time = token.is_of(&grammar.times);
            return self
                .belongs_elsewhere((x, near), (y, far))
                .filter(|_| !time);
        };
        // An autumn park, a forest path; a snow angel is no angel in the snow.
        let time = token.is_of(&grammar.times);
        let compound = (one.by == OF_RUN || other.by == OF_RUN)
            && token.is_of(&grammar.scenery)
            && [one.by, other.by]
                .iter()
                .any(|by| matches!(*by, "of" | "through") || time && is_where(by));
        let agree = one.by == other.by || compound || LEXICON.are_like(one.by, other.by);
        (!agree).then(|| {
            let by = |by: &str| {
                if by == OF_RUN {
                    "before".to_owned()
                } else {
                    format!("“{by}”")
                }
            };
            format!(
                "is {} “{}” in one and {} it in the other",
                by(one.by),
                self.one(one.to).text,
                by(other.by)
            )
        })
    }

    fn belongs_elsewhere(
        &self,
        (x, near): (usize, &Attachment),
        (y, far): (usize, &Attachment),
    ) -> Option<String> {
        // A plush octopus is an octopus plushie.
        let reworded = near.by == OF_RUN
            && self.both.pairing.there[near.to].is_some_and(|to| {
                !self.both.share_lemma(near.to, to) && self.b.above(to).contains(&y)
            });
        let back = far.by == OF_RUN
            && self.both.pairing.back[far.to].is_some_and(|to| {
                !self.both.share_lemma(to, far.to) && self.a.above(to).contains(&x)
            });
        (!reworded && !back).then(|| {
            format!(
                "belongs to “{}” in one and to “{}” in the other",
                self.one(near.to).text,
                self.other(far.to).text
            )
        })
    }

    /// Owners are the same in both.
    fn owners(&self) -> Option<String> {
        self.both.pairs().find_map(|(x, y)| {
            let owns = self.one(x).owner && self.a.attached.contains_key(&x);
            let whose = self.a.attached.get(&x)?.first()?.to;
            (owns && !self.b.attached.contains_key(&y)).then(|| {
                format!(
                    "“{}” is of “{}” in one of them only",
                    self.one(whose).text,
                    self.one(x).text
                )
            })
        })
    }

    /// A boy and his dog are not a dog on a boy.
    fn joined(&self) -> Option<String> {
        self.a.siblings.iter().find_map(|(x, siblings)| {
            let y = self.both.pairing.there[*x]?;
            let to = self.b.attached.get(&y)?.first()?;
            let joined = siblings
                .iter()
                .find(|sibling| self.both.are_same(**sibling, to.to))?;
            let beside = matches!(to.by, "with" | "beside" | "between" | OF_RUN);
            (!beside).then(|| {
                format!(
                    "“{}” and “{}” stand together in one, and “{}” in the other",
                    self.one(*joined).text,
                    self.one(*x).text,
                    to.by
                )
            })
        })
    }

    /// Agents and objects are the same in both.
    fn frames(&self) -> Option<String> {
        self.a.frames.iter().find_map(|(verb, one)| {
            let there = self.both.pairing.there[*verb]?;
            let Some(other) = self.b.frames.get(&there) else {
                let thing = self.one(*verb).is_of(&LEXICON.grammar.media);
                return thing.then(|| {
                    format!(
                        "“{}” is done in one and is a thing in the other",
                        self.one(*verb).text
                    )
                });
            };
            let named = |side: &[usize], of: &Reading| {
                side.first()
                    .map_or(String::new(), |at| of.tokens[*at].text.clone())
            };
            let (agents, patients) = (
                self.apart(&one.agents, &other.agents),
                self.apart(&one.patients, &other.patients),
            );
            let (mine, its) = if agents {
                (&one.agents, &other.agents)
            } else {
                (&one.patients, &other.patients)
            };
            if agents || patients {
                return Some(format!(
                    "“{}” is told of “{}” in one and of “{}” in the other",
                    self.one(*verb).text,
                    named(mine, self.both.a),
                    named(its, self.both.b)
                ));
            }
            self.crossed(one, other).then(|| {
                format!(
                    "who does it and to whom “{}” is done differs",
                    self.one(*verb).text
                )
            })
        })
    }

    /// Whether both are known, and they have nothing in common.
    fn apart(&self, one: &[usize], other: &[usize]) -> bool {
        let pairing = &self.both.pairing;
        let known = one.first().is_some_and(|x| pairing.there[*x].is_some())
            && other.first().is_some_and(|y| pairing.back[*y].is_some());
        known && !self.meet(one, other)
    }

    fn meet(&self, one: &[usize], other: &[usize]) -> bool {
        one.iter()
            .any(|x| other.iter().any(|y| self.both.are_same(*x, *y)))
    }

    fn crossed(&self, one: &Frame, other: &Frame) -> bool {
        let meet = |one: &[usize], other: &[usize]| matches!((one.first(), other.first()), (Some(x), Some(y)) if self.both.are_same(*x, *y));
        meet(&one.agents, &other.patients) && !(one.patients.is_empty() && other.agents.is_empty())
            || meet(&one.patients, &other.agents)
                && !(one.agents.is_empty() && other.patients.is_empty())
    }

    /// A horse near and a barn far away.
    fn dangling(&self) -> Option<String> {
        self.a.dangling.iter().find_map(|(link, x)| {
            let mut same = self
                .b
                .dangling
                .iter()
                .filter(|(other, _)| other == link)
                .peekable();
            same.peek()?;
            let other = self.both.pairing.there[*x]?;
            let moved = !same.any(|(_, y)| *y == other);
            moved.then(|| {
                format!(
                    "“{link}” is said of “{}” in one of them only",
                    self.one(*x).text
                )
            })
        })
    }
}

/// Whether it is an adjective, by its form or a list.
fn describes(token: &Token) -> bool {
    const ENDS: [&str; 12] = [
        "y", "ed", "ing", "ful", "ous", "ic", "al", "ive", "ish", "less", "en", "ese",
    ];
    token.joined
        || !matches!(token.role, Role::Content)
        || ENDS.iter().any(|end| token.text.ends_with(end))
        || token.lemmas.iter().any(|lemma| {
            LEXICON.has_opposite(lemma) || matches!(LEXICON.kind(lemma), Some("colour"))
        })
}

/// The unambiguous attachments.
fn edges(syntax: &Syntax) -> impl Iterator<Item = (usize, Attachment)> {
    syntax.attached.iter().filter_map(|(at, to)| {
        let run = to.first()?.by == OF_RUN;
        let to = if run { to.last()? } else { to.first()? };
        Some((*at, *to))
    })
}

/// The last half of a word written in two.
fn compound(syntax: &Syntax, at: usize, is_half: impl Fn(usize) -> bool) -> usize {
    let next = syntax.attached.get(&at).and_then(|to| to.first());
    next.map(|next| next.to)
        .filter(|next| *next == at + 1 && is_half(*next))
        .unwrap_or(at)
}

fn is_mutual(link: &str) -> bool {
    matches!(link, "beside" | "and" | "between" | "around")
}
