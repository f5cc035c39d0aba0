//! Whether two questions say the same words in an order that says the same.

use super::word::{Class, Word};

/// Words that begin a part that may also stand behind the rest.
const FRONTED: [&str; 32] = [
    "to",
    "in",
    "on",
    "at",
    "for",
    "with",
    "without",
    "by",
    "from",
    "during",
    "before",
    "after",
    "when",
    "while",
    "if",
    "because",
    "since",
    "unless",
    "although",
    "though",
    "as",
    "using",
    "according",
    "within",
    "under",
    "among",
    "between",
    "given",
    "until",
    "through",
    "once",
    "despite",
];

/// Those of them that may also stand inside, and tell of the word before.
const PLACED: [&str; 8] = ["in", "on", "at", "for", "with", "without", "by", "during"];

/// Words that point at what was said before.
const POINTERS: [&str; 16] = [
    "it",
    "its",
    "this",
    "that",
    "these",
    "those",
    "they",
    "them",
    "their",
    "he",
    "she",
    "his",
    "her",
    "him",
    "then",
    "respectively",
];

/// The most words of an item in a list.
const ITEM: usize = 12;

type Words<'a> = Vec<&'a Word>;

/// Whether both say the same, given that each word of one has its counterpart in the other.
pub(super) fn agrees(one: &[Word], other: &[Word]) -> bool {
    let (a, b) = (flat(one, true), flat(other, true));
    if same(&a, &b) {
        return true;
    }
    let (first, second) = (forms(one), forms(other));
    first.iter().any(|a| {
        second
            .iter()
            .any(|b| same(a, b) || swapped(a, b) || points_back(a, b))
    }) || moved(one, &b)
        || moved(other, &a)
        || sentences_agree(one, other)
}

/// The words without pauses; a comma in a list is what ends the list.
fn flat(words: &[Word], listed: bool) -> Words<'_> {
    let mut found: Words<'_> = Vec::with_capacity(words.len());
    for (at, word) in words.iter().enumerate() {
        if !word.is_mark() {
            found.push(word);
        } else if let Some(conjunction) = lists(words, at).filter(|_| listed) {
            found.push(conjunction);
        }
    }
    found
}

/// The conjunction that ends the list which goes on behind the comma.
fn lists(words: &[Word], at: usize) -> Option<&Word> {
    if words[at].class != Class::Pause {
        return None;
    }
    let rest = &words[at + 1..];
    let joins = |word: &&Word| matches!(word.class, Class::And | Class::Or);
    // Behind the last comma of a list stands the conjunction itself.
    if rest.first().is_none_or(|next| joins(&next)) {
        return None;
    }
    let sentence = rest.iter().take_while(|word| word.class != Class::Stop);
    let mut since = 0;
    for word in sentence {
        if joins(&word) {
            return Some(word);
        }
        since = if word.is_mark() { 0 } else { since + 1 };
        if since > 4
            || word.is_any(&[
                "what", "which", "how", "who", "why", "when", "where", "whether", "howto", "i",
            ])
        {
            return None;
        }
    }
    None
}

fn same(a: &[&Word], b: &[&Word]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .enumerate()
            .all(|(at, (one, other))| one.is_like(other, at >= 2))
}

/// Whether they differ only in which of two places has the thing, and which "it".
fn points_back(a: &[&Word], b: &[&Word]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let differing: Vec<usize> = (0..a.len())
        .filter(|at| !a[*at].is_like(b[*at], true))
        .collect();
    let [first, second] = differing[..] else {
        return false;
    };
    let is_it = |word: &Word| word.is_any(&["it", "them"]);
    let turned = is_it(a[first]) && is_it(b[second]) && a[second].is_like(b[first], true);
    let back = is_it(b[first]) && is_it(a[second]) && a[first].is_like(b[second], true);
    let once = |words: &[&Word]| words.iter().filter(|word| word.is_any(&POINTERS)).count() == 1;
    (turned || back) && once(a) && once(b)
}

/// The question as it stands, and with what stands in front of it behind it.
fn forms(words: &[Word]) -> Vec<Words<'_>> {
    let mut forms = vec![flat(words, true), flat(words, false)];
    if let Some((front, rest)) = fronted(words) {
        let (mut turned, front) = (flat(rest, true), flat(front, true));
        // A letter to a friend in Germany need not be sent in Germany.
        let tells_when = front.last().is_some_and(|last| last.is_time());
        let may_tell = front[0].is_any(&PLACED) && !tells_when;
        if !may_tell || !follows_receiver(&turned, turned.len()) {
            turned.extend(front);
            forms.push(turned);
        }
    }
    forms
}

/// What stands before the first comma, if it may stand elsewhere, and the rest.
fn fronted(words: &[Word]) -> Option<(&[Word], &[Word])> {
    let first = words.first()?;
    const ASKING: [&str; 10] = [
        "what", "which", "how", "who", "why", "when", "where", "whether", "howto", "whose",
    ];
    let comma = words.iter().position(Word::is_mark);
    let asked = words
        .iter()
        .skip(1)
        .position(|word| word.is_any(&ASKING))
        .map(|at| at + 1);
    let end = comma.or(asked)?;
    let rest = if words[end].is_mark() {
        &words[end + 1..]
    } else {
        &words[end..]
    };
    // Butter or margarine, which is better?
    let choice = words[..end].iter().any(|word| word.class == Class::Or)
        && rest
            .first()
            .is_some_and(|next| next.is_any(&["which", "who", "what"]));
    (!rest.is_empty() && (choice || first.is_any(&FRONTED))).then_some((&words[..end], rest))
}

