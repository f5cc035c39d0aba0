//! Decides whether two prompts ask for the same picture.

use super::{
    Verdict,
    both::Both,
    lexicon::LEXICON,
    reading::Reading,
    relations::{head, head_before},
    token::{Role, Token},
};

/// With at least this many unknown words, if they are the majority, a prompt is in another language.
const MOST_UNKNOWN: usize = 3;

/// Looks for a reason why not; without one, the prompts agree.
pub(super) fn compare(a: &Reading, b: &Reading) -> Verdict {
    let both = Both::new(a, b);
    let checks = [
        Both::foreign,
        Both::words,
        Both::numbers,
        Both::plurals,
        Both::names,
        Both::spelling,
        Both::quotations,
        Both::compounds,
        Both::polarity,
        Both::lettering,
        Both::genders,
        Both::places,
        Both::places_swapped,
        Both::owners,
        Both::participles,
        Both::roles,
    ];
    // The same words in the same order agree without being understood.
    let closer = [Both::constructions, Both::tenses, Both::structure];
    let closer = closer.iter().filter(|_| !a.says_the_same(b));
    let mut reasons = checks.iter().map(|check| check(&both));
    let reason = reasons
        .find_map(|reason| reason)
        .or_else(|| closer.map(|check| check(&both)).find_map(|reason| reason));
    match reason {
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

impl Both<'_> {
    /// Other languages are only compared word by word.
    fn foreign(&self) -> Option<String> {
        if self.a.words().next().is_none() || self.b.words().next().is_none() {
            return Some("there are no words to compare".into());
        }
        let foreign = self.is_foreign(self.a) || self.is_foreign(self.b);
        (foreign && !self.a.spelt().eq(self.b.spelt()))
            .then(|| "the words are not English, and not the same".into())
    }

    /// Whether most words are neither English nor misspellings.
    fn is_foreign(&self, reading: &Reading) -> bool {
        let (there, other) = self.counterparts(reading);
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

    /// Whether every word of either has its counterpart in the other.
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
        // Words that matter little may be missing, but not be replaced by others.
        let (a, b) = if heavy_a.is_empty() && heavy_b.is_empty() {
            (a, b)
        } else {
            (heavy_a, heavy_b)
        };
        Some(self.difference(&a, &b))
    }

    /// "One" or "alone" may be omitted, unless the other prompt says that they are many.
    /// `None` if this does not apply; `Some(None)` if it makes no difference.
    fn lone(&self, a: &[usize], b: &[usize]) -> Option<Option<String>> {
        let all = |reading: &Reading, odd: &[usize]| odd.iter().all(|at| is_lone(reading, *at));
        if a.is_empty() && b.is_empty() || !all(self.a, a) || !all(self.b, b) {
            return None;
        }
        let (a, b) = (
            a.iter().map(|x| (self.a, *x)),
            b.iter().map(|y| (self.b, *y)),
        );
        Some(a.chain(b).find_map(|(one, at)| self.more(one, at)))
    }

    /// One here is many there, or another one.
    fn more(&self, one: &Reading, at: usize) -> Option<String> {
        let (there, other) = self.counterparts(one);
        let thing = head(one, at).or_else(|| head_before(one, at));
        let many = thing
            .and_then(|thing| there[thing])
            .is_some_and(|thing| other.tokens[thing].is_plural());
        let counted = other
            .tokens
            .iter()
            .any(|token| LEXICON.grammar.many.contains(&token.text));
        let certain = thing.is_some_and(|thing| {
            let article = there[thing].and_then(|other_thing| other.article(other_thing));
            is_one_of(&one.tokens[at], &one.tokens[thing], article)
        });
        let text = &one.tokens[at].text;
        (many || counted || certain).then(|| format!("“{text}” is one, the other has more"))
    }

    /// A style that is named twice.
    fn is_repeated(&self, reading: &Reading, at: usize) -> bool {
        let (paired, _) = self.counterparts(reading);
        let token = &reading.tokens[at];
        reading.weighty().any(|other| {
            let same = &reading.tokens[other];
            other != at
                && paired[other].is_some()
                && same.text == token.text
                && same.negated == token.negated
                && same.clause != token.clause
        }) && token
            .lemmas
            .iter()
            .any(|lemma| LEXICON.kind(lemma) == Some("style"))
    }

    /// Whether it adds nothing: "anime drawing" is "anime".
    fn is_aside(&self, reading: &Reading, at: usize) -> bool {
        let token = &reading.tokens[at];
        let (paired, _) = self.counterparts(reading);
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
        let grammar = &LEXICON.grammar;
        !grammar.empty.contains(&token.text) && token.is_of(&grammar.empty)
            || token.is_of(&LEXICON.grammar.media)
                && (styled(at.checked_sub(1)) || styled(Some(at + 1)))
    }

    fn difference(&self, a: &[usize], b: &[usize]) -> String {
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
                .map(|at| format!("“{}”", reading.tokens[*at].text))
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

    /// Whether the same is negated in both.
    fn polarity(&self) -> Option<String> {
        self.pairs().find_map(|(x, y)| {
            let (one, other) = (&self.a.tokens[x], &self.b.tokens[y]);
            (one.negated != other.negated)
                .then(|| format!("“{}” is denied in one of them", one.text))
        })
    }

    /// Whether letterings are in the same order.
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

    /// "Her dog" is not "his dog", if nothing else tells them apart.
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

/// Whether "one" or "alone" only counts: a single bed is a kind of bed.
fn is_lone(reading: &Reading, at: usize) -> bool {
    let token = &reading.tokens[at];
    let grammar = &LEXICON.grammar;
    if !grammar.lone.contains(&token.text) || token.role != Role::Content {
        return false;
    }
    let thing = reading
        .tokens
        .get(at + 1)
        .filter(|next| next.role.is_weighty());
    match token.text.as_str() {
        "alone" | "lonely" | "one" | "1" => true,
        _ => thing.is_some_and(|thing| !thing.is_of(&grammar.sorts)),
    }
}

/// One wing of a butterfly is not the wing, and one arm is not an arm.
fn is_one_of(one: &Token, thing: &Token, article: Option<&Token>) -> bool {
    let counts = matches!(one.text.as_str(), "one" | "1");
    let paired = thing.is_of(&LEXICON.grammar.paired);
    counts
        && article
            .is_some_and(|article| paired || !matches!(article.text.as_str(), "a" | "an" | "some"))
}
