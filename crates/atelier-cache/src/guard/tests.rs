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

/// No pair is wrongly taken for the same; most that are the same are recognised.
fn judge(pairs: &str) {
    let (mut right, mut wrong, mut same) = (0, Vec::new(), 0);
    for line in pairs.lines() {
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
fn our_pairs_are_told_apart() {
    judge(include_str!("../../tests/data/prompt-pairs.jsonl"));
}

#[test]
fn what_is_not_understood_is_a_difference() {
    judge(include_str!("../../tests/data/prompt-constructions.jsonl"));
}

#[test]
fn small_words_numbers_and_signs_count_where_they_are_names() {
    judge(include_str!("../../tests/data/prompt-names.jsonl"));
}

#[test]
fn a_difference_has_a_name() {
    for (one, other, why) in [
        (
            "all the cups are full",
            "all the cups but one are full",
            "no counterpart for “one”",
        ),
        (
            "a cat rather than a dog",
            "a dog rather than a cat",
            "“rather than” stands elsewhere",
        ),
        (
            "a wall before it was painted",
            "a wall after it was painted",
            "“before” stands elsewhere",
        ),
        (
            "a door that is red",
            "a door that used to be red",
            "“used to” stands elsewhere",
        ),
        (
            "a frog jumping in",
            "a frog about to jump in",
            "“about to” stands elsewhere",
        ),
        (
            "a desk with nothing on it",
            "a desk with nothing on it but dust",
            "no counterpart for “dust”",
        ),
        (
            "a robot repairing itself",
            "a robot repairing it",
            "“itself” stands elsewhere",
        ),
        (
            "a clock at ten to four",
            "a clock at ten past four",
            "“toward” “ten” in one",
        ),
        (
            "a cup falling off a shelf",
            "a cup that has fallen off a shelf",
            "not the same time",
        ),
        (
            "a shadow of a cat",
            "a cat with a shadow",
            "the other way round",
        ),
        (
            "a statue of a man holding a bird",
            "a man holding a statue of a bird",
            "the other way round",
        ),
        (
            "a bed made of chocolate",
            "a bed with chocolate",
            "“made” “bed” in one and “with” it",
        ),
        (
            "the baker's cook at a desk",
            "the cook's baker at a desk",
            "the other way round",
        ),
        (
            "a man in a hat next to a dog",
            "a man next to a dog in a hat",
            "the other way round",
        ),
        ("a lamp oil bottle", "an oil lamp bottle", "another order"),
        ("an oven at -10 degrees", "an oven at 10 degrees", "denied"),
        ("a boat", "boat 1", "no counterpart for “1”"),
        ("7 rooms", "room 7", "counts or names another thing"),
        ("a tent", "tents", "not as many"),
        ("a Turkey map", "a turkey map", "a name in one of them only"),
        ("a Bär in a wood", "a bar in a wood", "other accents"),
        (
            "a \"fresh\" fish",
            "a fresh fish",
            "quoted in one of them only",
        ),
        (
            "a man-eating shark",
            "a man eating shark",
            "done in one of them only",
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
        ("a box with a cat in it", "a cat in a box"),
        ("the wings of a butterfly", "a butterfly's wings"),
        (
            "instead of rum, a monk drinks tea",
            "a monk drinks tea instead of rum",
        ),
        ("a tree that has fallen on a car", "a tree fallen on a car"),
        (
            "on a piano sits a goldfish in a bowl",
            "a goldfish in a bowl sits on a piano",
        ),
        ("twenty-one candles on a cake", "21 candles on a cake"),
        ("1 red boat", "a red boat"),
        ("one dog and 1 cat", "a dog and a cat"),
        ("a café in Rome", "a cafe in rome"),
        ("The Eiffel Tower In Snow", "the eiffel tower in snow"),
    ] {
        let verdict = compare(one, other);
        assert!(verdict.agree, "{one:?} is {other:?}: {}", verdict.reason);
    }
}

#[test]
fn odd_prompts_do_no_harm() {
    let most = |words: &str| words.repeat(MOST_CHARS / words.chars().count());
    let long = most("very long cat ");
    let hostile = [
        most("a cat with a cat in it, "),
        most("cat and "),
        most("the cat's "),
        most("no not but as if "),
        most("dogs sit by it "),
        most("c\u{430}t "),
        most("1,000 -1 1:1 "),
        most("instead of before "),
    ];
    for one in &hostile {
        compare(one, &long);
        compare(one, &format!("{one} dog"));
    }
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
