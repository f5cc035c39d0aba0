//! Takes out what people say around a question: greetings, thanks, excuses.

use super::{
    split::{Form, Token},
    vocabulary::VOCABULARY,
};

/// What may begin a question or a request behind a clause of talk.
const STARTS: [&str; 40] = [
    "what",
    "which",
    "who",
    "whose",
    "where",
    "when",
    "why",
    "how",
    "is",
    "are",
    "was",
    "were",
    "do",
    "does",
    "did",
    "can",
    "could",
    "should",
    "would",
    "will",
    "may",
    "must",
    "am",
    "have",
    "has",
    "whether",
    "if",
    "explain",
    "write",
    "translate",
    "summarize",
    "suggest",
    "give",
    "tell",
    "list",
    "name",
    "compare",
    "recommend",
    "show",
    "i",
];

/// What ends a letter; a name may follow.
const FAREWELLS: [&str; 8] = [
    "truly",
    "wishes",
    "regards",
    "sincerely",
    "cheers",
    "thanks",
    "yours",
    "best",
];

/// Leading and trailing words that ask for nothing.
const LEADING: [&str; 22] = [
    "bro", "dude", "so", "ok", "okay", "um", "umm", "uh", "hmm", "well", "hey", "hi", "hello",
    "yo", "please", "kindly", "also", "and", "but", "alright", "just", "like",
];
const TRAILING: [&str; 8] = [
    "please", "thanks", "lol", "haha", "though", "exactly", "anyway", "btw",
];

/// Words behind which thanks are what is spoken of.
const SAYING: [&str; 11] = [
    "say",
    "saying",
    "said",
    "mean",
    "means",
    "spell",
    "translate",
    "pronounce",
    "word",
    "write",
    "use",
];

/// Takes the talk out. Returns whether anything that tells of the speaker went with it.
pub(super) fn without_talk(tokens: &mut Vec<Token>) -> bool {
    let whole = tokens.clone();
    VOCABULARY.clauses.apply(tokens);
    if !says_something(tokens.iter()) {
        tokens.clone_from(&whole);
    }
    without_clauses(tokens);
    let about = |tokens: &[Token]| {
        let tells = |token: &&Token| token.is_any(&["my", "our"]) || token.form == Form::Capital;
        tokens.iter().filter(tells).count()
    };
    about(&whole) > about(tokens)
}

/// "What should I do?" asks about what was said before; and thanks alone are what is said.
fn says_something<'a>(tokens: impl Iterator<Item = &'a Token>) -> bool {
    let told = |token: &&Token| token.is_word() && !VOCABULARY.is_small(&token.text);
    tokens.filter(told).count() >= 2
}

/// Takes out what the clauses are that have only words of talk, and such words at both ends
/// of others.
fn without_clauses(tokens: &mut Vec<Token>) {
    let ranges = clauses(tokens);
    let mut gone = vec![false; tokens.len()];
    for range in &ranges {
        let clause = &tokens[range.clone()];
        let farewell = is_signature(tokens, range, &gone);
        if farewell || is_talk(clause) {
            gone[range.clone()].fill(true);
        }
    }
    let kept = tokens.iter().zip(&gone).filter(|(_, gone)| !**gone);
    if !says_something(kept.map(|(token, _)| token)) {
        gone.fill(false);
    }
    for range in &ranges {
        if gone[range.clone()].iter().any(|gone| *gone) {
            continue;
        }
        let clause = &tokens[range.clone()];
        let (before, after) = (opening(clause), closing(clause));
        if before + after < clause.len() {
            gone[range.start..range.start + before].fill(true);
            gone[range.end - after..range.end].fill(true);
        }
    }
    let mut kept = Vec::with_capacity(tokens.len());
    for (token, gone) in tokens.drain(..).zip(gone) {
        if gone {
            continue;
        } else if token.is_word() || kept.last().is_some_and(Token::is_word) {
            kept.push(token);
        } else if let Some(last) = kept.last_mut().filter(|_| token.form == Form::Stop) {
            *last = token;
        }
    }
    while kept.last().is_some_and(|last| !last.is_word()) {
        kept.pop();
    }
    *tokens = kept;
}

/// The words between two marks of punctuation.
fn clauses(tokens: &[Token]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    for (at, token) in tokens.iter().enumerate() {
        if !token.is_word() {
            if at > from {
                found.push(from..at);
            }
            from = at + 1;
        }
    }
    if tokens.len() > from {
        found.push(from..tokens.len());
    }
    found
}

