//! The parser of expressions.

use super::{Function, InvalidExpression, MAX_DEPTH, Operator, Step};

/// The steps of an expression, in reverse Polish notation.
pub(super) fn parse(text: &str) -> Result<Vec<Step>, InvalidExpression> {
    let mut parser = Parser {
        rest: text,
        depth: 0,
        steps: Vec::new(),
    };
    parser.sum()?;
    match parser.peek() {
        None => Ok(parser.steps),
        Some(found) => Err(unexpected(found)),
    }
}

pub(super) fn unexpected(found: impl Into<String>) -> InvalidExpression {
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
