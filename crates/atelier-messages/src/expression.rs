//! The pause before a repetition as an expression: `pow(2, retried) * 1000`.

use std::{fmt, str::FromStr, time::Duration};

/// The longest pause, which is also the default's longest: a day.
pub const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// Maximum length of an expression, in bytes. It bounds the time that evaluating one takes.
pub const MAX_LENGTH: usize = 1000;

/// How deep parentheses, functions and signs may be nested.
const MAX_DEPTH: usize = 50;

/// An expression for a number of milliseconds, with the variable `retried`: how often the call has
/// been repeated, 0 for the first repetition.
///
/// It knows numbers, `+ - * / ( )`, and the functions `pow(x, y) sqrt(x) abs(x) exp(x) floor(x)
/// ceil(x) round(x) min(x, …) max(x, …)`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use atelier_messages::expression::Expression;
///
/// let doubling: Expression = "pow(2, retried) * 1000".parse()?;
/// doubling.check(3)?;
/// assert_eq!(doubling.pause(2)?, Duration::from_secs(4));
///
/// let falling: Expression = "1000 - 500 * retried".parse()?;
/// assert!(falling.check(3).is_ok() && falling.check(4).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    text: String,
    /// In reverse Polish notation.
    steps: Vec<Step>,
}

/// Why a text is not an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExpression {
    /// It exceeds [`MAX_LENGTH`].
    #[error("an expression cannot be longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// Too much is nested.
    #[error("an expression cannot be nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// It ends too early.
    #[error("the expression ends where a number, retried, a function or ( is expected")]
    Unfinished,
    /// Something else is expected there.
    #[error("{found:?} in the expression is unexpected")]
    Unexpected {
        /// The word or the character.
        found: String,
    },
    /// The function is not known.
    #[error(
        "{0:?} is unknown: there are retried, pow, sqrt, abs, exp, floor, ceil, round, min and max"
    )]
    Unknown(String),
    /// A function has another number of arguments.
    #[error("{0} has another number of arguments")]
    Arguments(&'static str),
}

/// Why the value of an expression is not a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPause {
    /// Something is divided by zero.
    #[error("the expression divides by zero where retried is {0}")]
    DividesByZero(u32),
    /// It is not a number, for example the root of a negative one.
    #[error("the expression is not a number where retried is {0}")]
    NotANumber(u32),
    /// It is below zero.
    #[error("the expression is negative where retried is {0}")]
    Negative(u32),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Number(f64),
    Retried,
    Negate,
    Binary(Operator),
    /// The function of the last so many values.
    Call(Function, usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Function {
    Pow,
    Sqrt,
    Abs,
    Exp,
    Floor,
    Ceil,
    Round,
    Min,
    Max,
}

impl Expression {
    /// The pause before the repetition after `retried` earlier ones: at most [`LONGEST_PAUSE`],
    /// also where the value overflows.
    ///
    /// # Errors
    ///
    /// An [`InvalidPause`] if its value is not a number, negative, or divides by zero.
    pub fn pause(&self, retried: u32) -> Result<Duration, InvalidPause> {
        let milliseconds = self.evaluate(retried)?;
        if milliseconds.is_nan() {
            return Err(InvalidPause::NotANumber(retried));
        }
        if milliseconds < 0.0 {
            return Err(InvalidPause::Negative(retried));
        }
        let longest = LONGEST_PAUSE.as_secs_f64();
        Ok(Duration::from_secs_f64(
            (milliseconds / 1000.0).min(longest),
        ))
    }

    /// Whether it is a pause before each of so many repetitions.
    ///
    /// # Errors
    ///
    /// The first [`InvalidPause`].
    pub fn check(&self, retries: u32) -> Result<(), InvalidPause> {
        (0..retries).try_for_each(|retried| self.pause(retried).map(drop))
    }

    fn evaluate(&self, retried: u32) -> Result<f64, InvalidPause> {
        let mut stack: Vec<f64> = Vec::new();
        for step in &self.steps {
            let value = match *step {
                Step::Number(number) => number,
                Step::Retried => f64::from(retried),
                Step::Negate => -stack.pop().unwrap_or(f64::NAN),
                Step::Binary(operator) => {
                    let right = stack.pop().unwrap_or(f64::NAN);
                    let left = stack.pop().unwrap_or(f64::NAN);
                    if operator == Operator::Divide && right == 0.0 {
                        return Err(InvalidPause::DividesByZero(retried));
                    }
                    operator.apply(left, right)
                }
                Step::Call(function, count) => {
                    let arguments = stack.split_off(stack.len().saturating_sub(count));
                    function.apply(&arguments)
                }
            };
            stack.push(value);
        }
        Ok(stack.pop().unwrap_or(f64::NAN))
    }
}

impl Operator {
    fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
        }
    }
}

impl Function {
    const ALL: [(&str, Self); 9] = [
        ("pow", Self::Pow),
        ("sqrt", Self::Sqrt),
        ("abs", Self::Abs),
        ("exp", Self::Exp),
        ("floor", Self::Floor),
        ("ceil", Self::Ceil),
        ("round", Self::Round),
        ("min", Self::Min),
        ("max", Self::Max),
    ];

    fn accepts(self, count: usize) -> bool {
        match self {
            Self::Pow => count == 2,
            Self::Min | Self::Max => count >= 1,
            _ => count == 1,
        }
    }

