use proptest::prelude::*;

use super::{parser::unexpected, *};

fn value(text: &str, retried: u32) -> f64 {
    let expression: Expression = text.parse().unwrap();
    expression.evaluate(retried).unwrap()
}

#[test]
fn arithmetic_is_as_written() {
    for (text, expected) in [
        ("1000", 1000.0),
        (" 1 + 2 * 3 ", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("8 - 3 - 2", 3.0),
        ("8 / 4 / 2", 1.0),
        ("-3 + 5", 2.0),
        ("- -3", 3.0),
        ("2 * -3", -6.0),
        ("+4", 4.0),
        ("1e3 + .5 + 2.", 1002.5),
        ("1000 * (1 + retried)", 4000.0),
        ("pow(2, retried) * 1000", 8000.0),
        ("max(1000, pow(2, retried) * 100)", 1000.0),
        ("min(5, 3, 4)", 3.0),
        ("sqrt(16) + abs(-2) + exp(0)", 7.0),
        ("floor(2.7) + ceil(2.1) + round(2.5)", 8.0),
    ] {
        assert_eq!(value(text, 3), expected, "{text}");
    }
}

#[test]
fn it_is_shown_as_it_was_given() {
    let expression: Expression = " pow( 2,retried ) ".parse().unwrap();
    assert_eq!(expression.to_string(), "pow( 2,retried )");
}

#[test]
fn values_that_are_no_pause_are_told_and_long_ones_are_cut() {
    let pause = |text: &str, retried| text.parse::<Expression>().unwrap().pause(retried);
    assert_eq!(pause("1 / retried", 0), Err(InvalidPause::DividesByZero(0)));
    assert_eq!(pause("0 / 0", 1), Err(InvalidPause::DividesByZero(1)));
    assert_eq!(pause("sqrt(0 - 1)", 2), Err(InvalidPause::NotANumber(2)));
    assert_eq!(
        pause("min(1, sqrt(-1))", 0),
        Err(InvalidPause::NotANumber(0))
    );
    assert_eq!(
        pause("exp(1000) - exp(1000)", 0),
        Err(InvalidPause::NotANumber(0))
    );
    assert_eq!(pause("-1", 0), Err(InvalidPause::Negative(0)));
    assert_eq!(pause("0 - exp(1000)", 0), Err(InvalidPause::Negative(0)));
    assert_eq!(pause("exp(1000)", 0), Ok(LONGEST_PAUSE));
    assert_eq!(pause("1e400", 0), Ok(LONGEST_PAUSE));
    assert_eq!(pause("-0", 0), Ok(Duration::ZERO));
    assert_eq!(pause("1.5", 0), Ok(Duration::from_micros(1500)));
}

#[test]
fn all_repetitions_are_checked() {
    let expression: Expression = "6 / (2 - retried)".parse().unwrap();
    assert_eq!(expression.check(0), Ok(()));
    assert_eq!(expression.check(2), Ok(()));
    assert_eq!(expression.check(3), Err(InvalidPause::DividesByZero(2)));
}

#[test]
fn what_is_no_expression_is_told_so() {
    use InvalidExpression::{Arguments, TooDeep, TooLong, Unfinished, Unknown};

    let deep = |count| format!("{}1{}", "(".repeat(count), ")".repeat(count));
    for (text, error) in [
        ("", Unfinished),
        ("1 +", Unfinished),
        ("(1", Unfinished),
        ("pow(2, 3", Unfinished),
        ("pow", Unfinished),
        ("1 2", unexpected('2')),
        ("1)", unexpected(')')),
        ("1 % 2", unexpected('%')),
        ("2 ** 3", unexpected('*')),
        (".", unexpected(".")),
        ("1,5", unexpected(',')),
        ("é", unexpected('é')),
        ("2e", unexpected('e')),
        ("sin(1)", Unknown("sin".to_owned())),
        ("Retried", Unknown("Retried".to_owned())),
        ("__proto__", unexpected('_')),
        ("pow(2)", Arguments("pow")),
        ("abs()", Arguments("abs")),
        ("min()", Arguments("min")),
        (&deep(100), TooDeep),
        (&"-".repeat(900), TooDeep),
        (&"abs(".repeat(200), TooDeep),
        (&deep(10_000), TooLong),
        (&"1+".repeat(10_000), TooLong),
    ] {
        let parsed: Result<Expression, _> = text.parse();
        assert_eq!(parsed, Err(error), "{}", &text[..text.len().min(30)]);
    }
    assert!(deep(40).parse::<Expression>().is_ok());
    // What stands side by side is not nested.
    assert!(
        format!("1{}", "+(1)".repeat(200))
            .parse::<Expression>()
            .is_ok()
    );
}

proptest! {
    #[test]
    fn any_text_is_answered(text in ".*", retried: u32) {
        if let Ok(expression) = text.parse::<Expression>() {
            let _ = expression.pause(retried);
        }
    }

    #[test]
    fn anything_like_an_expression_is_answered(
        words in proptest::collection::vec(
            prop_oneof!["[0-9.e]{1,4}", "[-+*/(),]", "(retried|pow\\(|sqrt\\(|max\\(|exp\\()"],
            0..60,
        ),
        retried: u32,
    ) {
        if let Ok(expression) = words.concat().parse::<Expression>()
            && let Ok(pause) = expression.pause(retried)
        {
            prop_assert!(pause <= LONGEST_PAUSE);
        }
    }
}
