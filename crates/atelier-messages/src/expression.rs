//! The pause before a repetition as an expression: `pow(2, retried) * 1000`.

mod parser;

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
        Ok(Self {
            text: text.trim().to_owned(),
            steps: parser::parse(text)?,
        })
    }
}

#[cfg(test)]
mod tests;
