use super::*;

fn compare(one: &str, other: &str) -> Verdict {
    let there = Reading::new(one).compare(&Reading::new(other));
    let back = Reading::new(other).compare(&Reading::new(one));
    assert_eq!(
        there.agree, back.agree,
        "{one:?}, {other:?}: {there:?}, {back:?}"
    );
    there
}

#[test]
fn our_pairs_are_told_apart() {
    let (mut right, mut wrong, mut same) = (0, Vec::new(), 0);
    for line in include_str!("../../../tests/data/prompt-pairs.jsonl").lines() {
        let pair: serde_json::Value = serde_json::from_str(line).unwrap();
        let (one, other) = (pair["a"].as_str().unwrap(), pair["b"].as_str().unwrap());
        let agree = compare(one, other).agree;
        if pair["same"] == true {
            same += 1;
            right += usize::from(agree);
        } else if agree {
            wrong.push((one.to_owned(), other.to_owned()));
        }
    }
    assert_eq!(wrong, []);
    assert!(3 * right >= 2 * same, "{right} of {same}");
}

#[test]
fn what_looks_alike_is_told_apart() {
    for (one, other, why) in [
        ("two dogs", "three dogs", "counts differ"),
        ("a red boat", "a blue boat", "colour differs"),
        ("a boat", "a boat and a gull", "no counterpart"),
        ("a man with a hat", "a man without a hat", "denied"),
        (
            "a cat chasing a dog",
            "a dog chasing a cat",
            "change places",
        ),
        (
            "a cat under a table",
            "a cat on a table",
            "different places",
        ),
        ("an open door", "a closed door", "opposites"),
        (
            "a tall man and a short woman",
            "a short man and a tall woman",
            "belongs to",
        ),
        ("a frightened child", "a frightening child", "is not"),
        ("a doctor with his dog", "a doctor with her dog", "of him"),
        (
            "sign that says dog bites man",
            "sign that says man bites dog",
            "another order",
        ),
        (
            "a lamp on the floor beside the table",
            "a lamp on the table beside the floor",
            "different places",
        ),
        (
            "painting by a child",
            "painting of a child",
            "different places",
        ),
        (
            "ein Hund jagt eine Katze",
            "eine Katze jagt ein Hund",
            "not English",
        ),
        (
            "a woman with a glass",
            "a woman with glasses",
            "no counterpart",
        ),
        (
            "kids before a bath",
            "kids after a bath",
            "different places",
        ),
        ("one moon", "moons", "is one"),
        (
            "a painting by Manet",
            "a painting by Monet",
            "no counterpart",
        ),
    ] {
        let verdict = compare(one, other);
        assert!(!verdict.agree, "{one:?} is not {other:?}");
        assert!(
            verdict.reason.contains(why),
            "{one:?}, {other:?}: {}",
            verdict.reason
        );
    }
}

#[test]
fn what_is_said_differently_is_the_same() {
    for (one, other) in [
        ("a red car", "a crimson automobile"),
        ("sci-fi city", "Sci Fi city!"),
        (
            "a \u{200b}fox in the snow",
            "please draw a fox in the snow, masterpiece, 4k",
        ),
        ("a colourful medeival fair", "a colorful medieval fair"),
        (
            "a tattoo of a koi and a lotus",
            "a tattoo of a lotus and a koi",
        ),
        (
            "a nurse pushing a doctor",
            "a doctor being pushed by a nurse",
        ),
        ("a snake, eating itself", "a snake eating itself"),
    ] {
        let verdict = compare(one, other);
        assert!(verdict.agree, "{one:?} is {other:?}: {}", verdict.reason);
    }
}

#[test]
fn odd_prompts_do_no_harm() {
    let long = "very long cat ".repeat(MOST_CHARS / 14);
    let odd = [
        "",
        " ",
        "\"",
        "''''",
        "((((",
        "-",
        "🦊",
        "\u{200b}",
        "1 2 3",
        "no",
        "no no no",
        "a",
        "--",
        "\u{E000}0",
        long.as_str(),
    ];
    for one in odd {
        for other in odd {
            compare(one, other);
        }
    }
}

mod never_panics {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn on_anything(one in "\\PC{0,60}", other in "[a-z0-9 ,.'\"()-]{0,80}") {
            compare(&one, &other);
            let same = Reading::new(&other).compare(&Reading::new(&other));
            prop_assert!(same.agree || same.reason.contains("no words"), "{other:?}: {}", same.reason);
        }
    }
}