    fn apply(self, arguments: &[f64]) -> f64 {
        let first = arguments.first().copied().unwrap_or(f64::NAN);
        let rest = arguments.get(1..).unwrap_or_default();
        match self {
            Self::Pow => first.powf(rest.first().copied().unwrap_or(f64::NAN)),
            Self::Sqrt => first.sqrt(),
            Self::Abs => first.abs(),
            Self::Exp => first.exp(),
            Self::Floor => first.floor(),
            Self::Ceil => first.ceil(),
            Self::Round => first.round(),
            Self::Min => fold(first, rest, f64::min),
            Self::Max => fold(first, rest, f64::max),
        }
    }
}

/// What is not a number remains so, which `f64::min` does not see to.
fn fold(first: f64, rest: &[f64], choose: fn(f64, f64) -> f64) -> f64 {
    rest.iter().fold(first, |chosen, next| {
        if chosen.is_nan() || next.is_nan() {
            f64::NAN
        } else {
            choose(chosen, *next)
        }
    })
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Expression {
    type Err = InvalidExpression;

    fn from_str(text: &str) -> Result<Self, InvalidExpression> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidExpression::TooLong);
        }
        let mut parser = Parser {
            rest: text,
            depth: 0,
            steps: Vec::new(),
        };
        parser.sum()?;
        match parser.peek() {
            None => Ok(Self {
                text: text.trim().to_owned(),
                steps: parser.steps,
            }),
            Some(found) => Err(unexpected(found)),
        }
    }
}

fn unexpected(found: impl Into<String>) -> InvalidExpression {
    InvalidExpression::Unexpected {
        found: found.into(),
    }
}

/// A parser by recursive descent: a sum of products of signed values.
struct Parser<'a> {
    rest: &'a str,
    depth: usize,
    steps: Vec<Step>,
}

type Parsed = Result<(), InvalidExpression>;

impl<'a> Parser<'a> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.rest = &self.rest[wanted.len_utf8()..];
        }
        is_next
    }

    fn expect(&mut self, wanted: char) -> Parsed {
        if self.take(wanted) {
            return Ok(());
        }
        Err(self
            .peek()
            .map_or(InvalidExpression::Unfinished, unexpected))
    }

    fn sum(&mut self) -> Parsed {
        self.product()?;
        loop {
            let operator = match self.peek() {
                Some('+') => Operator::Add,
                Some('-') => Operator::Subtract,
                _ => return Ok(()),
            };
            self.rest = &self.rest[1..];
            self.product()?;
            self.steps.push(Step::Binary(operator));
        }
    }

    fn product(&mut self) -> Parsed {
        self.signed()?;
        loop {
            let operator = match self.peek() {
                Some('*') => Operator::Multiply,
                Some('/') => Operator::Divide,
                _ => return Ok(()),
            };
            self.rest = &self.rest[1..];
            self.signed()?;
            self.steps.push(Step::Binary(operator));
        }
    }

    fn signed(&mut self) -> Parsed {
        // Every level of nesting passes here, so this bounds the recursion.
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(InvalidExpression::TooDeep);
        }
        if self.take('-') {
            self.signed()?;
            self.steps.push(Step::Negate);
        } else if self.take('+') {
            self.signed()?;
        } else {
            self.value()?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn value(&mut self) -> Parsed {
        match self.peek() {
            None => Err(InvalidExpression::Unfinished),
            Some('(') => {
                self.expect('(')?;
                self.sum()?;
                self.expect(')')
            }
            Some('0'..='9' | '.') => self.number(),
            Some(char) if char.is_ascii_alphabetic() => self.word(),
            Some(char) => Err(unexpected(char)),
        }
    }

    fn number(&mut self) -> Parsed {
        let digits = |rest: &str| {
            rest.len()
                - rest
                    .trim_start_matches(|char: char| char.is_ascii_digit())
                    .len()
        };
        let mut length = digits(self.rest);
        if self.rest[length..].starts_with('.') {
            length += 1;
            length += digits(&self.rest[length..]);
        }
        if let Some(exponent) = self.rest[length..].strip_prefix(['e', 'E']) {
            let sign = usize::from(exponent.starts_with(['+', '-']));
            let count = digits(&exponent[sign..]);
            length += if count > 0 { 1 + sign + count } else { 0 };
        }
        let (number, rest) = self.rest.split_at(length);
        let value = number.parse().map_err(|_| unexpected(number))?;
        self.rest = rest;
        self.steps.push(Step::Number(value));
        Ok(())
    }

    fn word(&mut self) -> Parsed {
        let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
        let end = self
            .rest
            .find(|char| !is_part(char))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if word == "retried" {
            self.steps.push(Step::Retried);
            return Ok(());
        }
        let known = Function::ALL.iter().find(|(name, _)| *name == word);
        let (name, function) = known.ok_or_else(|| InvalidExpression::Unknown(word.to_owned()))?;
        self.expect('(')?;
        let count = self.arguments()?;
        if !function.accepts(count) {
            return Err(InvalidExpression::Arguments(name));
        }
        self.steps.push(Step::Call(*function, count));
        Ok(())
    }

    /// Arguments up to the closing parenthesis, and how many they are.
    fn arguments(&mut self) -> Result<usize, InvalidExpression> {
        let mut count = 0;
        if self.take(')') {
            return Ok(count);
        }
        loop {
            self.sum()?;
            count += 1;
            if !self.take(',') {
                self.expect(')')?;
                return Ok(count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
}