fn is_talk(clause: &[Token]) -> bool {
    let says = |words: &[&str]| clause.iter().any(|token| token.is_any(words));
    let first = &clause[0];
    clause.iter().all(is_talk_word)
        && if first.is("if") {
            says(&["mind", "trouble", "bother"]) || clause.len() == 2 && says(&["possible"])
        } else if first.is_any(&["when", "whenever"]) {
            says(&["moment", "minute", "chance", "second", "sec"])
        } else {
            let praise = says(&["you"])
                && says(&[
                    "best",
                    "great",
                    "helpful",
                    "lifesaver",
                    "legend",
                    "awesome",
                    "amazing",
                    "leave",
                ]);
            let asked = says(&["asked"]) && says(&["this"])
                || says(&["no"]) && says(&["idea", "clue"])
                || says(&["quick"]) && says(&["one"]);
            let excuse = asked
                || says(&["know"])
                    && says(&["basic", "obvious", "silly", "dumb", "simple", "trivial"]);
            !asks(clause)
                && (clause.iter().any(is_courtesy) || praise || excuse || is_greeting(clause))
        }
}

/// Good morning, evening all.
fn is_greeting(clause: &[Token]) -> bool {
    let (good, rest) = match clause.split_first() {
        Some((first, rest)) if first.is("good") => (true, rest),
        _ => (false, clause),
    };
    let whom = [
        "all",
        "everyone",
        "there",
        "team",
        "everybody",
        "folks",
        "sir",
        "madam",
    ];
    let time = rest.first().is_some_and(|token| {
        token.is_any(&["morning", "afternoon", "evening"]) || good && token.is("day")
    });
    time && rest[1..].iter().all(|token| token.is_any(&whom))
}

fn is_talk_word(token: &Token) -> bool {
    !token.literal && VOCABULARY.talk.contains(token.text.as_str())
}

fn is_courtesy(token: &Token) -> bool {
    !token.literal && VOCABULARY.courtesies.contains(token.text.as_str())
}

/// Whether it is a question by its first word, and no polite one.
fn asks(clause: &[Token]) -> bool {
    const POLITE: [&str; 6] = ["if", "i", "would", "will", "have", "may"];
    const WORDS: [&str; 6] = ["mind", "favor", "favour", "question", "thanks", "bother"];
    let first = &clause[0];
    first.is_any(&STARTS)
        && !first.is_any(&POLITE)
        && !clause.iter().any(|token| token.is_any(&WORDS))
}

/// A name behind a farewell that ends the text.
fn is_signature(tokens: &[Token], range: &std::ops::Range<usize>, gone: &[bool]) -> bool {
    let names = range.len() <= 2 && range.end + 1 >= tokens.len();
    let before = range.start.checked_sub(2);
    let farewell = before.is_some_and(|before| gone[before] && tokens[before].is_any(&FAREWELLS));
    names && farewell
}

/// How many words at the beginning of the clause ask for nothing.
fn opening(clause: &[Token]) -> usize {
    let talk = clause
        .iter()
        .take_while(|token| is_talk_word(token))
        .count();
    let mut most = clause
        .iter()
        .take_while(|token| token.is_any(&LEADING))
        .count();
    for end in 1..=talk.min(clause.len() - 1) {
        let (said, next) = (&clause[..end], &clause[end]);
        let links =
            said[end - 1].is_any(&["but", "so", "and", "that"]) || is_courtesy(&said[end - 1]);
        let polite = !asks(said) && said.iter().any(is_courtesy);
        if links && polite && next.is_any(&STARTS) && !next.is("if") {
            most = most.max(end);
        }
    }
    most
}

/// How many words at its end ask for nothing.
fn closing(clause: &[Token]) -> usize {
    let talk = clause
        .iter()
        .rev()
        .take_while(|token| is_talk_word(token))
        .count();
    let last = clause
        .iter()
        .rev()
        .take_while(|token| token.is_any(&TRAILING))
        .count();
    let thanks = (1..=talk).filter(|many| {
        let from = clause.len() - many;
        clause[from].is_any(&["thanks", "thank", "please", "cheers", "lol", "ta"])
    });
    let most = thanks.max().unwrap_or_default().max(last);
    // How do I say thanks?
    let spoken = clause.len().checked_sub(most + 1).is_some_and(|before| {
        let before = &clause[before];
        before.literal
            || before.is_any(&SAYING)
            || VOCABULARY.is_small(&before.text) && !before.is("me")
    });
    if spoken { 0 } else { most }
}
