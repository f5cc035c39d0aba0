//! Numbers, written in digits whatever they were written in.

use super::split::{Form, Token};

const SMALL: [(&str, u32); 29] = [
    ("zero", 0),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
    ("dozen", 12),
];

const ORDINALS: [(&str, &str); 20] = [
    ("first", "1st"),
    ("second", "2nd"),
    ("third", "3rd"),
    ("fourth", "4th"),
    ("fifth", "5th"),
    ("sixth", "6th"),
    ("seventh", "7th"),
    ("eighth", "8th"),
    ("ninth", "9th"),
    ("tenth", "10th"),
    ("eleventh", "11th"),
    ("twelfth", "12th"),
    ("thirteenth", "13th"),
    ("fourteenth", "14th"),
    ("fifteenth", "15th"),
    ("sixteenth", "16th"),
    ("seventeenth", "17th"),
    ("eighteenth", "18th"),
    ("nineteenth", "19th"),
    ("twentieth", "20th"),
];

const POWERS: [(&str, f64); 4] = [
    ("hundred", 1e2),
    ("thousand", 1e3),
    ("million", 1e6),
    ("billion", 1e9),
];

/// Writes numbers in digits: twenty-five, 1.5 million, a hundred, first.
pub(super) fn read(tokens: &[Token]) -> Vec<Token> {
    let mut read: Vec<Token> = Vec::with_capacity(tokens.len());
    // Whether the last token can be part of a longer number, and is a word for tens.
    let (mut open, mut tens) = (false, false);
    for token in tokens {
        if !token.is_word() || token.literal {
            read.push(token.clone());
            (open, tens) = (false, false);
            continue;
        }
        let text = token.text.as_str();
        let last = read
            .last()
            .and_then(|last| last.text.parse::<f64>().ok())
            .filter(|_| open);
        if let Some((_, power)) = POWERS.iter().find(|(word, _)| *word == text) {
            let article = read.last().is_some_and(|last| last.is("a"));
            if last.is_some() || article {
                read.pop();
                read.push(digits(last.unwrap_or(1.0) * power));
                (open, tens) = (true, false);
                continue;
            }
        }
        if let Some(value) = small(text) {
            match last.filter(|_| tens && value < 10) {
                Some(tens) => {
                    read.pop();
                    read.push(digits(tens + f64::from(value)));
                }
                None => read.push(digits(f64::from(value))),
            }
            (open, tens) = (true, (20..100).contains(&value));
            continue;
        }
        let ordinal = ORDINALS.iter().find(|(word, _)| *word == text);
        read.push(ordinal.map_or_else(|| token.clone(), |(_, short)| Token::word(short)));
        (open, tens) = (token.is_number(), false);
    }
    read
}

fn small(word: &str) -> Option<u32> {
    SMALL
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, value)| *value)
}

fn digits(value: f64) -> Token {
    Token {
        text: value.to_string(),
        form: Form::Lower,
        literal: false,
    }
}
