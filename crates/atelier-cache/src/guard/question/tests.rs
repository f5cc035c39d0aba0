use proptest::prelude::*;

use crate::guard::{Kind, Reading, Verdict};

fn compare(one: &str, other: &str) -> Verdict {
    let (a, b) = (
        Reading::of(Kind::Question, one),
        Reading::of(Kind::Question, other),
    );
    let (there, back) = (a.compare(&b), b.compare(&a));
    assert_eq!(
        there.agree, back.agree,
        "{one:?}, {other:?}: {there:?}, {back:?}"
    );
    there
}

/// Where the two are not taken as the label says.
fn misjudged(pairs: &str) -> (Vec<String>, Vec<String>) {
    let (mut wrong, mut missed) = (Vec::new(), Vec::new());
    for line in pairs.lines() {
        let pair: serde_json::Value = serde_json::from_str(line).unwrap();
        let (one, other) = (pair["a"].as_str().unwrap(), pair["b"].as_str().unwrap());
        match (compare(one, other).agree, pair["same"] == true) {
            (true, false) => wrong.push(format!("{one} | {other}")),
            (false, true) => missed.push(format!("{one} | {other}")),
            _ => {}
        }
    }
    (wrong, missed)
}

#[test]
fn questions_that_look_alike_are_told_apart() {
    let (wrong, missed) = misjudged(include_str!("../../../tests/data/question-pairs.jsonl"));
    assert_eq!(wrong, [""; 0]);
    assert!(missed.len() <= 30, "{missed:#?}");
}

#[test]
fn ways_of_asking_are_one() {
    for other in [
        "How can I remove rust from a pan?",
        "how to remove rust from a pan",
        "What's the proper way to remove rust from a pan?",
        "What are the steps for removing rust from a pan?",
        "Hi! Could you please tell me how I remove rust from a pan? Thanks a lot!",
        "From a pan, how do I remove rust?",
        "How is rust removed from a pan?",
        "HOW DO I REMOVE RUST FROM A PAN",
        "I was wondering how to remove rust from a pan.",
    ] {
        let verdict = compare("How do I remove rust from a pan?", other);
        assert!(verdict.agree, "{other}: {}", verdict.reason);
    }
}

#[test]
fn a_difference_has_a_name() {
    for (one, other, why) in [
        (
            "What is the capital of Slovakia?",
            "What is the capital of Slovenia?",
            "no counterpart for “slovakia”",
        ),
        (
            "Must a will be notarized?",
            "Can a will be notarized?",
            "“must” in one and “can”",
        ),
        (
            "How does stress cause insomnia?",
            "How does insomnia cause stress?",
            "order",
        ),
        (
            "What is the population of India?",
            "What was the population of India?",
            "not the same time",
        ),
    ] {
        let verdict = compare(one, other);
        assert!(!verdict.agree, "{one} | {other}");
        assert!(
            verdict.reason.contains(why),
            "{one} | {other}: {}",
            verdict.reason
        );
    }
}

#[test]
fn a_picture_is_no_question() {
    let (a, b) = (
        Reading::of(Kind::Picture, "a red fox"),
        Reading::of(Kind::Question, "a red fox"),
    );
    assert!(!a.compare(&b).agree && !b.compare(&a).agree);
}

/// What may come together in a question, for better or worse.
const PARTS: [&str; 48] = [
    "how", "do", "I", "what", "is", "the", "a", "can", "you", "please", "tell", "me", "to", "from",
    "and", "or", "not", "before", "after", "if", "it", "whether", "must", "may", "be", "cooked",
    "cooking", "eggs", "Turkey", "WHO", "Chile's", "3", "twenty", "million", "$5", "5%", "c++",
    "'quoted'", "\"both\"", ":", ",", ".", "?", "thanks", "how to", "for", "of", "ist",
];

proptest! {
    #[test]
    fn every_question_is_itself_and_comparing_is_symmetric(
        one in prop::collection::vec(prop::sample::select(&PARTS[..]), 1..40),
        other in prop::collection::vec(prop::sample::select(&PARTS[..]), 1..40),
    ) {
        let (one, other) = (one.join(" "), other.join(" "));
        prop_assert!(compare(&one, &one).agree, "{one}");
        compare(&one, &other);
    }

    #[test]
    fn any_text_can_be_read(text in ".{0,300}") {
        prop_assert!(compare(&text, &text).agree, "{text}");
    }
}

#[test]
fn a_long_question_is_compared_exactly_only() {
    let words = "how do I ".repeat(60);
    assert!(!compare(&words, &format!("{words} cook")).agree);
    let other = format!("please {words}");
    assert!(!compare(&words, &other).agree);
}
