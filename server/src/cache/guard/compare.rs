//! Whether two prompts ask for the same picture.

use super::{
    Verdict,
    lexicon::LEXICON,
    pairing::Pairing,
    reading::{Reading, Role, Token},
};

/// So many unknown words, if they are the most, make another language of a prompt.
const MOST_UNKNOWN: usize = 3;

/// Looks for a reason why not; without one they do.
pub(super) fn compare(a: &Reading, b: &Reading) -> Verdict {
    let pairing = Pairing::new(a, b);
    let both = Both { a, b, pairing };
    let checks = [
        Both::foreign,
        Both::words,
        Both::polarity,
        Both::lettering,
        Both::genders,
        Both::places,
        Both::places_swapped,
        Both::owners,
        Both::participles,
        Both::roles,
    ];
    match checks.iter().find_map(|check| check(&both)) {
        Some(reason) => Verdict {
            agree: false,
            reason,
        },
        None => Verdict {
            agree: true,
            reason: both.likeness(),
        },
    }
}

/// So many words on either side of one are looked at with it.
const REACH: usize = 12;

struct Both<'a> {
    a: &'a Reading,
    b: &'a Reading,
    pairing: Pairing,
}

impl Both<'_> {
    /// What is not English is only compared word by word.
    fn foreign(&self) -> Option<String> {
        let sequence = |reading: &Reading| -> Vec<String> {
            let words = reading
                .tokens
                .iter()
                .filter(|token| token.role != Role::Break);
            words.map(|token| token.text.clone()).collect()
        };
        let (one, other) = (sequence(self.a), sequence(self.b));
        if one.is_empty() || other.is_empty() {
            return Some("there are no words to compare".into());
        }
        let foreign = self.is_foreign(self.a) || self.is_foreign(self.b);
        (foreign && one != other).then(|| "the words are not English, and not the same".into())
    }

    /// Most words are not English, nor slips of the pen.
    fn is_foreign(&self, reading: &Reading) -> bool {
        let own = std::ptr::eq(reading, self.a);
        let (there, other) = if own {
            (&self.pairing.there, self.b)
        } else {
            (&self.pairing.back, self.a)
        };
        let words = reading.weighty().filter(|at| !reading.tokens[*at].literal);
        let (known, unknown): (Vec<_>, Vec<_>) = words.partition(|at| {
            reading.tokens[*at].known || there[*at].is_some_and(|to| other.tokens[to].known)
        });
        let small = reading
            .tokens
            .iter()
            .filter(|token| LEXICON.grammar.foreign.contains(&token.text));
        small.count() >= 2 || unknown.len() >= MOST_UNKNOWN && unknown.len() > known.len()
    }

    /// Every word of either has its counterpart in the other.
    fn words(&self) -> Option<String> {
        let (mut a, mut b) = (self.pairing.odd(self.a), self.pairing.odd_back(self.b));
        a.retain(|x| !self.is_repeated(self.a, *x) && !self.is_aside(self.a, *x));
        b.retain(|y| !self.is_repeated(self.b, *y) && !self.is_aside(self.b, *y));
        let heavy = |reading: &Reading, odd: &[usize]| -> Vec<usize> {
            let heavy = odd.iter().filter(|at| {
                reading.tokens[**at].role != Role::Light || reading.tokens[**at].negated
            });
            heavy.copied().collect()
        };
        let (heavy_a, heavy_b) = (heavy(self.a, &a), heavy(self.b, &b));
        if let Some(reason) = self.lone(&heavy_a, &heavy_b) {
            return reason;
        }
        if heavy_a.is_empty() && heavy_b.is_empty() && (a.is_empty() || b.is_empty()) {
            return None;
        }
        // Words that matter little may be missing, but not others in their place.
        let (a, b) = if heavy_a.is_empty() && heavy_b.is_empty() {
            (a, b)
        } else {
            (heavy_a, heavy_b)
        };
        Some(self.difference(&a, &b))
    }

    /// "One" or "alone" may be left unsaid, unless the other says that they are many.
    /// `None`: not the point; `Some(None)`: it makes no difference.
    fn lone(&self, a: &[usize], b: &[usize]) -> Option<Option<String>> {
        let lone = |reading: &Reading, odd: &[usize]| {
            odd.len() == 1 && LEXICON.grammar.lone.contains(&reading.tokens[odd[0]].text)
        };
        let all_lone =
            lone(self.a, a) && (b.is_empty() || lone(self.b, b)) || a.is_empty() && lone(self.b, b);
        if !all_lone {
            return None;
        }
        let (one, other, at) = match a.first() {
            Some(x) => (self.a, self.b, *x),
            None => (self.b, self.a, b[0]),
        };
        let partner = |at: usize| {
            if std::ptr::eq(one, self.a) {
                self.pairing.there[at]
            } else {
                self.pairing.back[at]
            }
        };
        let thing = head(one, at).or_else(|| head_before(one, at));
        let many = thing
            .and_then(partner)
            .is_some_and(|thing| is_plural(&other.tokens[thing]));
        let counted = other
            .tokens
            .iter()
            .any(|token| LEXICON.grammar.many.contains(&token.text));
        Some(
            (many || counted)
                .then(|| format!("“{}” is one, the other has more", one.tokens[at].text)),
        )
    }

    /// The word has a counterpart already, at another place.
    fn is_repeated(&self, reading: &Reading, at: usize) -> bool {
        let own = std::ptr::eq(reading, self.a);
        let paired = if own {
            &self.pairing.there
        } else {
            &self.pairing.back
        };
        let token = &reading.tokens[at];
        reading.weighty().any(|other| {
            let same = &reading.tokens[other];
            other != at
                && paired[other].is_some()
                && same.text == token.text
                && same.negated == token.negated
                && same.clause != token.clause
        })
    }

    /// It says nothing of its own here: "anime drawing" is "anime".
    fn is_aside(&self, reading: &Reading, at: usize) -> bool {
        let token = &reading.tokens[at];
        let is = |list: &std::collections::HashSet<String>| {
            token.lemmas.iter().any(|lemma| list.contains(lemma))
        };
        let own = std::ptr::eq(reading, self.a);
        let paired = if own {
            &self.pairing.there
        } else {
            &self.pairing.back
        };
        let styled = |beside: Option<usize>| {
            beside
                .and_then(|beside| Some((beside, reading.tokens.get(beside)?)))
                .is_some_and(|(at, token)| {
                    paired[at].is_some()
                        && token
                            .lemmas
                            .iter()
                            .any(|lemma| LEXICON.kind(lemma) == Some("style"))
                })
        };
        let slip = |word: &String| word.len() >= 7 && strsim::osa_distance(word, &token.text) <= 1;
        if !token.known && LEXICON.grammar.empty.iter().any(slip) {
            return true;
        }
        is(&LEXICON.grammar.empty)
            || is(&LEXICON.grammar.media) && (styled(at.checked_sub(1)) || styled(Some(at + 1)))
    }

    fn difference(&self, a: &[usize], b: &[usize]) -> String {
        let word = |reading: &Reading, at: &usize| reading.tokens[*at].text.clone();
        for x in a {
            for y in b {
                let (one, other) = (&self.a.tokens[*x], &self.b.tokens[*y]);
                if matches!((one.role, other.role), (Role::Number(_), Role::Number(_))) {
                    return format!("counts differ: “{}” and “{}”", one.text, other.text);
                }
                let opposite = one
                    .lemmas
                    .iter()
                    .any(|l| other.lemmas.iter().any(|r| LEXICON.are_opposites(l, r)));
                if opposite {
                    return format!("“{}” and “{}” are opposites", one.text, other.text);
                }
                let kind = |token: &Token| {
                    token
                        .lemmas
                        .iter()
                        .find_map(|lemma| LEXICON.kind(lemma))
                        .map(str::to_owned)
                };
                if let (Some(kind), Some(also)) = (kind(one), kind(other))
                    && kind == also
                {
                    return format!("{kind} differs: “{}” and “{}”", one.text, other.text);
                }
            }
        }
        let list = |reading: &Reading, odd: &[usize]| {
            let words: Vec<_> = odd
                .iter()
                .take(4)
                .map(|at| format!("“{}”", word(reading, at)))
                .collect();
            words.join(", ")
        };
        match (a.is_empty(), b.is_empty()) {
            (false, false) => format!(
                "no counterpart: {} in the one, {} in the other",
                list(self.a, a),
                list(self.b, b)
            ),
            (false, true) => format!("no counterpart for {} of the first", list(self.a, a)),
            _ => format!("no counterpart for {} of the second", list(self.b, b)),
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let there = self.pairing.there.iter().enumerate();
        there.filter_map(|(x, y)| Some((x, (*y)?)))
    }

    /// What is denied in one is denied in the other.
    fn polarity(&self) -> Option<String> {
        self.pairs().find_map(|(x, y)| {
            let (one, other) = (&self.a.tokens[x], &self.b.tokens[y]);
            (one.negated != other.negated)
                .then(|| format!("“{}” is denied in one of them", one.text))
        })
    }

    /// The same thing is not under and on the same thing.
    fn places(&self) -> Option<String> {
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
    fn places_swapped(&self) -> Option<String> {
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

    /// Letters stand in their order.
    fn lettering(&self) -> Option<String> {
        let (a, there) = (&self.a.tokens, &self.pairing.there);
        let literal =
            |at: usize| a[at].literal || there[at].is_some_and(|to| self.b.tokens[to].literal);
        (1..a.len()).find_map(|at| {
            let (before, after) = (there[at - 1]?, there[at]?);
            let turned = literal(at - 1)
                && literal(at)
                && a[at - 1].clause == a[at].clause
                && before > after;
            turned.then(|| {
                format!(
                    "the words “{}” and “{}” stand in another order",
                    a[at - 1].text,
                    a[at].text
                )
            })
        })
    }

    /// "Her dog" is not "his dog", where nothing else tells.
    fn genders(&self) -> Option<String> {
        let says = |reading: &Reading, words: &[&str]| {
            reading
                .tokens
                .iter()
                .any(|token| words.contains(&token.text.as_str()))
        };
        let (he, she) = (
            ["he", "him", "his", "himself"],
            ["she", "her", "hers", "herself"],
        );
        let one = (says(self.a, &he), says(self.a, &she));
        let other = (says(self.b, &he), says(self.b, &she));
        let differ = matches!(
            (one, other),
            ((true, false), (false, true)) | ((false, true), (true, false))
        );
        differ.then(|| "one speaks of him, the other of her".into())
    }

    /// Fallen leaves do not fall any more.
    fn participles(&self) -> Option<String> {
        let past = |token: &Token| {
            token.text.ends_with("ed") || !LEXICON.irregular(&token.text).is_empty()
        };
        let differ = |x: &Token, y: &Token| x.text.ends_with("ing") && past(y);
        self.pairs().find_map(|(x, y)| {
            head(self.a, x)?;
            head(self.b, y)?;
            let (one, other) = (&self.a.tokens[x], &self.b.tokens[y]);
            (differ(one, other) || differ(other, one))
                .then(|| format!("“{}” is not “{}”", one.text, other.text))
        })
    }

    /// The red one is the red one in both.
    fn owners(&self) -> Option<String> {
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
    fn roles(&self) -> Option<String> {
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
        // Somebody else does it, or is there.
        let strangers = |own: &[usize], side: &[usize], far: &[usize]| {
            !own.is_empty()
                && !side.is_empty()
                && !own.iter().any(|y| side.contains(y) || far.contains(y))
        };
        let same_place =
            || matches!((right.last(), s.right.last()), (Some(one), Some(other)) if one == other);
        let tells = match self.a.tokens[r.at].role {
            Role::Preposition(place) => !matches!(place, "of" | "at") && same_place(),
            _ => self.a.is_verb(r.at) && self.b.is_verb(s.at),
        };
        let replaced = tells && strangers(&left, &s.left, &s.right);
        replaced.then(|| {
            format!(
                "“{}” is told of “{}” in one and of “{}” in the other",
                self.a.tokens[r.at].text,
                name(left[0]),
                name(s.left[0])
            )
        })
    }

    fn likeness(&self) -> String {
        if self.pairing.reworded.is_empty() {
            return "the same words".into();
        }
        let same = self.pairing.reworded.iter().take(6).map(|(x, y)| {
            format!(
                "“{}” = “{}”",
                self.a.tokens[*x].text, self.b.tokens[*y].text
            )
        });
        format!("the same meaning: {}", same.collect::<Vec<_>>().join(", "))
    }
}

/// A plural, as far as its form tells.
fn is_plural(token: &Token) -> bool {
    token.text.ends_with('s') && token.lemmas.iter().any(|lemma| *lemma != token.text)
        || matches!(
            token.text.as_str(),
            "people" | "children" | "men" | "women" | "mice" | "geese"
        )
}

/// The words that stand together without a word of grammar between them, verbs
/// at the edges left out.
fn run(reading: &Reading, at: usize) -> Vec<usize> {
    let inside = |at: usize| {
        let compound = reading
            .tokens
            .get(at + 1)
            .is_some_and(|next| next.joined && next.text.ends_with("ing"));
        matches!(reading.tokens[at].role, Role::Content | Role::Number(_))
            && !reading.is_verb(at)
            && !compound
    };
    if !inside(at) {
        return Vec::new();
    }
    let mut first = at;
    while first > 0 && at - first < REACH && inside(first - 1) {
        first -= 1;
    }
    let mut last = at;
    while last + 1 < reading.tokens.len() && last - at < REACH && inside(last + 1) {
        last += 1;
    }
    (first..=last).collect()
}

/// The thing that a word is said of: the last of its run, if it is not that itself.
fn head(reading: &Reading, at: usize) -> Option<usize> {
    run(reading, at).last().copied().filter(|head| *head != at)
}

fn head_before(reading: &Reading, at: usize) -> Option<usize> {
    reading.weighty().filter(|other| *other < at).last()
}

/// The preposition before a thing, with only its own words between.
fn governor(reading: &Reading, at: usize) -> Option<usize> {
    let run = run(reading, at);
    if run.last() != Some(&at) {
        return None;
    }
    let mut before = run.first()?.checked_sub(1)?;
    while matches!(reading.tokens[before].role, Role::Empty) {
        before = before.checked_sub(1)?;
    }
    Some(before)
}

/// A verb or a preposition, with what stands before and behind it in its clause.
struct Relation {
    at: usize,
    left: Vec<usize>,
    right: Vec<usize>,
}

fn relations(reading: &Reading) -> Vec<Relation> {
    let tokens = &reading.tokens;
    let relates = |at: &usize| {
        let token = &tokens[*at];
        let symmetric = token
            .lemmas
            .iter()
            .any(|lemma| LEXICON.grammar.symmetric.contains(lemma));
        match token.role {
            Role::Preposition(place) => !symmetric && place != "beside",
            Role::Content | Role::Light => !symmetric,
            _ => false,
        }
    };
    let all = (0..tokens.len()).filter(relates);
    all.filter_map(|at| relation(reading, at)).collect()
}

fn relation(reading: &Reading, at: usize) -> Option<Relation> {
    let tokens = &reading.tokens;
    let token = &tokens[at];
    let next = tokens.get(at + 1).map(|token| token.role);
    let preposition = matches!(token.role, Role::Preposition(_));
    // "On which", "on it", "scarf-wearing".
    if preposition && next == Some(Role::Pronoun) || token.joined {
        return None;
    }
    let within = |other: &usize| {
        let weighty = matches!(
            tokens[*other].role,
            Role::Content | Role::Light | Role::Number(_)
        );
        weighty && tokens[*other].clause == token.clause
    };
    let left: Vec<_> = (0..at).rev().filter(within).take(REACH).collect();
    let right: Vec<_> = (at + 1..tokens.len()).filter(within).take(REACH).collect();
    let right = match token.role {
        // What stands behind its thing is another matter.
        Role::Preposition(_) => {
            let begins = right.first().map_or(at, |first| *first);
            let ends = (begins..tokens.len()).find(|next| !right.contains(next));
            right
                .into_iter()
                .filter(|next| ends.is_none_or(|ends| *next < ends))
                .collect()
        }
        _ => right,
    };
    let participle = token.text.ends_with("ed")
        || token.text.ends_with("en")
        || !LEXICON.irregular(&token.text).is_empty();
    let passive = match next {
        Some(Role::By) => true,
        Some(Role::Preposition("in" | "with")) => token.text.ends_with("ed"),
        _ => false,
    };
    if participle && passive && !preposition {
        return Some(Relation {
            at,
            left: right,
            right: left,
        });
    }
    Some(Relation { at, left, right })
}