/// Whether the second is the first with its front moved inside.
fn moved(words: &[Word], other: &[&Word]) -> bool {
    let Some((front, rest)) = fronted(words) else {
        return false;
    };
    // Whom a clause is about may be told by where it stands.
    let inside = front[0].is_any(&["in", "on", "at", "for", "with", "without", "by", "during"]);
    let (front, rest) = (flat(front, true), flat(rest, true));
    inside
        && (1..rest.len()).any(|at| {
            let goes = !matches!(rest[at - 1].class, Class::Small) && !follows_receiver(&rest, at);
            let whole: Words<'_> = [&rest[..at], &front, &rest[at..]].concat();
            goes && same(&whole, other)
        })
}

/// Whether a person or place to which something goes stands just before: what follows would tell of it.
fn follows_receiver(words: &[&Word], at: usize) -> bool {
    at >= 2 && words[at - 2].is_any(&["to", "from", "with"])
}

/// Whether two lists differ only in the order of their items.
fn swapped(a: &[&Word], b: &[&Word]) -> bool {
    let differs = |(one, other): (&&Word, &&Word)| !one.is_like(other, true);
    if a.len() != b.len() {
        return false;
    }
    let Some(first) = a.iter().zip(b).position(differs) else {
        return true;
    };
    let last = a.iter().zip(b).rposition(differs).unwrap_or(first) + 1;
    (0..=first.min(4)).any(|left| {
        (0..=(a.len() - last).min(4)).any(|right| {
            let (from, to) = (first - left, last + right);
            is_list_of_same(&a[from..to], &b[from..to]) && stands_alone(a, from, to)
        })
    })
}

/// Whether both are lists, with the same items.
fn is_list_of_same(a: &[&Word], b: &[&Word]) -> bool {
    let Some(joint) = a.iter().find(|word| joins(word)) else {
        return false;
    };
    let alike = |words: &[&Word]| {
        words
            .iter()
            .filter(|word| joins(word))
            .all(|word| word.class == joint.class || word.text == joint.text)
    };
    if !alike(a) || !alike(b) || !joins_both(joint, b) {
        return false;
    }
    let ours: Vec<&[&Word]> = a.split(|word| joins(word)).collect();
    let mut theirs: Vec<&[&Word]> = b.split(|word| joins(word)).collect();
    let changes = |item: &&[&Word]| {
        item.is_empty()
            || item.len() > ITEM
            || item.iter().any(|word| {
                word.past || word.is_any(&POINTERS) || word.is_any(&["i", "you", "we", "not"])
            })
    };
    ours.len() == theirs.len()
        && !ours.iter().any(changes)
        && ours.iter().all(|item| {
            let place = theirs.iter().position(|other| same_item(item, other));
            place.map(|place| theirs.swap_remove(place)).is_some()
        })
}

fn same_item(a: &[&Word], b: &[&Word]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(one, other)| one.is_like(other, true))
}

fn joins(word: &Word) -> bool {
    matches!(word.class, Class::And | Class::Or) || word.is_any(&["times", "plus", "versus"])
}

fn joins_both(joint: &Word, other: &[&Word]) -> bool {
    other
        .iter()
        .any(|word| joins(word) && (word.class == joint.class || word.text == joint.text))
}

/// Whether the list has nothing beside it that tells of one item only: fried rice and eggs.
fn stands_alone(words: &[&Word], from: usize, to: usize) -> bool {
    let sum = words[from..to]
        .iter()
        .any(|word| word.is_any(&["times", "plus"]));
    let before = from.checked_sub(1).map(|before| words[before]);
    let opens = before.is_none_or(|before| match before.class {
        Class::Small => !before.is_any(&["not", "no"]),
        Class::Verb => !before.past,
        // Which is healthier, butter or margarine?
        Class::Content if before.is_comparative() => words[0].is_any(&["which", "what", "who"]),
        _ => false,
    });
    // Doing one thing and then another is an order.
    let act = before.is_some_and(|before| before.is_any(&["howto", "to", "i", "you", "we"]))
        && words[from..to].iter().any(|word| word.class == Class::And)
        && words[from].class == Class::Verb;
    let closes = words
        .get(to)
        .is_none_or(|next| next.class != Class::Content || next.is_any(&["together"]))
        || words[from..to]
            .iter()
            .all(|word| joins(word) || word.plural || word.name);
    let qualities = words[from..to]
        .iter()
        .all(|word| joins(word) || word.is_quality());
    sum || opens && (closes || qualities) && !act
}

/// Whether both have the same sentences, none of which points at another.
fn sentences_agree(one: &[Word], other: &[Word]) -> bool {
    let split = |words| -> Vec<&[Word]> {
        <[Word]>::split(words, |word: &Word| word.class == Class::Stop)
            .filter(|part| !part.is_empty())
            .collect()
    };
    let (ours, mut theirs) = (split(one), split(other));
    if ours.len() < 2 || ours.len() != theirs.len() || ours.len() > 4 {
        return false;
    }
    if one.iter().chain(other).any(|word| word.is_any(&POINTERS)) {
        return false;
    }
    ours.iter().all(|sentence| {
        let place = theirs.iter().position(|other| agrees(sentence, other));
        place.map(|place| theirs.remove(place)).is_some()
    })
}
