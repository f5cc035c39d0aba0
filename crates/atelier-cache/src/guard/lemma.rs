//! Lemmas: words without endings, and without differences of American and British spelling.

use super::lexicon::LEXICON;

/// All words that this may be a form of, itself included, likeliest first, in lower
/// case.
pub(super) fn lemmas(word: &str) -> Vec<String> {
    if LEXICON.grammar.fixed.contains(word) {
        return vec![word.to_owned()];
    }
    let mut found = Vec::with_capacity(4);
    for form in spellings(word) {
        for lemma in LEXICON.irregular(&form) {
            push(&mut found, (*lemma).to_owned());
        }
        for lemma in regular(&form) {
            for lemma in spellings(&lemma) {
                push(&mut found, lemma);
            }
        }
        push(&mut found, form);
    }
    found
}

/// The noun of an adjective or adverb: windy, wind; moodily, mood.
pub(super) fn root(lemma: &str) -> Option<String> {
    const ENDS: [(&str, &str); 8] = [
        ("ily", ""),
        ("y", ""),
        ("y", "e"),
        ("ly", ""),
        ("en", ""),
        ("ic", ""),
        ("istic", "ist"),
        ("s", ""),
    ];
    let is_root = |stem: &String| LEXICON.grammar.roots.contains(stem);
    ENDS.iter().find_map(|(end, instead)| {
        let stem = lemma.strip_suffix(end)?;
        // foggy, sunny
        let mut letters: Vec<char> = stem.chars().collect();
        let last = letters.pop();
        let single =
            (last.is_some() && letters.last() == last.as_ref()).then(|| letters.iter().collect());
        [Some(format!("{stem}{instead}")), single]
            .into_iter()
            .flatten()
            .find(is_root)
    })
}

fn push(found: &mut Vec<String>, lemma: String) {
    if !found.contains(&lemma) {
        found.push(lemma);
    }
}

/// The word in American spelling, if that is known to differ.
fn spellings(word: &str) -> Vec<String> {
    const RULES: [(&str, &str); 12] = [
        ("ae", "e"),
        ("oe", "e"),
        ("our", "or"),
        ("tre", "ter"),
        ("isation", "ization"),
        ("ise", "ize"),
        ("yse", "yze"),
        ("ogue", "og"),
        ("lled", "led"),
        ("lling", "ling"),
        ("ller", "ler"),
        ("ence", "ense"),
    ];
    let english = |other: &String| {
        LEXICON.knows(other) || regular(other).iter().any(|stem| LEXICON.knows(stem))
    };
    let all = RULES
        .iter()
        .fold(word.to_owned(), |word, (british, american)| {
            word.replace(british, american)
        });
    let single = RULES.iter().flat_map(|(british, american)| {
        let places = word.match_indices(british).filter(|(at, _)| *at >= 2);
        places
            .map(move |(at, _)| format!("{}{american}{}", &word[..at], &word[at + british.len()..]))
    });
    let mut forms = vec![word.to_owned()];
    for other in std::iter::once(all).chain(single).filter(english) {
        push(&mut forms, other);
    }
    forms
}

/// The known words of which this may be a plural, tense or comparative.
fn regular(word: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut try_stem = |stem: String| {
        if stem.len() >= 2 && (stem.len() >= 3 || LEXICON.knows(word)) && LEXICON.knows(&stem) {
            push(&mut found, stem);
        }
    };
    if let Some(stem) = word
        .strip_suffix("ies")
        .or_else(|| word.strip_suffix("ied"))
    {
        try_stem(format!("{stem}y"));
        try_stem(format!("{stem}ie"));
    }
    if let Some(stem) = word.strip_suffix("es") {
        try_stem(stem.to_owned());
        try_stem(format!("{stem}e"));
    }
    if let Some(stem) = word.strip_suffix('s').filter(|stem| !stem.ends_with('s')) {
        try_stem(stem.to_owned());
    }
    for end in ["ed", "ing"] {
        let Some(stem) = word.strip_suffix(end).filter(|stem| stem.len() >= 2) else {
            continue;
        };
        let last = stem.as_bytes()[stem.len() - 1];
        if stem.is_ascii() && stem.len() >= 3 && stem.as_bytes()[stem.len() - 2] == last {
            try_stem(stem[..stem.len() - 1].to_owned());
        }
        try_stem(format!("{stem}e"));
        try_stem(stem.to_owned());
    }
    if found.is_empty()
        && !LEXICON.knows(word)
        && let Some(stem) = word
            .strip_suffix('s')
            .filter(|stem| stem.len() >= 3 && !stem.ends_with('s'))
    {
        // Names and unknown words have plurals, too.
        found.push(stem.to_owned());
    }
    found
}
